"""Checks of model.tar.gz, given with `--model`: it is read to its end and not unpacked."""

from __future__ import annotations

import gzip
import posixpath
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.check import tar
from samebox.check.archive import NotAnImage
from samebox.check.checks import CannotCheck, Check, Context, Need
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import megabytes, some

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 600.0
_READ_BY_OTHERS, _ENTERED_BY_OTHERS = 0o004, 0o001
_SPECIAL = {tar.CHARACTER: "a character device", tar.BLOCK_DEVICE: "a block device", tar.FIFO: "a named pipe"}
# The temporary storage of a serverless endpoint, which the model is unpacked on, holds 5 GB.
_SERVERLESS_BYTES = 5 * 10**9

READABLE = Rule(
    "artifact-readable",
    "model.tar.gz is a complete tar, compressed with gzip",
    "contract §2.4",
    "fail",
    "artifact",
    "tar -czf model.tar.gz -C FOLDER .",
)
LINKS = Rule(
    "artifact-links",
    "There are no links in model.tar.gz",
    "contract §2.4; AWS: Troubleshoot model deployments (symlinks)",
    "fail",
    "artifact",
    "Symlinks make the creation of the model fail: tar --dereference --hard-dereference -czf model.tar.gz -C FOLDER .",
)
DEVICES = Rule(
    "artifact-devices",
    "There are only files and folders in model.tar.gz",
    "contract §2.4",
    "fail",
    "artifact",
    "Leave devices, pipes and sockets out: they are no part of a model.",
)
PATHS = Rule(
    "artifact-paths",
    "No path in model.tar.gz leaves /opt/ml/model",
    "contract §2.4",
    "fail",
    "artifact",
    "Make it from inside the folder: tar -czf model.tar.gz -C FOLDER . (no -P)",
)
TOP = Rule(
    "artifact-top-directory",
    "The model's files are at the top of model.tar.gz",
    "contract §1.8, §1.12",
    "warn",
    "artifact",
    "They will be in /opt/ml/model/FOLDER. tar -czf model.tar.gz -C FOLDER . (the dot, not the folder's name)",
)
OWNER = Rule(
    "artifact-permissions",
    "Any user may read the files in model.tar.gz",
    "contract §1.8 (SageMaker's own belong to 0/0), §2.10 (serverless endpoints do not run as root)",
    "warn",
    "artifact",
    "chmod -R a+rX FOLDER before tar, or tar --owner=0 --group=0 --mode=a+rX.",
)
MAC_FILES = Rule(
    "artifact-mac-files",
    "model.tar.gz has no macOS metadata files",
    "https://github.com/allenai/allennlp/issues/1531 (._ files of macOS's tar in a model's archive)",
    "warn",
    "artifact",
    "COPYFILE_DISABLE=1 tar --no-xattrs --exclude .DS_Store -czf model.tar.gz -C FOLDER .",
)
SIZE = Rule(
    "artifact-size",
    "The unpacked model fits on a serverless endpoint",
    "AWS: Serverless Inference, 5 GB of ephemeral disk storage",
    "fail",
    "serverless",
    "Leave optimizer states, checkpoints and caches out of the model, or use an endpoint with instances.",
)


@dataclass(frozen=True)
class ModelArchive:
    """What is in the archive, without its contents."""

    entries: tuple[tar.Entry, ...]
    problem: str = ""  # why it could not be read to its end

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries if entry.kind == tar.FILE)


def model(context: Context) -> ModelArchive:
    """Read once; later uses are free."""
    path = context.options.model
    assert path is not None, "the need 'model' is met"
    return context.shared.get("artifact", lambda: _read(path, context))


def _read(path: Path, context: Context) -> ModelArchive:
    entries: list[tar.Entry] = []
    try:
        with path.open("rb") as file:
            if file.read(2) != b"\x1f\x8b":
                return ModelArchive((), "it is not compressed with gzip")
        with gzip.open(path, "rb") as stream:
            for entry, read in tar.entries(stream):  # type: ignore[arg-type]  # all that is read is read()
                context.deadline.check()
                while read(1 << 20):
                    context.deadline.check()
                entries.append(entry)
            while stream.read(1 << 20):  # to the checksum at its end
                context.deadline.check()
    except (tar.BadTar, NotAnImage, EOFError, zlib.error, gzip.BadGzipFile) as error:
        return ModelArchive(tuple(entries), str(error) or type(error).__name__)
    return ModelArchive(tuple(entries), "" if entries else "there is nothing in it")


