"""Calls of an endpoint of the emulator are recorded in both ways, and replayed against images."""

import base64
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from samebox.check.checks import LABEL
from samebox.parity.transcript import Reader, RecordedCall
from tests.scenarios.emulator_process import EmulatorProcess, docker, until

pytestmark = pytest.mark.docker

# Each row's double; a row that is not a number is refused.
DOUBLE = """
def invoke(body, headers):
    try: rows = [float(row) for row in body.decode().split()]
    except ValueError as error: return 400, str(error).encode()
    return 200, "".join(f"{2 * row!r}\\n" for row in rows).encode()
"""
# The same, but for the row 3.
OTHERWISE = DOUBLE.replace("{2 * row!r}", "{2 * row + (row == 3)!r}")


@pytest.fixture(scope="module")
def endpoint(emulator: EmulatorProcess, box: str) -> Iterator[str]:
    emulator.serve("recorded", box, DOUBLE)
    yield "recorded"
    emulator.sagemaker.delete_endpoint(EndpointName="recorded")


@pytest.fixture(scope="module")
def otherwise(box_image: str) -> Iterator[str]:
    """The id of an image without a name, whose answer to one row is another."""
    script = base64.b64encode(OTHERWISE.encode()).decode()  # a Dockerfile's instruction is one line
    dockerfile = f"FROM {box_image}\nENV SCRIPT=\"import base64; exec(base64.b64decode('{script}'))\"\n"
    image = docker("build", "--quiet", "-", told=dockerfile).strip()
    yield image
    docker("image", "rm", "--force", image)


def samebox(emulator: EmulatorProcess, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "samebox.cli", *map(str, words)]
    return subprocess.run(command, env=emulator.environment, capture_output=True, text=True, timeout=300, check=False)


def calls(path: Path) -> list[RecordedCall]:
    with Reader(path) as reader:
        return list(reader)


