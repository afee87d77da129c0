"""Tries out what the members of a request do: the same request twice, different in one member, and all that came of it.

What an answer shows again of a member does not count: it says that the member was kept, not that it was acted on.
"""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from samebox.services.members.row import Member, Members, Treatment
from samebox.wire.constraints import validate
from samebox.wire.schema import Shape
from tests.laws.members import MODELS, leaves, row_of
from tests.laws.whole_emulator import Answered, Whole
from tests.wire.generate import as_botocore, value_of, with_value

Params = dict[str, Any]
Step = Callable[["ProbedEmulator", str], Any]
Call = tuple[str, str, Params]
# Made up by chance: two answers never have the same.
_RANDOM = frozenset(
    (
        "SecretAccessKey",
        "SessionToken",
        "authorizationToken",
        "eventId",
        "EventId",
        "ARN",
        "RoleId",
        "PolicyId",
        "InstanceProfileId",
        "creationTime",
        "ingestionTime",
    )
) | {"lastIngestionTime"}
_TENTH = 600.0  # seconds: of a time, it counts in which ten minutes from now it is


@dataclass
class ProbedEmulator:
    """A whole emulator, and what its containers saw when they started, by the ARN of what they run for."""

    whole: Whole
    seen: dict[str, list[Any]] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=count)

    def name(self) -> str:
        """A name that was never given. All are of one length, and are found again in answers."""
        return f"probe-{next(self._numbers):05d}"

    def ask(self, service: str, operation: str, params: Params) -> Answered:
        return self.whole.client.ask(service, operation, params)


@dataclass(frozen=True)
class Either:
    """Two values for a member that are to be compared with each other, and not with its absence."""

    first: Any
    second: Any


@dataclass(frozen=True)
class Probe:
    """How the members of an operation are tried out. `$` in a text is a name that is new for each request.

    `before` and `after` are requests around it, or what else is to be done and seen; where nothing is made or changed
    (`makes`), `before` is done once for both. `besides` is, for members below a path, what the request has in place of
    its usual members; None takes one away. `values` are for members for which a value that the model allows will not
    do. `proven` are tests that prove what cannot be seen in a moment.
    """

    request: Params
    before: tuple[Call | Step, ...] = ()
    after: tuple[Call | Step, ...] = ()
    makes: bool = True
    besides: Mapping[str, Params] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    proven: Mapping[str, str] = field(default_factory=dict)


class Prober:
    """Tries out the members of one operation."""

    def __init__(self, world: ProbedEmulator, service: str, operation: str, probe: Probe) -> None:
        self._world, self._probe = world, probe
        self._service, self._operation = service, operation
        shape = MODELS.operation(service, operation).input
        assert shape is not None
        self._shape: Shape = shape

    def wrong(self, table: Members, only: str = "") -> list[str]:
        """Every member that does not do what its row says; `only`: of this member."""
        name, usual = self._shared_name(), self._request("")
        if self._outcome(usual, set(), name) != self._outcome(usual, set(), name):
            return ["the same request twice has two outcomes: nothing can be seen of its members"]
        found: list[str] = []
        accepted: list[tuple[Member, str]] = []
        refused = self._world.name()
        self._do_before(refused)
        for row, member in self._members(table):
            if only not in ("", member):
                continue
            if row.treatment is Treatment.ACCEPTED:
                accepted.append((row, member))
            elif row.treatment is Treatment.REFUSED:
                found += self._unless_refused(row, member, refused)
            elif not self._has_effect(row, member):
                found.append(f"{member} is acted on, and nothing changes with its value")
        return found + self._effective(accepted)

    def _has_effect(self, row: Member, member: str) -> bool:
        plain, changed = self._pair(row, member)
        echo = {member.partition(".")[0].removesuffix("[]")}
        name = self._shared_name()
        return self._outcome(plain, echo, name) != self._outcome(changed, echo, name)

    def _unless_refused(self, row: Member, member: str, name: str) -> list[str]:
        sent = _named(self._pair(row, member)[1], name)
        answer = self._world.ask(self._service, self._operation, as_botocore(self._shape, sent))
        if answer.status == 501 and row.path.rpartition(".")[2].removesuffix("[]") in answer.message:
            return []
        return [f"{member} is refused, and is answered {answer.status} {answer.error}: {answer.message}"]

    def _effective(self, rows: list[tuple[Member, str]]) -> list[str]:
        """Of members that are accepted without effect, those that have one. Those of one request are tried at once."""
        groups: list[tuple[Params, list[tuple[Member, str]]]] = []
        for row, member in rows:
            usual = self._request(member)
            group = next((members for request, members in groups if request == usual), None)
            if group is None:
                groups.append((usual, [(row, member)]))
            else:
                group.append((row, member))
        found = []
        for usual, members in groups:
            changed = usual
            for row, member in members:
                changed = self._with(changed, member, self._value(row, member, changed))
            echoes, name = {member.partition(".")[0].removesuffix("[]") for _, member in members}, self._shared_name()
            if self._outcome(usual, echoes, name) != self._outcome(changed, echoes, name):
                found += [member for row, member in members if self._has_effect(row, member)] or ["one of several"]
        return [f"{member} is accepted without effect, and has one" for member in found]

    def _pair(self, row: Member, member: str) -> tuple[Params, Params]:
        """Two requests that the model allows, and that differ in this member alone."""
        request = self._request(member)
        value = self._value(row, member, request)
        if isinstance(value, Either):
            plain, changed = self._with(request, member, value.first), self._with(request, member, value.second)
        else:
            changed = self._with(request, member, value)
            alone = row.treatment is Treatment.ACTED_ON and _at(request, _parts(member)) is None
            # Members beside this one, made up because the model requires them, would be proof of it, too.
            plain = _without(changed, _parts(member)) if alone else request
        validate(self._shape, _named(changed, "aa"))
        if row.treatment is Treatment.ACTED_ON:
            validate(self._shape, _named(plain, "aa"))  # where not, the probe's request has to have the member
            assert plain != changed, f"{member}: the probe has to have another value"
        return plain, changed

    def _outcome(self, params: Params, echoes: set[str], name: str) -> str:
        """All that comes of a request, as text; but what is shown again of the members that are called `echoes`."""
        made = name or self._world.name()
        if self._probe.makes:
            self._do_before(made)
        answer = self._world.ask(self._service, self._operation, as_botocore(self._shape, _named(params, made)))
        after = self._probe.after if answer.status < 300 else ()
        found = [step(self._world, made) if callable(step) else _of(self._call(step, made)) for step in after]
        # Tags are there to be shown again.
        seen = _less([_of(answer), *found], {echo for echo in echoes if echo.lower() != "tags"})
        return json.dumps(seen, sort_keys=True, default=str).replace(made, "$")

    def _shared_name(self) -> str:
        if self._probe.makes:
            return ""
        name = self._world.name()
        self._do_before(name)
        return name

    def _do_before(self, name: str) -> None:
        for step in self._probe.before:
            if callable(step):
                step(self._world, name)
            else:
                answer = self._call(step, name)
                assert answer.status < 300, (step, answer)

    def _call(self, call: Call, name: str) -> Answered:
        service, operation, params = call
        return self._world.ask(service, operation, _named(params, name))

    def _members(self, table: Members) -> list[tuple[Member, str]]:
        """Row and member, for each; a structure for which a value is given counts as one member."""
        found: dict[str, Member] = {}
        for leaf in leaves(self._shape):
            row = row_of(table, leaf)
            assert row is not None, leaf
            whole = next((path for path in self._probe.values if leaf.startswith((f"{path}.", f"{path}["))), leaf)
            if leaf not in self._probe.proven:
                found[whole if row_of(table, whole) == row else leaf] = row
        return [(row, member) for member, row in found.items()]

    def _request(self, member: str) -> Params:
        request = copy.deepcopy(self._probe.request)
        for path, members in self._probe.besides.items():
            if member == path or member.startswith((f"{path}.", f"{path}[")):
                request.update(copy.deepcopy(members))
        return {name: value for name, value in request.items() if value is not None}

    def _with(self, request: Params, member: str, value: Any) -> Params:
        params: Params = with_value(self._shape, request, _parts(member), value)
        return params

    def _value(self, row: Member, member: str, request: Params) -> Any:
        if member in self._probe.values:
            return self._probe.values[member]
        shape = self._shape
        for name in _parts(member):
            shape = shape.element.shape if name == "[]" else shape.members[name].shape
        return _other(shape, _at(request, _parts(member)), row.values)


