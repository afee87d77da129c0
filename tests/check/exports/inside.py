"""Does what goss does, as far as our files need it: run by a container's own python3, with the tests as its input.

Prints the names of the tests that fail, as JSON. It stands in for goss where that is not installed, and knows nothing
of how the files are made.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any


def matches(wanted: Any, seen: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(wanted == seen)
    ((word, value),) = wanted.items()
    if word == "not":
        return not matches(value, seen)
    if word in ("and", "or"):
        found = [matches(one, seen) for one in value]
        return all(found) if word == "and" else any(found)
    if word == "match-regexp":
        return re.search(value, seen) is not None
    return bool({"ge": seen >= value, "le": seen <= value, "gt": seen > value, "lt": seen < value}[word])


def lines_match(patterns: list[str], text: str) -> bool:
    for pattern in patterns:
        unwanted, wanted = pattern.startswith("!"), pattern.lstrip("!").strip("/")
        if any(re.search(wanted, line) for line in text.splitlines()) == unwanted:
            return False
    return True


def holds_file(row: dict[str, Any]) -> bool:
    path = row["path"]
    if not row["exists"]:
        return not os.path.lexists(path)
    if not Path(path).exists():
        return False
    facts = os.lstat(path)
    contents = ""
    if "contents" in row:
        contents = Path(path).read_bytes().decode(errors="replace")
    return (
        matches(row.get("mode", {"match-regexp": ""}), f"{facts.st_mode & 0o7777:04o}")
        and matches(row.get("size", facts.st_size), facts.st_size)
        and matches(row.get("contents", contents), contents)
    )


def holds_command(row: dict[str, Any]) -> bool:
    ended = subprocess.run(
        ["sh", "-c", row["exec"]], capture_output=True, text=True, timeout=row["timeout"] / 1000, check=False
    )
    return ended.returncode == row["exit-status"] and lines_match(row.get("stdout", []), ended.stdout)


def holds_addr(row: dict[str, Any]) -> bool:
    host, _, port = row["address"].removeprefix("tcp://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), row["timeout"] / 1000).close()
    except OSError:
        return not row["reachable"]
    return bool(row["reachable"])


def holds_http(row: dict[str, Any]) -> bool:
    url = urllib.parse.urlsplit(row["url"])
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=row["timeout"] / 1000)
    headers = dict(one.split(": ", 1) for one in row.get("request-headers", []))
    with contextlib.closing(connection):
        try:
            connection.request(row["method"], url.path, row.get("request-body", "").encode(), headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
    return matches(row["status"], status)


def main() -> None:
    holds = {"file": holds_file, "command": holds_command, "addr": holds_addr, "http": holds_http}
    tests = json.load(sys.stdin)
    failing = [name for section, rows in tests.items() for name, row in rows.items() if not holds[section](row)]
    json.dump(failing, sys.stdout)


if __name__ == "__main__":
    main()
