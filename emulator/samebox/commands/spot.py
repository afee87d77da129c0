"""`samebox spot interrupt`: takes the instances of a managed spot training job back, by a tag of the job."""

import argparse
import sys
import time

from samebox.commands import aws, job_kinds
from samebox.commands.job_kinds import FINAL
from samebox.commands.outcome import Stop
from samebox.resources.spot_tags import NOW_TAG


def run(given: argparse.Namespace) -> int:
    session = aws.of_running(given.data_dir)
    with aws.spoken():
        job = job_kinds.TRAINING.describe(session, given.job)
        if job is None:
            raise Stop(f"no training job is named {given.job}.")
        if not job.get("EnableManagedSpotTraining"):
            raise Stop(f"{given.job} does not use spot instances: EnableManagedSpotTraining is not set.")
        if job["TrainingJobStatus"] in FINAL:
            raise Stop(f"{given.job} has ended: {job['TrainingJobStatus']}.")
        # Each new value is a new order.
        tag = {"Key": NOW_TAG, "Value": f"{time.time_ns()}"}
        session.client("sagemaker").add_tags(ResourceArn=job["TrainingJobArn"], Tags=[tag])
    sys.stdout.write(f"{given.job} is interrupted; `samebox logs --follow {given.job}` shows how it goes on.\n")
    return 0