def _other(shape: Shape, value: Any, but: tuple[object, ...]) -> Any:
    """A value of the shape that is neither this one nor one of `but`."""
    if shape.enum:
        return next(one for one in shape.enum[::-1] if one not in (value, *but))  # the first is often the default
    if shape.type == "boolean":
        return not value
    if shape.type in ("integer", "long", "float", "double"):
        most = shape.maximum if shape.maximum is not None else 100
        taken = (value, *but) if value is not None or but else ()
        return next(one for one in (value_of(shape), most, most - 1, most - 2) if one not in taken)
    return value_of(shape)


def _parts(member: str) -> tuple[str, ...]:
    return tuple(member.replace("[]", ".[]").split("."))


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = (value[0] if value else None) if name == "[]" else value.get(name)
        if value is None:
            return None
    return value


def _without(value: Any, path: tuple[str, ...]) -> Any:
    """The request without this member; an element of a list goes with its list."""
    name, rest = path[0], path[1:]
    if name == "[]":
        return [_without(value[0], rest)]
    if not rest or rest == ("[]",):
        return {key: item for key, item in value.items() if key != name}
    return {**value, name: _without(value[name], rest)}


def _named(value: Any, name: str) -> Any:
    """The same with the name in place of each `$`."""
    if isinstance(value, str):
        return value.replace("$", name)
    if isinstance(value, list):
        return [_named(one, name) for one in value]
    return {key: _named(item, name) for key, item in value.items()} if isinstance(value, dict) else value


def _of(answer: Answered) -> Any:
    """What a client reads in an answer, times and what is made up by chance aside."""
    parsed = {key: value for key, value in answer.parsed.items() if key not in ("ResponseMetadata", "Body")}
    body = answer.body.decode() if "Body" in answer.parsed else ""
    return [answer.status, answer.error, answer.message, _steady(parsed), body]


def _steady(value: Any) -> Any:
    if isinstance(value, datetime):
        return round((value - datetime.now(UTC)).total_seconds() / _TENTH)
    if isinstance(value, list):
        return [_steady(one) for one in value]
    if isinstance(value, dict):
        # A key names its account in its beginning, and the rest is chance.
        return {
            key: item[:16] if key == "AccessKeyId" else _steady(item)
            for key, item in value.items()
            if key not in _RANDOM
        }
    return value


def _less(value: Any, keys: set[str]) -> Any:
    """The same without what stands under these keys, at any depth."""
    if isinstance(value, list):
        return [_less(one, keys) for one in value]
    if isinstance(value, dict):
        return {key: _less(item, keys) for key, item in value.items() if key not in keys}
    return value
