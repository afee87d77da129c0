"""No string key is written in one room and read in another: what they share has a type, or is AWS's or a protocol's."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import pytest

from samebox.wire.models import Models
from tests.laws.test_imports import PACKAGE, modules, room

# The rooms of the emulator. The command line and the kit are clients: what they share with it is JSON over HTTP.
ROOMS = {"app", "asgi", "data", "edge", "jobs", "platform", "resources", "s3", "services", "traffic", "wire"}

# Keys that are not ours, and whose they are.
PROTOCOLS: Mapping[str, frozenset[str]] = {
    "ASGI: the scope of a connection, and messages": frozenset(
        {"type", "method", "path", "raw_path", "query_string", "headers", "body", "more_body", "status", "server"}
    ),
    "HTTP: names of headers": frozenset(
        {"content-type", "Content-Type", "content-encoding", "content-length", "transfer-encoding"}
    ),
    "S3's upload forms: names of fields": frozenset({"acl"}),
    "AWS's signatures: names of headers": frozenset(
        {"authorization", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}
    ),
    "AWS's signatures, version 2: a parameter": frozenset({"AWSAccessKeyId"}),
    "AWS's JSON protocol: names of headers": frozenset({"x-amz-target"}),
    "Step Functions, which is not among our models": frozenset({"input"}),
    "the Registry API: its errors": frozenset({"errors"}),
    "Docker: an image's configuration": frozenset({"config"}),
    "CloudWatch: the data of an alarm's history; botocore: the trait of an error": frozenset({"error"}),
    "AWS's names of services": frozenset({"s3"}),
}


def keys(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """(key, whether it is written) of each string key in a module, but the groups of its regular expressions."""
    groups = {group for node in ast.walk(tree) for group in re.findall(r"\(\?P<(\w+)>", _text(node))}
    yield from (both for both in _all_keys(tree) if both[0] not in groups)


def _all_keys(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield from ((key, True) for one in node.keys if (key := _text(one)))
        elif isinstance(node, ast.Subscript) and (key := _text(node.slice)):
            yield key, isinstance(node.ctx, ast.Store)
        elif isinstance(node, ast.Call):
            # Members of a row's state are keywords of `advance`; no parameter of ours has a capital.
            yield from ((one.arg, True) for one in node.keywords if one.arg and one.arg[0].isupper())
            called = node.func.attr if isinstance(node.func, ast.Attribute) and node.args else ""
            if called in ("get", "pop", "setdefault") and (key := _text(node.args[0])):
                yield key, called == "setdefault"
        elif (
            isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn) and (key := _text(node.left))
        ):
            yield key, False


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def shared(trees: Mapping[str, list[ast.AST]], known: frozenset[str]) -> dict[str, tuple[set[str], set[str]]]:
    """Key -> the rooms that write it and those others that read it."""
    writers: dict[str, set[str]] = defaultdict(set)
    readers: dict[str, set[str]] = defaultdict(set)
    for own, of_room in trees.items():
        for tree in of_room:
            for key, written in keys(tree):
                (writers if written else readers)[key].add(own)
    found = {key: (writers[key], readers[key] - writers[key]) for key in writers.keys() & readers.keys() - known}
    # `"+" in text` looks for a sign, and not for a key.
    return {key: both for key, both in found.items() if both[1] and key.strip("+-*/%")}


@pytest.fixture(scope="module")
def aws() -> frozenset[str]:
    """Every member of AWS's shapes."""
    models = Models((*Models().names, "s3"))
    found: set[str] = set()
    for service in models.names:
        for shape in models.service(service).shapes.values():
            found |= set(shape.members)
    return frozenset(found)


def test_no_string_key_is_written_in_one_room_and_read_in_another(aws: frozenset[str]) -> None:
    trees: dict[str, list[ast.AST]] = defaultdict(list)
    for path in modules():
        # A migration speaks with files alone, and stays as it is when it is released.
        if room(path) in ROOMS and path.parent.name != "migrations":
            trees[room(path)].append(ast.parse(path.read_text()))
    known = aws | frozenset().union(*PROTOCOLS.values())
    assert shared(trees, known) == {}


def test_a_key_that_two_rooms_share_is_found() -> None:
    writer, reader = ast.parse('{"Wanted": 1, "Own": 2}["Own"]'), ast.parse('row.state.get("Wanted")')
    assert shared({"services": [writer], "jobs": [reader]}, frozenset()) == {"Wanted": ({"services"}, {"jobs"})}
    keyword, inside = ast.parse("advance(row, Wanted=1)"), ast.parse('"Wanted" in state')
    assert shared({"services": [inside], "jobs": [keyword]}, frozenset()) == {"Wanted": ({"jobs"}, {"services"})}
    assert shared({"services": [writer], "jobs": [reader]}, frozenset({"Wanted"})) == {}


def test_facts_are_never_used_as_a_dict() -> None:
    """They are JSON of some version of samebox; from_json makes a type of them."""
    found = [
        f"{path.relative_to(PACKAGE)}: {ast.unparse(node)}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if _is_use_as_a_dict(node)
    ]
    assert found == []


def _is_use_as_a_dict(node: ast.AST) -> bool:
    if not isinstance(node, ast.Subscript | ast.Attribute) or not isinstance(node.value, ast.Attribute):
        return False
    return node.value.attr == "facts" and (isinstance(node, ast.Subscript) or node.attr in dir(dict))


def test_the_rooms_of_the_law_are_there() -> None:
    assert {room(path) for path in modules()} >= ROOMS
