"""Runs in .venv-peer: fit, deploy and predict in the SDK's local mode. A JSON object comes in, and some go out."""

import contextlib
import io
import json
import logging
import re
import statistics
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

from sagemaker.estimator import Estimator
from sagemaker.local import LocalSession
from sagemaker.model import Model
from sagemaker.predictor import Predictor

ROLE = "arn:aws:iam::123456789012:role/samebox"
BODY = b"0.0,0.3,0.9,0.1,0.0,0.7,0.2,0.4\n" * 32
INVOCATIONS = 100
# Its calls home are switched off: they would be measured too, and nothing of ours calls home.
QUIET = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


def main() -> None:
    """Measure; print medians in seconds, a JSON object a line."""
    given = json.load(sys.stdin)
    logging.disable(logging.CRITICAL)
    session = LocalSession(sagemaker_config=QUIET)
    session.config = {"local": {"serving_port": given["port"], "container_root": given["folder"]}}
    fits = [fit(session, given) for _ in range(given["rounds"] + 1)][1:]
    # At once: what was measured is not lost when the next thing fails.
    print(json.dumps({"fit": statistics.median(fits)}), flush=True)
    print(json.dumps(deploy(session, given)), flush=True)


def fit(session: Any, given: dict[str, Any]) -> float:
    """Seconds from fit() to the line that the container prints."""
    estimator = Estimator(
        given["image"], ROLE, 1, "local", output_path=f"file://{given['folder']}/out", sagemaker_session=session,
        hyperparameters={"script": json.dumps("print('bench', repr(time.time()), 'bench')")},
    )  # fmt: skip
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        began = time.time()
        estimator.fit()
    line = re.search(r"bench ([0-9.]+) bench", said.getvalue())
    if line is None:
        raise RuntimeError(f"no time in what fit printed: {said.getvalue()[-500:]!r}")
    return float(line.group(1)) - began


def deploy(session: Any, given: dict[str, Any]) -> dict[str, float]:
    """Seconds of one deploy(), and of invocations through it."""
    archive = Path(given["folder"]) / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    model = Model(
        given["image"], f"file://{archive}", ROLE, predictor_cls=Predictor, env={"SCRIPT": given["script"]},
        sagemaker_session=session,
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        began = time.monotonic()
        predictor = model.deploy(1, "local")
        seconds = time.monotonic() - began
        try:
            predictor.predict(BODY)
            invocations = sorted(invoke(predictor) for _ in range(INVOCATIONS))
        finally:
            predictor.delete_endpoint()
    return {
        "deploy": seconds,
        "invoke p50": statistics.median(invocations),
        "invoke p99": invocations[round(0.99 * len(invocations)) - 1],
    }


def invoke(predictor: Any) -> float:
    """Seconds of one predict()."""
    began = time.monotonic()
    predictor.predict(BODY)
    return time.monotonic() - began


def say_why(kind: type[BaseException], error: BaseException, _: object) -> None:
    """One line, in place of the SDK's coloured frames."""
    print(f"{kind.__name__}: {' '.join(str(error).split())}", file=sys.stderr)


if __name__ == "__main__":
    sys.excepthook = say_why
    main()
