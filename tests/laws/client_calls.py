"""Which operations of AWS the tests call through a client: found in their source, not by running them.

    aws.logs.filter_log_events(…)      logs FilterLogEvents, by the name of the receiver
    aws.client("iam").get_role(…)      iam GetRole
    events = aws.client("events")      events, for the calls of that name in the module
    s3.get_paginator("list_parts")     s3 ListParts, and so for waiters

A receiver of another name counts where one service alone has such an operation.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from samebox.services.coverage import SERVICES
from samebox.wire.models import Models
from tests.conftest import snake

TESTS = Path(__file__).resolve().parents[1]
# Other names of receivers, in fixtures and in tests.
_OTHER_NAMES = {
    "runtime": "sagemaker-runtime",
    "sagemaker_runtime": "sagemaker-runtime",
    "monitoring": "cloudwatch",
    "application_autoscaling": "application-autoscaling",
}


@cache
def called() -> frozenset[tuple[str, str]]:
    """(service, operation) of each call."""
    return frozenset(found for path in sorted(TESTS.rglob("*.py")) for found in calls_in(path.read_text()))


def calls_in(source: str) -> Iterator[tuple[str, str]]:
    """Those of one module."""
    tree = ast.parse(source)
    names = dict(_assigned(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from _named(_service(node.value, names), node.attr)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            yield from _of_helper(node.func, node.args[0], names)


def _of_helper(function: ast.Attribute, first: ast.expr, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return
    service = _service(function.value, names)
    if function.attr == "get_paginator":
        yield from _named(service, first.value)
    if function.attr == "get_waiter":
        for one in [service] if service else SERVICES:
            for waiter in _models().service(one).waiters.values():
                if snake(waiter.name) == first.value:
                    yield one, waiter.operation


def _assigned(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for one, value in _pairs(target, node.value):
                    service = _service(value, {})
                    if isinstance(one, ast.Name) and service:
                        yield one.id, service


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=False))
    return [(target, value)]


def _service(receiver: ast.expr, names: Mapping[str, str]) -> str:
    """The service of a client, as far as its expression shows it; '' where it does not."""
    if isinstance(receiver, ast.Call):
        makes_client = isinstance(receiver.func, ast.Attribute) and receiver.func.attr in ("client", "resource")
        first = receiver.args[0] if receiver.args else None
        if makes_client and isinstance(first, ast.Constant) and first.value in SERVICES:
            return str(first.value)
        return _service(receiver.func, names)
    if isinstance(receiver, ast.Name):
        return names.get(receiver.id) or _by_name(receiver.id)
    return _by_name(receiver.attr) if isinstance(receiver, ast.Attribute) else ""


def _by_name(name: str) -> str:
    return name if name in SERVICES else _OTHER_NAMES.get(name, "")


def _named(service: str, method: str) -> Iterator[tuple[str, str]]:
    found = _operations().get(method, {})
    if service in found:
        yield service, found[service]
    elif not service and len(found) == 1:
        yield next(iter(found.items()))


@cache
def _operations() -> Mapping[str, Mapping[str, str]]:
    """Service -> operation, by the name of the client's method."""
    known: dict[str, dict[str, str]] = {}
    for service in SERVICES:
        for name in _models().service(service).operations:
            known.setdefault(snake(name), {})[service] = name
    return known


@cache
def _models() -> Models:
    return Models(SERVICES)
