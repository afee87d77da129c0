"""Log lines as CloudWatch Logs gives them: those of a training job or an endpoint, in the order they were written."""

from collections.abc import Iterator
from typing import Any

from emulator.commands import aws

TRAINING_JOBS = "/aws/sagemaker/TrainingJobs"
ENDPOINTS = "/aws/sagemaker/Endpoints"


class Lines:
    """All streams of a group whose names start with a prefix and that were made since a moment (epoch milliseconds).

    Each `new()` goes on where the one before ended.
    """

    def __init__(self, logs: Any, group: str, prefix: str = "", since: int = 0) -> None:
        self._logs = logs
        self._since = since
        self._group = group
        self._prefix = prefix
        self._tokens: dict[str, str] = {}

    def new(self) -> Iterator[str]:
        """Each line written since. Without the group, or a stream, there are none yet."""
        events: list[tuple[int, str]] = []
        for stream in self._streams():
            events += self._events(stream)
        events.sort(key=lambda event: event[0])  # stable: lines of one stream and one millisecond keep their order
        yield from (line for _, line in events)

    def _streams(self) -> list[str]:
        names: list[str] = []
        token: dict[str, str] = {}
        try:
            while True:
                prefix = {"logStreamNamePrefix": self._prefix} if self._prefix else {}
                page = self._logs.describe_log_streams(logGroupName=self._group, **prefix, **token)
                names += [one["logStreamName"] for one in page["logStreams"] if one["creationTime"] >= self._since]
                if not page.get("nextToken"):
                    return names
                token = {"nextToken": page["nextToken"]}
        except aws.ClientError as error:
            if aws.code(error) == "ResourceNotFoundException":
                return []
            raise

    def _events(self, stream: str) -> list[tuple[int, str]]:
        found = []
        while True:
            token = self._tokens.get(stream)
            page = self._logs.get_log_events(
                logGroupName=self._group,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": token} if token else {}),
            )
            found += [(event["timestamp"], event["message"]) for event in page["events"]]
            following = page["nextForwardToken"]
            self._tokens[stream] = following
            if following == token or not page["events"]:
                return found


def last(logs: Any, group: str, since: int = 0, count: int = 20) -> list[str]:
    """The last lines of those of a group's streams that were made after `since` (epoch milliseconds)."""
    return list(Lines(logs, group, since=since).new())[-count:]
