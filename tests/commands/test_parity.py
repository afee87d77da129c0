"""`samebox parity`, as a person types it: on archives, on images with one planted difference, and on our own."""

from __future__ import annotations

import io
import json
import signal
import socket
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from samebox import cli
from tests.check.fixtures.recipes import Recipe, build
from tests.check.images import ImageSource, LayerFile, elf, layer
from tests.ports import free_port
from tests.scenarios.emulator_process import until

if TYPE_CHECKING:
    from collections.abc import Mapping

PYTHON = (elf("usr/local/bin/python3.10"), LayerFile("usr/local/bin/python3", link="python3.10"))
CSV = "1,1\n2,2\n3,3\n4,4\n"
HANDLERS = """
import os

def model_fn(folder):
    return int(os.environ["OMP_NUM_THREADS"])

def input_fn(body, kind):
    return [[float(cell) for cell in line.split(",")] for line in body.splitlines()]

def predict_fn(rows, model):
    return [sum(row) + (model if number == 2 else 0) for number, row in enumerate(rows)]

def output_fn(prediction, accept):
    return "".join("%s\\n" % one for one in prediction), "text/csv"
"""


def numpy(version: str) -> LayerFile:
    text = f"Metadata-Version: 2.1\nName: numpy\nVersion: {version}\n"
    return LayerFile(f"usr/local/lib/python3.10/site-packages/numpy-{version}.dist-info/METADATA", text.encode())


def archive(name: str, *entries: LayerFile) -> str:
    Path(name).write_bytes(ImageSource((layer(*PYTHON, *entries),)).docker_archive())
    return name


def model(path: Path, files: Mapping[str, bytes]) -> str:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return str(path)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text(CSV)
    return tmp_path


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")


# Without an engine


@pytest.mark.usefixtures("no_engine")
def test_archives_are_compared_without_an_engine(capsys: pytest.CaptureFixture[str]) -> None:
    images = [archive("train.tar", numpy("1.23.5")), archive("serve.tar", numpy("1.26.4"))]
    assert cli.main(["parity", *images]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "Made of different things: 1 difference in the images is likely to change predictions" in printed
    assert "numpy 1.23.5 1.26.4" in printed
    assert "only the files of train.tar and serve.tar were read" in printed


@pytest.mark.usefixtures("no_engine")
def test_archives_of_the_same_things_agree(capsys: pytest.CaptureFixture[str]) -> None:
    images = [archive("train.tar", numpy("1.23.5")), archive("serve.tar", numpy("1.23.5"), LayerFile("etc/motd", b"x"))]
    assert cli.main(["parity", *images]) == 0
    assert "Made of the same things" in capsys.readouterr().out


@pytest.mark.usefixtures("no_engine")
def test_an_archive_gives_no_prediction_and_the_report_has_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    images = [archive("train.tar"), archive("serve.tar")]
    assert cli.main(["parity", *images, "--data", "rows.csv", "--json", "-"]) == 2
    report_of = json.loads(capsys.readouterr().out)
    assert (report_of["verdict"], report_of["exit_status"]) == ("not compared", 2)
    assert "No Docker engine answers" in report_of["sentence"]


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give two images"),
        (["a.tar"], "give two images"),
        (["a.tar", "gone.tar"], "there is no file gone.tar"),
        (["a.tar", "mine:1"], "mine:1 cannot be looked up: No Docker engine answers"),
        (["a.tar", "rows.csv"], "neither a docker nor an OCI archive"),
        (["a.tar", "a.tar", "--data", "gone.csv"], "there is no gone.csv"),
        (["a.tar", "a.tar", "--data", "."], "is a folder"),
        (["a.tar", "a.tar", "--data", "a.tar"], "the content type of a.tar is unknown: give --content-type"),
        (["a.tar", "a.tar", "--model", "rows.csv", "--data", "rows.csv"], "rows.csv is not a tar archive"),
        (["a.tar", "a.tar", "--model", "a.tar"], "--data FILE is needed"),
        (["a.tar", "a.tar", "--run", "cat"], "--data FILE is needed"),
        (["a.tar", "a.tar", "--rtol", "-1"], "--rtol must not be below 0"),
        (["a.tar", "a.tar", "--atol", "nan"], "--atol must not be below 0"),
        (["a.tar", "a.tar", "--data", "empty.csv"], "empty.csv is empty: there is nothing to predict from"),
        (["a.tar", "a.tar", "--env", "x"], "expected NAME=VALUE"),
        (["a.tar", "a.tar", "--emulator", "--no-endpoint"], "exclude each other"),
        (["a.tar", "a.tar", "--html", "gone/x.html"], "cannot be written to gone/x.html"),
    ],
)
def test_what_cannot_be_compared_is_reported_in_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    archive("a.tar")
    Path("empty.csv").touch()
    assert cli.main(["parity", *arguments]) == 2
    printed = capsys.readouterr()
    assert words in " ".join(printed.err.split())
    assert "Traceback" not in printed.err + printed.out


