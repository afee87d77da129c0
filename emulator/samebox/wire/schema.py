"""The types of a service's model: shapes and the references between them, each loaded at its first use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

SCALARS = frozenset({"string", "integer", "long", "float", "double", "boolean", "timestamp", "blob", "character"})
PLAIN = SCALARS - {"timestamp", "blob"}  # JSON writes them as they are

Raw = Mapping[str, Any]  # a piece of a model file, as it is


class Shapes(Mapping[str, "Shape"]):
    """The shapes of one service, each made on first use."""

    def __init__(self, raw: Mapping[str, Raw]) -> None:
        self._raw = raw
        self._made: dict[str, Shape] = {}

    def __getitem__(self, name: str) -> "Shape":
        shape = self._made.get(name)
        if shape is None:
            # Two threads may both make it; both are equal in all they say, and the first to be stored is kept.
            shape = self._made.setdefault(name, Shape(name, self._raw[name], self))
        return shape

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


@dataclass(frozen=True, eq=False)
class Shape:
    """A type of the model. Members, keys and elements are reached through `Reference`s, which add where they travel."""

    name: str
    traits: Raw
    _shapes: Shapes

    def __repr__(self) -> str:
        return f"<Shape {self.name}: {self.type}>"

    @cached_property
    def type(self) -> str:
        """structure, list, map, string, integer, long, float, double, boolean, timestamp or blob."""
        return str(self.traits["type"])

    @cached_property
    def is_scalar(self) -> bool:
        return self.type in SCALARS

    @cached_property
    def members(self) -> "Mapping[str, Reference]":
        """A structure's members by their model names, in the model's order."""
        raw = self.traits.get("members", {})
        return MappingProxyType({name: Reference(name, traits, self._shapes) for name, traits in raw.items()})

    @cached_property
    def labels(self) -> "Mapping[str, Reference]":
        """The members that are labels of the URI, by their wire names."""
        return self._located("uri")

    @cached_property
    def query_members(self) -> "Mapping[str, Reference]":
        """The members that are fields of the query, by their wire names."""
        return self._located("querystring")

    @cached_property
    def header_members(self) -> "Mapping[str, Reference]":
        """The members that are headers, by their wire names in lower case. A request has few of S3's forty."""
        return {name.lower(): member for name, member in self._located("header").items()}

    @cached_property
    def header_prefixes(self) -> "Mapping[str, Reference]":
        """The members that are all headers of a prefix, by the prefix in lower case."""
        return {name.lower(): member for name, member in self._located("headers").items()}

    def _located(self, where: str) -> "dict[str, Reference]":
        return {member.wire_name: member for member in self.members.values() if member.location == where}

    @cached_property
    def plain_members(self) -> tuple[tuple[str, str], ...]:
        """Model and wire names of a structure's members if JSON can hold each as it is; else, nothing.

        With these, a list of ten thousand log events is written in a third of the time.
        """
        members = self.members.values()
        if self.is_document or any(one.location or one.shape.type not in PLAIN for one in members):
            return ()
        return tuple((one.name, one.wire_name) for one in members)

    @cached_property
    def xml_members(self) -> "tuple[tuple[str, Reference, str, str], ...]":
        """Of the members that are XML elements: name, reference, tag, type. A page of a listing has seven thousand."""
        members = self.members.values()
        return tuple(
            (one.name, one, one.xml_tag, one.shape.type) for one in members if not one.location and not one.is_attribute
        )

    @cached_property
    def has_xml_attributes(self) -> bool:
        """Whether a structure's element has more than a name."""
        return self.xml_namespace is not None or any(one.is_attribute for one in self.members.values())

    @cached_property
    def wire_members(self) -> "Mapping[str, Reference]":
        """The same members by the names they have on the wire."""
        return MappingProxyType({member.wire_name: member for member in self.members.values()})

    @cached_property
    def element(self) -> "Reference":
        """What a list holds."""
        return Reference("member", self.traits["member"], self._shapes)

    @cached_property
    def key(self) -> "Reference":
        return Reference("key", self.traits["key"], self._shapes)

    @cached_property
    def value(self) -> "Reference":
        return Reference("value", self.traits["value"], self._shapes)

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(self.traits.get("required", ()))

    @cached_property
    def enum(self) -> tuple[str, ...]:
        return tuple(self.traits.get("enum", ()))

    @cached_property
    def allowed(self) -> frozenset[str]:
        """The enum again, to ask whether a word is in it."""
        return frozenset(self.enum)

    @cached_property
    def pattern(self) -> str | None:
        """A Java regex that the whole string must match."""
        return self.traits.get("pattern")

    @cached_property
    def minimum(self) -> float | None:
        return self.traits.get("min")

    @cached_property
    def maximum(self) -> float | None:
        return self.traits.get("max")

    @cached_property
    def is_sensitive(self) -> bool:
        return bool(self.traits.get("sensitive"))

    @cached_property
    def is_document(self) -> bool:
        """Any JSON at all."""
        return bool(self.traits.get("document"))

    @cached_property
    def is_union(self) -> bool:
        return bool(self.traits.get("union"))

    @cached_property
    def is_event_stream(self) -> bool:
        return bool(self.traits.get("eventstream"))

    @cached_property
    def payload(self) -> "Reference | None":
        """The member that is the whole HTTP body (rest protocols)."""
        name = self.traits.get("payload")
        return None if name is None else self.members[name]

    @cached_property
    def is_flattened(self) -> bool:
        return bool(self.traits.get("flattened"))

    @cached_property
    def xml_namespace(self) -> "XmlNamespace | None":
        """What a structure's element declares (S3's grantee alone)."""
        raw = self.traits.get("xmlNamespace")
        return None if raw is None else XmlNamespace(raw["uri"], raw.get("prefix", ""))

    @cached_property
    def timestamp_format(self) -> str | None:
        return self.traits.get("timestampFormat")

    @cached_property
    def error_code(self) -> str:
        """What the query protocol calls this error; elsewhere an error is called by its shape's name."""
        return str(self.traits.get("error", {}).get("code", self.name))

    @cached_property
    def error_status(self) -> int:
        """The HTTP status of this error."""
        default = 500 if self.traits.get("fault") else 400
        return int(self.traits.get("error", {}).get("httpStatusCode", default))

    @cached_property
    def is_server_fault(self) -> bool:
        return bool(self.traits.get("fault")) or self.error_status >= 500


