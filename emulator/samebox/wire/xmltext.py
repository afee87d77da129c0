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

_SPECIAL = re.compile("[^\t\n\x20-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text_of(text: str) -> str:
    """Text for the inside of an element. Characters that XML 1.0 cannot hold become U+FFFD."""
    if _SPECIAL.search(text) is None:
        return text
    # A reader takes a carriage return that is written as itself for a line feed.
    return escape(_NOT_XML.sub("\ufffd", text), {"\r": "&#xD;"})


# Writing


class Markup(str):
    """Elements that are written already, in place of the value that the model has there."""

    __slots__ = ()


def write_members(shape: Shape, value: Mapping[str, Any], out: list[str]) -> None:
    """The elements of a structure's members that have a value; those that travel in headers or attributes do not."""
    for name, member, tag, kind in shape.xml_members:
        item = value.get(name)
        if item is None:
            continue
        # First what a list of S3 has thousands of.
        if kind == "string":
            out.append(f"<{tag}>{text_of(str(item))}</{tag}>")
        elif kind in ("integer", "long"):
            out.append(f"<{tag}>{item}</{tag}>")
        else:
            write(member, tag, item, out)


def write(reference: Reference, tag: str, value: Any, out: list[str]) -> None:
    """An element, or for a flattened list or map one element for each item."""
    shape, kind = reference.shape, reference.shape.type
    if type(value) is Markup:
        out.append(value)
    elif kind == "structure":
        out.append(f"<{tag}{_attributes(shape, value)}>" if shape.has_xml_attributes else f"<{tag}>")
        write_members(shape, value, out)
        out.append(f"</{tag}>")
    elif kind in ("list", "map"):
        is_flattened = reference.is_flattened
        if not is_flattened:
            out.append(f"<{tag}>")
        if kind == "list" and shape.element.shape.type == "string":
            inner = tag if is_flattened else shape.element.wire_name
            out += [f"<{inner}>{text_of(str(item))}</{inner}>" for item in value]
        elif kind == "list":
            for item in value:
                write(shape.element, tag if is_flattened else shape.element.wire_name, item, out)
        else:
            for key, item in value.items():
                _write_entry(shape, tag if is_flattened else "entry", key, item, out)
        if not is_flattened:
            out.append(f"</{tag}>")
    else:
        out.append(f"<{tag}>{text_of(to_text(reference, value, 'iso8601'))}</{tag}>")


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
        found = list(element.named(member.xml_tag))
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
