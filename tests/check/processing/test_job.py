"""Processing jobs of the kit: the tree and command line that they are given, and that nothing is left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from samebox.check import subject
from samebox.check.checks import Context, Options
from samebox.check.processing.job import ProcessingJob, outputs_of, run, running
from samebox.check.runner import Run
from samebox.containers.docker import DockerEngine
from tests.check.fixtures.recipes import Recipe, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TELLS = (
    "#!/bin/sh\n"
    "cat /opt/ml/config/processingjobconfig.json; echo\n"
    "cat /opt/ml/config/resourceconfig.json; echo\n"
    'env; echo "arguments: $*"\n'
    "find /opt/ml -type d\n"
    "cat /opt/ml/processing/input/raw/data.csv\n"
    "echo same > /opt/ml/processing/made/result\n"
    "cat /opt/ml/output/data/output-1/result\n"
)


@pytest.fixture
def docker() -> Iterator[DockerEngine]:
    engine = DockerEngine()
    yield engine
    engine.close()


def test_an_output_has_a_path_of_its_own_where_none_is_named(tmp_path: Path) -> None:
    assert outputs_of(Context(subject.from_path(tmp_path))) == {"output-1": "/opt/ml/processing/output"}


@pytest.mark.docker
def test_a_job_sees_what_a_processing_job_sees(docker: DockerEngine, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "data.csv").write_text("1,2\n")
    options = Options(
        data=tmp_path,
        entrypoint=("/bin/tell", "me"),
        arguments=("--all",),
        outputs=("/opt/ml/processing/made",),
    )
    with Run(docker, options) as kit:
        recipe = Recipe({"bin/tell": TELLS}, ('CMD ["not", "this"]',))
        kit.examine(subject.from_engine(docker, build(recipe), kit.context.labels))

        ended = run(kit.context, ProcessingJob(), seconds=60)

        assert docker.find(kit.context.labels) == []
        assert docker.networks(kit.context.labels) == []
    lines = [line.text for line in ended.log]
    told = json.loads(lines[0])
    assert told["AppSpecification"]["ContainerEntrypoint"] == ["/bin/tell", "me"]
    assert told["ProcessingInputs"][0]["S3Input"]["LocalPath"] == "/opt/ml/processing/input/raw"
    assert lines[1] == '{"current_host":"algo-1","hosts":["algo-1"]}'
    assert "arguments: me --all" in lines
    assert "AWS_REGION=us-east-1" in lines
    assert not [line for line in lines if line.startswith(("SM_", "TRAINING_JOB", "PROCESSING_JOB"))]
    assert "/opt/ml/output/metrics/cloudwatch" in lines
    assert "/opt/ml/input" not in lines
    assert lines[-2:] == ["1,2", "same"]
    assert [(file.path, file.size) for file in ended.left.files] == [("/opt/ml/processing/made/result", 5)]


@pytest.mark.docker
def test_what_is_written_to_no_output_is_seen(docker: DockerEngine) -> None:
    strays = "#!/bin/sh\nmkdir /opt/ml/processing/result\necho lost > /opt/ml/processing/result/part\n"
    with Run(docker, Options()) as kit:
        recipe = Recipe({"bin/process": strays}, ('CMD ["/bin/process"]',))
        kit.examine(subject.from_engine(docker, build(recipe), kit.context.labels))
        with running(kit.context, ProcessingJob()) as job:
            assert job.wait(60)

            assert [file.path for file in job.elsewhere()] == ["processing/result/part"]
