"""`samebox metrics`: the metrics of a job by time, as lines of a terminal, as CSV or as a picture."""

import argparse
import csv
import math
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

from samebox.commands import aws, job_kinds
from samebox.commands.job_kinds import JobKind
from samebox.commands.outcome import Stop

_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = 40
_A_REQUEST = 100  # metrics of GetMetricData


@dataclass(frozen=True)
class Curve:
    """A metric by time; `name` begins with the host's, where it is one of a host."""

    name: str
    times: tuple[datetime, ...]
    values: tuple[float, ...]


def run(given: argparse.Namespace) -> int:
    session = aws.of_running(given.data_dir)
    with aws.spoken():
        kind, job = job_kinds.find(session, given.job)
        curves = _curves(session, kind, job, given.job)
    if not curves:
        raise Stop(f"{given.job} has no metrics yet.")
    if given.png is not None:
        from samebox.commands import chart  # Pillow takes its time to load

        chart.save(curves, given.job, given.png)
    if given.csv is None:
        if given.png is None:
            sys.stdout.write(drawn(curves))
        return 0
    to_file = str(given.csv) != "-"
    with given.csv.open("w", newline="") if to_file else nullcontext(sys.stdout) as file:
        _write(file, curves)
    return 0


def drawn(curves: Sequence[Curve]) -> str:
    """A line for each metric: the last value, the least, the most, and the way between them."""
    width = max(len(one.name) for one in curves)
    lines = [f"{'METRIC':{width}}  {'LAST':>10} {'LEAST':>10} {'MOST':>10}"]
    for one in curves:
        numbers = " ".join(f"{value:>10.5g}" for value in (one.values[-1], min(one.values), max(one.values)))
        lines.append(f"{one.name:{width}}  {numbers}  {_bars(one.values)}")
    return "".join(f"{line}\n" for line in lines)


def _bars(values: Sequence[float]) -> str:
    """The values from left to right, at most 40 of them; of several in one place, their mean."""
    step = max(1, math.ceil(len(values) / _COLUMNS))
    parts = [values[start : start + step] for start in range(0, len(values), step)]
    means = [sum(part) / len(part) for part in parts]
    least, most = min(means), max(means)
    span = (most - least) or 1.0
    return "".join(_BARS[min(len(_BARS) - 1, int((one - least) / span * len(_BARS)))] for one in means)


def _write(file: TextIO, curves: Sequence[Curve]) -> None:
    rows = csv.writer(file)
    rows.writerow(["time", "metric", "value"])
    found = [(at, one.name, value) for one in curves for at, value in zip(one.times, one.values, strict=True)]
    for at, name, value in sorted(found):
        rows.writerow([at.astimezone(UTC).isoformat().replace("+00:00", "Z"), name, repr(value)])


def _curves(session: aws.Session, kind: JobKind, job: dict[str, Any], name: str) -> list[Curve]:
    """What the job has published, and its hosts; of each second or minute the mean."""
    client = session.client("cloudwatch")
    named: list[tuple[str, dict[str, Any]]] = []
    for page in client.get_paginator("list_metrics").paginate(Namespace=kind.log_group):
        for metric in page["Metrics"]:
            label = _label(metric, kind, name)
            if label is not None:
                named.append((label, metric))
    named.sort(key=lambda one: (" " in one[0], one[0]))
    begin = job["CreationTime"].replace(microsecond=0) - timedelta(seconds=1)
    end = (job.get(kind.ended) or datetime.now(UTC)) + timedelta(minutes=1)
    found: list[Curve] = []
    for start in range(0, len(named), _A_REQUEST):
        chosen = named[start : start + _A_REQUEST]
        queries = [
            {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": 1, "Stat": "Average"}}
            for number, (_, metric) in enumerate(chosen)
        ]
        found += _read(client, queries, [label for label, _ in chosen], begin, end)
    return [one for one in found if one.values]


def _read(
    client: Any, queries: Sequence[dict[str, Any]], labels: Sequence[str], begin: datetime, end: datetime
) -> list[Curve]:
    points: dict[str, list[tuple[datetime, float]]] = {query["Id"]: [] for query in queries}
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=begin, EndTime=end, ScanBy="TimestampAscending"
    )
    for page in pages:
        for one in page["MetricDataResults"]:
            points[one["Id"]] += zip(one["Timestamps"], one["Values"], strict=True)
    curves = []
    for label, values in zip(labels, points.values(), strict=True):
        curves.append(Curve(label, tuple(at for at, _ in values), tuple(value for _, value in values)))
    return curves


def _label(metric: dict[str, Any], kind: JobKind, name: str) -> str | None:
    """How a metric of this job is called; None for one of another job."""
    for dimension in metric["Dimensions"]:
        if (dimension["Name"], dimension["Value"]) == (f"{kind.noun}Name", name):
            return str(metric["MetricName"])
        if dimension["Name"] == "Host" and dimension["Value"].startswith(f"{name}/"):
            return f"{dimension['Value'].removeprefix(f'{name}/')} {metric['MetricName']}"
    return None
