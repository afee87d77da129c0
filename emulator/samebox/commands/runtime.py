"""InvokeEndpoint without retries, with the raw response: for transcripts, and for interactive calls."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from samebox.commands import aws
from samebox.commands.aws import BotoCoreError, ClientError
from samebox.parity.transcript import (
    ERROR_MEMBERS,
    REQUEST_MEMBERS,
    RESPONSE_MEMBERS,
    Error,
    RecordedCall,
    RecordedResponse,
    now,
)

ANSWER_MOST = 64 << 20  # AWS's own limit is 25 MB
_RAW = "SameboxRaw"


@dataclass(frozen=True)
class Exchange:
    """A call as a transcript has it; beside it the answer's headers and its body, an error's too, as they came."""

    call: RecordedCall
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Runtime:
    """A client of SageMaker's runtime. Fit for many threads."""

    def __init__(self, session: aws.Session) -> None:
        """Raises BotoCoreError."""
        self._client = session.client("sagemaker-runtime", attempts=1)
        self._client.meta.events.register("before-parse.sagemaker-runtime.InvokeEndpoint", _keep_raw, unique_id=_RAW)
        self.url = str(self._client.meta.endpoint_url)
        shape = self._client.meta.service_model.operation_model("InvokeEndpoint").input_shape
        # Header, in lower case -> the member of a request that travels in it.
        self.members: Mapping[str, str] = {
            member.serialization["name"].lower(): name
            for name, member in shape.members.items()
            if member.serialization.get("location") == "header"
        }

    def invoke(self, endpoint: str, request: Mapping[str, str], body: bytes) -> Exchange:
        """`request`: the API's members beside endpoint and body. Whatever goes wrong is in the call's `error`."""
        at, began = now(), time.monotonic()
        kept = {name: value for name, value in request.items() if name in REQUEST_MEMBERS}
        try:
            answer = self._client.invoke_endpoint(EndpointName=endpoint, Body=body, **request)
            answered = _read(answer["Body"])
        except ClientError as error:
            ms = (time.monotonic() - began) * 1000
            said: Mapping[str, Any] = error.response
            members = {name: said[name] for name in sorted(ERROR_MEMBERS) if name in said}
            why = Error(aws.code(error), str(said.get("Error", {}).get("Message", "")), members)
            status, headers = _envelope(said)
            call = RecordedCall(kept, body, RecordedResponse(status), why, at, ms)
            return Exchange(call, headers, said.get(_RAW) or b"")
        except BotoCoreError as error:
            ms = (time.monotonic() - began) * 1000
            return Exchange(RecordedCall(kept, body, None, Error(type(error).__name__, str(error)), at, ms))
        ms = (time.monotonic() - began) * 1000
        status, headers = _envelope(answer)
        members = {name: answer[name] for name in sorted(RESPONSE_MEMBERS) if name in answer}
        return Exchange(
            RecordedCall(kept, body, RecordedResponse(status, members, answered), None, at, ms), headers, answered
        )


def _envelope(answer: Mapping[str, Any]) -> tuple[int, Mapping[str, str]]:
    about = answer["ResponseMetadata"]
    return int(about["HTTPStatusCode"]), dict(about.get("HTTPHeaders", {}))


def _read(stream: Any) -> bytes:
    parts, size = [], 0
    while chunk := stream.read(1 << 20):
        size += len(chunk)
        if size > ANSWER_MOST:
            stream.close()
            raise AnswerTooLarge
        parts.append(chunk)
    return b"".join(parts)


class AnswerTooLarge(BotoCoreError):
    fmt = f"the answer is larger than {ANSWER_MOST:,} bytes"


def _keep_raw(response_dict: Mapping[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """botocore reads an error's body and throws it away; what it is customized by, it hands on."""
    if response_dict["status_code"] >= 300:
        customized_response_dict[_RAW] = response_dict["body"]
