"""push, deploy, train, status, logs, prune and down against a real emulator and real containers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.emulator_process import EmulatorProcess, docker

pytestmark = pytest.mark.docker

ROOT = Path(__file__).resolve().parents[2]
BOX = "samebox-test/box:latest"
ECHO = "def invoke(body, headers): return 200, body.upper()"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    docker("build", "--quiet", "--tag", BOX, str(ROOT / "tests" / "scenarios" / "box"))
    process = EmulatorProcess(tmp_path_factory.mktemp("samebox"), training_stop_seconds="2", startup_seconds="20")
    process.up()
    yield process
    told = run(process, "samebox", "down", "--stop-containers")
    process.remove()
    assert told.returncode == 0, told.stderr


def run(emulator: EmulatorProcess, program: str, *words: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "samebox.cli"] if program == "samebox" else [str(ROOT / program)]
    environment = {**emulator.environment, "COLUMNS": "200"}
    return subprocess.run(
        [*command, *words], env=environment, cwd=cwd, capture_output=True, text=True, check=False, timeout=300,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def pushed(emulator: EmulatorProcess) -> str:
    """The box in ECR, by digest."""
    told = run(emulator, "scripts/push", BOX, "--create", "--json")
    assert told.returncode == 0, told.stderr
    return str(json.loads(told.stdout)[0]["pinned"])


def test_an_image_is_pushed_once_and_nothing_of_it_stays_with_the_engine(emulator: EmulatorProcess) -> None:
    pinned = pushed(emulator)
    again = run(emulator, "scripts/push", BOX, "--json")
    assert json.loads(again.stdout)[0]["skipped"]
    held = emulator.ecr.describe_images(repositoryName="samebox-test/box")["imageDetails"][0]
    assert pinned.endswith(held["imageDigest"])
    assert docker("images", "--quiet", f"{pinned.partition('@')[0]}:latest") == ""


def test_a_repository_is_only_made_when_that_is_wanted(emulator: EmulatorProcess) -> None:
    told = run(emulator, "scripts/push", BOX, "--repository", "not/asked/for")
    assert told.returncode == 1
    assert "`samebox push --create` makes it" in told.stderr


def test_a_deployment_serves_is_updated_survives_a_bad_update_and_is_undone(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    image = pushed(emulator)
    payload = tmp_path / "payload.txt"
    payload.write_text("abc")
    words = ("--endpoint", "story", "--image", image, "--payload", str(payload), "--content-type", "text/plain")
    first = run(emulator, "scripts/deploy", *words, "--env", f"SCRIPT={ECHO}")
    assert (first.returncode, first.stdout) == (0, "ABC\n"), first.stderr

    bad = run(emulator, "scripts/deploy", *words, "--env", "SCRIPT=print('no such luck'); sys.exit(3)")
    assert bad.returncode == 1
    assert "did not pass the ping health check" in bad.stderr
    assert "no such luck" in bad.stderr
    assert "goes on serving" in bad.stderr
    answer = emulator.runtime.invoke_endpoint(EndpointName="story", Body=b"still", ContentType="text/plain")
    assert answer["Body"].read() == b"STILL"

    better = run(emulator, "scripts/deploy", *words, "--env", f"SCRIPT={ECHO.replace('upper', 'title')}")
    assert (better.returncode, better.stdout) == (0, "Abc\n"), better.stderr

    gone = run(emulator, "scripts/deploy", "--endpoint", "story", "--delete")
    assert gone.returncode == 0, gone.stderr
    assert emulator.sagemaker.list_endpoints()["Endpoints"] == []
    assert emulator.sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert emulator.sagemaker.list_models()["Models"] == []


def test_why_a_model_cannot_be_loaded_is_shown_while_the_endpoint_is_still_being_created(
    emulator: EmulatorProcess,
) -> None:
    script = (
        "import traceback\n"
        "try:\n    raise RuntimeError('the weights are truncated')\n"
        "except RuntimeError:\n    traceback.print_exc()\n"
        "def ping(): return 503\n"
    )
    image = pushed(emulator)
    command = [str(ROOT / "scripts/deploy"), "--endpoint", "broken", "--image", image, "--env", f"SCRIPT={script}"]
    with subprocess.Popen(
        command, env=emulator.environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as deploy:
        assert deploy.stderr is not None
        before = []
        for line in deploy.stderr:
            before.append(line)
            if "RuntimeError: the weights are truncated" in line:
                break
        assert emulator.sagemaker.describe_endpoint(EndpointName="broken")["EndpointStatus"] == "Creating", before
        rest = deploy.stderr.read()
        assert deploy.wait(60) == 1
    assert "samebox: GET /ping answered 503, not 200" in "".join(before) + rest
    traceback, reason = rest.index("RuntimeError: the weights are truncated"), rest.index("Please check CloudWatch")
    assert rest.index("From its log:") < traceback < reason
    assert run(emulator, "scripts/deploy", "--endpoint", "broken", "--delete").returncode == 0


def test_a_script_trains_and_leaves_its_model(emulator: EmulatorProcess, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "data = Path('/opt/ml/input/data/numbers/n.txt').read_text()\n"
        "print('read', data, 'epochs', hyperparameters['epochs'])\n"
        "Path('/opt/ml/model/answer.txt').write_text(data * int(hyperparameters['epochs']))\n"
    )
    (tmp_path / "numbers").mkdir()
    (tmp_path / "numbers" / "n.txt").write_text("7")
    # The box runs a hyperparameter; with a line end in it, it arrives as JSON, as the box wants it.
    script = (
        "hyperparameters = json.loads(Path('/opt/ml/input/config/hyperparameters.json').read_text())\n"
        "exec(Path('/opt/ml/input/data/code/train.py').read_text())"
    )
    told = run(
        emulator, "samebox", "train", "--image", BOX, "--data", "numbers=numbers", "train.py",
        "--epochs", "3", f"--script={script}", cwd=tmp_path,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr + told.stdout
    assert "read 7 epochs 3" in told.stdout
    model = tmp_path / "model" / "answer.txt"
    assert model.read_text() == "777"
    assert model.stat().st_uid == os.getuid()


def test_a_job_that_fails_has_its_reason_and_an_exit_status(emulator: EmulatorProcess, tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    script = "Path('/opt/ml/output/failure').write_text('the data is bad')\nsys.exit(4)"
    told = run(emulator, "samebox", "train", "--image", BOX, "train.py", f"--script={script}", cwd=tmp_path)
    assert told.returncode == 4  # the program's own
    assert "AlgorithmError: the data is bad, exit code: 4" in told.stderr
    assert not (tmp_path / "model").exists()


def test_arguments_that_cannot_travel_are_refused_before_anything_starts(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    (tmp_path / "train.py").touch()
    told = run(emulator, "samebox", "train", "--image", BOX, "train.py", "--verbose", cwd=tmp_path)
    assert told.returncode == 2
    assert "--verbose has no value" in told.stderr


def test_the_log_of_a_job_can_be_read_afterwards(emulator: EmulatorProcess, tmp_path: Path) -> None:
    emulator.s3.create_bucket(Bucket="samebox-test")
    emulator.train("heard", pushed(emulator), "print('hear me')")
    told = run(emulator, "samebox", "logs", "--follow", "heard")
    assert told.stdout == "hear me\n", told.stderr
    assert run(emulator, "samebox", "logs", "nobody").returncode == 1


def test_the_status_lists_what_runs(emulator: EmulatorProcess) -> None:
    told = run(emulator, "samebox", "status", "--json")
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    assert (report["running"], report["ready"], report["url"]) == (True, True, emulator.url)
    assert "ready" in run(emulator, "samebox", "status").stdout


def test_nothing_that_is_needed_is_pruned(emulator: EmulatorProcess) -> None:
    pushed(emulator)  # starts the registry
    first = run(emulator, "samebox", "prune", "--yes")  # images of the jobs above, which have ended
    assert first.returncode == 0, first.stderr
    again = run(emulator, "samebox", "prune", "--yes")
    assert again.stdout == "Nothing to remove.\n", again.stderr
    held = run(emulator, "scripts/push", BOX, "--json")
    assert json.loads(held.stdout)[0]["skipped"], held.stderr
