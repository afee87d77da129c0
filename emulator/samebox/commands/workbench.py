"""Sets up containers for `samebox check`, with the files and variables that the emulator gives its own jobs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samebox.check.workbench import Prepared
from samebox.data import opt_ml, processing, recordio

REGION = "us-east-1"
ACCOUNT = "000000000000"


class OptMl:
    """A Workbench (emulator/samebox/check/workbench.py)."""

    def training(self, root: Path, request: Mapping[str, Any], host: str) -> Prepared:
        hosts = opt_ml.hosts(request)
        name = request["TrainingJobName"]
        facts = opt_ml.TrainingFacts(f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}", REGION)
        opt_ml.write_tree(root, request, facts, hosts, host)
        command = opt_ml.command(request)
        return Prepared(opt_ml.environment(request, facts), command.entrypoint, command.command)

    def processing(self, root: Path, request: Mapping[str, Any], host: str) -> Prepared:
        name = request["ProcessingJobName"]
        processing.write_tree(root, request, f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:processing-job/{name}", host)
        command = processing.command(request)
        return Prepared(processing.environment(request, REGION), command.entrypoint, command.command)

    def record(self, payload: bytes) -> bytes:
        return recordio.frame(payload)
