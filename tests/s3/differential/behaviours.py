"""The table of behaviours, and how two observations of one are compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.s3.differential.calls import S3Answer, S3Calls
from tests.s3.differential.known import MISSING, OUTDATED, UNSAID

Run = Callable[..., Any]
# Of an answer: what is another at each run, and says nothing of the behaviour.
_VOLATILE = frozenset({"RequestId", "HostId", "HTTPHeaders", "ResponseMetadata"})
# … and what is compared by where it appears again: the first version that a behaviour meets is `VersionId 1`.
_NAMED = {
    "VersionId": "version",
    "CopySourceVersionId": "version",
    "DeleteMarkerVersionId": "version",
    "NextVersionIdMarker": "version",
    "VersionIdMarker": "version",
    "x-amz-version-id": "version",
    "x-amz-copy-source-version-id": "version",
    "UploadId": "upload",
    "NextUploadIdMarker": "upload",
    "UploadIdMarker": "upload",
    "NextContinuationToken": "token",
    "ContinuationToken": "token",
}
_PLAIN = frozenset({"", "null"})
_CANONICAL_USER = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Behaviour:
    """`run(calls, *arguments)` makes the calls and returns what is to be compared."""

    name: str
    run: Run
    arguments: tuple[Any, ...] = ()

    def observe(self, calls: S3Calls) -> Any:
        """What the behaviour comes to in the bucket of `calls`, without what is another at each run."""
        return comparable(self.run(calls, *self.arguments))


BEHAVIOURS: dict[str, Behaviour] = {}


def behaviour(run: Run) -> Run:
    """Enter a function into the table; its name, as a sentence, is the behaviour's."""
    return _entered(run, run.__name__.replace("_", " "), ())


def each(cases: Mapping[str, Any] | Iterable[Any]) -> Callable[[Run], Run]:
    """Enter a function once for each case: an argument, or several in a tuple, by the names of a mapping."""
    named = cases if isinstance(cases, Mapping) else {str(case): case for case in cases}

    def enter(run: Run) -> Run:
        for name, case in named.items():
            _entered(run, f"{run.__name__.replace('_', ' ')}, {name}", case if isinstance(case, tuple) else (case,))
        return run

    return enter


def _entered(run: Run, name: str, arguments: tuple[Any, ...]) -> Run:
    name = f"{run.__module__.rpartition('.')[2]}: {name}"
    if name in BEHAVIOURS:
        raise ValueError(f"two behaviours are named {name}")
    BEHAVIOURS[name] = Behaviour(name, run, arguments)
    return run


def comparable(observed: Any) -> Any:
    """Dicts, lists and values: answers with their status, times as a word, ids by the order in which they appear."""
    return _Comparable().of(observed)


class _Comparable:
    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    def of(self, value: Any, member: str = "") -> Any:
        if isinstance(value, S3Answer):
            return {"status": value.status, **self._dict(value)}
        if isinstance(value, Mapping):
            return self._dict(value)
        if isinstance(value, (list, tuple)):
            return [self.of(one, member) for one in value]
        if isinstance(value, datetime):
            return value.isoformat() if member in ("RetainUntilDate", "Date", "Expires") else "a time"
        if kind := _NAMED.get(member):
            return self._named(kind, value)
        if member == "ID" and _CANONICAL_USER.fullmatch(value):
            return self._named("account", value)
        return value

    def _dict(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.of(one, name) for name, one in value.items() if name not in _VOLATILE}

    def _named(self, kind: str, value: Any) -> Any:
        if value is None or value in _PLAIN:
            return value
        count = sum(1 for other, _ in self._names if other == kind)
        return self._names.setdefault((kind, str(value)), f"{kind} {count + 1}")


def differences(ours: Any, reference: Any) -> dict[str, tuple[Any, Any]]:
    """Where two observations differ: ours and the reference's by the path of the member; `MISSING` where there is none.

    Members that moto never answers (`known.UNSAID`) are no difference, where ours has a value that AWS's may have.
    """
    return dict(_differences(ours, reference, ""))


def _differences(ours: Any, reference: Any, path: str) -> Iterable[tuple[str, tuple[Any, Any]]]:
    if isinstance(ours, dict) and isinstance(reference, dict):
        for name in sorted(ours.keys() | reference.keys()):
            mine, other = ours.get(name, MISSING), reference.get(name, MISSING)
            if (other == MISSING and name in UNSAID and mine in UNSAID[name].values) or (
                mine == MISSING and name in OUTDATED
            ):
                continue
            yield from _differences(mine, other, f"{path}.{name}".removeprefix("."))
    elif isinstance(ours, list) and isinstance(reference, list) and len(ours) == len(reference):
        for number, (one, other) in enumerate(zip(ours, reference, strict=True)):
            yield from _differences(one, other, f"{path}[{number}]")
    elif ours != reference:
        yield path, (ours, reference)
