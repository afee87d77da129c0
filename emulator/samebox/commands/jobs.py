"""`samebox jobs`: lists training jobs, the newest first."""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from samebox.commands import aws
from samebox.commands.outcome import Stop

MOST_A_PAGE = 100
FINAL = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class ListedJob:
    """A training job, as a line of the list has it. `seconds`: from its creation to its end, or to now."""

    name: str
    status: str
    created: datetime
    seconds: float
    metrics: Mapping[str, float]
    reason: str
    image: str
    model: str


def run(given: argparse.Namespace) -> int:
    if given.limit < 0:
        raise Stop(f"--limit {given.limit}: expected a number of jobs, or 0 for all.", status=2)
    session = aws.of_running(given.data_dir)
    with aws.spoken():
        found = list(itertools.islice(newest(session, given.prefix), given.limit + 1 if given.limit else None))
        shown = found[: given.limit] if given.limit else found
        jobs = [job for name, _ in shown if (job := described(session, name)) is not None]
    if given.json:
        sys.stdout.write(json.dumps([asdict(job) for job in jobs], default=datetime.isoformat) + "\n")
        return 0
    if not jobs:
        sys.stderr.write(
            f"There is no training job whose name begins with {given.prefix}.\n" if given.prefix else _NONE
        )
        return 0
    sys.stdout.write("\n".join(table(jobs)) + "\n")
    if len(found) > len(shown):
        sys.stderr.write(f"The newest {len(shown)}; more with --limit N.\n")
    return 0


_NONE = "There is no training job yet: samebox train SCRIPT starts one.\n"


def newest(session: aws.Session, prefix: str = "") -> Iterator[tuple[str, datetime]]:
    """Names and creation times of training jobs, the newest first, fetched page by page."""
    found = {"NameContains": prefix} if prefix else {}
    pages = session.client("sagemaker").get_paginator("list_training_jobs")
    for page in pages.paginate(SortBy="CreationTime", SortOrder="Descending", MaxResults=MOST_A_PAGE, **found):
        for job in page["TrainingJobSummaries"]:
            name: str = job["TrainingJobName"]
            if name.startswith(prefix):
                yield name, job["CreationTime"]


def described(session: aws.Session, name: str) -> ListedJob | None:
    """A training job; None when it was deleted just now."""
    try:
        found = session.client("sagemaker").describe_training_job(TrainingJobName=name)
    except aws.ClientError as error:
        if "Requested resource not found" in str(error):
            return None
        raise
    ended = found.get("TrainingEndTime") if found["TrainingJobStatus"] in FINAL else None
    until = ended.timestamp() if ended else time.time()
    return ListedJob(
        name=name,
        status=found["TrainingJobStatus"],
        created=found["CreationTime"],
        seconds=round(max(0.0, until - found["CreationTime"].timestamp()), 1),
        metrics={one["MetricName"]: one["Value"] for one in found.get("FinalMetricDataList", ())},
        reason=found.get("FailureReason", ""),
        image=found["AlgorithmSpecification"].get("TrainingImage", ""),
        model=found.get("ModelArtifacts", {}).get("S3ModelArtifacts", "") if _has_model(found) else "",
    )


def table(jobs: Sequence[ListedJob]) -> list[str]:
    """A line for each job below a line of titles; the columns are as wide as they need."""
    rows = [
        ("JOB", "STATUS", "CREATED", "TOOK", "METRICS"),
        *(
            (job.name, job.status, f"{job.created:%Y-%m-%d %H:%M}", duration(job.seconds), _metrics(job))
            for job in jobs
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join([*(row[column].ljust(widths[column]) for column in range(4)), row[4]]).rstrip() for row in rows]


def duration(seconds: float) -> str:
    """ "3 s", "1 min 12 s", "2 h 03 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def _metrics(job: ListedJob) -> str:
    return " ".join(f"{name}={value:.6g}" for name, value in job.metrics.items())


def _has_model(found: Mapping[str, Any]) -> bool:
    # Describe names the place of the model before there is one.
    return found["TrainingJobStatus"] in ("Completed", "Stopped")
