"""The images that a script or a notebook asks AWS for: URIs in its text, classes and calls of the SageMaker SDKs."""

import ast
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from samebox.services.image_aliases import Alias, ImageAliases

_URI = re.compile(r"\d{12}\.dkr[.-]ecr\.[a-z0-9-]+\.[a-z0-9.]+/[A-Za-z0-9._/-]+(?:[:@][A-Za-z0-9._:-]+)?")
# image_uris.retrieve, and its name in the SDK's version 1.
_RETRIEVE = ("retrieve", "get_image_uri")
# Lines of a notebook that are for IPython, or for a shell.
_MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)


@dataclass(frozen=True)
class ImageUse:
    """A URI, or a place in a script that makes the SDK name one, and the entry of the alias table for it, if any."""

    what: str
    alias: Alias | None


def of_uri(uri: str, aliases: ImageAliases) -> list[ImageUse]:
    """The use that a URI is."""
    return [ImageUse(uri, aliases.find(uri))]


def of_script(path: Path, aliases: ImageAliases) -> list[ImageUse]:
    """The uses of a script or a notebook, in their order. Raises OSError, and ValueError for what is not Python."""
    source = path.read_text()
    if path.suffix == ".ipynb":
        cells = [cell for cell in json.loads(source)["cells"] if cell["cell_type"] == "code"]
        source = "\n".join(_MAGIC.sub("pass", "".join(cell["source"])) for cell in cells)
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno} is not Python: {error.msg}") from None
    uses = [
        (number, use)
        for number, line in enumerate(source.splitlines(), 1)
        for uri in _URI.findall(line)
        for use in of_uri(uri, aliases)
    ]
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            uses += [(call.lineno, use) for use in _of_call(call, aliases.entries)]
    found = [
        ImageUse(f"{path.name}:{line}: {use.what}", use.alias) for line, use in sorted(uses, key=lambda one: one[0])
    ]
    return list(dict.fromkeys(found))


def _of_call(call: ast.Call, entries: Sequence[Alias]) -> Iterator[ImageUse]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for entry in entries:
        if name in entry.classes:
            yield ImageUse(name, entry)
    if name in _RETRIEVE and (framework := _framework(call)):
        found: list[Alias | None] = [entry for entry in entries if framework in entry.frameworks]
        for alias in found or [None]:
            yield ImageUse(f'{name}("{framework}")', alias)


def _framework(call: ast.Call) -> str | None:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "framework"]
    values = [one.value for one in (*named, *call.args) if isinstance(one, ast.Constant)]
    return next((value for value in values if isinstance(value, str)), None)
