"""The protocol of Linux's FUSE, as much of it as a file system needs that never changes: a tree that is read.

Requests come from the kernel on one descriptor, and each response is one write to it (linux/fuse.h). Names and
attributes are given out for good, so the kernel asks for each once; the rest of what it asks are bytes.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import struct
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

log = logging.getLogger(__name__)

LARGEST_READ = 1 << 20  # bytes of one request
_MINOR = 31  # of the protocol 7, since Linux 5.4
_REQUEST = struct.Struct("<IIQQIIIHH")
_RESPONSE = struct.Struct("<IiQ")
_ATTRIBUTES = struct.Struct("<6Q10I")
_ENTRY = struct.Struct("<4Q2I")
_ATTRIBUTES_FOR = struct.Struct("<Q2I")
_READ = struct.Struct("<QQI")
_DIRENT = struct.Struct("<QQII")
_BUFFER = 1 << 16  # a request is a name at most, as nothing is written
_FOR_GOOD = 1 << 31  # seconds
_KEEP_CACHE = 1 << 1
_ASYNC_READ, _READDIRPLUS, _PARALLEL_FOLDERS, _LARGE = 1 << 0, 1 << 13, 1 << 18, 1 << 22
_FOLDER_MODE, _FILE_MODE = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o644
_BLOCK = 4096


class FileReader(Protocol):
    """The bytes of a file. Threads share it."""

    def read(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer, as far as there are bytes; gives how many. Raises OSError."""