def test_an_emulator_that_does_not_run_is_missed_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAMEBOX_PORT", str(free_port()))
    arguments = ["parity", archive("a.tar"), "a.tar", "--data", "rows.csv", "--emulator", "--data-dir", "none"]
    assert cli.main(arguments) == 2
    assert "no emulator answers at" in capsys.readouterr().err


def test_an_engine_that_hangs_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "hangs.sock"))
        listener.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/hangs.sock")
        assert cli.main(["parity", archive("a.tar"), "a.tar"]) == 0
        assert "does not answer in time" in " ".join(capsys.readouterr().out.split())


# With real containers


def report_of(capsys: pytest.CaptureFixture[str], *arguments: str, status: int) -> dict[str, Any]:
    assert cli.main(["parity", *arguments, "--json", "-"]) == status, capsys.readouterr().err
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    found: dict[str, Any] = json.loads(printed.out)
    return found


def with_factor(factor: str) -> str:
    return build(Recipe({"etc/factor": f"{factor}\n"}))


MULTIPLY = "awk -F, -v k=$(cat /etc/factor) '{ print NR == 3 ? $1 * k : $1 }'"


@pytest.mark.docker
def test_one_planted_package_and_one_variable_are_named_and_the_row_that_they_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def image(version: str, threads: int) -> str:
        metadata = numpy(version)
        instructions = (f"ENV OMP_NUM_THREADS={threads}",)
        return build(Recipe({metadata.path: metadata.content.decode()}, instructions, base="samebox/base:cpu"))

    archive = model(tmp_path / "model.tar.gz", {"code/inference.py": HANDLERS.encode()})
    images = [image("1.23.5", 1), image("1.26.4", 4)]
    found = report_of(capsys, *images, "--model", archive, "--data", "rows.csv", status=1)
    assert [(one["weight"], one["name"], one["left"], one["right"]) for one in found["differences"]] == [
        ("likely", "numpy", "1.23.5", "1.26.4"),
        ("possibly", "OMP_NUM_THREADS", "1", "4"),
    ]
    (pair,) = found["compared"]
    assert pair["comparison"]["first"] == {"row": 2, "where": "column 0", "left": "7.0", "right": "10.0"}
    assert (pair["comparison"]["rows"], pair["comparison"]["differing_rows"]) == (4, 1)
    assert found["notes"] == [f"{images[1]} has no `serve` on its PATH: no endpoint was tried"]


@pytest.mark.docker
def test_a_command_of_ones_own_is_run_in_both(capsys: pytest.CaptureFixture[str]) -> None:
    images = [with_factor("1"), with_factor("1.5")]
    found = report_of(capsys, *images, "--data", "rows.csv", "--run", MULTIPLY, status=1)
    assert found["compared"][0]["comparison"]["first"] == {"row": 2, "where": "column 0", "left": "3", "right": "4.5"}
    assert found["compared"][0]["first_rows"] == ["3.0", "4.5"]


@pytest.mark.docker
def test_a_tolerance_may_be_wide(capsys: pytest.CaptureFixture[str]) -> None:
    images = [with_factor("1.01"), with_factor("1.5")]
    arguments = ["--data", "rows.csv", "--run", MULTIPLY, "--atol", "2"]
    assert report_of(capsys, *images, *arguments, status=0)["verdict"] == "within"


