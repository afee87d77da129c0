"""Describe and List over many stored jobs: what a row and a page of the store cost a client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench import load
from bench.figures import Bar, Row, median
from bench.startup import JOBS, add_ended_jobs
from tests import samples
from tests.scenarios.emulator_process import ACCOUNT

if TYPE_CHECKING:
    from bench.stand import Stand

STORED = "stored"
REQUESTS = 300
DESCRIBE_BAR, LIST_BAR = Bar("ours", 2.0), Bar("ours", 10.0)
_NAME = samples.TRAINING_JOB["TrainingJobName"]


def measure(stand: Stand) -> list[Row]:
    """One after the other over one connection, so that nothing waits for another."""
    emulator = stand.new_emulator()
    emulator.up()
    emulator.down()
    add_ended_jobs(emulator.data_dir, JOBS)
    emulator.up()
    try:
        token = emulator.sagemaker.list_training_jobs(MaxResults=100, SortBy="Name")["NextToken"]
        asked: dict[str, tuple[str, list[dict[str, Any]], Bar]] = {
            "Describe": (
                "DescribeTrainingJob",
                [{"TrainingJobName": f"{_NAME}-{number * 97 % (JOBS - 1) + 1}"} for number in range(50)],
                DESCRIBE_BAR,
            ),
            "List, a page of 100": ("ListTrainingJobs", [{"MaxResults": 100}], LIST_BAR),
            "List by name, second page of 100": (
                "ListTrainingJobs",
                [{"MaxResults": 100, "SortBy": "Name", "NextToken": token}],
                LIST_BAR,
            ),
            "List, NameContains, a page of 100": (
                "ListTrainingJobs",
                [{"MaxResults": 100, "NameContains": "7"}],
                LIST_BAR,
            ),
        }
        rows = []
        for what, (operation, requests, bar) in asked.items():
            messages = tuple(load.encoded(_message(operation, params)) for params in requests)
            target = load.LoadTarget("ours", "127.0.0.1", emulator.port, messages)
            seconds = load.run(load.Load((target,), clients=1, rounds=1, block=REQUESTS, warm_up=20))["ours"]
            rows.append(Row(STORED, f"{JOBS:,} stored jobs: {what}", "ms", 1000 * median(seconds), bar=bar))
        return rows
    finally:
        emulator.down()


def _message(operation: str, params: dict[str, Any]) -> bytes:
    body = json.dumps(params).encode()
    scope = f"{ACCOUNT}/20261129/us-east-1/sagemaker/aws4_request"
    head = (
        "POST / HTTP/1.1",
        "Host: 127.0.0.1",
        f"X-Amz-Target: SageMaker.{operation}",
        "Content-Type: application/x-amz-json-1.1",
        f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
