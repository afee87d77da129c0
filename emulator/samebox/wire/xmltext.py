"""XML as AWS's protocols write and read it: elements named by the model, attributes only where the model has them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from samebox.errors import SerializationException
from samebox.wire.jsonbody import DEEPEST
from samebox.wire.schema import Reference, Shape
from samebox.wire.shapes import from_text, to_text

# What XML 1.0 has no way to write.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text_of(text: str) -> str:
    """Text for the inside of an element. Characters that XML 1.0 cannot hold become U+FFFD."""
    # A reader takes a carriage return that is written as itself for a line feed.
    return escape(_NOT_XML.sub("\ufffd", text), {"\r": "&#xD;"})


# Writing


def member_tag(member: Reference) -> str:
    """The element of a structure's member. A flattened list takes the name of its elements, where they have one."""
    shape = member.shape
    if shape.type == "list" and member.is_flattened and "locationName" in shape.element.traits:
        return shape.element.wire_name
    return member.wire_name


def write_members(shape: Shape, value: Mapping[str, Any], out: list[str]) -> None:
    """The elements of a structure's members that have a value; those that travel in headers or attributes do not."""
    for name, member in shape.members.items():
        item = value.get(name)
        if item is not None and not member.location and not member.is_attribute:
            write(member, member_tag(member), item, out)


def write(reference: Reference, tag: str, value: Any, out: list[str]) -> None:
    """An element, or for a flattened list or map one element for each item."""
    shape = reference.shape
    match shape.type:
        case "list" if reference.is_flattened:
            for item in value:
                write(shape.element, tag, item, out)
            return
        case "map" if reference.is_flattened:
            for key, item in value.items():
                _write_entry(shape, tag, key, item, out)
            return
        case "structure":
            out.append(f"<{tag}{_attributes(shape, value)}>")
            write_members(shape, value, out)
        case "list":
            out.append(f"<{tag}>")
            for item in value:
                write(shape.element, shape.element.wire_name, item, out)
        case "map":
            out.append(f"<{tag}>")
            for key, item in value.items():
                _write_entry(shape, "entry", key, item, out)
        case _:
            out.append(f"<{tag}>{text_of(to_text(reference, value, 'iso8601'))}")
    out.append(f"</{tag}>")


def _write_entry(shape: Shape, tag: str, key: str, value: Any, out: list[str]) -> None:
    out.append(f"<{tag}>")
    write(shape.key, shape.key.wire_name, key, out)
    write(shape.value, shape.value.wire_name, value, out)
    out.append(f"</{tag}>")


def _attributes(shape: Shape, value: Mapping[str, Any]) -> str:
    """The namespace and the attributes of a structure's element, each with a blank before it."""
    namespace = shape.xml_namespace
    written = "" if namespace is None else f' xmlns{namespace.prefix and ":"}{namespace.prefix}="{namespace.uri}"'
    for name, member in shape.members.items():
        if member.is_attribute and value.get(name) is not None:
            text = text_of(to_text(member, value[name], "iso8601")).replace('"', "&quot;")
            written += f' {member.wire_name}="{text}"'
    return written


# Reading


@dataclass(frozen=True)
class Element:
    """An element by its local name; the namespace is not looked at. Attributes have local names, too."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def named(self, tag: str) -> Iterator["Element"]:
        """The children of this name."""
        return (child for child in self.children if child.name == tag)


class MalformedXml(ValueError):
    """The text is not a document, or is one that no client of AWS sends: with a document type, or nested too deeply."""


def read(document: bytes) -> Element:
    """The root element. Raises MalformedXml."""
    root = Element("")
    open_elements = [root]

    def begin(name: str, attributes: dict[str, str]) -> None:
        if len(open_elements) > DEEPEST:
            raise MalformedXml("The document is nested too deeply")
        element = Element(_local(name), {_local(key): value for key, value in attributes.items()})
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def refuse_doctype(*_: Any) -> None:
        # Without a document type there are no entities: nothing to expand, nothing to fetch.
        raise MalformedXml("A document type is not accepted")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _name: open_elements.pop()
    parser.CharacterDataHandler = lambda text: open_elements[-1].pieces.append(text)
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, UnicodeDecodeError) as error:
        raise MalformedXml(str(error)) from None
    return root.children[0]


def structure(shape: Shape, element: Element) -> dict[str, Any]:
    """The members of a structure that its element has. Elements that the model does not know are ignored."""
    params = {}
    for name, member in shape.members.items():
        if member.is_attribute:
            text = element.attributes.get(_local(member.wire_name))
            if text is not None:
                params[name] = from_text(member, text)
            continue
        found = list(element.named(member_tag(member)))
        if found and not member.location:
            params[name] = _value(member, found)
    return params


def _value(reference: Reference, found: list[Element]) -> Any:
    shape = reference.shape
    match shape.type:
        case "structure":
            return structure(shape, found[0])
        case "list":
            items = found if reference.is_flattened else list(found[0].named(shape.element.wire_name))
            return [_value(shape.element, [item]) for item in items]
        case "map":
            entries = found if reference.is_flattened else list(found[0].named("entry"))
            return dict(_entry(shape, entry) for entry in entries)
        case _:
            if found[0].children:
                raise SerializationException(f"Unexpected complex element in {reference.wire_name}")
            return from_text(reference, found[0].text)


def _entry(shape: Shape, entry: Element) -> tuple[Any, Any]:
    key, value = next(entry.named(shape.key.wire_name), None), next(entry.named(shape.value.wire_name), None)
    if key is None or value is None:
        raise SerializationException("An entry of a map has no key or no value")
    return _value(shape.key, [key]), _value(shape.value, [value])


def _local(name: str) -> str:
    return name.rpartition(":")[2]
