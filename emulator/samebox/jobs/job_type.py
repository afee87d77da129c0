"""What is special about one type of container job, as data; the rest of its life is the same for all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from samebox.containers.instances import Limits
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
class Instances:
    """The machines that a request asks for."""

    type: str
    count: int


@dataclass(frozen=True)
class JobType:
    """A type of container job.

    `began` and `ended` are the members that show when the work began and ended, `seconds` those that show how long it
    took.
    """

    kind: Kind
    stages: Stages
    endings: Mapping[Outcome, Ending]
    instances: Callable[[Mapping[str, Any]], Instances]
    plan: Callable[[Resource, Limits, EmulatorInfo], Plan]
    began: str
    ended: str
    seconds: tuple[str, ...] = ()
