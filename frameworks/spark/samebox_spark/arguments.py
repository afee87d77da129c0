"""The arguments of smspark-submit, and what spark-submit gets of them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Options that name files, or a folder whose files are meant.
_FILES = ("jars", "py_files", "files")


class UsageError(Exception):
    """The arguments cannot be used; the message says why."""


@dataclass(frozen=True)
class Submission:
    """An application with its arguments and spark-submit's options; where its event logs go, if anywhere."""

    application: tuple[str, ...]
    options: tuple[str, ...]
    event_logs: str = ""  # a folder
    event_logs_s3: str = ""  # an address of S3


def read(arguments: Sequence[str]) -> Submission:
    """Raises UsageError for a folder or file that is not there; an unknown option ends the program with 2."""
    parser = argparse.ArgumentParser(prog="smspark-submit", allow_abbrev=False)
    parser.add_argument("--class", dest="class_")
    parser.add_argument("--jars")
    parser.add_argument("--py-files")
    parser.add_argument("--files")
    parser.add_argument("--spark-event-logs-s3-uri", default="")
    parser.add_argument("--local-spark-event-logs-dir", default="")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("application", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    if not given.application:
        raise UsageError("the application is missing: a Python file or a jar")
    options: list[str] = ["--verbose"] if given.verbose else []
    if given.class_:
        options += ["--class", given.class_]
    for name in _FILES:
        if value := getattr(given, name):
            options += [f"--{name.replace('_', '-')}", files(value)]
    return Submission(
        tuple(given.application), tuple(options), given.local_spark_event_logs_dir, given.spark_event_logs_s3_uri
    )


def files(paths: str) -> str:
    """Paths between commas, a folder being the files in it. Raises UsageError."""
    found: list[str] = []
    for one in paths.split(","):
        if "://" in one and not one.startswith("file://"):
            found.append(one)
            continue
        path = Path(one.removeprefix("file://"))
        inside = sorted(str(file) for file in path.iterdir() if file.is_file()) if path.is_dir() else [str(path)]
        if not path.is_absolute() or not path.exists() or not inside:
            raise UsageError(f"{one} is not the absolute path of a file, or of a folder with files")
        found += inside
    return ",".join(found)
