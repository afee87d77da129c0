"""`samebox jobs`: lists training, processing and transform jobs, the newest first."""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from samebox.commands import aws, job_kinds
from samebox.commands.job_kinds import FINAL, JobKind
from samebox.commands.outcome import Stop


@dataclass(frozen=True)
class ListedJob:
    """A job, as a line of the list has it. `seconds`: from its creation to its end, or to now."""

    name: str
    kind: str
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
        found = list(
            itertools.islice(job_kinds.newest(session, given.prefix), given.limit + 1 if given.limit else None)
        )
        shown = found[: given.limit] if given.limit else found
        jobs = [job for kind, name, _ in shown if (job := described(session, kind, name)) is not None]
    if given.json:
        sys.stdout.write(json.dumps([asdict(job) for job in jobs], default=datetime.isoformat) + "\n")
        return 0
    if not jobs:
        sys.stderr.write(f"There is no job whose name begins with {given.prefix}.\n" if given.prefix else _NONE)
        return 0
    sys.stdout.write("\n".join(table(jobs)) + "\n")
    if len(found) > len(shown):
        sys.stderr.write(f"The newest {len(shown)}; more with --limit N.\n")
    return 0


_NONE = "There is no job yet: samebox train SCRIPT starts one.\n"


def described(session: aws.Session, kind: JobKind, name: str) -> ListedJob | None:
    """A job; None when it was deleted just now."""
    found = kind.describe(session, name)
    if found is None:
        return None
    status = kind.status(found)
    ended = found.get(kind.ended) if status in FINAL else None
    until = ended.timestamp() if ended else time.time()
    return ListedJob(
        name=name,
        kind=kind.word,
        status=status,
        created=found["CreationTime"],
        seconds=round(max(0.0, until - found["CreationTime"].timestamp()), 1),
        metrics={one["MetricName"]: one["Value"] for one in found.get("FinalMetricDataList", ())},
        reason=found.get("FailureReason", ""),
        image=_image(found),
        # Describe names the place of the model before there is one.
        model=found.get("ModelArtifacts", {}).get("S3ModelArtifacts", "") if status in ("Completed", "Stopped") else "",
    )


def _image(found: Mapping[str, Any]) -> str:
    application = found.get("AlgorithmSpecification") or found.get("AppSpecification") or {}
    return str(application.get("TrainingImage") or application.get("ImageUri") or "")


def table(jobs: Sequence[ListedJob]) -> list[str]:
    """A line for each job below a line of titles; the columns are as wide as they need."""
    rows = [
        ("JOB", "KIND", "STATUS", "CREATED", "TOOK", "METRICS"),
        *(
            (job.name, job.kind, job.status, f"{job.created:%Y-%m-%d %H:%M}", duration(job.seconds), _metrics(job))
            for job in jobs
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return ["  ".join([*(row[column].ljust(widths[column]) for column in range(5)), row[5]]).rstrip() for row in rows]


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
