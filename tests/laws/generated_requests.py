"""Requests that are made up from the models' shapes, valid or with one broken constraint, and what must be answered.

`scripts/generated-requests` sends thousands of them to a whole emulator; test_generated_requests.py sends some.
"""

import argparse
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samebox.services.coverage import Grade, covered
from samebox.wire.constraints import words_of
from samebox.wire.models import Models, Operation
from samebox.wire.patterns import matcher
from samebox.wire.schema import Reference, Shape
from tests.laws.whole_emulator import Answered, Unwritable, Whole, whole_emulator
from tests.wire.generate import as_botocore, text_of, with_value

# Their protocols write down any value, and answer a broken constraint by its path.
JSON_SERVICES = ("sagemaker", "ecr", "logs")
SERVICES = (*JSON_SERVICES, "cloudwatch", "sts", "iam", "events", "ssm", "secretsmanager")
_LETTERS = "aZ09 -_./:äß漢\U0001f600"
_NO_MATCH = ("?", "_ _", "*" * 20, "\U0001f600" * 3, "-", "", "x")
# Members of which services have rules of their own, in the words for those of the model (contract.md §6.4).
_OWN_RULES = re.compile(
    r"at '(algorithmSpecification|resourceConfig|outputDataConfig|stoppingCondition|roleArn|resourceArn|ImageManifest|"
    r"LifecyclePolicyText|PolicyText|nextToken|primaryContainer\.image|containers\.1\.member\.image)' "
    r"failed to satisfy constraint"
)
_LONGEST = 3000  # a longer text proves nothing more
_DEPTH = 6


@dataclass(frozen=True)
class GeneratedRequest:
    """A request; `broken` is the path of the member that breaks a constraint, as answers name it; '' of a valid one."""

    operation: Operation
    params: dict[str, Any]
    broken: str = ""

    def __str__(self) -> str:
        return f"{self.operation.service}:{self.operation.name} {self.params!s:.400}"


class Generator:
    """Makes requests of operations that the emulator runs or stores, in an order that the seed decides."""

    def __init__(self, seed: int, models: Models | None = None) -> None:
        self._random = random.Random(seed)
        self._models = models or Models()
        self._operations = [
            self._models.operation(one.service, one.name)
            for one in covered()
            if one.service in SERVICES and one.grade is not Grade.ABSENT
        ]

    def requests(self, count: int) -> Iterator[GeneratedRequest]:
        """As many valid ones as broken ones."""
        for number in range(count):
            yield self._valid() if number % 2 else self._broken()

    def _valid(self) -> GeneratedRequest:
        operation = self._random.choice(self._operations)
        shape = operation.input
        return GeneratedRequest(operation, {} if shape is None else as_botocore(shape, self.value(shape)))

    def _broken(self) -> GeneratedRequest:
        while True:
            operation = self._random.choice([one for one in self._operations if one.service in JSON_SERVICES])
            shape = operation.input
            breaks = [] if shape is None else list(_breaks(shape))
            if shape is None or not breaks:
                continue
            path, value = self._random.choice(breaks)
            whole = self.value(shape, least=True)
            if value is _MISSING:
                del whole[path[0]]
                return GeneratedRequest(operation, as_botocore(shape, whole), _label(shape, path))
            return GeneratedRequest(
                operation, as_botocore(shape, with_value(shape, whole, path, value)), _label(shape, path)
            )

    def value(self, shape: Shape, depth: int = 0, least: bool = False) -> Any:
        """A value that the shape allows; with `least`, of structures the required members only."""
        match shape.type:
            case "structure":
                return self._structure(shape, depth, least)
            case "list":
                return [self.value(shape.element.shape, depth + 1, least) for _ in range(self._count(shape))]
            case "map":
                keys = {self._text(shape.key.shape) for _ in range(self._count(shape))}
                return {key: self.value(shape.value.shape, depth + 1, least) for key in keys}
            case "string" | "character":
                return self._text(shape)
            case "integer" | "long":
                low = int(shape.minimum if shape.minimum is not None else 0)
                return self._random.randint(low, int(min(shape.maximum or low + 1000, low + 10**6)))
            case "float" | "double":
                least_value = float(shape.minimum if shape.minimum is not None else 0)
                return self._random.uniform(least_value, float(shape.maximum or least_value + 1000))
            case "boolean":
                return self._random.random() < 0.5
            case "timestamp":
                return float(self._random.randint(0, 2 * 10**9))
            case "blob":
                return self._random.randbytes(self._random.randint(1, 40))
            case other:
                raise AssertionError(other)

    def _structure(self, shape: Shape, depth: int, least: bool) -> dict[str, Any]:
        if shape.is_union:
            names = [self._random.choice(list(shape.members))]
        else:
            more = 0.0 if least or depth > _DEPTH else 0.4
            names = [name for name in shape.members if name in shape.required or self._random.random() < more]
        return {name: self.value(shape.members[name].shape, depth + 1, least) for name in names}

    def _count(self, shape: Shape) -> int:
        low = int(shape.minimum or 0)
        return self._random.randint(max(low, 1), int(min(shape.maximum or low + 3, low + 3)) or 1)

    def _text(self, shape: Shape) -> str:
        if shape.enum:
            return self._random.choice(shape.enum)
        if shape.pattern is not None:
            return text_of(shape)
        low = int(shape.minimum or 1)
        length = self._random.randint(low, int(min(shape.maximum or low + 40, low + 40)))
        return "".join(self._random.choice(_LETTERS) for _ in range(length))


