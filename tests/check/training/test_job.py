"""Jobs of the kit: what they are given, what is seen of them, and that nothing is left."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from samebox.check import subject
from samebox.check.checks import Context, Options
from samebox.check.runner import Run
from samebox.check.training.job import TrainingJob, channels_of, run, running
from samebox.containers.docker import DockerEngine
from samebox.data import recordio
from tests.check.fixtures.recipes import Recipe, build
from tests.check.fixtures.training import VALID_TRAINER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOR_EVER = Recipe({"bin/train": "#!/bin/sh\necho begun\nsleep 1000\n"})


@pytest.fixture
def with_data(tmp_path: Path) -> Context:
    return Context(subject.from_path(tmp_path), options=Options(data=tmp_path))


@pytest.fixture
def docker() -> Iterator[DockerEngine]:
    engine = DockerEngine()
    yield engine
    engine.close()


def test_each_folder_of_the_data_is_a_channel(with_data: Context, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()

    assert channels_of(with_data) == {"test": tmp_path / "test", "train": tmp_path / "train"}


def test_a_folder_of_files_is_the_channel_training(with_data: Context, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1,2\n")

    assert channels_of(with_data) == {"training": tmp_path}


def test_a_job_without_data_has_no_channels(tmp_path: Path) -> None:
    assert channels_of(Context(subject.from_path(tmp_path))) == {}


@pytest.mark.docker
def test_nothing_is_left_of_a_job_that_does_not_end(docker: DockerEngine) -> None:
    with Run(docker, Options()) as kit:
        kit.examine(subject.from_engine(docker, build(FOR_EVER), kit.context.labels))

        ended = run(kit.context, TrainingJob(), seconds=2)

        assert ended.exit_code is None
        assert docker.find(kit.context.labels) == []
        assert docker.networks(kit.context.labels) == []


@pytest.mark.docker
def test_hosts_know_each_other_by_name_and_reach_nothing_else(docker: DockerEngine) -> None:
    tells = "#!/bin/sh\ngrep -c . /etc/resolv.conf\nhostname\nip route\n"
    with Run(docker, Options()) as kit:
        recipe = Recipe({"bin/train": tells})
        kit.examine(subject.from_engine(docker, build(recipe), kit.context.labels))
        with running(kit.context, TrainingJob(hosts=2)) as job:
            assert job.wait(30, 0)
            assert job.wait(30, 1)
            first, second = (["\n".join(one.text for one in job.ended(host).log)] for host in range(2))

    names = [re.findall(r"^ip-10-.*\.ec2\.internal$", log, re.MULTILINE) for log in (first[0], second[0])]
    assert [len(one) for one in names] == [1, 1]
    assert names[0] != names[1]
    assert "default" not in first[0]


@pytest.mark.docker
def test_the_data_is_copied_for_each_job(docker: DockerEngine, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("mine")
    spoils = VALID_TRAINER.replace("echo done", "echo spoilt > /opt/ml/input/data/training/data.csv")
    with Run(docker, Options(data=tmp_path)) as kit:
        kit.examine(subject.from_engine(docker, build(Recipe({"bin/train": spoils})), kit.context.labels))

        assert run(kit.context, TrainingJob(), seconds=60).exit_code == 0

    assert (tmp_path / "data.csv").read_text() == "mine"


@pytest.mark.docker
@pytest.mark.parametrize("record_io", [False, True])
def test_a_channel_in_pipe_mode_is_a_pipe_with_its_files_in_order(
    docker: DockerEngine, tmp_path: Path, record_io: bool
) -> None:
    (tmp_path / "b.csv").write_text("second,")
    (tmp_path / "a.csv").write_text("first,")
    tells = (
        "#!/bin/sh\ncat /opt/ml/input/config/inputdataconfig.json; echo\nls /opt/ml/input/data\n"
        "cat /opt/ml/input/data/training_0 > /opt/ml/model/read\nod -A n -t x1 -v /opt/ml/model/read\n"
    )
    with Run(docker, Options(data=tmp_path, record_io=record_io)) as kit:
        kit.examine(subject.from_engine(docker, build(Recipe({"bin/train": tells})), kit.context.labels))

        ended = run(kit.context, TrainingJob(pipe=True), seconds=60)

    lines = [one.text for one in ended.log]
    told = json.loads(lines[0])["training"]
    assert (told["TrainingInputMode"], told["RecordWrapperType"]) == ("Pipe", "RecordIO" if record_io else "None")
    assert lines[1] == "training_0"
    read = bytes.fromhex("".join(lines[2:]))
    assert (list(recordio.records([read])) if record_io else [read[:6], read[6:]]) == [b"first,", b"second,"]