@pytest.fixture(scope="module")
def transcript(emulator: EmulatorProcess, endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good calls and a ModelError, recorded by samebox itself."""
    folder = tmp_path_factory.mktemp("recorded")
    for name, rows in (("one.csv", "1\n2\n"), ("two.csv", "2\n3\n4\n"), ("bad.csv", "one\n")):
        (folder / name).write_text(rows)
    payloads = [word for name in ("one.csv", "two.csv", "bad.csv") for word in ("--payload", folder / name)]
    done = samebox(emulator, "record", endpoint, *payloads, "--output", folder / "t.jsonl")
    assert done.returncode == 0, done.stderr
    assert f"With the emulator at {emulator.url}" in done.stderr
    assert "bad.csv: ModelError: Received client error (400) from primary" in done.stderr
    assert "3 calls recorded in" in done.stderr
    return folder / "t.jsonl"


def test_the_image_that_was_recorded_answers_the_same(
    emulator: EmulatorProcess, transcript: Path, box_image: str, tmp_path: Path
) -> None:
    done = samebox(
        *(emulator, "parity", "--recorded", transcript, box_image, "--env", f"SCRIPT={DOUBLE}"),
        *("--json", tmp_path / "r.json", "--html", tmp_path / "r.html"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "It answers as the endpoint did: of 3 calls 3 the same, 0 different" in done.stdout
    assert "<h1>It answers as the endpoint did</h1>" in (tmp_path / "r.html").read_text()
    report = json.loads((tmp_path / "r.json").read_text())
    assert [call["recorded"] for call in report["calls"]] == ["200", "200", "400"]
    assert report["calls"][2]["comparison"]["equal"], "a recorded error is held against the container's own answer"


def test_an_image_that_answers_one_row_otherwise_is_reported_with_that_row(
    emulator: EmulatorProcess, transcript: Path, otherwise: str
) -> None:
    done = samebox(emulator, "parity", "--recorded", transcript, otherwise)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "It answers otherwise: of 3 calls 2 the same, 1 different" in done.stdout
    first = " ".join(done.stdout.split())
    assert "the first is call 2: row 1, column 0: 6.0 recorded, 7.0 now; 1 of 3 rows differ" in first
    assert docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}", "--filter", f"ancestor={otherwise}") == ""


def test_an_image_that_never_serves_is_reported(emulator: EmulatorProcess, transcript: Path, box_image: str) -> None:
    done = samebox(emulator, "parity", "--recorded", transcript, box_image, "--env", "SCRIPT=sys.exit('no weights')")
    assert done.returncode == 2
    assert "it ended with exit code 1 before it answered /ping" in done.stderr
    assert "no weights" in done.stderr


def test_the_log_of_a_model_that_cannot_be_loaded_is_shown_while_it_is_still_waited_for(
    emulator: EmulatorProcess, transcript: Path, box_image: str
) -> None:
    script = (
        "import traceback\n"
        "try:\n    raise RuntimeError('the weights are truncated')\n"
        "except RuntimeError:\n    traceback.print_exc()\n"
        "def ping(): return 503\n"
    )
    words = ["parity", "--recorded", str(transcript), box_image, "--env", f"SCRIPT={script}"]
    with subprocess.Popen(
        [sys.executable, "-m", "samebox.cli", *words],
        env=emulator.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdout is not None
        seen: list[str] = []
        for line in running.stdout:
            seen.append(line)
            if "RuntimeError: the weights are truncated" in line:
                break
        assert any("Traceback (most recent call last):" in line for line in seen), seen
        assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=120)


def test_sigterm_leaves_no_container(emulator: EmulatorProcess, transcript: Path, box_image: str) -> None:
    script = "def invoke(body, headers): time.sleep(120)"
    words = ["parity", "--recorded", str(transcript), box_image, "--env", f"SCRIPT={script}"]
    running = subprocess.Popen(
        [sys.executable, "-m", "samebox.cli", *words],
        env=emulator.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def containers() -> list[str]:
        names = docker("ps", "--quiet", "--filter", f"label={LABEL}", "--filter", f"ancestor={box_image}").split()
        return [name for name in names if script in docker("inspect", "--format", "{{.Config.Env}}", name)]

    until(containers, 60, "its server runs")
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 128 + signal.SIGTERM, said
    assert "ended by SIGTERM; what was started has been removed" in said
    assert containers() == []


def test_an_applications_calls_are_recorded_and_replayed(
    emulator: EmulatorProcess, endpoint: str, box_image: str, tmp_path: Path
) -> None:
    output = tmp_path / "application.jsonl"
    words = ["record", endpoint, "--listen", "0", "--output", str(output)]
    recorder = subprocess.Popen(
        [sys.executable, "-m", "samebox.cli", *words], env=emulator.environment, stderr=subprocess.PIPE, text=True
    )
    assert recorder.stderr is not None
    found = (re.search(r"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=(\S+)", line) for line in recorder.stderr)
    url = next(match.group(1) for match in found if match)
    runtime: Any = boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="nobody",
        aws_secret_access_key="nothing",
        config=Config(retries={"total_max_attempts": 1}),
    )
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=b"5\n", ContentType="text/csv")
    assert answer["Body"].read() == b"10.0\n"
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/csv", "AllTraffic")
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName=endpoint, Body=b"five", ContentType="text/csv")
    error: Any = caught.value.response
    with pytest.raises(ClientError) as direct:
        emulator.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"five", ContentType="text/csv")
    for volatile in (error, direct.value.response):
        del volatile["ResponseMetadata"]
    assert error == direct.value.response, "the application reads what the runtime said, word for word"
    recorder.send_signal(signal.SIGINT)
    said = recorder.stderr.read()
    recorder.stderr.close()
    assert recorder.wait(60) == 0
    assert "2 calls recorded in" in said
    assert [call.body for call in calls(output)] == [b"5\n", b"five"]
    done = samebox(emulator, "parity", "--recorded", output, box_image, "--env", f"SCRIPT={DOUBLE}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of 2 calls 2 the same" in done.stdout