@pytest.mark.docker
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--run", "echo no weights >&2; exit 3"], "it ended with exit code 3: no weights"),
        (["--run", "sleep 60", "--timeout", "1"], "it had not ended after"),
        ([], "it has no Python on its PATH"),
        (["--run", 'test -n "$(ip route)" || exit 9'], "exit code 9"),  # no way to anywhere
    ],
)
def test_what_comes_to_no_answer_is_not_compared(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    image = with_factor("1")
    found = report_of(capsys, image, image, "--data", "rows.csv", *arguments, status=2)
    assert words in found["sentence"]


@pytest.mark.docker
def test_a_link_that_a_model_leaves_reads_nothing_of_this_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret").write_text("sesame")
    command = f"rm /samebox-parity/out/answer; ln -s {tmp_path}/secret /samebox-parity/out/answer"
    image = with_factor("1")
    found = report_of(capsys, image, image, "--data", "rows.csv", "--run", command, status=0)
    assert {answer["bytes"] for place in found["places"] for answer in place["answers"]} == {0}


def containers(folder: Path) -> list[str]:
    """Of runs of the kit, whose data lie in this folder's temporary files."""
    words = ["docker", "ps", "--all", "--format", '{{.ID}} {{.Label "samebox.check"}}']
    lines = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    runs = {one.name for one in folder.glob("samebox-check-*")}
    return [line for line in lines if any(run in line for run in runs)]


@pytest.mark.docker
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -9)]
)
def test_whatever_ends_it_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, status: int
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    image, other = with_factor("1"), with_factor("1.5")
    command = [sys.executable, "-m", "samebox.cli", "parity", image, other, "--data", "rows.csv", "--run", "sleep 600"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=tmp_path) as run:
        before = until(lambda: containers(tmp_path), 120, "a container of the run is there")
        run.send_signal(number)
        assert run.wait(120) == status
    if number == signal.SIGKILL:
        assert containers(tmp_path)
        assert subprocess.run(command[:6], cwd=tmp_path, capture_output=True, timeout=120).returncode == 0
    printed = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--no-trunc"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert not any(line.split()[0] in printed for line in before)
    assert list(tmp_path.glob("samebox-check-*")) == []


SAVED_MODEL = """
import sys, tarfile, tensorflow as tf
tf.keras.utils.set_random_seed(1)
layers = [tf.keras.layers.Dense(4, "tanh", input_shape=(2,)), tf.keras.layers.Dense(3, "softmax")]
tf.keras.Sequential(layers).save("/tmp/model/1")
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|gz") as tar:
    tar.add("/tmp/model/1", "1")
"""


@pytest.mark.docker
def test_our_train_and_serve_images_agree_and_so_does_the_endpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = ["samebox/train:cpu", "samebox/serve:cpu"]
    make = ["docker", "run", "--rm", "--network=none", images[0], "python", "-c", SAVED_MODEL]
    made = subprocess.run(make, capture_output=True, timeout=300)
    assert made.returncode == 0, made.stderr[-2000:]
    (tmp_path / "model.tar.gz").write_bytes(made.stdout)
    found = report_of(
        capsys, *images, "--model", "model.tar.gz", "--data", "rows.csv", "--accept", "text/csv", status=0
    )
    assert found["verdict"] == "same", found["sentence"]
    assert [one["place"] for one in found["places"]] == [*images, "the endpoint"]
    assert [one["comparison"]["rows"] for one in found["compared"]] == [4, 4, 4]
    assert found["counts"]["likely"] == found["counts"]["possibly"] == 0
    assert found["layers_shared"]["bytes"] > 0.9 * found["serve"]["bytes"]
    left = ["docker", "ps", "--all", "--quiet", "--filter", "label=samebox.arn", "--format", '{{.Label "samebox.arn"}}']
    printed = subprocess.run(left, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "samebox-parity-" not in printed


ONLY_WHERE_IT_TRAINED = """
import sagemaker_training
def model_fn(folder): return sum
def predict_fn(rows, model): return [[float(model(row))] for row in rows]
"""


@pytest.mark.docker
def test_a_model_that_loads_in_train_and_not_in_serve_is_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text(ONLY_WHERE_IT_TRAINED)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "code", "code")
    words = ["samebox/train:cpu", "samebox/serve:cpu", "--model", "model.tar.gz", "--data", "rows.csv", "--no-endpoint"]
    assert cli.main(["parity", *words, "--json", "-"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "differ"
    assert "The model works in samebox/train:cpu and not in samebox/serve:cpu" in found["sentence"]
    assert "the model needs sagemaker_training, which this image does not have" in found["sentence"]
