"""The fixture `train_run`: jobs of an image under SageMaker's /opt/ml, and what they leave."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from samebox.data.channels import ChannelError
from samebox.testing import kit, training
from tests.check.fixtures.recipes import build
from tests.testing.images import BOX

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.testing import TrainRun

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def samebox_image() -> str:
    return build(BOX)


def test_the_plain_job_is_there_to_be_asked(train_run: TrainRun) -> None:
    assert train_run.exit_code == 0
    assert train_run.log == ("training with {} on 0 rows", "done ")
    assert train_run.failure is None
    assert train_run.seconds > 0
    assert repr(train_run).startswith("<TrainRun exit code 0 after ")


def test_the_plain_job_is_the_whole_sessions(
    train_run: TrainRun, pytestconfig: pytest.Config, samebox_image: str
) -> None:
    again = training.of(kit.of(pytestconfig), samebox_image)
    assert again is train_run
    assert again.model_archive == train_run.model_archive


def test_a_job_of_its_own_has_what_it_is_given(train_run: TrainRun, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1,2\n3,4\n5,6\n")
    run = train_run(hyperparameters={"slope": "3"}, channels={"train": tmp_path}, environment={"WORD": "word"})
    assert run.exit_code == 0, run.outcome
    assert run.log == ("training with {'slope': '3'} on 3 rows", "done word")
    assert run.read("weights/slope.txt") == b"3"
    assert train_run.read("weights/slope.txt") == b"2"


def test_data_is_a_folder_of_channels(train_run: TrainRun, tmp_path: Path) -> None:
    for channel in ("train", "test"):
        (tmp_path / channel).mkdir()
        (tmp_path / channel / "rows.csv").write_text("1,2\n")
    assert train_run(data=tmp_path).log[0] == "training with {} on 2 rows"
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        train_run(data=tmp_path / "gone")
    with pytest.raises(NotADirectoryError, match=r"the channel train, .* is not a folder"):
        train_run(channels={"train": tmp_path / "gone"})
    with pytest.raises(ChannelError, match="a channel is a directory of its name"):
        train_run(channels={"..": tmp_path})


def test_the_model_is_what_the_job_would_upload(train_run: TrainRun, tmp_path: Path) -> None:
    assert train_run.model_files == ("weights/slope.txt",)
    with tarfile.open(train_run.model_archive) as archive:
        assert [member.name for member in archive] == ["weights", "weights/slope.txt"]
    assert (train_run.extract(tmp_path / "model") / "weights" / "slope.txt").read_text() == "2"
    with pytest.raises(FileNotFoundError, match=r"no file weights/gone; it has weights/slope\.txt"):
        train_run.read("weights/gone")


def test_a_failure_has_its_text(train_run: TrainRun) -> None:
    run = train_run(hyperparameters={"fail": "no column label"})
    assert run.exit_code == 3
    assert run.failure == "no column label"
    assert run.model_files == ()
    assert "exit code 3" in repr(run)


def test_a_job_that_is_not_done_in_its_time_has_no_exit_code(train_run: TrainRun) -> None:
    run = train_run(hyperparameters={"seconds": "600"}, seconds=1)
    assert run.exit_code is None
    assert "not done" in run.outcome


def test_a_model_with_links_cannot_be_unpacked(train_run: TrainRun, tmp_path: Path) -> None:
    run = train_run(hyperparameters={"link": "yes"})
    assert run.model_files == ("weights/latest", "weights/slope.txt")
    with pytest.raises(pytest.fail.Exception, match="links are not allowed"):
        run.extract(tmp_path / "model")


def test_an_image_that_does_not_train_is_reported(train_run: TrainRun) -> None:
    run = train_run(image="samebox/base:cpu")
    assert run.exit_code == 127
    assert "train" in run.outcome
    assert run.model_files == ()
    with pytest.raises(pytest.fail.Exception, match="there is no model"):
        run.read("model.txt")


def test_an_image_that_is_not_there_is_a_failure(train_run: TrainRun) -> None:
    with pytest.raises(pytest.fail.Exception, match="there is no image localhost:1/gone:1 here"):
        train_run(image="localhost:1/gone:1")