def readable(context: Context) -> Finding:
    found = model(context)
    if found.problem:
        return READABLE.broken(found.problem)
    files = sum(entry.kind == tar.FILE for entry in found.entries)
    return READABLE.passed(f"{files} file{'' if files == 1 else 's'}, {megabytes(found.size)} unpacked")


def _sound(context: Context) -> ModelArchive:
    found = model(context)
    if found.problem:
        raise CannotCheck("it cannot be read: see artifact-readable")
    return found


def links(context: Context) -> Finding:
    symbolic = [one for one in _sound(context).entries if one.kind == tar.SYMBOLIC_LINK]
    if symbolic:
        return LINKS.broken(some([f"{one.name} -> {one.link}" for one in symbolic], 3))
    hard = [one for one in _sound(context).entries if one.kind == tar.HARD_LINK]
    if hard:
        return LINKS.warned(f"hard links: {some([f'{one.name} = {one.link}' for one in hard], 3)}")
    return LINKS.passed("none")


def devices(context: Context) -> Finding:
    special = [f"{one.name} is {_SPECIAL[one.kind]}" for one in _sound(context).entries if one.kind in _SPECIAL]
    return DEVICES.broken(some(special, 3)) if special else DEVICES.passed("none else")


def paths(context: Context) -> Finding:
    outside = [one.name for one in _sound(context).entries if _leaves(one.name)]
    return PATHS.broken(some(outside, 3)) if outside else PATHS.passed("all are relative, without '..'")


def _leaves(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/")


def top_directory(context: Context) -> Finding:
    names = [posixpath.normpath(one.name) for one in _sound(context).entries]
    files = [name for name in names if name != "."]
    tops = {name.partition("/")[0] for name in files}
    if len(tops) == 1 and any("/" in name for name in files):
        (top,) = tops
        # A version of TensorFlow Serving, or what a toolkit knows by name.
        if not top.isdigit() and top not in ("export", "code", ".."):
            return TOP.broken(f"everything is in {top}/")
    return TOP.passed(f"at the top: {some(sorted(tops), 4)}")


def permissions(context: Context) -> Finding:
    closed = []
    for one in _sound(context).entries:
        folder = one.kind == tar.FOLDER
        wanted = _READ_BY_OTHERS | _ENTERED_BY_OTHERS if folder else _READ_BY_OTHERS
        if one.kind in (tar.FILE, tar.FOLDER) and one.mode & wanted != wanted:
            closed.append(f"{one.name} ({one.mode & 0o7777:04o}, of {one.uid}:{one.gid})")
    return OWNER.broken(f"closed to others: {some(closed, 3)}") if closed else OWNER.passed("all of them")


def mac_files(context: Context) -> Finding:
    found = [one.name for one in _sound(context).entries if _is_of_macos(one.name)]
    if found:
        return MAC_FILES.broken(f"{some(found, 3)}: attributes of other files, and no part of the model")
    return MAC_FILES.passed("none")


def _is_of_macos(path: str) -> bool:
    # AppleDouble files, the Finder's, and the folder in which macOS's archiver puts the former.
    name = posixpath.basename(path.rstrip("/"))
    return (name.startswith("._") and len(name) > 2) or name in (".DS_Store", "__MACOSX")


def size(context: Context) -> Finding:
    total = _sound(context).size
    if total > _SERVERLESS_BYTES:
        return SIZE.broken(f"{megabytes(total)} unpacked")
    return SIZE.passed(f"{megabytes(total)} unpacked")


_MODEL: frozenset[Need] = frozenset({"model"})

ARTIFACT = (
    Check(READABLE, readable, _MODEL, seconds=SECONDS),
    Check(LINKS, links, _MODEL, seconds=SECONDS),
    Check(DEVICES, devices, _MODEL, seconds=SECONDS),
    Check(PATHS, paths, _MODEL, seconds=SECONDS),
    Check(TOP, top_directory, _MODEL, seconds=SECONDS),
    Check(OWNER, permissions, _MODEL, seconds=SECONDS),
    Check(MAC_FILES, mac_files, _MODEL, seconds=SECONDS),
    Check(SIZE, size, _MODEL, frozenset({"serverless"}), SECONDS),
)
