"""What is special about one type of container job, as data; the rest of its life is the same for all of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from samebox.containers.instances import Limits
from samebox.jobs.phases import JobDependencies
from samebox.jobs.plan import EmulatorInfo, Plan
from samebox.resources.kind import Kind
from samebox.resources.outcome import Ending, Outcome
from samebox.resources.store import Resource


@dataclass(frozen=True)
class Stages:
    """The stages of the kind's lifecycle in which each phase takes place; they may be one and the same."""

    preparing: str
    running: str
    uploading: str
    pulling: str  # the message while the image is pulled


@dataclass(frozen=True)
class WorkResult:
    """How the work with a job's containers ended, for the outcome table."""

    outcome: Outcome
    text: str = ""


@dataclass(frozen=True)
class SecondsMembers:
    """The members that show how long a job took, and for how long it is billed."""

    took: str
    billed: str


@dataclass(frozen=True)
class Instances:
    """The machines of one instance group that a request asks for; a job without groups has one."""

    type: str
    count: int


class JobWork(Protocol):
    """What is done with a job's running containers, in threads of its own, for as long as its `with` block lasts."""

    @property
    def result(self) -> WorkResult | None:
        """None while it goes on."""

    @property
    def is_serving(self) -> bool:
        """Whether a container has answered: one that has not yet holds nothing that a stop should wait for."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def cancel(self) -> None:
        """End what is under way; nothing of it is stored."""

    def container_ended(self, hosts: Collection[str]) -> None:
        """The containers of these hosts have ended, perhaps before the work did."""


# The work of a job whose containers run, by their hosts' names; it notifies of its end.
StartWork = Callable[[Resource, Plan, JobDependencies, Mapping[str, str]], JobWork]


@dataclass(frozen=True)
class JobType:
    """A type of container job.

    `began` and `ended` are the members that show when the work began and ended, `seconds` those that show how long it
    took. `plan` gets the limits of each instance group. `work`: what is done with the containers while they run; with
    it they are stopped once it has ended, and their exit codes say nothing.
    """

    kind: Kind
    stages: Stages
    endings: Mapping[Outcome, Ending]
    instances: Callable[[Mapping[str, Any]], Sequence[Instances]]
    plan: Callable[[Resource, Sequence[Limits], EmulatorInfo], Plan]
    began: str
    ended: str
    seconds: SecondsMembers | None = None
    work: StartWork | None = None
