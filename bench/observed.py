"""Logs and metrics through the API: a page of a long log, and a million values put and read."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bench import load
from bench.figures import Bar, Row, median
from tests.scenarios.emulator_process import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.stand import Stand
    from tests.scenarios.emulator_process import EmulatorProcess

LOGS, METRICS = "logs", "metrics-api"
GROUP, STREAM = "/aws/sagemaker/TrainingJobs", "bench/algo-1"
LINE = "epoch 1 step 000000: loss 0.123456, accuracy 0.987654, 1234 samples a second, learning rate 0.001".ljust(110)
BATCH = 5000  # events of a PutLogEvents; with 26 bytes for each, less than its 1 MiB
PAGE_BAR = Bar("ours", 50.0)
DAY = 86_400
DATA = 1000  # of a PutMetricData, AWS's limit
BODIES = 20  # different ones, sent over and over


def measure_logs(stand: Stand, megabytes: int) -> list[Row]:
    """Pages at the head, in the middle and at the end of one stream of so many megabytes of lines."""
    emulator = stand.new_emulator()
    emulator.up()
    try:
        middle = _filled(stand, emulator, megabytes)
        pages: dict[str, dict[str, object]] = {
            "head": {"startFromHead": True},
            "middle": {"nextToken": middle},
            "end": {"startFromHead": False},
        }
        rows = []
        for limit in (100, 10_000):
            for where, what in pages.items():
                params = {"logGroupName": GROUP, "logStreamName": STREAM, "limit": limit, **what}
                message = _message("logs", "Logs_20140328.GetLogEvents", json.dumps(params).encode())
                what_is_read = f"GetLogEvents, {megabytes:,} MB of log: {limit:,} events at the {where}"
                rows.append(Row(LOGS, what_is_read, "ms", _milliseconds(emulator, [message], 30), bar=PAGE_BAR))
        return rows
    finally:
        emulator.down()


def _filled(stand: Stand, emulator: EmulatorProcess, megabytes: int) -> str:
    """Write the stream; gives the token of a page in its middle."""
    logs = emulator.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    batches = megabytes * 1_000_000 // (BATCH * len(LINE)) + 1
    now, middle = int(time.time() * 1000) - 3_600_000, ""
    for number in range(batches):
        at = now + number * 3_600_000 // batches
        events = [{"timestamp": at, "message": LINE}] * BATCH
        logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=events)
        if number == batches // 2:
            found = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, limit=100)
            middle = str(found["nextBackwardToken"])
    stand.report(f"{batches * BATCH:,} lines of log are there")
    return middle


def measure_metrics(stand: Stand, values: int) -> list[Row]:
    """Values of one day and metric put by the thousand, then read by minute, as one period, and in an expression."""
    emulator = stand.new_emulator()
    emulator.up()
    try:
        begin = int(time.time()) // 60 * 60 - DAY
        requests = values // DATA
        puts = [_query(_put(begin, number)) for number in range(BODIES)]
        taken = _seconds(emulator, puts, requests)
        stand.report(f"{requests * DATA:,} values are there")
        of = f"{requests * DATA:,} values of a day"
        end = begin + DAY
        reads = {
            "by minute": _get(begin, end, 60),
            "as one period": _get(begin, end, DAY),
            "by minute, in an expression": _get(begin, end, 60, "IF(m > 1000, m / 2, -m) + AVG(m)"),
        }
        return [
            Row(METRICS, "PutMetricData: values taken, 1,000 a request", "per s", DATA / median(taken)),
            *(
                Row(METRICS, f"GetMetricData, {of}, {what}", "ms", _milliseconds(emulator, [_query(read)], 20))
                for what, read in reads.items()
            ),
        ]
    finally:
        emulator.down()


def _put(begin: int, number: int) -> dict[str, str]:
    body = {"Action": "PutMetricData", "Namespace": "Bench"}
    for place in range(1, DATA + 1):
        prefix = f"MetricData.member.{place}"
        at = begin + (number * DATA + place) * DAY // (BODIES * DATA + 1)
        body[f"{prefix}.MetricName"] = "Latency"
        body[f"{prefix}.Value"] = str(1000 + (number * DATA + place) * 7919 % 99_000)
        body[f"{prefix}.Timestamp"] = _time(at)
    return body


def _get(begin: int, end: int, period: int, expression: str = "") -> dict[str, str]:
    body = {
        "Action": "GetMetricData",
        "StartTime": _time(begin),
        "EndTime": _time(end),
        "MetricDataQueries.member.1.Id": "m",
        "MetricDataQueries.member.1.MetricStat.Metric.Namespace": "Bench",
        "MetricDataQueries.member.1.MetricStat.Metric.MetricName": "Latency",
        "MetricDataQueries.member.1.MetricStat.Period": str(period),
        "MetricDataQueries.member.1.MetricStat.Stat": "Average",
    }
    if expression:
        body["MetricDataQueries.member.2.Id"] = "e"
        body["MetricDataQueries.member.2.Expression"] = expression
    return body


def _time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _query(body: dict[str, str]) -> bytes:
    return _message("monitoring", "", urlencode({**body, "Version": "2010-08-01"}).encode())


def _message(service: str, target: str, body: bytes) -> bytes:
    form = "application/x-amz-json-1.1" if target else "application/x-www-form-urlencoded"
    scope = f"{ACCOUNT}/20261130/us-east-1/{service}/aws4_request"
    head = [
        "POST / HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {form}",
        f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        f"Content-Length: {len(body)}",
        *([f"X-Amz-Target: {target}"] if target else []),
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def _seconds(emulator: EmulatorProcess, messages: Sequence[bytes], requests: int) -> list[float]:
    target = load.LoadTarget("ours", "127.0.0.1", emulator.port, tuple(map(load.encoded, messages)))
    return load.run(load.Load((target,), clients=1, rounds=1, block=requests, warm_up=2))["ours"]


def _milliseconds(emulator: EmulatorProcess, messages: Sequence[bytes], requests: int) -> float:
    return 1000 * median(_seconds(emulator, messages, requests))
