"""The file system of an image: the files of every layer, and those that a container sees.

Each layer is read once. An entry takes about two hundred bytes, so that a million files take two hundred megabytes.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from samebox.check import tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
KEPT_BYTES = 1 << 18  # contents larger than this are never kept
HEAD_BYTES = 1024  # of an executable: a #! line, or of an ELF its machine and its loader
MOST_HEADS = 20_000  # per layer
_MOST_LINKS = 40  # as the kernel follows

# Small files that checks read are kept, by name, while their layer is read. Subject.read_file reads the others.
_KEPT_NAMES = frozenset(
    {
        "passwd",
        "group",
        "os-release",
        "ld.so.conf",
        "train",
        "serve",
        "entrypoint.sh",
        "docker-entrypoint.sh",
        "start.sh",
        "run.sh",
        "METADATA",
        "PKG-INFO",
        ".netrc",
        ".pypirc",
        ".npmrc",
        ".git-credentials",
        "credentials",
        "pip.conf",
        ".env",
        "id_rsa",
        "id_dsa",
        "id_ecdsa",
        "id_ed25519",
        "authorized_keys",
        ".dockerconfigjson",
        "kubeconfig",
        "version.json",
        "version.txt",
        "cudnn_version.h",
        "cudnn_version_v8.h",
        "config.json",
        "config",
        "status",  # of dpkg
        "installed",  # of apk
        "timezone",
        "localtime",
        "patchlevel.h",
    }
)
_KEPT_ENDINGS = (".pem", ".pub", ".key", ".p12", ".pfx", ".ppk", "account.json")
# What is kept of a layer when another version of these tables reads it.
KEPT_FORM = hashlib.sha256(
    repr((sorted(_KEPT_NAMES), _KEPT_ENDINGS, KEPT_BYTES, HEAD_BYTES, MOST_HEADS)).encode()
).hexdigest()[:8]


@dataclass(frozen=True)
class File:
    """One entry of one layer. Paths are absolute; `layer` counts from 0, the root's."""

    path: str
    layer: int
    mode: int
    size: int
    uid: int
    gid: int
    kind: bytes  # a type flag of tar.py
    link: str = ""  # target of a symbolic link as written, or path of what a hard link is the same as

    @property
    def is_file(self) -> bool:
        return self.kind in (tar.FILE, tar.HARD_LINK)

    @property
    def is_folder(self) -> bool:
        return self.kind == tar.FOLDER

    @property
    def is_link(self) -> bool:
        return self.kind == tar.SYMBOLIC_LINK

    @property
    def executable(self) -> bool:
        return self.is_file and bool(self.mode & 0o111)


