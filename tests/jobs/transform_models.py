"""A model's program for transform jobs on the fake engine, and such a job in one line."""

import json
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from samebox.containers.fake_process import FakeRequest, FakeResponse
from samebox.jobs.transform import TRANSFORM
from samebox.platform.serving import BIND_LABEL
from samebox.resources.deployment import ServedContainer
from samebox.resources.kinds import TRANSFORM_JOB
from samebox.resources.run_facts import JobFacts, ServedModel

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from samebox.resources.store import Resource
    from tests.jobs.harness import Harness

Respond = Callable[[bytes], bytes | FakeResponse]


GROUP = "/aws/sagemaker/TransformJobs"


class ModelServer:
    """A container's program, and the requests that it got."""

    def __init__(self, respond: Respond = lambda body: body, parameters: object = None, ping: int = 200) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.environment: dict[str, str] = {}
        self._respond = respond
        self._parameters = parameters
        self._ping = ping
        self._lock = threading.Lock()

    def serve(self, process: "Process") -> int:
        self.environment = dict(process.environment)
        return process.serve(self._answer, int(process.environment.get("SAGEMAKER_BIND_TO_PORT", "8080")))

    def _answer(self, request: FakeRequest) -> FakeResponse:
        if request.path == "/ping":
            return FakeResponse(self._ping)
        if request.path == "/execution-parameters":
            return (
                FakeResponse(404)
                if self._parameters is None
                else FakeResponse(200, json.dumps(self._parameters).encode())
            )
        with self._lock:
            self.bodies.append(request.body)
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
        response = self._respond(request.body)
        return response if isinstance(response, FakeResponse) else FakeResponse(200, response)


def start(
    harness: "Harness", model: ModelServer | Sequence[ModelServer], given: dict[str, Any], **request: Any
) -> "Resource":
    """Start an emulator and a job of a model; a sequence of them is a pipeline."""
    job = begin(harness, model, given, **request)
    harness.start()
    return job


def begin(
    harness: "Harness", model: ModelServer | Sequence[ModelServer], given: dict[str, Any], **request: Any
) -> "Resource":
    """The job alone."""
    harness.types = (TRANSFORM,)
    models, unlabelled = [model] if isinstance(model, ModelServer) else model, request.pop("unlabelled", ())
    for number, one in enumerate(models, 1):
        name = f"model:{number}"
        harness.engine.add_image(name, {"serve": one.serve}, labels={} if name in unlabelled else {BIND_LABEL: "true"})
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{harness.bucket}/in/"}
    output = {"S3OutputPath": f"s3://{harness.bucket}/out", **request.pop("output", {})}
    spec = {
        "TransformJobName": "predict",
        "ModelName": "digits",
        "TransformInput": {"DataSource": {"S3DataSource": source}, **given},
        "TransformOutput": output,
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **request,
    }
    first, *others = (
        ServedContainer(f"model:{number}", f"model:{number}", {"LEVEL": "info"}) for number in range(1, len(models) + 1)
    )
    served = ServedModel(first, further=tuple(others))
    return harness.create(TRANSFORM_JOB, JobFacts("model:1", model=served), **spec)


def run(
    harness: "Harness", model: ModelServer | Sequence[ModelServer], given: dict[str, Any], **request: Any
) -> "Resource":
    return harness.wait_until_ended(start(harness, model, given, **request))


def data_log(harness: "Harness", job: "Resource") -> list[str]:
    group = GROUP
    (stream,) = [one.name for one in harness.logbook.streams(group) if one.name.endswith("/data-log")]
    assert stream.startswith(f"{job.name}/i-")
    return [event.message.partition(":[sagemaker logs]: ")[2] for _, event in harness.logbook.read(group, stream)]
