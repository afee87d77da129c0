"""Destinations of events in LocalStack: messages to queues, topics, functions and state machines, by their ARNs."""

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, urlencode, urlsplit

from samebox.errors import AwsError
from samebox.services.outbox import OutgoingMessage, Undeliverable

_WAIT_SECONDS = 30.0
_SECONDS = 60.0
_JSON = "application/x-amz-json-1.0"


@dataclass(frozen=True)
class TargetRequest:
    """One request that delivers a message."""

    body: str
    headers: Mapping[str, str]
    path: str = "/"


class LocalStackTargets:
    """Delivers to LocalStack at `url(seconds)`, which waits for it; `key_header` is what it knows the emulator by."""

    def __init__(self, url: Callable[[float], str], key_header: tuple[str, str]) -> None:
        self._url = url
        self._key_header = key_header

    def __call__(self, message: OutgoingMessage) -> None:
        """Deliver one. Raises Undeliverable; AwsError where LocalStack does not answer, or fails."""
        parts = message.arn.split(":", 5)
        if len(parts) != 6 or parts[2] not in _REQUESTS:
            raise Undeliverable("InvalidArgument", f"{message.arn} is not a destination that samebox delivers to.")
        _, _, service, region, account, name = parts
        request = _REQUESTS[service](message, region, account, name)
        place = f"{account}/20220101/{region}/{service}/aws4_request"  # LocalStack verifies no signature
        headers = {
            **request.headers,
            self._key_header[0]: self._key_header[1],
            "authorization": f"AWS4-HMAC-SHA256 Credential={place}, SignedHeaders=host, Signature=none",
        }
        status, answer = self._answer(request, headers)
        if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise AwsError("ServiceUnavailable", f"LocalStack answered {status}: {answer[:500]}", 503)
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise Undeliverable("InvalidArgument", f"LocalStack answered {status}: {answer[:500]}")

    def _answer(self, request: TargetRequest, headers: Mapping[str, str]) -> tuple[int, str]:
        place = urlsplit(self._url(_WAIT_SECONDS))
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_SECONDS)
        try:
            connection.request("POST", request.path, request.body.encode(), dict(headers))
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise AwsError("ServiceUnavailable", f"LocalStack did not answer: {error}", 503) from error
        finally:
            connection.close()


def _queue(message: OutgoingMessage, region: str, account: str, name: str) -> TargetRequest:
    url = f"http://sqs.{region}.localhost/{account}/{name}"
    body = json.dumps({"QueueUrl": url, "MessageBody": message.body})
    return TargetRequest(body, {"content-type": _JSON, "x-amz-target": "AmazonSQS.SendMessage"})


def _topic(message: OutgoingMessage, _region: str, _account: str, _name: str) -> TargetRequest:
    fields = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": message.arn, "Message": message.body}
    if message.subject:
        fields["Subject"] = message.subject
    return TargetRequest(urlencode(fields), {"content-type": "application/x-www-form-urlencoded; charset=utf-8"})


def _function(message: OutgoingMessage, _region: str, _account: str, name: str) -> TargetRequest:
    function, _, qualifier = name.removeprefix("function:").partition(":")
    query = f"?Qualifier={quote(qualifier)}" if qualifier else ""
    path = f"/2015-03-31/functions/{quote(function)}/invocations{query}"
    return TargetRequest(message.body, {"content-type": "application/json", "x-amz-invocation-type": "Event"}, path)


def _state_machine(message: OutgoingMessage, _region: str, _account: str, _name: str) -> TargetRequest:
    body = json.dumps({"stateMachineArn": message.arn, "input": message.body})
    return TargetRequest(body, {"content-type": _JSON, "x-amz-target": "AWSStepFunctions.StartExecution"})


_REQUESTS: Mapping[str, Callable[[OutgoingMessage, str, str, str], TargetRequest]] = MappingProxyType(
    {"sqs": _queue, "sns": _topic, "lambda": _function, "states": _state_machine}
)
