"""Run facts: what was learned of a job's run, so that it goes on after a crash where it was."""

from dataclasses import dataclass

from samebox.resources.facts import from_json
from samebox.resources.store import Resource


@dataclass(frozen=True)
class RunFacts:
    """One run of a job's containers, which began when they were started; times are epoch seconds.

    `text` is what the container wrote about its failure; `bad_message`: it wrote a message that is no text. `network`
    is the name of the network that the job has to itself; None where it has none, or its own with its ARN.
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


@dataclass(frozen=True)
class JobFacts:
    """The facts of a container job: its image as resolved when it was created, and its run."""

    resolved_image: str
    run: RunFacts = RunFacts()


def job_facts(job: Resource) -> JobFacts:
    """The facts of a job's row."""
    return from_json(JobFacts, job.facts)
