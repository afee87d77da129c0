"""samebox deploy against an emulator whose endpoints stay as they are: what it asks, refuses and prints."""

import json
from typing import Any

import pytest

from samebox import cli
from samebox.commands import consent, local_docker, repository
from samebox.commands.local_docker import LocalImage
from samebox.commands.outcome import Stop
from samebox.commands.repository import DOCKER_MANIFEST, TaggedManifest
from tests import samples
from tests.commands.requests import complaints
from tests.conftest import ACCOUNT, REGION, Aws

IMAGE = "digits:latest"
ID = f"sha256:{'e' * 64}"


@pytest.fixture(autouse=True)
def _environment(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def arguments(*more: str) -> list[str]:
    role = f"arn:aws:iam::{ACCOUNT}:role/digits"
    return ["--endpoint", "fresh", "--image", IMAGE, "--model-data", samples.MODEL_DATA, "--role", role, *more]


def deploy(*given: str) -> int:
    return cli.main(["deploy", *given])


def dry_run(capsys: pytest.CaptureFixture[str], *given: str) -> list[dict[str, Any]]:
    assert deploy(*given, "--dry-run") == 0
    requests: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["requests"]
    return requests


def test_a_dry_run_prints_requests_that_could_be_sent_as_they_are(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    requests = dry_run(capsys, *arguments("--env", "WORKERS=2"))
    assert [one["operation"] for one in requests] == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
    assert all(complaints(one["service"], one["operation"], one["params"]) == "" for one in requests)
    assert aws.sagemaker.list_models()["Models"] == []


def test_an_image_is_named_as_its_registry_names_it(capsys: pytest.CaptureFixture[str], aws: Aws) -> None:
    model = dry_run(capsys, *arguments())[0]["params"]
    uri = aws.ecr.describe_repositories()["repositories"][0]["repositoryUri"]
    assert model["PrimaryContainer"]["Image"] == f"{uri}:latest"


def test_an_endpoint_that_is_there_is_updated(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.create("Endpoint")
    name = samples.OF_KIND["Endpoint"]["EndpointName"]
    requests = dry_run(capsys, *arguments(), "--endpoint", name)
    assert requests[-1]["operation"] == "UpdateEndpoint"


def test_an_endpoint_in_transition_is_left_alone(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.create("Endpoint")
    name = samples.OF_KIND["Endpoint"]["EndpointName"]
    assert deploy(*arguments(), "--endpoint", name) == 1
    assert f"endpoint {name} is Creating" in capsys.readouterr().err


def test_what_is_no_emulator_costs_money_and_is_asked_about(
    aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # This server does not answer as an emulator does, so it might as well be AWS by another name.
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert deploy(*arguments()) == 2
    said = capsys.readouterr().err
    assert "which AWS bills from now until" in said
    assert "give --yes" in said
    assert aws.sagemaker.list_models()["Models"] == []


def test_a_role_is_needed_where_it_may_be_aws(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy("--endpoint", "fresh", "--image", IMAGE, "--dry-run") == 2
    assert "--role is needed" in capsys.readouterr().err


def test_a_missing_image_is_reported_before_anything_is_created(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(*arguments(), "--image", "nothing:1", "--dry-run") == 1
    assert "there is no repository nothing in ECR" in capsys.readouterr().err


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> None:
    """The emulator is one of this machine, whose engine holds the image mine:latest."""
    monkeypatch.setattr(consent, "place", lambda *_: consent.Destination("the emulator", costs=False, is_here=True))
    held = {name: LocalImage(f"{name.partition(':')[0]}:latest", ID, 1) for name in ("mine", "mine:latest", IMAGE)}
    monkeypatch.setattr(local_docker, "image", held.get)


@pytest.mark.usefixtures("beside")
def test_an_image_of_the_engine_that_is_not_in_ecr_is_named_by_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    model = dry_run(capsys, *arguments(), "--image", "mine")[0]["params"]
    assert model["PrimaryContainer"]["Image"] == f"mine:latest@{ID}"
    assert complaints("sagemaker", "CreateModel", model) == ""


@pytest.mark.usefixtures("beside")
def test_an_image_that_is_in_ecr_is_taken_from_there(capsys: pytest.CaptureFixture[str], aws: Aws) -> None:
    model = dry_run(capsys, *arguments())[0]["params"]
    uri = aws.ecr.describe_repositories()["repositories"][0]["repositoryUri"]
    assert model["PrimaryContainer"]["Image"] == f"{uri}:latest"


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize(("config", "is_said"), [(ID, False), (f"sha256:{'0' * 64}", True)])
def test_a_local_image_that_is_not_the_one_of_ecr_is_spoken_of(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, config: str, is_said: bool
) -> None:
    held = TaggedManifest(f"sha256:{'d' * 64}", DOCKER_MANIFEST, {"config": {"digest": config}})
    monkeypatch.setattr(repository, "manifest", lambda *_: held)
    assert deploy(*arguments(), "--dry-run") == 0
    assert ("the local image of this name is another one" in capsys.readouterr().err) is is_said


def test_an_engine_that_does_not_hold_the_image_is_named(aws: Aws) -> None:
    def create(image: str) -> None:
        with repository.held_by_emulator(image):
            aws.sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": image}, ExecutionRoleArn=samples.ROLE)

    with pytest.raises(Stop, match="the emulator's container engine holds no image mine:1"):
        create(f"mine:1@{ID}")
    with pytest.raises(aws.sagemaker.exceptions.ClientError, match="Using non-ECR image"):
        create("mine:1")


@pytest.mark.usefixtures("beside")
def test_an_image_that_is_nowhere_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(*arguments(), "--image", "digits:9", "--dry-run") == 1
    assert "there is no image digits:9, neither in ECR nor in the container engine" in capsys.readouterr().err


def test_deleting_takes_only_what_was_made_for_the_endpoint(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.create("Endpoint")  # by another client: its model and configuration bear no tag of ours
    name = samples.OF_KIND["Endpoint"]["EndpointName"]
    requests = dry_run(capsys, "--endpoint", name, "--delete")
    assert [one["operation"] for one in requests] == ["DeleteEndpoint"]


def test_deleting_an_endpoint_in_progress_reports_when_it_can_be_deleted(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.create("Endpoint")
    name = samples.OF_KIND["Endpoint"]["EndpointName"]
    assert deploy("--endpoint", name, "--delete", "--yes") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"endpoint {name} is in progress, and AWS deletes none that is Creating or Updating" in said


def test_deleting_what_is_not_there_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy("--endpoint", "nobody", "--delete") == 0
    assert "There is no endpoint nobody" in capsys.readouterr().err
