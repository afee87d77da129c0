"""A whole emulator as `samebox up` composes it, over a fake engine, and a client that sends it what no SDK would send.

Nothing in it is replaced but the container engine: S3 is the real server, lookups of objects and images are real, jobs
and endpoints that are accepted are run.
"""

import base64
import hashlib
import http.client
import io
import json
import logging
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import parsers, serialize
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.config import Config

from samebox import server
from samebox.app.emulator import Emulator
from samebox.containers.fake import FakeEngine
from samebox.containers.fake_process import FakeRequest, FakeResponse, Process
from samebox.resources.kinds import CONTAINER_JOBS
from samebox.resources.query import Query
from samebox.settings import Settings
from samebox.traffic.routes import Key
from tests import samples
from tests.conftest import ACCOUNT, REGION
from tests.ports import free_port
from tests.scenarios.emulator_process import until

if TYPE_CHECKING:
    from samebox.containers.fake_process import Program

# A request that takes longer hangs. Far more than any takes on a slow machine, where a hundredth of it is usual.
LIMIT_SECONDS = 60
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_PART = {"mediaType": "application/octet-stream", "size": 1, "digest": f"sha256:{'1' * 64}"}
PROGRAMS: "Mapping[str, Program]" = {
    "train": lambda _: 0,
    "serve": lambda process: process.serve(lambda _: FakeResponse()),
}
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": _PART, "layers": [_PART]})


@dataclass(frozen=True)
class Answered:
    """What a client of the service reads in an answer; `error` is empty where it is none."""

    status: int
    error: str
    message: str
    parsed: Mapping[str, Any]
    body: bytes

    def fault(self, operation: str) -> str:
        """What no answer may be, and this one is; empty where it is as AWS could have answered.

        `operation` is what a refusal names that says what is not run: `sagemaker:CreateApp`.
        """
        if self.status >= 500 and (
            self.status != 501 or self.error != "NotImplemented" or operation not in self.message
        ):
            return f"{self.status} {self.error}: {self.message}"
        if not self.parsed["ResponseMetadata"].get("RequestId"):
            return f"{self.status} without a request id"
        if self.status >= 300 and (not self.error or self.error == str(self.status) or not self.message):
            return f"{self.status} without a code or a message: {self.body[:300]!r}"
        return ""


class Unwritable(Exception):
    """The protocol has no form for the request: a header with two lines, say."""


