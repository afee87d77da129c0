"""Log lines from CloudWatch Logs, of a training job or an endpoint, in the order in which they were written."""

import heapq
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from samebox.commands import aws

TRAINING_JOBS = "/aws/sagemaker/TrainingJobs"
ENDPOINTS = "/aws/sagemaker/Endpoints"


class Lines:
    """All streams of a group whose names start with a prefix and that were made since a moment (epoch milliseconds).

    Each `new()` goes on where the one before ended. Streams that are named in `without` are left out.
    """

    def __init__(self, logs: Any, group: str, prefix: str = "", since: int = 0, without: Collection[str] = ()) -> None:
        self._logs = logs
        self._since = since
        self._without = frozenset(without)
        self._group = group
        self._prefix = prefix
        self._tokens: dict[str, str | None] = {}
        self._ahead = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log pages")

    def new(self) -> Iterator[str]:
        """Each line written since. Without the group, or a stream, there are none yet."""
        yield from (line for _, line in self.events())

    def events(self) -> Iterator[tuple[str, str]]:
        """As `new`, each line with the name of its stream."""
        # Merged as pages come: the first lines of a long log are shown while the rest of it is still read.
        events = heapq.merge(*map(self._named, self.streams()), key=lambda event: event[0])
        yield from ((stream, line) for _, stream, line in events)

    def _named(self, stream: str) -> Iterator[tuple[int, str, str]]:
        yield from ((at, stream, line) for at, line in self._events(stream))

    def streams(self) -> list[str]:
        """The names of the streams. Without the group there are none yet."""
        names: list[str] = []
        token: dict[str, str] = {}
        try:
            while True:
                prefix = {"logStreamNamePrefix": self._prefix} if self._prefix else {}
                page = self._logs.describe_log_streams(logGroupName=self._group, **prefix, **token)
                names += [
                    one["logStreamName"]
                    for one in page["logStreams"]
                    if one["creationTime"] >= self._since and one["logStreamName"] not in self._without
                ]
                if not page.get("nextToken"):
                    return names
                token = {"nextToken": page["nextToken"]}
        except aws.ClientError as error:
            if aws.code(error) == "ResourceNotFoundException":
                return []
            raise

    def _events(self, stream: str) -> Iterator[tuple[int, str]]:
        token = self._tokens.get(stream)
        page = self._page(stream, token)
        while True:
            following = page["nextForwardToken"]
            self._tokens[stream] = following
            # A page may be empty before the end; there a token leads to itself.
            more = self._ahead.submit(self._page, stream, following) if following != token else None
            yield from ((event["timestamp"], event["message"]) for event in page["events"])
            if more is None:
                return
            token, page = following, more.result()

    def _page(self, stream: str, token: str | None) -> Any:
        return self._logs.get_log_events(
            logGroupName=self._group,
            logStreamName=stream,
            startFromHead=True,
            **({"nextToken": token} if token else {}),
        )


def last(logs: Any, group: str, since: int = 0, count: int = 20) -> list[str]:
    """The last lines of those of a group's streams that were made after `since` (epoch milliseconds)."""
    events: list[tuple[int, str]] = []
    for stream in Lines(logs, group, since=since).streams():
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=False, limit=count)
        events += ((event["timestamp"], event["message"]) for event in page["events"])
    events.sort(key=lambda event: event[0])  # stable: lines of one stream and one millisecond keep their order
    return [line for _, line in events][-count:]