class _Missing:
    """In place of a required member that is left out."""


_MISSING = _Missing()


def _breaks(
    shape: Shape, path: tuple[str, ...] = (), above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each constraint of a request, by where it is (`[]`: in a list) and a value that breaks it."""
    if shape.name in above or shape.is_document:
        return
    if not path:
        yield from (((name,), _MISSING) for name in shape.required)
    if shape.type == "structure":
        for name, member in shape.members.items():
            yield from _breaks(member.shape, (*path, name), (*above, shape.name))
    elif shape.type == "list":
        yield from _breaks(shape.element.shape, (*path, "[]"), (*above, shape.name))
    elif shape.is_scalar:
        yield from ((path, value) for value in _bad_values(shape))


def _bad_values(shape: Shape) -> Iterator[Any]:
    if shape.type == "string":
        if shape.enum:
            yield "NoSuchValue"
        elif shape.pattern is not None:
            fits = matcher(shape.pattern)
            yield from (text for text in _NO_MATCH if not fits(text))
        if shape.maximum is not None and shape.maximum < _LONGEST:
            yield "x" * int(shape.maximum + 1)
    elif shape.type in ("integer", "long"):
        if shape.maximum is not None and shape.maximum < 2**31 - 1:
            yield int(shape.maximum) + 1
        if shape.minimum is not None and shape.minimum > -(2**31):
            yield int(shape.minimum) - 1


def _label(shape: Shape, path: tuple[str, ...]) -> str:
    """The place as messages name it: scalars in a list are judged at the list's own."""
    label, here = "", shape
    for number, part in enumerate(path):
        reference: Reference = here.element if part == "[]" else here.members[part]
        is_last_scalar = number == len(path) - 1 and part == "[]"
        if part == "[]":
            label += "" if is_last_scalar else ".1.member"
        else:
            label += f".{reference.label}" if label else reference.label
        here = reference.shape
    return label


def fault(request: GeneratedRequest, answer: Answered) -> str:
    """What is wrong with an answer; '' where it is as it must be."""
    operation = request.operation
    if found := answer.fault(f"{operation.service}:{operation.name}"):
        return found
    refused = "failed to satisfy constraint" in _OWN_RULES.sub("", answer.message)
    if not request.broken:
        return f"a valid request breaks a constraint: {answer.message}" if refused else ""
    code, place = words_of(operation).code, f"at '{request.broken}' failed to satisfy constraint"
    if (answer.status, answer.error) != (400, code) or place not in answer.message:
        return f"{request.broken} is broken, and the answer is {answer.status} {answer.error} {answer.message[:400]}"
    return ""


def ask(whole: Whole, requests: Iterator[GeneratedRequest]) -> dict[str, str]:
    """The faults of the answers, by their requests."""
    wrong = {}
    for request in requests:
        operation = request.operation
        try:
            answer = whole.client.ask(operation.service, operation.name, request.params)
        except Unwritable:
            continue
        if found := fault(request, answer):
            wrong[str(request)] = found
    return wrong


def main(arguments: list[str] | None = None) -> int:
    """Send many; exit status 1 where an answer is wrong."""
    parser = argparse.ArgumentParser(prog="scripts/generated-requests", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, whole_emulator(Path(folder)) as whole:
        wrong = ask(whole, Generator(given.seed).requests(given.requests))
        faults = whole.new_faults()
    for request, found in wrong.items():
        sys.stdout.write(f"{request}\n    {found}\n")
    sys.stdout.writelines(f"{one}\n" for one in faults)
    sys.stdout.write(
        f"{given.requests} requests, seed {given.seed}: {len(wrong)} wrong answers, {len(faults)} faults\n"
    )
    return 1 if wrong or faults else 0


if __name__ == "__main__":
    sys.exit(main())