class Layer:
    """What one layer's tar holds: rows of a table, kept in columns."""

    def __init__(self, keep: frozenset[str] = frozenset()) -> None:
        """`keep`: paths whose content is wanted, too, however large."""
        self._keep = keep
        self.paths: list[str] = []
        self._mode = array("H")
        self._kind = array("B")
        self._size = array("Q")
        self._uid = array("I")
        self._gid = array("I")
        self._links: dict[int, str] = {}
        self.whiteouts: list[str] = []
        self.opaques: list[str] = []
        self.contents: dict[str, bytes] = {}  # of small files that checks read
        self.heads: dict[str, bytes] = {}  # first bytes of executables
        self.bytes = 0

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, stream: BinaryIO, tick: Callable[[], None]) -> None:
        """One pass over an uncompressed layer. `tick` is called often, and may raise. Raises BadTar."""
        for number, (entry, content) in enumerate(tar.entries(stream)):
            if not number & 0x3FF:
                tick()
            path = _absolute(entry.name)
            folder, _, name = path.rpartition("/")
            if name.startswith(WHITEOUT):
                if name == OPAQUE:
                    self.opaques.append(folder or "/")
                elif not name.startswith(WHITEOUT * 2):
                    self.whiteouts.append(f"{folder}/{name[len(WHITEOUT) :]}")
                continue
            self._add(path, entry)
            if entry.kind == tar.FILE:
                self.bytes += entry.size
                if path in self._keep or (
                    entry.size <= KEPT_BYTES and (name in _KEPT_NAMES or name.endswith(_KEPT_ENDINGS))
                ):
                    self.contents[path] = read_all(content, entry.size)
                    self.heads[path] = self.contents[path][:HEAD_BYTES]
                elif entry.mode & 0o111 and ".so" not in name and len(self.heads) < MOST_HEADS:
                    self.heads[path] = read_all(content, min(HEAD_BYTES, entry.size))

    def packed(self) -> dict[str, Any]:
        """As JSON can write it; what `unpacked` takes."""
        columns = {name: base64.b64encode(getattr(self, name).tobytes()).decode() for name in _COLUMNS}
        blobs = {
            name: {path: base64.b64encode(data).decode() for path, data in getattr(self, name).items()}
            for name in ("contents", "heads")
        }
        links = {str(row): link for row, link in self._links.items()}
        lists = {"paths": self.paths, "whiteouts": self.whiteouts, "opaques": self.opaques}
        return {**columns, **blobs, **lists, "links": links, "bytes": self.bytes}

    @classmethod
    def unpacked(cls, packed: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError, ValueError for what `packed` has not made."""
        layer = cls()
        for name in _COLUMNS:
            getattr(layer, name).frombytes(base64.b64decode(packed[name], validate=True))
        for name in ("contents", "heads"):
            getattr(layer, name).update({path: base64.b64decode(data) for path, data in packed[name].items()})
        layer.paths, layer.whiteouts, layer.opaques = packed["paths"], packed["whiteouts"], packed["opaques"]
        layer._links = {int(row): link for row, link in packed["links"].items()}
        layer.bytes = packed["bytes"]
        if any(len(getattr(layer, name)) != len(layer.paths) for name in _COLUMNS):
            raise ValueError("columns of different lengths")
        return layer

    def row(self, row: int, layer: int) -> File:
        return File(
            self.paths[row],
            layer,
            self._mode[row],
            self._size[row],
            self._uid[row],
            self._gid[row],
            bytes((self._kind[row],)),
            self._links.get(row, ""),
        )

    def size(self, row: int) -> int:
        return self._size[row]

    def is_folder(self, row: int) -> bool:
        return self._kind[row] == tar.FOLDER[0]

    def _add(self, path: str, entry: tar.Entry) -> None:
        if entry.kind in (tar.HARD_LINK, tar.SYMBOLIC_LINK):
            self._links[len(self.paths)] = _absolute(entry.link) if entry.kind == tar.HARD_LINK else entry.link
        self.paths.append(path)
        self._mode.append(entry.mode & 0o7777)
        self._kind.append(entry.kind[0])
        self._size.append(entry.size)
        self._uid.append(entry.uid & 0xFFFFFFFF)
        self._gid.append(entry.gid & 0xFFFFFFFF)


_COLUMNS = ("_mode", "_kind", "_size", "_uid", "_gid")


class ImageFiles:
    """All layers, and the view of them that a container gets."""

    def __init__(self, layers: list[Layer], tick: Callable[[], None] = lambda: None) -> None:
        self.layers = layers
        self._merged: dict[str, tuple[int, int]] = {}  # path -> (layer, row)
        self.wasted_bytes = 0  # what a later layer deletes or replaces, and every pull still fetches
        self.wasted: dict[str, int] = {}  # path -> bytes, where it is a megabyte or more
        for number, layer in enumerate(layers):
            tick()
            self._lay(number, layer)

    def __len__(self) -> int:
        return len(self._merged)

    def __contains__(self, path: str) -> bool:
        return path in self._merged

    def __iter__(self) -> Iterator[File]:
        """What a container sees, in no order."""
        for layer, row in self._merged.values():
            yield self.layers[layer].row(row, layer)

    @property
    def paths(self) -> Iterator[str]:
        """Of what a container sees, without making a File of each."""
        return iter(self._merged)

    def everything(self) -> Iterator[File]:
        """Every entry of every layer, seen or not."""
        for number, layer in enumerate(self.layers):
            for row in range(len(layer)):
                yield layer.row(row, number)

    def get(self, path: str) -> File | None:
        """The entry at exactly this path; symbolic links are not followed."""
        found = self._merged.get(path)
        return None if found is None else self.layers[found[0]].row(found[1], found[0])

    def resolve(self, path: str) -> File | None:
        """What opening the path would reach, links followed in every part of it; None when that is nothing."""
        parts = [part for part in path.split("/") if part not in ("", ".")]
        reached = ""
        links = 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                reached = reached.rpartition("/")[0]
                continue
            here = f"{reached}/{part}"
            found = self._merged.get(here)
            if found is not None:
                file = self.layers[found[0]].row(found[1], found[0])
                if file.is_link:
                    links += 1
                    if links > _MOST_LINKS:
                        return None
                    if file.link.startswith("/"):
                        reached = ""
                    parts = [one for one in file.link.split("/") if one not in ("", ".")] + parts
                    continue
            reached = here
        return self.get(reached or "/")

    def which(self, program: str, search: str, folder: str = "/") -> File | None:
        """As execvp finds it on the PATH `search`: the first that is a file, with its run bit or, failing all, without.

        A name with a slash is a path, relative to `folder`, the image's WORKDIR.
        """
        if "/" in program:
            return self.resolve(posixpath.join(folder or "/", program))
        without_bit = None
        for place in search.split(":"):
            found = self.resolve(posixpath.join(folder or "/", place or ".", program))
            if found is None or not found.is_file:
                continue
            if self.target(found).executable:
                return found
            without_bit = without_bit or found
        return without_bit

    def dangling(self, program: str, search: str, folder: str = "/") -> File | None:
        """The first link at one of the places where `which` looks that leads to nothing."""
        places = [program] if "/" in program else [posixpath.join(one or ".", program) for one in search.split(":")]
        for place in places:
            above, _, name = posixpath.join(folder or "/", place).rpartition("/")
            inside = self.resolve(above)
            path = f"{inside.path if inside is not None else above}".rstrip("/") + f"/{name}"
            found = self.get(path)
            if found is not None and found.is_link and self.resolve(path) is None:
                return found
        return None

    def target(self, file: File) -> File:
        """The file that a hard link is; any other file itself."""
        if file.kind == tar.HARD_LINK:
            return self.get(file.link) or file
        return file

    def kept(self, file: File) -> bytes | None:
        """The content of a small file that was kept while its layer was read."""
        file = self.target(file)
        return self.layers[file.layer].contents.get(file.path)

    def head(self, file: File) -> bytes | None:
        """The first bytes of an executable, or of a kept file."""
        file = self.target(file)
        return self.layers[file.layer].heads.get(file.path)

    def _lay(self, number: int, layer: Layer) -> None:
        gone = set(layer.opaques)  # folders of which nothing below is seen any more
        for path in layer.whiteouts:
            old = self._merged.pop(path, None)
            if old is not None:
                self._waste(path, old)
                gone.add(path)
        self._remove_below(gone, number)
        replaced = set()
        for row, path in enumerate(layer.paths):
            old = self._merged.get(path)
            if old is not None and old[0] != number:
                self._waste(path, old)
                if self.layers[old[0]].is_folder(old[1]) and not layer.is_folder(row):
                    replaced.add(path)
            self._merged[path] = (number, row)
        self._remove_below(replaced, number)

    def _remove_below(self, folders: set[str], number: int) -> None:
        """What layers before this one have below any of the folders; one pass, however many folders."""
        if not folders:
            return
        for path, old in list(self._merged.items()):
            if old[0] < number and any(above in folders for above in _above(path)):
                self._waste(path, self._merged.pop(path))

    def _waste(self, path: str, old: tuple[int, int]) -> None:
        size = self.layers[old[0]].size(old[1])
        self.wasted_bytes += size
        if size >= 1 << 20:
            self.wasted[path] = self.wasted.get(path, 0) + size


def _absolute(name: str) -> str:
    if name.startswith("./"):
        name = name[2:]
    if name[-1:] == "/" or "/." in name or "//" in name or name[:1] in ("/", ".", ""):
        return posixpath.normpath("/" + name.lstrip("/"))
    return "/" + name


def _above(path: str) -> Iterator[str]:
    while path:
        path = path.rpartition("/")[0]
        yield path or "/"


def read_all(read: tar.Read, most: int) -> bytes:
    """The content, or its first `most` bytes."""
    data = read(most)
    while len(data) < most and (more := read(most - len(data))):
        data += more
    return data
