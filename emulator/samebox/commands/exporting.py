"""Where `samebox check --export` writes: a folder, or a file per tool. Files that it did not write are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from samebox.check import exports
from samebox.check.exports import goss, structure
from samebox.commands.outcome import UNUSABLE, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from samebox.check.checks import Check, Context

_MAIN = {"container-structure-test": structure.NAME, "goss": goss.NAME}


def targets(given: Sequence[str]) -> dict[str, Path]:
    """The file for each format, from --export: FOLDER, or FORM=FILE for each format. Raises Stop."""
    found: dict[str, Path] = {}
    for one in given:
        form, is_file, path = one.partition("=")
        if is_file and form not in _MAIN:
            raise Stop(f"--export {one}: there is no form {form!r}, but {' and '.join(_MAIN)}.", status=UNUSABLE)
        if (path if is_file else one) in ("", "-"):
            raise Stop("--export: expected FOLDER, or FORM=FILE.", status=UNUSABLE)
        if is_file:
            found[form] = Path(path)
        else:
            found.update({name: Path(one) / file for name, file in _MAIN.items()})
    for name, main in found.items():
        _look(name, main)
    return found


def write(where: Mapping[str, Path], context: Context, checks: Sequence[Check]) -> Iterator[str]:
    """Writes the files, and gives a sentence about each form. Reads the image. Raises Stop."""
    for exported in exports.write(context, checks):
        main = where.get(exported.form)
        if main is None:
            continue
        names = list(exported.files)
        paths = {name: main if name == names[0] else main.parent / name for name in names}
        try:
            main.parent.mkdir(parents=True, exist_ok=True)
            for name, path in paths.items():
                # A path in an image may be of any bytes; what is not UTF-8 becomes an escape.
                path.write_text(exported.files[name], encoding="utf-8", errors="backslashreplace")
            for left in _siblings(exported.form, main):
                if left not in paths.values() and _is_ours(left):
                    left.unlink()  # of an earlier export: dgoss would wait for a server
        except OSError as error:
            raise Stop(f"the tests cannot be written to {main}: {error.strerror}", status=UNUSABLE) from None
        shown = " and ".join(str(path) for path in paths.values())
        yield f"{exported.form}: {exported.tests} tests of {exported.rules} rules in {shown}"


def _look(form: str, path: Path) -> None:
    if path.is_dir():
        raise Stop(f"--export {form}={path}: that is a folder; name a file in it.", status=UNUSABLE)
    above = next(one for one in path.absolute().parents if one.exists())
    if not above.is_dir():
        raise Stop(f"--export: {above} is not a folder.", status=UNUSABLE)
    for one in (path, *_siblings(form, path)):
        if one.exists() and not _is_ours(one):
            raise Stop(
                f"{one} was not written by --export, and is left as it is: name another file or folder.",
                status=UNUSABLE,
            )


def _siblings(form: str, main: Path) -> list[Path]:
    return [main.parent / goss.WAIT_NAME] if form == "goss" else []


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.readline(200).decode(errors="replace").rstrip("\r\n") == exports.MARK
    except OSError:
        return False
