"""The alias table: which local image stands in for an image that AWS owns, by patterns of URIs.

image_aliases.toml has our entries; a user's own file, in the same form, comes before it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from samebox.resources.deployment import StandIn

_OURS = Path(__file__).with_name("image_aliases.toml")
_ECR_HOST = re.compile(r"(\d{12})\.dkr[.-]ecr\.([a-z0-9-]+)\.([a-z0-9.]+)")
_REGISTRY = re.compile(r"\{(?P<name>[a-z-]+)\}")
# Fields of an entry: those that it must have, and those that are lists.
_REQUIRED = ("uris", "image")
_LISTS = ("uris", "classes", "frameworks")
_TEXTS = ("name", "image", "build", "has")

# Account -> its regions, by the registry's name.
Registries = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True)
class Alias:
    """Images of AWS's, by patterns of their URIs, and the local `image` that keeps their contract.

    `build` is the command that makes it, `has` what is in it. `classes` and `frameworks` are what of the SageMaker SDKs
    asks for these URIs.
    """

    uris: tuple[str, ...]
    image: str
    name: str = ""
    build: str = ""
    has: str = ""
    classes: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What makes the local image."""
        return self.build or f"docker pull {self.image}"

    def stand_in(self, given: str) -> StandIn:
        """The local image for a URI, as facts of what runs it have it."""
        return StandIn(given, self.image, self.command, self.has)


class EcrHost(NamedTuple):
    """What the host name of a registry of ECR says."""

    account: str
    region: str
    suffix: str


def registry_of(host: str) -> EcrHost | None:
    """The registry that a host name means; None for one that is not of ECR."""
    found = _ECR_HOST.fullmatch(host)
    return EcrHost(*found.groups()) if found else None


class ImageAliases:
    """All entries, in the order in which they are looked at."""

    def __init__(self, entries: Sequence[Alias], registries: Registries) -> None:
        self.entries = tuple(entries)
        self._registries = registries

    def find(self, uri: str) -> Alias | None:
        """The first entry with a pattern that the URI matches."""
        return next((one for one in self.entries if any(self._matches(uri, each) for each in one.uris)), None)

    def _matches(self, uri: str, pattern: str) -> bool:
        wanted, _, place = pattern.partition("/")
        registry = _REGISTRY.fullmatch(wanted)
        if registry is None:
            return fnmatchcase(uri, pattern)
        host, _, given = uri.partition("/")
        found = registry_of(host)
        if found is None or not fnmatchcase(given, place):
            return False
        return found.region in self._registries[registry["name"]].get(found.account, ())


def read(own: str = "") -> ImageAliases:
    """The table, with the entries of the file `own` first. Raises ValueError, which names it, if it has none."""
    import tomllib  # which compiles expressions for longer than the emulator takes to look something up

    ours = tomllib.loads(_OURS.read_text())
    registries: Registries = ours["registries"]
    entries = list(_entries(ours, registries, _OURS.name))
    if own:
        try:
            theirs = tomllib.loads(Path(own).read_text())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ValueError(f"SAMEBOX_IMAGE_ALIASES={own}: {error}") from None
        given: Registries = theirs.get("registries", {})
        registries = {**registries, **given}
        entries[:0] = _entries(theirs, registries, f"SAMEBOX_IMAGE_ALIASES={own}")
    return ImageAliases(entries, registries)


def _entries(document: Mapping[str, Any], registries: Registries, source: str) -> Iterator[Alias]:
    for number, given in enumerate(document.get("images", ()), 1):
        where = f"{source}: entry {number} of [[images]]"
        unknown = sorted(given.keys() - {*_LISTS, *_TEXTS})
        if unknown:
            raise ValueError(f"{where} has {', '.join(unknown)}; known are {', '.join((*_LISTS, *_TEXTS))}.")
        absent = [name for name in _REQUIRED if not given.get(name)]
        if absent:
            raise ValueError(f"{where} has no {' and no '.join(absent)}.")
        lists = {name: _list(given.get(name, []), name, where) for name in _LISTS}
        texts = {name: _text(given.get(name, ""), name, where) for name in _TEXTS}
        for uri in lists["uris"]:
            registry = _REGISTRY.match(uri)
            if registry and registry["name"] not in registries:
                raise ValueError(f"{where}: {uri} names a registry that is not in [registries].")
        yield Alias(
            uris=lists["uris"],
            image=texts["image"],
            name=texts["name"],
            build=texts["build"],
            has=texts["has"],
            classes=lists["classes"],
            frameworks=lists["frameworks"],
        )


def _list(value: Any, name: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{where}: {name} must be a list of texts.")
    return tuple(value)


def _text(value: Any, name: str, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where}: {name} must be a text.")  # noqa: TRY004
    return value