@dataclass
class Node:
    """A folder, or a file where it has a reader; its number is its place in the tree, which counts from 1."""

    number: int
    size: int = 0
    modified: float = 0.0
    reader: FileReader | None = None
    children: dict[bytes, Node] = field(default_factory=dict)

    @property
    def is_folder(self) -> bool:
        return self.reader is None

    @cached_property
    def listed(self) -> Sequence[tuple[bytes, Node]]:
        """The children in a fixed order, once all are there: a page of a folder begins at a place in it."""
        return tuple(self.children.items())

    def attributes(self) -> bytes:
        """The kernel's `fuse_attr`."""
        seconds, part = int(self.modified), int(self.modified % 1 * 1e9)
        mode = _FOLDER_MODE if self.is_folder else _FILE_MODE
        times = (seconds, seconds, seconds, part, part, part)
        blocks = -(-self.size // 512)
        return _ATTRIBUTES.pack(
            self.number, self.size, blocks, *times, mode, 1 + self.is_folder, os.getuid(), os.getgid(), 0, _BLOCK, 0
        )


class FuseTree:
    """Folders and files by their paths."""

    def __init__(self) -> None:
        self.nodes = [Node(1)]

    def folder(self, path: str) -> Node:
        """The folder at a path, made where it is not there; "" is the root."""
        node = self.nodes[0]
        for part in filter(None, path.split("/")):
            name = os.fsencode(part)
            if name not in node.children:
                node.children[name] = self._new()
            node = node.children[name]
        return node

    def add(self, path: str, size: int, modified: float, reader: FileReader) -> None:
        """Add a file, and the folders above it."""
        above, _, name = path.rpartition("/")
        node = self._new()
        node.size, node.modified, node.reader = size, modified, reader
        self.folder(above).children[os.fsencode(name)] = node

    def _new(self) -> Node:
        self.nodes.append(Node(len(self.nodes) + 1))
        return self.nodes[-1]


class FuseServer:
    """Answers the requests of one mount, until it is unmounted."""

    def __init__(self, descriptor: int, tree: FuseTree) -> None:
        self._descriptor = descriptor
        self._nodes = tree.nodes
        self._answers: Mapping[int, Callable[[Node, memoryview], bytes]] = {
            1: self._lookup,
            3: self._getattr,
            14: self._open,  # of a file
            17: self._statfs,
            18: lambda _node, _body: b"",  # release of a file
            26: self._init,
            27: self._open,  # of a folder
            29: lambda _node, _body: b"",  # release of a folder
            28: lambda node, body: self._list(node, body, is_plus=False),
            44: lambda node, body: self._list(node, body, is_plus=True),
        }

    def serve(self, threads: int) -> None:
        """Answer in so many threads, and return when the file system is unmounted."""
        others = [threading.Thread(target=self._serve, daemon=True) for _ in range(threads - 1)]
        for one in others:
            one.start()
        self._serve()
        for one in others:
            one.join()

    def _serve(self) -> None:
        request, data = bytearray(_BUFFER), memoryview(bytearray(LARGEST_READ))
        while True:
            try:
                count = os.readv(self._descriptor, [request])
            except OSError as error:
                if error.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):  # given up before it was read
                    continue
                return  # ENODEV: unmounted
            self._answer(memoryview(request)[:count], data)

    def _answer(self, request: memoryview, data: memoryview) -> None:
        _, operation, unique, number, *_ = _REQUEST.unpack_from(request)
        if operation in (2, 36, 42):  # forget, interrupt, forget many: without a response
            return
        parts: list[bytes | memoryview] = []
        status = 0
        try:
            node = self._nodes[number - 1] if number else self._nodes[0]
            body = request[_REQUEST.size :]
            if operation == 15:
                parts = [self._read(node, body, data)]
            elif (answer := self._answers.get(operation)) is not None:
                parts = [answer(node, body)]
            else:
                status = -errno.ENOSYS  # the kernel does without it, and does not ask again
        except OSError as error:
            status = -(error.errno or errno.EIO)
        except Exception:
            log.exception("a request of the kernel failed: operation %d", operation)
            status = -errno.EIO
        size = _RESPONSE.size + sum(map(len, parts))
        try:
            os.writev(self._descriptor, [_RESPONSE.pack(size, status, unique), *parts])
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV):  # its program, or the mount, is gone
                log.warning("a response was not taken: %s", error)

    def _init(self, _node: Node, _body: memoryview) -> bytes:
        flags = _ASYNC_READ | _READDIRPLUS | _PARALLEL_FOLDERS | _LARGE
        limits = (16, 12, _BLOCK, 1, LARGEST_READ // _BLOCK)  # requests at once, bytes written, grain of times, pages
        return struct.pack("<4I2H2I2H8I", 7, _MINOR, LARGEST_READ, flags, *limits, 0, *([0] * 8))

    def _lookup(self, node: Node, body: memoryview) -> bytes:
        found = node.children.get(bytes(body).rstrip(b"\0"))
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        return _entry(found)

    def _getattr(self, node: Node, _body: memoryview) -> bytes:
        return _ATTRIBUTES_FOR.pack(_FOR_GOOD, 0, 0) + node.attributes()

    def _open(self, _node: Node, _body: memoryview) -> bytes:
        return struct.pack("<QII", 0, _KEEP_CACHE, 0)

    def _read(self, node: Node, body: memoryview, data: memoryview) -> memoryview:
        _, offset, size = _READ.unpack_from(body)
        if node.reader is None:
            raise IsADirectoryError(errno.EISDIR, "a folder")
        size = max(0, min(size, node.size - offset, len(data)))
        return data[: node.reader.read(offset, data[:size])] if size else data[:0]

    def _list(self, node: Node, body: memoryview, *, is_plus: bool) -> bytes:
        _, offset, size = _READ.unpack_from(body)
        page = bytearray()
        for place in range(offset, len(node.listed)):
            name, child = node.listed[place]
            kind = _FOLDER_MODE if child.is_folder else _FILE_MODE
            entry = _DIRENT.pack(child.number, place + 1, len(name), kind >> 12) + name
            entry = (_entry(child) if is_plus else b"") + entry + bytes(-len(entry) % 8)
            if len(page) + len(entry) > size:
                break
            page += entry
        return bytes(page)

    def _statfs(self, _node: Node, _body: memoryview) -> bytes:
        size = sum(one.size for one in self._nodes)
        files = len(self._nodes)
        return struct.pack("<5Q4I6I", -(-size // _BLOCK), 0, 0, files, 0, _BLOCK, 255, _BLOCK, 0, *([0] * 6))


def _entry(node: Node) -> bytes:
    return _ENTRY.pack(node.number, 0, _FOR_GOOD, _FOR_GOOD, 0, 0) + node.attributes()
