"""The log of an endpoint's new containers, as scripts/deploy shows it while they start."""

import io
import json

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from samebox.commands.display import Screen
from samebox.commands.following import EndpointLog
from samebox.resources.logbook import Event
from tests.conftest import ACCOUNT, REGION, Aws

GROUP = "/aws/sagemaker/Endpoints/digits"
TRACEBACK = 'Traceback (most recent call last):\n  File "inference.py", line 2, in model_fn\nRuntimeError: x'


class FollowedLog:
    """A log that is followed, and what of it was shown."""

    def __init__(self, logs: object) -> None:
        self._written = io.StringIO()
        self.log = EndpointLog(logs, "digits", Screen(Console(file=self._written, width=200)))

    @property
    def lines(self) -> list[str]:
        self.log.show()
        return [line.strip() for line in self._written.getvalue().splitlines()]


def write(aws: Aws, stream: str, *lines: str) -> None:
    book = aws.services.logbook.of(ACCOUNT, REGION)
    book.append(GROUP, stream, [Event(1_700_000_000_000, line) for line in lines])


def ping(milliseconds: float) -> str:
    return json.dumps({"message": "request", "path": "/ping", "status": 503, "milliseconds": milliseconds})


def test_new_containers_are_followed_and_old_ones_are_not(aws: Aws) -> None:
    write(aws, "AllTraffic/i-old", "served yesterday")
    seen = FollowedLog(aws.logs)
    write(aws, "AllTraffic/i-old", "serves still")
    write(aws, "AllTraffic/i-new", "starting")
    assert seen.lines == ["starting"]
    write(aws, "AllTraffic/i-new", "started")
    assert seen.lines == ["starting", "started"]


def test_an_endpoint_without_a_log_yet_is_waited_for(aws: Aws) -> None:
    seen = FollowedLog(aws.logs)
    assert seen.lines == []
    write(aws, "AllTraffic/i-new", "starting")
    assert seen.lines == ["starting"]


def test_lines_of_several_containers_are_distinguishable(aws: Aws) -> None:
    seen = FollowedLog(aws.logs)
    write(aws, "AllTraffic/i-0aaaaaa", "starting")
    write(aws, "AllTraffic/i-0bbbbbb", "starting")
    assert seen.lines == ["aaaaaa  starting", "bbbbbb  starting"]


def test_most_pings_of_a_log_are_hidden_with_a_note(aws: Aws) -> None:
    seen = FollowedLog(aws.logs)
    write(aws, "AllTraffic/i-new", *(ping(number / 8) for number in range(100)), "something else")
    shown = seen.lines
    assert [line for line in shown if line.startswith("request")] == [
        "request  path=/ping status=503 milliseconds=0.0",
        "request  path=/ping status=503 milliseconds=0.125",
    ]
    assert shown[2:] == ["samebox: more lines like that about /ping follow, which are not shown here", "something else"]


def test_the_reason_is_the_exception_however_much_was_logged_after_it(aws: Aws) -> None:
    seen = FollowedLog(aws.logs)
    record = json.dumps({"level": "ERROR", "message": "the model could not be loaded", "traceback": TRACEBACK})
    write(aws, "AllTraffic/i-new", "starting", record, *(ping(number) for number in range(480)))
    write(aws, "AllTraffic/i-new", "samebox: the container did not pass the ping health check within 480 s")
    seen.log.show()
    assert "\n".join(seen.log.why()).startswith(TRACEBACK)


def test_without_a_log_of_the_containers_the_emulators_message_is_the_reason(aws: Aws) -> None:
    seen = FollowedLog(aws.logs)
    write(aws, "AllTraffic/i-new", "samebox: GET /ping answered 404, not 200")
    seen.log.show()
    assert seen.log.why() == ("samebox: GET /ping answered 404, not 200",)


class Refusing:
    """CloudWatch Logs for a person who may not read logs."""

    def __init__(self) -> None:
        self.asked = 0

    def describe_log_streams(self, **_: object) -> object:
        self.asked += 1
        raise ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": "not authorized to perform: logs"}},
            "DescribeLogStreams",
        )


@pytest.mark.parametrize("looks", [0, 3])
def test_a_log_that_may_not_be_read_is_noted_once_and_does_not_stop_the_command(looks: int) -> None:
    logs = Refusing()
    seen = FollowedLog(logs)
    for _ in range(looks):
        seen.log.show()
    assert seen.lines == [
        f"samebox: the log {GROUP} cannot be read: AccessDeniedException: not authorized to perform: logs"
    ]
    assert (logs.asked, seen.log.why()) == (1, ())
