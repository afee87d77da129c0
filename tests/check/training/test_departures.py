"""Which departures are tried on a failing training: those that may show its cause, each reported as it was made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from samebox.check import subject
from samebox.check.checks import Context, Options
from samebox.check.ended import HostOutput, HostResult, LeftFile
from samebox.check.training import rules
from samebox.check.training.departures import departures, numbers, read_channel, structures, unquoted, wanted_channel
from samebox.check.training.job import TrainingJob
from samebox.check.trials import culprit
from samebox.containers.engine import LogLine
from tests.check.images import SHELL, ImageSource, LayerFile, layer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from samebox.check.trials import Departure

GIVEN = {"epochs": "3", "rate": "0.5", "shuffle": "true", "optimizer": '"adam"', "layers": "[64, 32]", "name": "best"}
MODEL = HostOutput((LeftFile("model.txt", 7),))


def ended(*lines: str, code: int = 1, seconds: float = 1.0, left: HostOutput | None = None) -> HostResult:
    log = tuple(LogLine(number, "stderr", text) for number, text in enumerate(lines, 1))
    return HostResult(code, seconds, log=log, left=left or HostOutput())


def context_of(folder: Path, given: Mapping[str, str], **config: object) -> Context:
    path = folder / "image.tar"
    path.write_bytes(ImageSource(config=config).docker_archive())
    return Context(subject.from_path(path), options=Options(hyperparameters=given))


def tried(context: Context, plain: HostResult, helps: str = "") -> tuple[list[str], Departure[TrainingJob] | None]:
    """What was tried, in words, and what was found, where the departure whose words hold `helps` makes it train."""
    words: list[str] = []
    everything = list(departures(context, TrainingJob()))
    known = {id(one.job): one for one in everything}

    def run(job: TrainingJob, _: float) -> HostResult:
        words.append(known[id(job)].words)
        good = bool(helps) and helps in known[id(job)].words
        return ended(code=0, left=MODEL) if good else plain

    found = culprit(context, plain, everything, run)
    return words, found.departure if found else None


def test_values_are_distinguished_by_their_spelling() -> None:
    assert numbers(GIVEN) == {"epochs": 3, "rate": 0.5, "shuffle": True}
    assert unquoted(GIVEN) == {"optimizer": "adam"}
    assert structures(GIVEN) == {"layers": [64, 32]}


@pytest.mark.parametrize(
    ("name", "words", "cure"),
    [
        ("epochs", "with epochs 3 in place of the string '3'", None),
        ("optimizer", 'with optimizer adam in place of "adam"', rules.QUOTED),
        ("layers", "with layers [64, 32] in place of the string '[64, 32]'", rules.STRUCTURES),
    ],
)
def test_a_departure_is_reported_with_a_remedy_that_fits(
    tmp_path: Path, name: str, words: str, cure: str | None
) -> None:
    context = context_of(tmp_path, {name: GIVEN[name]})

    _, found = tried(context, ended(f"ValueError: unknown {name} {GIVEN[name]}"), words)

    assert found is not None
    assert (found.rule, found.words, found.remedy) == (rules.HYPERPARAMETERS, words, cure)
    assert found.job.hyperparameters == {name: json.loads(GIVEN[name])}


def test_a_value_that_is_a_plain_string_is_not_changed(tmp_path: Path) -> None:
    words, _ = tried(context_of(tmp_path, {"name": "best"}), ended("it went wrong"))

    assert not any("best" in one for one in words)


def test_the_departure_that_the_log_of_a_job_suggests_is_tried_first(tmp_path: Path) -> None:
    context = context_of(tmp_path, GIVEN, User="app")

    words, found = tried(context, ended("KeyError: 'SM_MODEL_DIR'"), "SM_*")

    assert words == ["with SM_* variables"]
    assert found is not None
    assert found.rule is rules.SM_VARIABLES


def test_a_slow_job_that_logs_why_it_failed_is_not_run_again_and_again(tmp_path: Path) -> None:
    explained = ended("ValueError: 64 values were expected", seconds=60)

    assert tried(context_of(tmp_path, {}), explained)[0] == []
    assert len(tried(context_of(tmp_path, {}), ended("bye", seconds=30))[0]) > 1


def test_a_job_whose_failure_file_has_the_reason_is_not_run_again_and_again(tmp_path: Path) -> None:
    message = b'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: 64 were expected"\nCommand "python a.py"'
    explained = ended("[train] training ended with exit code 1", seconds=60, left=HostOutput(message=message))

    assert tried(context_of(tmp_path, {}), explained)[0] == []
    assert explained.reason == "ValueError: 64 were expected"


def test_a_job_that_takes_long_to_fail_is_not_tried_again(tmp_path: Path) -> None:
    assert tried(context_of(tmp_path, {}), ended("bye", seconds=121))[0] == []


@pytest.mark.parametrize(
    ("config", "files", "shows"),
    [
        ({"Cmd": ["bash"]}, (), False),
        ({"Cmd": ["bash"]}, MODEL.files, True),
        ({"Entrypoint": ["/entry"], "Cmd": ["bash"]}, (), False),
        ({"Entrypoint": ["/train.py"], "Cmd": None}, (), True),
    ],
)
def test_a_shell_that_ends_does_not_show_that_the_program_trains_without_the_argument(
    tmp_path: Path, config: dict[str, object], files: tuple[LeftFile, ...], shows: bool
) -> None:
    context = context_of(tmp_path, {}, **config)
    (argument,) = [one for one in departures(context, TrainingJob()) if one.rule is rules.ARGUMENT]

    assert argument.is_shown(ended(code=0, left=HostOutput(files))) is shows


@pytest.mark.parametrize(
    ("line", "channel"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: '/opt/ml/input/data/training'", "training"),
        ("cat: can't open '/opt/ml/input/data/valid/a.csv': No such file or directory", "valid"),
        ("KeyError: 'SM_CHANNEL_TRAINING'", "training"),
        ("KeyError: 'SM_CHANNEL_TRAIN'", ""),
        ("FileNotFoundError: '/opt/ml/input/data/train/b.csv'", ""),
        ("ValueError: /opt/ml/input/data/train-manifest is empty", ""),
        ("FileNotFoundError: '/opt/ml/input/data/train_0'", ""),
        ("ValueError: no label", ""),
    ],
)
def test_the_channel_that_a_job_has_not_is_named(line: str, channel: str) -> None:
    assert wanted_channel(ended("begun", line), {"train": None}) == channel


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ('files = glob("/opt/ml/input/data/training/*")', "training"),
        ('data = os.environ["SM_CHANNEL_TRAINING"]', "training"),
        ('for name in ("/opt/ml/input/data/train", "/opt/ml/input/data/validation"): ...', ""),
        ('for name in os.listdir("/opt/ml/input/data"): ...', ""),
        ("cat /opt/ml/input/data/train_$epoch", ""),
        ("exec trainer", ""),
    ],
)
def test_the_channel_that_a_program_reads_is_named_where_it_reads_none_of_the_jobs(
    tmp_path: Path, text: str, channel: str
) -> None:
    path = tmp_path / "image.tar"
    program = LayerFile("usr/bin/train", f"#!/usr/bin/env python3\n{text}\n".encode(), 0o755)
    path.write_bytes(ImageSource((layer(*SHELL, program),)).docker_archive())

    assert read_channel(Context(subject.from_path(path)), {"train": None}) == channel
