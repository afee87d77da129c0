"""Predictions through an endpoint of an emulator: created for the inputs, invoked with boto3, and deleted."""

import contextlib
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samebox.check.findings import harmless
from samebox.commands import aws, lines
from samebox.log_excerpt import exception_in, headline
from samebox.parity.predict import Input, Predicted, Prediction

GONE_SECONDS = 120.0
PLACE = "the endpoint"
_SHOWN = 500  # characters of a reason
_LOG_LINES, _LINES_SHOWN = 2000, 10
_WRONG = re.compile(
    r"error|exception|traceback|critical|fatal|could not|cannot|can't|no such|not found|denied", re.IGNORECASE
)
# A container that ends at once is started again as long as the platform's patience lasts; ours is shorter.
# The emulator's own lines in an endpoint's log.
_OURS, _ENDED, _PINGED = "samebox: ", "samebox: the container exited", "samebox: GET /ping "
_ENDS, _LOOK_SECONDS = 3, 2.0


def predict(
    session: aws.Session,
    image: str,
    model: Path | None,
    inputs: tuple[Input, ...],
    environment: Mapping[str, str],
    seconds: float,
    tick: Callable[[str], None] = lambda _: None,
) -> Predicted:
    """What an endpoint of the image answers; everything that is made for it is deleted. Raises ClientError of AWS.

    `seconds`: how long it may take to be in service.
    """
    name = f"samebox-parity-{uuid.uuid4().hex[:12]}"
    began = time.monotonic()
    with contextlib.ExitStack() as made:
        uri = _uploaded(session, name, model, made) if model else None
        reason = _in_service(_Wanted(name, image, uri, environment, seconds), session, made, tick)
        if reason:
            log = telling(_log(session, name))
            problem = f"{reason}; its log: {log[0]}" if log and _WRONG.search(log[0]) else reason
            return Predicted(PLACE, image, problem=problem, log=log, seconds=time.monotonic() - began)
        answers = []
        for number, one in enumerate(inputs, 1):
            tick(f"asking {PLACE}: {number} of {len(inputs)}")
            answers.append(_asked(session, name, one))
    return Predicted(PLACE, image, tuple(answers), seconds=time.monotonic() - began)


def _uploaded(session: aws.Session, name: str, model: Path, made: contextlib.ExitStack) -> str:
    s3 = session.client("s3")
    s3.create_bucket(Bucket=name)
    made.callback(_quietly, lambda: s3.delete_bucket(Bucket=name))
    with model.open("rb") as body:
        s3.put_object(Bucket=name, Key="model.tar.gz", Body=body)
    made.callback(_quietly, lambda: s3.delete_object(Bucket=name, Key="model.tar.gz"))
    return f"s3://{name}/model.tar.gz"


@dataclass(frozen=True)
class _Wanted:
    name: str
    image: str
    model_uri: str | None
    environment: Mapping[str, str]
    seconds: float


def _in_service(wanted: _Wanted, session: aws.Session, made: contextlib.ExitStack, tick: Callable[[str], None]) -> str:
    """Create it and wait; "" or why it is not in service."""
    sagemaker, name = session.client("sagemaker"), wanted.name
    container: dict[str, Any] = {"Image": wanted.image, "Environment": dict(wanted.environment)}
    if wanted.model_uri is not None:
        container["ModelDataUrl"] = wanted.model_uri
    role = session.role("samebox-parity")
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
    made.callback(_quietly, lambda: sagemaker.delete_model(ModelName=name))
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.xlarge"}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
    )
    made.callback(_quietly, lambda: sagemaker.delete_endpoint_config(EndpointConfigName=name))
    made.callback(_quietly, lambda: _delete(sagemaker, name))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    began, looked, pinged = time.monotonic(), 0.0, ""
    while (spent := time.monotonic() - began) < wanted.seconds:
        tick(f"waiting for {PLACE} to be in service: {spent:.0f} s{pinged}")
        found = sagemaker.describe_endpoint(EndpointName=name)
        if found["EndpointStatus"] == "InService":
            return ""
        if found["EndpointStatus"] == "Failed":
            return harmless(f"it is Failed: {found.get('FailureReason', 'no reason is given')}")[:_SHOWN]
        if spent - looked > _LOOK_SECONDS:
            looked = spent
            said = _log(session, name)
            answers = [line.removeprefix(_OURS) for line in said if line.startswith(_PINGED)]
            pinged = harmless(f"; {answers[-1]}")[:_SHOWN] if answers else ""
            ends = [line for line in said if line.startswith(_ENDED)]
            if len(ends) >= _ENDS:
                return harmless(f"{ends[-1].removeprefix('samebox: ')}, {len(ends)} times by now")[:_SHOWN]
        time.sleep(0.2)
    return f"it was not in service within {wanted.seconds:.0f} s"


def _log(session: aws.Session, name: str) -> list[str]:
    try:
        return lines.last(session.client("logs"), f"{lines.ENDPOINTS}/{name}", 0, _LOG_LINES)
    except (aws.ClientError, aws.BotoCoreError):
        return []


def telling(said: Sequence[str]) -> tuple[str, ...]:
    """The lines of a log that explain a failure: the exception, else lines about errors, else the last ones.

    The first line is the most important one.
    """
    exception = exception_in(said)
    if len(exception) > 1:
        named = headline(exception)
        return tuple(harmless(line)[:_SHOWN] for line in (named, *exception))
    plain = list(dict.fromkeys(harmless(_message(line)).strip()[:_SHOWN] for line in said))
    loud = [line for line in plain if _WRONG.search(line)]
    return tuple((loud or plain)[-_LINES_SHOWN:])


def _message(line: str) -> str:
    """The message of a structured log line."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return line
    return str(found["message"]) if isinstance(found, dict) and "message" in found else line


def _asked(session: aws.Session, name: str, one: Input) -> Prediction:
    began = time.monotonic()
    accept = {"Accept": one.accept} if one.accept else {}
    try:
        answer = session.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body=one.path.read_bytes(), ContentType=one.content_type, **accept
        )
        body = answer["Body"].read()
    except (aws.ClientError, aws.BotoCoreError) as error:
        return Prediction(error=harmless(aws.words(error))[:_SHOWN], seconds=time.monotonic() - began)
    return Prediction(body, answer["ContentType"], seconds=time.monotonic() - began)


def _delete(sagemaker: Any, name: str) -> None:
    """And wait until it is gone: what it runs on may go next."""
    sagemaker.delete_endpoint(EndpointName=name)
    deadline = time.monotonic() + GONE_SECONDS
    while time.monotonic() < deadline:
        sagemaker.describe_endpoint(EndpointName=name)  # raises when there is none any more
        time.sleep(0.1)


def _quietly(undo: Callable[[], object]) -> None:
    with contextlib.suppress(aws.ClientError, aws.BotoCoreError):
        undo()
