"""Identity: how resources of a noun are told apart, in requests, in the store and in ARNs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from samebox.errors import ValidationException
from samebox.resources.query import Column, Compare, Expression, JsonPath

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class NewId:
    """An id that the service makes up. `member` is where clients read it; '' where only the ARN has it."""

    member: str = ""
    prefix: str = ""
    length: int = 12
    alphabet: str = _LETTERS + _DIGITS


UPPER_CASE = _LETTERS.upper() + _DIGITS
HEXADECIMAL = _DIGITS + "abcdef"


@dataclass(frozen=True)
class Identified:
    """A new resource: its name, its key among its kind, its ARN's path behind the type word, and what clients learn.

    `counted`: the key is the next number of a group, which another request may take at the same time.
    """

    name: str
    key: str
    path: str
    members: Mapping[str, Any] = field(default_factory=dict)
    counted: bool = False


class Sources(Protocol):
    """What a new identity is made from, beside the request."""

    def new_id(self, of: NewId) -> str:
        """An id that no other resource has."""

    def last_version(self, member: str, group: str, version: str) -> int:
        """The newest version among resources whose request has the group at `member`; 0 where there is none."""


class Identity(Protocol):
    """One way to tell resources apart."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Members of the Create request that it is made from."""

    @property
    def asks(self) -> tuple[str, ...]:
        """Members of the Describe and Delete requests that name one resource."""

    @property
    def name(self) -> str:
        """The member that has the resource's name."""

    def make(self, params: Mapping[str, Any], sources: Sources) -> Identified:
        """The identity of what a Create request asks for."""

    def where(self, params: Mapping[str, Any]) -> Expression:
        """The resource that another request names; of several rows, the newest is meant."""

    def path(self, params: Mapping[str, Any]) -> str:
        """What the ARN of the resource that a request names would have behind its type word; or that ARN."""


@dataclass(frozen=True)
class ByName:
    """By a name that the client chooses, unique without regard to case. Requests may have the ARN in its place."""

    name: str
    id: NewId | None = None  # made up beside the name
    id_in_arn: bool = False  # the ARN has it, and not the name

    @property
    def needs(self) -> tuple[str, ...]:
        """The name."""
        return (self.name,)

    @property
    def asks(self) -> tuple[str, ...]:
        """The name."""
        return (self.name,)

    def make(self, params: Mapping[str, Any], sources: Sources) -> Identified:
        """The name is the key."""
        name = params[self.name]
        made = sources.new_id(self.id) if self.id else ""
        members = {self.id.member: made} if self.id and self.id.member else {}
        return Identified(name, name.lower(), made if self.id_in_arn else name, members)

    def where(self, params: Mapping[str, Any]) -> Expression:
        """By the name, or by the ARN that is in its place."""
        return _by_arn_or_key(params[self.name])

    def path(self, params: Mapping[str, Any]) -> str:
        """The name."""
        return str(params[self.name])