@dataclass(frozen=True)
class XmlNamespace:
    """A namespace and the prefix that it is declared with; without a prefix, it is the element's own."""

    uri: str
    prefix: str


@dataclass(frozen=True, eq=False)
class Reference:
    """A use of a shape: as a member, an element, a key or a value, with what is special about this use."""

    name: str
    traits: Raw
    _shapes: Shapes

    @cached_property
    def shape(self) -> Shape:
        return self._shapes[self.traits["shape"]]

    @cached_property
    def wire_name(self) -> str:
        return str(self.traits.get("locationName", self.name))

    @cached_property
    def xml_tag(self) -> str:
        """The element of a structure's member. A flattened list takes the name of its elements, where they have one."""
        shape = self.shape
        if shape.type == "list" and self.is_flattened and "locationName" in shape.element.traits:
            return shape.element.wire_name
        return self.wire_name

    @cached_property
    def label(self) -> str:
        """The name as messages say it: the first letter is lower case."""
        return self.name[:1].lower() + self.name[1:]

    @cached_property
    def location(self) -> str | None:
        """uri, querystring, header, headers, statusCode, or None for the body."""
        return self.traits.get("location")

    @cached_property
    def is_flattened(self) -> bool:
        return bool(self.traits.get("flattened")) or self.shape.is_flattened

    @cached_property
    def is_attribute(self) -> bool:
        """An attribute of the structure's element, not an element in it (XML protocols)."""
        return bool(self.traits.get("xmlAttribute"))

    @cached_property
    def is_streamed(self) -> bool:
        """A body that is never read whole, by either side."""
        return bool(self.traits.get("streaming")) or bool(self.shape.traits.get("streaming"))

    @cached_property
    def is_json_value(self) -> bool:
        return bool(self.traits.get("jsonvalue"))

    @cached_property
    def timestamp_format(self) -> str | None:
        return self.traits.get("timestampFormat") or self.shape.timestamp_format
