"""The kinds of jobs that commands list and show, and how each is asked for: a table."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from samebox.commands import aws
from samebox.commands.outcome import Stop

MOST_A_PAGE = 100
FINAL = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class JobKind:
    """`word` is what people call it. `ended` is the member with the moment of its end."""

    word: str
    noun: str
    ended: str

    @property
    def log_group(self) -> str:
        """contract.md §1.9, §3.5, §4.4."""
        return f"/aws/sagemaker/{self.noun}s"

    def describe(self, session: aws.Session, name: str) -> dict[str, Any] | None:
        """Describe's response; None where there is no such job."""
        call = getattr(session.client("sagemaker"), f"describe_{self.word}_job")
        try:
            found: dict[str, Any] = call(**{f"{self.noun}Name": name})
        except aws.ClientError as error:
            if aws.code(error) not in ("ValidationException", "ResourceNotFound", "NotImplemented"):
                raise
            return None
        return found

    def summaries(self, session: aws.Session, **filters: Any) -> Iterator[dict[str, Any]]:
        """Every job that List gives, page by page. An emulator that was started before an update may lack a kind."""
        pages = session.client("sagemaker").get_paginator(f"list_{self.word}_jobs")
        try:
            for page in pages.paginate(**filters):
                yield from page[f"{self.noun}Summaries"]
        except aws.ClientError as error:
            if aws.code(error) != "NotImplemented":
                raise

    def newest(self, session: aws.Session, prefix: str = "") -> Iterator[tuple[str, datetime]]:
        """Names and creation times, the newest first."""
        chosen = {"NameContains": prefix} if prefix else {}
        order = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": MOST_A_PAGE}
        for job in self.summaries(session, **order, **chosen):
            name: str = job[f"{self.noun}Name"]
            if name.startswith(prefix):
                yield name, job["CreationTime"]

    def status(self, job: dict[str, Any]) -> str:
        """The status in a response."""
        return str(job[f"{self.noun}Status"])


TRAINING = JobKind("training", "TrainingJob", "TrainingEndTime")
KINDS = (
    TRAINING,
    JobKind("processing", "ProcessingJob", "ProcessingEndTime"),
    JobKind("transform", "TransformJob", "TransformEndTime"),
)


def find(session: aws.Session, name: str) -> tuple[JobKind, dict[str, Any]]:
    """The job of this name, of the first kind that has one. Raises Stop."""
    for kind in KINDS:
        job = kind.describe(session, name)
        if job is not None:
            return kind, job
    raise Stop(f"no job is named {name}.")


def newest(session: aws.Session, prefix: str = "") -> Iterator[tuple[JobKind, str, datetime]]:
    """Jobs of all kinds, the newest first, fetched page by page."""

    def of(kind: JobKind) -> Iterator[tuple[float, JobKind, str, datetime]]:
        return ((-created.timestamp(), kind, name, created) for name, created in kind.newest(session, prefix))

    for _, kind, name, created in heapq.merge(*map(of, KINDS), key=lambda one: one[0]):
        yield kind, name, created
