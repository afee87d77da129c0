"""Whether the kernel can start a program of the image: its run bit, its #! line, its loader, its machine."""

from __future__ import annotations

import posixpath
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebox.check.files import File
    from samebox.check.subject import Subject

_MACHINES = {62: "amd64", 183: "arm64", 3: "386", 40: "arm", 243: "riscv64", 21: "ppc64le", 22: "s390x"}
_PT_INTERP = 3
_LONGEST_LINE = 255  # of a #! line; 127 before Linux 5.1
# What editors of Windows put before the text; the kernel wants #! to be the first two bytes.
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_MOST_OFFERED = 3  # files of the name that a link meant


@dataclass(frozen=True)
class Startable:
    """What a name leads to, and what keeps it from starting; `problem` is empty where nothing does."""

    name: str
    path: str = ""
    problem: str = ""
    remedy: str = ""
    interpreter: str = ""
    crlf: bool = False

    @property
    def found(self) -> bool:
        return bool(self.path)


def look(subject: Subject, name: str) -> Startable:
    """What starting `name` in the image's PATH and WORKDIR would come to. Reads the image."""
    found = subject.which(name)
    if found is None:
        link = subject.files.dangling(name, subject.config.path, subject.config.working_directory or "/")
        if link is not None:
            return _dangling(subject, name, link)
        words = "does not exist" if "/" in name else f"is not on PATH ({subject.config.path})"
        return Startable(name, problem=f"{name} {words}")
    if not found.is_file:
        return Startable(name, found.path, f"{found.path} is not a file")
    file = subject.files.target(found)
    if not file.executable:
        return Startable(
            name,
            found.path,
            f"{found.path} may not be run (its mode is {file.mode:04o})",
            f"COPY --chmod=0755 it, or RUN chmod +x {found.path}.",
        )
    head = subject.files.head(file)
    if head is None and file.size:
        head = (subject.read_file(found.path) or b"")[:1024]
    head = head or b""
    if head[:2] == b"#!":
        return _script(subject, name, found, head)
    if head[:4] == b"\x7fELF":
        return _binary(subject, name, found, head)
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return _marked(name, found, mark, encoding)
    return Startable(
        name,
        found.path,
        f"{found.path} is neither a program nor begins with #!" if file.size else f"{found.path} is empty",
        "Let its first line be, say, #!/usr/bin/env python3. A shell runs it without one; a container does not.",
    )


def _dangling(subject: Subject, name: str, link: File) -> Startable:
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(link.path), link.link))
    problem = f"{link.path} is a link to {wanted}, which is not in the image"
    if wanted == link.path:
        return Startable(name, link.path, f"{link.path} is a link to itself", "Copy the program there in its place.")
    last = wanted.rpartition("/")[2]
    alike = sorted(path for path in subject.files.paths if path.endswith(f"/{last}") and path != link.path)
    if not alike or len(alike) > _MOST_OFFERED:
        return Startable(name, link.path, problem, f"Copy the program to {wanted}, or let the link name what is there.")
    there = f"{', '.join(alike)} {'is' if len(alike) == 1 else 'are'}"
    return Startable(
        name, link.path, f"{problem} ({there})", f"Let the link name it: RUN ln -sf {alike[0]} {link.path}."
    )


def _marked(name: str, found: File, mark: bytes, encoding: str) -> Startable:
    if encoding == "UTF-8":
        remedy = f"Save it as UTF-8 without one, or RUN sed -i '1s/^\\xEF\\xBB\\xBF//' {found.path}."
    else:
        remedy = f"Save it as UTF-8 without a byte order mark, or RUN iconv -f {encoding} -t UTF-8 it."
    shown = mark.hex(" ").upper()
    words = f"{found.path} begins with a byte order mark ({shown}, {encoding}), so that #! is not its first bytes"
    return Startable(name, found.path, words, remedy)


def _script(subject: Subject, name: str, found: File, head: bytes) -> Startable:
    first, newline, _ = head.partition(b"\n")
    line = first[2:].decode(errors="replace")
    crlf = line.endswith("\r")
    words = line.strip().split(maxsplit=1)
    if not words:
        return Startable(name, found.path, f"{found.path} names no interpreter after #!", "Name one: #!/bin/sh.")
    if len(first) > _LONGEST_LINE or not newline:
        return Startable(
            name, found.path, f"the #! line of {found.path} is too long", "Shorten the path that it names."
        )
    interpreter = words[0]
    # To the kernel a "\r" belongs to the name; that is a fault of its own, which `crlf` reports.
    if subject.files.resolve(interpreter) is None:
        link = subject.files.dangling(interpreter, "")
        why = f"which is a link to {link.link}, and that is not" if link is not None else "which is not"
        return Startable(
            name,
            found.path,
            f"{found.path} wants {interpreter}, {why} in the image",
            f"Install {interpreter}, or name the interpreter that is there.",
            interpreter,
            crlf,
        )
    if interpreter.rpartition("/")[2] == "env" and len(words) > 1:
        wanted = _of_env(words[1])
        program = subject.which(wanted) if wanted else None
        if wanted and (program is None or not subject.files.target(program).executable):
            return Startable(
                name,
                found.path,
                f"{found.path} wants {wanted}, which is not on PATH",
                f"Install {wanted}, or name the interpreter that is there: slim images have python3, not python.",
                wanted,
                crlf,
            )
        interpreter = wanted or interpreter
    return Startable(name, found.path, interpreter=interpreter, crlf=crlf)


def _of_env(arguments: str) -> str:
    """The program in `env -S python3 -u`, `env python3`."""
    for word in arguments.split():
        if not word.startswith("-") and "=" not in word:
            return word
    return ""


def _binary(subject: Subject, name: str, found: File, head: bytes) -> Startable:
    machine = int.from_bytes(head[18:20], "little" if head[5:6] != b"\x02" else "big")
    architecture = _MACHINES.get(machine, f"machine {machine}")
    if subject.config.architecture and architecture != subject.config.architecture:
        return Startable(
            name,
            found.path,
            f"{found.path} is built for {architecture}, the image declares {subject.config.architecture}",
            "Copy the program of the image's own platform; `exec format error` is how it ends.",
        )
    loader = _loader(head)
    if loader and subject.files.resolve(loader) is None:
        return Startable(
            name,
            found.path,
            f"{found.path} wants the loader {loader}, which is not in the image",
            "It was built for another C library (glibc or musl): build it in this image's own root, or statically.",
            loader,
        )
    return Startable(name, found.path, interpreter=loader)


def _loader(head: bytes) -> str:
    """The dynamic loader of a 64-bit little-endian program, where the bytes at hand name it."""
    if len(head) < 64 or head[4:6] != b"\x02\x01":
        return ""
    offset = struct.unpack_from("<Q", head, 32)[0]
    size, count = struct.unpack_from("<HH", head, 54)
    for number in range(count):
        at = offset + number * size
        if size < 56 or at + 56 > len(head):
            break
        kind = struct.unpack_from("<I", head, at)[0]
        if kind == _PT_INTERP:
            start, length = struct.unpack_from("<Q", head, at + 8)[0], struct.unpack_from("<Q", head, at + 32)[0]
            return head[start : start + length].rstrip(b"\0").decode(errors="replace")
    return ""
