"""How `samebox check` sets up containers: with the files and variables that the emulator gives its own jobs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator.check.workbench import Prepared
from emulator.data import opt_ml

REGION = "us-east-1"


class OptMl:
    """A Workbench (emulator/check/workbench.py)."""

    def training(self, root: Path, request: Mapping[str, Any], host: str) -> Prepared:
        hosts = opt_ml.hosts(request)
        name = request["TrainingJobName"].lower()
        facts = opt_ml.TrainingFacts(f"arn:aws:sagemaker:{REGION}:000000000000:training-job/{name}", REGION)
        opt_ml.write_tree(root, request, facts, hosts, host)
        command = opt_ml.command(request)
        return Prepared(opt_ml.environment(request, facts), command.entrypoint, command.command)