@dataclass(frozen=True)
class Compound:
    """By several members together. Each is the first one given of some alternatives, in the order of the ARN."""

    parts: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """The last one."""
        return self.parts[-1][0]

    @property
    def needs(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(member for part in self.parts for member in part)

    @property
    def asks(self) -> tuple[str, ...]:
        """All of them."""
        return self.needs

    def make(self, params: Mapping[str, Any], sources: Sources) -> Identified:  # noqa: ARG002
        """All of them are the key. Raises ValidationException where none of some alternatives is given."""
        path = self.path(params)
        return Identified(params[self.name], path.lower(), path)

    def where(self, params: Mapping[str, Any]) -> Expression:
        """By all of them."""
        return Compare(Column("name_key"), "=", self.path(params).lower())

    def path(self, params: Mapping[str, Any]) -> str:
        """All of them."""
        return "/".join(_given(params, part) for part in self.parts)


@dataclass(frozen=True)
class Generated:
    """By an id that the service makes up; the name is a label."""

    id: NewId
    name: str

    @property
    def needs(self) -> tuple[str, ...]:
        """The name."""
        return (self.name,)

    @property
    def asks(self) -> tuple[str, ...]:
        """The id."""
        return (self.id.member,)

    def make(self, params: Mapping[str, Any], sources: Sources) -> Identified:
        """A new id is the key."""
        made = sources.new_id(self.id)
        return Identified(params[self.name], made, made, {self.id.member: made})

    def where(self, params: Mapping[str, Any]) -> Expression:
        """By the id."""
        return _by_arn_or_key(params[self.id.member])

    def path(self, params: Mapping[str, Any]) -> str:
        """The id."""
        return str(params[self.id.member])


@dataclass(frozen=True)
class Versioned:
    """By a group and a number that counts up in it; by a name of its own, where `name` is given instead of a group.

    A request names a version in the text behind the group (`group/3`), or in the member `version`. Without one, the
    newest is meant.
    """

    group: str
    version: str
    name: str

    @property
    def needs(self) -> tuple[str, ...]:
        """The group, or the name."""
        return tuple(dict.fromkeys((self.group, self.name)))

    @property
    def asks(self) -> tuple[str, ...]:
        """The name, which may be the group's with a version."""
        return (self.name,)

    def make(self, params: Mapping[str, Any], sources: Sources) -> Identified:
        """The next version of the group is the key. Raises ValidationException without group and name."""
        if self.group not in params:
            name = _given(params, (self.name, self.group))
            return Identified(name, name.lower(), name)
        group = params[self.group].rpartition("/")[2]  # of an ARN, too
        number = sources.last_version(self.group, params[self.group], self.version) + 1
        path = f"{group}/{number}"
        return Identified(group, path.lower(), path, {self.version: number}, counted=True)

    def where(self, params: Mapping[str, Any]) -> Expression:
        """By group and version, by the name, or the newest of the group."""
        if self.group == self.name and self.version not in params:
            return Compare(JsonPath("spec", self.group), "=", params[self.group])
        return _by_arn_or_key(self.path(params))

    def path(self, params: Mapping[str, Any]) -> str:
        """Group and version, or the name."""
        named = params[self.name]
        return f"{named}/{params[self.version]}" if self.version in params else str(named)


@dataclass(frozen=True)
class ByArn:
    """By the ARN. `pieces` are its path: new ids, and words in which `{Member}` is the request's.

    `source`: requests may name it by the URI of what it stands for, as well.
    """

    arn: str
    name: str
    pieces: tuple[str | NewId, ...]
    source: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """What the ARN is made of."""
        given = [member for piece in self.pieces if isinstance(piece, str) for member in _PLACE.findall(piece)]
        return (*given, *self.source[:1])

    @property
    def asks(self) -> tuple[str, ...]:
        """The ARN."""
        return (self.arn,)

    def make(self, params: Mapping[str, Any], sources: Sources) -> Identified:
        """The ARN's path is the key."""
        path = "/".join(
            sources.new_id(piece) if isinstance(piece, NewId)
            # Of an ARN, what tells it apart.
            else _PLACE.sub(lambda found: params[found[1]].rpartition("/")[2], piece)
            for piece in self.pieces
        )  # fmt: skip
        return Identified(str(params.get(self.name, "")), path.lower(), path)

    def where(self, params: Mapping[str, Any]) -> Expression:
        """By the ARN, else by the source. Raises ValidationException where neither is given."""
        if self.arn in params or not self.source:
            return Compare(Column("arn"), "=", _given(params, (self.arn,)))
        return Compare(JsonPath("spec", *self.source), "=", self.path(params))

    def path(self, params: Mapping[str, Any]) -> str:
        """The ARN, or the source."""
        if self.arn in params or not self.source:
            return _given(params, (self.arn,))
        value = params
        for key in self.source:
            value = value.get(key) or {}
        return str(value or _given({}, (self.arn, self.source[0])))


@dataclass(frozen=True)
class PartOf:
    """By nothing: what a Create request makes is, or becomes part of, a resource of another noun."""

    noun: str


def _by_arn_or_key(value: str) -> Expression:
    if value.startswith("arn:"):
        return Compare(Column("arn"), "=", value)
    return Compare(Column("name_key"), "=", value.lower())


def _given(params: Mapping[str, Any], alternatives: tuple[str, ...]) -> str:
    for member in alternatives:
        if params.get(member):
            return str(params[member])
    # Choice: AWS's words are not known.
    raise ValidationException(f"One of {', '.join(alternatives)} is required.")
