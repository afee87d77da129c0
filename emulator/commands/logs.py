"""`samebox logs`: the log lines of a training job or an endpoint, as they are or as they come."""

import argparse
import sys
import time
from collections.abc import Callable

from emulator.commands import aws, where
from emulator.commands.lines import ENDPOINTS, TRAINING_JOBS, Lines
from emulator.commands.outcome import Stop

LOOK_EVERY_SECONDS = 0.5
FINAL = ("Completed", "Failed", "Stopped")


def run(given: argparse.Namespace) -> int:
    url, _ = where.running(given.data_dir)
    session = aws.of_emulator(url, where.settings(data_dir=given.data_dir))
    with aws.spoken():
        lines, is_over = find(session, given.name)
        while True:
            # Asked before the lines are read: what was written before the end is then among them.
            over = is_over()
            show(lines)
            if over or not given.follow:
                return 0
            time.sleep(LOOK_EVERY_SECONDS)


def show(lines: Lines) -> None:
    """Print what is new."""
    for line in lines.new():
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def find(session: aws.Session, name: str) -> tuple[Lines, Callable[[], bool]]:
    """The lines of a job or an endpoint, and whether any more can come. Raises Stop when there is neither."""
    sagemaker, logs = session.client("sagemaker"), session.client("logs")
    try:
        sagemaker.describe_training_job(TrainingJobName=name)
    except aws.ClientError as missing:
        if aws.code(missing) not in ("ValidationException", "ResourceNotFound"):
            raise
    else:
        return Lines(
            logs, TRAINING_JOBS, f"{name}/"
        ), lambda: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] in FINAL
    try:
        sagemaker.describe_endpoint(EndpointName=name)
    except aws.ClientError as missing:
        if aws.code(missing) != "ValidationException":
            raise
        raise Stop(f"there is neither a training job nor an endpoint called {name}.") from None
    return Lines(logs, f"{ENDPOINTS}/{name}"), lambda: False
