"""`samebox coverage`: what it prints and what it writes."""

import json
from pathlib import Path

import pytest

from samebox import cli
from samebox.services.coverage import SERVICES


def test_without_a_name_the_services_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["coverage"]) == 0
    title, *rows, _hint = capsys.readouterr().out.splitlines()
    assert title.split() == ["service", "runs", "stored", "absent"]
    assert [row.split()[0] for row in rows] == list(SERVICES)


def test_an_operation_is_shown_with_its_members(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["coverage", "createmodel"]) == 0
    shown = capsys.readouterr().out
    assert shown.split()[:2] == ["CreateModel", "runs"]
    assert "CreateModel VpcConfig: the container's network" in shown
    assert "CreateModel PrimaryContainer.Mode: `SingleModel`" in shown


def test_an_absent_operation_is_shown_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["coverage", "CreateCluster"]) == 0
    assert capsys.readouterr().out.split(maxsplit=2) == ["CreateCluster", "absent", "HyperPod clusters are not run\n"]


def test_what_is_no_operation_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["coverage", "CreateNothing"]) == 2
    assert "CreateNothing is neither an operation nor one of the services sagemaker, " in capsys.readouterr().err


def test_json_has_each_operation_with_grade_reason_and_members(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["coverage", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    found = {(one["service"], one["operation"]): one for one in document["operations"]}
    assert found["sagemaker", "CreateCodeRepository"]["grade"] == "stored"
    assert found["s3", "PutBucketLogging"]["grade"] == "stored"
    assert found["sagemaker", "CreateCluster"]["reason"] == "HyperPod clusters are not run"
    training = found["sagemaker", "CreateTrainingJob"]
    assert {"member": "VpcConfig", "on_aws": "the job's network"} in training["accepted"]
    assert {"member": "DebugRuleConfigurations", "runs_with": [[]]} in training["refused"]


def test_a_page_of_html_has_each_service_and_escapes_what_it_shows(tmp_path: Path) -> None:
    page = tmp_path / "coverage.html"
    assert cli.main(["coverage", "--html", str(page)]) == 0
    text = page.read_text()
    assert all(f'<h3 id="{service}">' in text for service in SERVICES)
    assert "layers travel by `docker push` and `docker pull`" in text
    assert "<code>SingleModel</code>" in text
    assert "the container&#x27;s network" in text
