"""What a job's hosts do at the moment, for the last line of a terminal: processors, memory and GPUs in percent."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from samebox.commands import aws
from samebox.commands.lines import TRAINING_JOBS

LOOK_EVERY_SECONDS = 5.0
# Hosts have a value each minute: an older one is of a host that has ended.
_BACK = timedelta(minutes=3)
_SHOWN = {
    "CPUUtilization": "CPU",
    "MemoryUtilization": "memory",
    "GPUUtilization": "GPU",
    "GPUMemoryUtilization": "GPU memory",
}


class HostLoad:
    """Of one training job. `clock` gives seconds; CloudWatch is asked every few of them."""

    def __init__(self, session: aws.Session, job: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._job = job
        self._clock = clock
        self._asked_at: float | None = None
        self._text = ""

    def text(self, described: Mapping[str, Any]) -> str:
        """The last values, of several hosts those of the busiest; '' where there are none. `described`: the job."""
        now = self._clock()
        if self._asked_at is None or now >= self._asked_at + LOOK_EVERY_SECONDS:
            self._asked_at = now
            found = self._find(described)
            self._text = "  ".join(f"{_SHOWN[name]} {value:.0f} %" for name, value in found.items())
        return self._text

    def _find(self, described: Mapping[str, Any]) -> dict[str, float]:
        queries = {f"m{number}": one for number, one in enumerate(self._series(described["ResourceConfig"]))}
        end = datetime.now(UTC) + timedelta(minutes=1)
        found: dict[str, float] = {}
        try:
            answer = self._session.client("cloudwatch").get_metric_data(
                MetricDataQueries=[
                    {"Id": key, "MetricStat": {"Metric": series, "Period": 1, "Stat": "Maximum"}}
                    for key, series in queries.items()
                ],
                StartTime=end - _BACK,
                EndTime=end,
                ScanBy="TimestampDescending",
            )
        except aws.ClientError:
            return {}  # another emulator than this version's
        for one in answer["MetricDataResults"]:
            name = queries[one["Id"]]["MetricName"]
            if one["Values"]:
                found[name] = max(found.get(name, 0.0), one["Values"][0])
        return {name: found[name] for name in _SHOWN if name in found}

    def _series(self, resources: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        count = sum(one["InstanceCount"] for one in resources.get("InstanceGroups") or [resources])
        for number in range(1, count + 1):
            host = [{"Name": "Host", "Value": f"{self._job}/algo-{number}"}]
            for name in _SHOWN:
                yield {"Namespace": TRAINING_JOBS, "MetricName": name, "Dimensions": host}
