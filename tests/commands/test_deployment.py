"""The exact requests of a deployment."""

import dataclasses
import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from samebox.commands import deploy, deployment
from samebox.commands.deployment import Deployment
from samebox.commands.outcome import Stop
from tests.commands.requests import complaints

WANTED = Deployment(
    endpoint="digits",
    image="localhost:4566/serve:cpu",
    model_data="s3://b/model.tar.gz",
    role="arn:aws:iam::000000000000:role/samebox",
    instance_type="ml.m5.large",
    count=2,
    at=datetime(2026, 11, 22, 16, 5, 9, tzinfo=UTC),
    environment={"WORKERS": "2"},
)


def test_model_and_configuration_are_named_after_the_endpoint_and_the_moment() -> None:
    assert WANTED.name == "digits-2026-11-22-16-05-09"


def test_a_long_endpoint_name_still_gives_names_that_aws_takes() -> None:
    long = dataclasses.replace(WANTED, endpoint="a" * 42 + "-" + "b" * 20)
    assert long.name == "a" * 42 + "-2026-11-22-16-05-09"


def test_names_of_what_was_made_for_an_endpoint_are_known() -> None:
    long = dataclasses.replace(WANTED, endpoint="a" * 42 + "-" + "b" * 20)
    assert deployment.is_name_for(WANTED.name, "digits")
    assert deployment.is_name_for(long.name, long.endpoint)
    for other in ("digits", "digits-v2", "my-digits-2026-11-22-16-05-09", "digits-v2-2026-11-22-16-05-09"):
        assert not deployment.is_name_for(other, "digits")


@pytest.mark.parametrize("update", [False, True])
def test_botocore_has_nothing_against_the_requests(update: bool) -> None:
    for request in (WANTED.model(), WANTED.configuration(), WANTED.endpoint_request(update)):
        assert complaints(request.service, request.operation, dict(request.params)) == ""


def test_an_update_changes_nothing_but_the_configuration() -> None:
    request = WANTED.endpoint_request(update=True)
    assert request.operation == "UpdateEndpoint"
    assert request.params == {"EndpointName": "digits", "EndpointConfigName": WANTED.name}


def test_a_deployment_is_undone_from_the_outside_in() -> None:
    requests = deployment.teardown("digits", ["config"], ["model"])
    assert [one.operation for one in requests] == ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"]
    assert all(complaints(one.service, one.operation, dict(one.params)) == "" for one in requests)


def test_boto3s_method_of_an_operation() -> None:
    assert deployment.method("CreateEndpointConfig") == "create_endpoint_config"


def archive(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, 1 if kind == tarfile.REGTYPE else 0
    return info


def test_the_same_archive_is_uploaded_to_the_same_place(tmp_path: Path) -> None:
    one = archive(tmp_path / "model.tar.gz", member("1/saved_model.pb"))
    first = deployment.upload(one, "digits", "bucket")
    assert first == deployment.upload(one, "digits", "bucket")
    assert json.dumps(first.as_json())  # a file is shown by its name


def test_a_good_archive_is_taken(tmp_path: Path) -> None:
    deploy.check_archive(archive(tmp_path / "model.tar.gz", member("1", tarfile.DIRTYPE), member("1/saved_model.pb")))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (member("link", tarfile.SYMTYPE, "/etc/passwd"), "holds a link"),
        (member("../x"), "not a plain file or folder"),
        (member("/x"), "not a plain file or folder"),
        (member("device", tarfile.CHRTYPE), "not a plain file or folder"),
    ],
)
def test_what_sagemaker_would_refuse_after_minutes_is_refused_at_once(
    tmp_path: Path, bad: tarfile.TarInfo, says: str
) -> None:
    with pytest.raises(Stop, match=says):
        deploy.check_archive(archive(tmp_path / "model.tar.gz", bad))


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"not a tar at all")
    with pytest.raises(Stop, match="not a gzip-compressed tar"):
        deploy.check_archive(tmp_path / "model.tar.gz")
    with pytest.raises(Stop, match="is a folder"):
        deploy.check_archive(tmp_path)
