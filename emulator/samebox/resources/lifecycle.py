"""Lifecycles: for each kind that moves, the table of its moves. Nothing else in the project assigns a status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class IllegalMove(Exception):
    """The table has no such move: a resource in `at` cannot go to `to`."""

    def __init__(self, at: str, to: str) -> None:
        super().__init__(f"{at} -> {to}")
        self.at = at
        self.to = to


@dataclass(frozen=True)
class Stage:
    """One stage of a life: the status clients see, where it may lead, and the message of its transition.

    `removed`: there is work left in it, although no other stage follows, and the resource goes when that is done.
    `last_message`: what the transition says once the stage has led to the first of those that may follow.
    """

    status: str
    next: tuple[str, ...] = ()
    message: str = ""
    removed: bool = False
    last_message: str = ""


@dataclass(frozen=True)
class Lifecycle:
    """A table of stages. `member` is AWS's status member; `detail` the finer one, when the noun has two levels.

    With `detail`, stages are named by it (SecondaryStatus) and each transition is kept in SecondaryStatusTransitions.
    """

    member: str
    first: str
    stages: Mapping[str, Stage]
    detail: str | None = None
    history: str | None = field(default=None)

    def begin(self, at: float) -> dict[str, Any]:
        """The state of a resource that was just created."""
        return self._enter({}, self.first, at, None)

    def advance(self, state: Mapping[str, Any], to: str, at: float, message: str | None = None) -> dict[str, Any]:
        """A new state, moved to the stage `to`. `at` is in epoch seconds. Raises IllegalMove."""
        here = self.stage(state)
        if to not in self.stages[here].next:
            raise IllegalMove(here, to)
        return self._enter(state, to, at, message)

    def annotate(self, state: Mapping[str, Any], message: str) -> dict[str, Any]:
        """A new state in the same stage whose last transition has a newer message."""
        if self.history is None:
            return dict(state)
        transitions = [dict(one) for one in state.get(self.history, [])]
        if transitions and transitions[-1].get("StatusMessage") != message:
            transitions[-1]["StatusMessage"] = message
        return {**state, self.history: transitions}

    def stage(self, state: Mapping[str, Any]) -> str:
        """The stage a state is in."""
        return str(state[self.detail or self.member])

    def status(self, state: Mapping[str, Any]) -> str:
        """The status clients filter by."""
        return str(state[self.member])

    def unfinished_statuses(self) -> frozenset[str]:
        """The statuses with work left."""
        return frozenset(stage.status for stage in self.stages.values() if stage.next or stage.removed)

    def _enter(self, state: Mapping[str, Any], to: str, at: float, message: str | None) -> dict[str, Any]:
        stage = self.stages[to]
        fresh = {**state, self.member: stage.status}
        if self.detail is not None:
            fresh[self.detail] = to
        if self.history is not None:
            transitions = [dict(one) for one in state.get(self.history, [])]
            if transitions:
                transitions[-1] = {**self._left(transitions[-1], to), "EndTime": at}
            entry: dict[str, Any] = {"Status": to, "StartTime": at, "StatusMessage": message or stage.message}
            if not stage.next:
                entry["EndTime"] = at
            fresh[self.history] = [*transitions, entry]
        return fresh

    def _left(self, transition: Mapping[str, Any], to: str) -> Mapping[str, Any]:
        """A transition of a stage that leads to another; a message that was reported in it stays."""
        stage = self.stages.get(transition["Status"])
        if stage is None or not stage.last_message or stage.next[0] != to:
            return transition
        is_its_own = transition.get("StatusMessage") == stage.message
        return {**transition, "StatusMessage": stage.last_message} if is_its_own else transition


def settled(member: str, status: str) -> Lifecycle:
    """The life of what is made at once, and stays as it is."""
    return Lifecycle(member, status, {status: Stage(status)})


# contract.md §1.6. Uploading leads to Stopping because a stop may be asked for while artifacts go up; each stage with
# work leads to Restarting, by RetryStrategy. The messages of Interrupted, Restarting and MaxWaitTimeExceeded are ours.
TRAINING_JOB = Lifecycle(
    member="TrainingJobStatus",
    detail="SecondaryStatus",
    history="SecondaryStatusTransitions",
    first="Starting",
    stages={
        "Starting": Stage(
            "InProgress",
            ("Downloading", "Restarting", "Stopping", "Failed"),
            "Starting the training job",
            # Each job shows this at last, observed 2020-24 (contract.md §1.6).
            last_message="Preparing the instances for training",
        ),
        "Downloading": Stage("InProgress", ("Training", "Restarting", "Stopping", "Failed"), "Downloading input data"),
        "Training": Stage(
            "InProgress",
            ("Uploading", "Interrupted", "Restarting", "Stopping", "Failed"),
            "Training image download completed. Training in progress.",
        ),
        "Uploading": Stage(
            "InProgress", ("Completed", "Restarting", "Stopping", "Failed"), "Uploading generated training model"
        ),
        "Interrupted": Stage(
            "InProgress", ("Starting", "Restarting", "Stopping", "Failed"), "The spot instances were interrupted"
        ),
        "Restarting": Stage("InProgress", ("Downloading", "Stopping", "Failed"), "Restarting the training job"),
        "Stopping": Stage(
            "Stopping", ("Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded", "Failed"), "Stopping the training job"
        ),
        "Completed": Stage("Completed", (), "Training job completed"),
        "Failed": Stage("Failed", (), "Training job failed"),
        "Stopped": Stage("Stopped", (), "Training job stopped"),
        "MaxRuntimeExceeded": Stage("Stopped", (), "Training job runtime exceeded MaxRuntimeInSeconds provided"),
        "MaxWaitTimeExceeded": Stage("Stopped", (), "Training job wait time exceeded MaxWaitTimeInSeconds provided"),
    },
)


def _job(member: str) -> Lifecycle:
    """The life of a job that has no finer status; one that MaxRuntimeInSeconds ends is Stopped, too."""
    ends = ("Completed", "Failed", "Stopped")
    return Lifecycle(
        member=member,
        first="InProgress",
        stages={
            "InProgress": Stage("InProgress", ("Stopping", "Completed", "Failed")),
            "Stopping": Stage("Stopping", ("Stopped", "Failed")),
            **{end: Stage(end) for end in ends},
        },
    )


PROCESSING_JOB = _job("ProcessingJobStatus")  # contract.md §4.4
TRANSFORM_JOB = _job("TransformJobStatus")  # contract.md §3.5

# contract.md §2.10
ENDPOINT = Lifecycle(
    member="EndpointStatus",
    first="Creating",
    stages={
        "Creating": Stage("Creating", ("InService", "Failed", "Deleting")),
        "InService": Stage("InService", ("Updating", "Deleting")),
        "Updating": Stage("Updating", ("InService", "Failed", "Deleting")),
        "Failed": Stage("Failed", ("Deleting",)),
        "Deleting": Stage("Deleting", removed=True),
    },
)