class Client:
    """Sends requests as botocore writes them, valid or not, over one connection."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_SECONDS)
        self._session = botocore.session.Session()
        self._models: dict[str, Any] = {}

    def ask(self, service: str, operation: str, params: Mapping[str, Any]) -> Answered:
        """Send a request.

        Raises Unwritable; OSError where no answer comes in time, ResponseParserError where no client can read it.
        """
        if service not in self._models:
            self._models[service] = self._session.get_service_model(service)
        model = self._models[service]
        asked = model.operation_model(operation)
        scope = f"{ACCOUNT}/20261129/{REGION}/{model.signing_name}/aws4_request"
        # Which service is asked stands in the signature, as in those of SDKs; without a token, it is not verified.
        signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        try:
            written = _written(model, asked, params)
            prepare_request_dict(written, self._url)
            written["headers"]["Authorization"] = signature
            request = create_request_object(written).prepare()
            headers = {name: _of_a_header(value) for name, value in request.headers.items()}
        except (ValueError, RuntimeError, OverflowError) as error:
            raise Unwritable from error
        self._connection.request(request.method, request.url.removeprefix(self._url), request.body, headers)
        with self._connection.getresponse() as response:
            status, answered, body = response.status, HeadersDict(response.getheaders()), response.read()
        parser: Any = parsers.create_parser(model.resolved_protocol)
        raw = {"status_code": status, "headers": answered, "body": body}
        parsed = parser.parse(raw, asked.output_shape if status < 300 else None)
        if asked.output_shape is None:  # then botocore's reader of CBOR reads no header
            parsed["ResponseMetadata"].setdefault("RequestId", answered.get("x-amzn-requestid"))
        found = parsed.get("Error", {})
        return Answered(status, found.get("Code", ""), found.get("Message", ""), parsed, body)

    def close(self) -> None:
        self._connection.close()


class Faults(logging.Handler):
    """Every exception and error that is logged, in whatever thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record that tells of a fault."""
        if record.exc_info or record.levelno >= logging.ERROR:
            self.seen.append(self.format(record))


@dataclass(frozen=True)
class Whole:
    """A running emulator, a client of it, and the faults in its log."""

    emulator: Emulator
    client: Client
    _faults: list[str]

    def new_faults(self) -> list[str]:
        """Faults in the log since this was last asked."""
        found = self._faults[:]
        del self._faults[: len(found)]
        return found


@contextmanager
def whole_emulator(folder: Path, programs: "Mapping[str, Program] | None" = None) -> Iterator[Whole]:
    """An emulator with all that tests/samples.py names, and the samples themselves twice; `programs` are the image's.

    `digits` has an endpoint in service; `doomed` is to be stopped and deleted. At the end, no job may have failed for a
    fault of ours, and no fault may be in the log.
    """
    settings = Settings(
        data_dir=folder / "data", port=free_port(), container_credentials=False, invocation_seconds=LIMIT_SECONDS / 2
    )
    engine = FakeEngine(folder / "engine")
    engine.add_image(settings.registry_image, {"docker-registry": registry_process}, entrypoint=("docker-registry",))
    image = f"localhost:{settings.port}/digits@sha256:{hashlib.sha256(MANIFEST.encode()).hexdigest()}"
    engine.add_image(image, programs or PROGRAMS)
    faults = Faults()
    logging.getLogger().addHandler(faults)
    try:
        with server.running(settings, engine) as emulator, closing(Client(settings.port)) as client:
            _prepare(emulator, client, settings)
            yield Whole(emulator, client, faults.seen)
            rows = emulator.resources
            until(lambda: not any(map(rows.unfinished, CONTAINER_JOBS)), LIMIT_SECONDS, "all jobs have ended")
            jobs = [row for kind in CONTAINER_JOBS for row in emulator.store.find(Query(kind.noun))]
            failed = [row.state for row in jobs if row.status == "Failed"]
            assert [state for state in failed if "InternalServerError" in state["FailureReason"]] == []
    finally:
        logging.getLogger().removeHandler(faults)
    assert faults.seen == [], faults.seen


def _prepare(emulator: Emulator, client: Client, settings: Settings) -> None:
    with closing(s3_client(settings)) as s3:
        s3.create_bucket(Bucket="samples")
        for uri in (samples.DATA, samples.MODEL_DATA):
            s3.put_object(Bucket="samples", Key=uri.removeprefix("s3://samples/"), Body=ARCHIVE)
    for name in ("digits", "doomed"):
        wanted: list[tuple[str, str, dict[str, Any]]] = [
            ("ecr", "CreateRepository", {"repositoryName": name}),
            ("ecr", "PutImage", {"repositoryName": name, "imageManifest": MANIFEST, "imageTag": "latest"}),
            *(
                ("sagemaker", f"Create{noun}", {**sample, **samples.named(noun, name)})
                for noun, sample in samples.OF_KIND.items()
            ),
            ("logs", "CreateLogGroup", {"logGroupName": name}),
            ("logs", "CreateLogStream", {"logGroupName": name, "logStreamName": name}),
        ]
        for service, operation, params in wanted:
            answer = client.ask(service, operation, params)
            assert answer.status == 200, answer
    key = Key(ACCOUNT, REGION, "digits")
    until(lambda: emulator.table.find(key), LIMIT_SECONDS, "the endpoint is in service")


def registry_process(process: Process) -> int:
    """A registry as RegistryServer starts one, which asks for no layers."""
    prefix = process.spec.environment["REGISTRY_HTTP_PREFIX"]
    held: dict[str, bytes] = {}

    def answer(request: FakeRequest) -> FakeResponse:
        if request.path == f"{prefix}v2/":
            return FakeResponse(200, b"{}")
        if request.method == "PUT":
            digest = f"sha256:{hashlib.sha256(request.body).hexdigest()}"
            held[f"{request.path.rpartition('/')[0]}/{digest}"] = request.body
            return FakeResponse(201, headers={"docker-content-digest": digest})
        body = held.pop(request.path, None) if request.method == "DELETE" else held.get(request.path)
        if body is None:
            return FakeResponse(404, b"{}")
        return FakeResponse(202) if request.method == "DELETE" else FakeResponse(200, body)

    return process.serve(answer, port=5000)


def s3_client(settings: Settings) -> Any:
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.session.Session(ACCOUNT, "any", region_name=REGION).client(
        "s3", endpoint_url=settings.url, config=config
    )


def _archive() -> bytes:
    """An empty model.tar.gz."""
    raw = io.BytesIO()
    tarfile.open(fileobj=raw, mode="w:gz").close()
    return raw.getvalue()


ARCHIVE = _archive()


def _written(model: Any, operation: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    if model.resolved_protocol == "json":
        # botocore would write the same, but of the times only those that Python has.
        headers = {
            "X-Amz-Target": f"{model.metadata['targetPrefix']}.{operation.name}",
            "Content-Type": f"application/x-amz-json-{model.metadata['jsonVersion']}",
        }
        body = json.dumps(params, default=_plain).encode()
        return {"url_path": "/", "query_string": "", "method": "POST", "headers": headers, "body": body}
    serializer = serialize.create_serializer(model.resolved_protocol, include_validation=False)
    return dict(serializer.serialize_to_request(dict(params), operation))


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value.timestamp()


def _of_a_header(value: object) -> str:
    text = value.decode() if isinstance(value, bytes) else str(value)
    text.encode("latin-1")
    if set(text) & set("\r\n\0"):
        raise ValueError(text)
    return text
