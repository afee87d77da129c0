"""A member of a request: it is acted on, or refused, or accepted without effect. Nothing else may become of one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property


class Treatment(Enum):
    """What becomes of a member."""

    ACTED_ON = "acted on"
    REFUSED = "refused"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Member:
    """A member, dotted (`A.B[].C`: in every element of B), with all below it that has no row of its own.

    `values` are those of a refused member that run; none: it is refused with any value. `reason` is what AWS does with
    it, where that differs from what is done here.
    """

    path: str
    treatment: Treatment
    values: tuple[object, ...] = field(default=())
    reason: str = ""

    @cached_property
    def first(self) -> str:
        """The member of the request that it is, or that it lies in."""
        return self.path.partition(".")[0].removesuffix("[]")

    def covers(self, path: str) -> bool:
        """Whether this row speaks of the member at `path`."""
        return path == self.path or path.startswith((f"{self.path}.", f"{self.path}["))


Members = tuple[Member, ...]


def acted_on(*paths: str, but: str = "") -> Members:
    """Members whose value changes what is done; `but` is what AWS does beyond that."""
    return tuple(Member(path, Treatment.ACTED_ON, reason=but) for path in paths)


def refused(path: str, *values: object) -> Members:
    """A member that is answered 501, but with one of `values`; an empty list or map may be such a value."""
    return (Member(path, Treatment.REFUSED, values),)


def accepted(path: str, reason: str) -> Members:
    """A member that is kept and has no effect; `reason` is what it is for on AWS."""
    return (Member(path, Treatment.ACCEPTED, reason=reason),)


def members(*rows: Members) -> Members:
    """One table of all rows."""
    return tuple(row for some in rows for row in some)


def below(place: str, rows: Iterable[Member]) -> Members:
    """The same rows for a structure that lies at `place`."""
    return tuple(Member(f"{place}.{row.path}", row.treatment, row.values, row.reason) for row in rows)
