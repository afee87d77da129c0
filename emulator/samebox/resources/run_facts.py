"""Run facts: what was learned of a job's run, so that it goes on after a crash where it was."""

from collections.abc import Mapping
from dataclasses import dataclass

from samebox.resources.deployment import ServedContainer, StandIn
from samebox.resources.facts import from_json
from samebox.resources.store import Resource


@dataclass(frozen=True)
class EarlierAttempts:
    """What a job's attempts before this one came to: those that were interrupted, and those that failed inside of us.

    `obeyed` are the orders by which it was interrupted (jobs/attempts.py); `ran_seconds` is the time for which its
    containers ran, `held_seconds` the time for which it had its instances.
    """

    count: int = 0
    retries: int = 0
    obeyed: tuple[str, ...] = ()
    ran_seconds: float = 0.0
    held_seconds: float = 0.0
    last_ended_at: float | None = None


@dataclass(frozen=True)
class PoolFacts:
    """The warm pool that a training job's hosts are, or were: `identity` names its folder, `began_at` is epoch seconds.

    `source` is the ARN of the job from which this one has it, '' for the first. `retained_at` is when the job ended and
    its hosts were kept.
    """

    identity: str
    began_at: float
    source: str = ""
    retained_at: float | None = None


@dataclass(frozen=True)
class RunFacts:
    """One run of a job's containers, which began when they were started; times are epoch seconds.

    `text` is what the container wrote about its failure; `bad_message`: it wrote a message that is not text. `network`
    is the name of the network that the job has to itself; None where it has none, or its own with its ARN. Preparation
    begins once there are instances. `interrupted_by` is the order that interrupts this run; `leftovers`: containers and
    folders of the attempt before are still to be removed.
    """

    began_at: float | None = None
    stop_signalled_at: float | None = None
    max_runtime_exceeded: bool = False
    ended_at: float | None = None
    exit_code: int | None = None
    text: str = ""
    uploaded: bool = False
    network: str | None = None
    bad_message: bool = False
    prepared_at: float | None = None
    interrupted_by: str = ""
    max_wait_exceeded: bool = False
    leftovers: bool = False
    earlier: EarlierAttempts = EarlierAttempts()
    outcome: str = ""  # as outcome.Outcome has it, where the exit code does not say it
    pool: PoolFacts | None = None


@dataclass(frozen=True)
class ServedModel:
    """What of a model a job needs: later changes of it do not affect the job. `further` containers make a pipeline."""

    container: ServedContainer
    execution_role_arn: str | None = None
    enable_network_isolation: bool = False
    further: tuple[ServedContainer, ...] = ()

    @property
    def containers(self) -> tuple[ServedContainer, ...]:
        """All of them, in the order in which a request passes them."""
        return (self.container, *self.further)


@dataclass(frozen=True)
class JobFacts:
    """The facts of a container job: its image as resolved when it was created, and its run.

    `model`: that of a transform job, as it was when the job was created; it has the images' `stand_in`s then.
    """

    resolved_image: str
    run: RunFacts = RunFacts()
    model: ServedModel | None = None
    stand_in: StandIn | None = None

    @property
    def stand_ins(self) -> Mapping[str, StandIn]:
        """The local images that run in place of AWS's, by what they are resolved to."""
        if self.model is None:
            return {self.resolved_image: self.stand_in} if self.stand_in else {}
        return {one.resolved_image: one.stand_in for one in self.model.containers if one.stand_in}


def job_facts(job: Resource) -> JobFacts:
    """The facts of a job's row."""
    return from_json(JobFacts, job.facts)
