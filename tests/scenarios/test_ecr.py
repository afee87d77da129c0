"""ECR with the real docker command: push, look, pull, delete."""

import contextlib
import http.client
import json

import pytest
from botocore.exceptions import ClientError

from samebox.containers.docker import DockerEngine
from tests.scenarios.emulator_process import EmulatorProcess, docker

pytestmark = pytest.mark.docker


def test_the_digest_that_docker_pushed_is_the_one_of_ecr(emulator: EmulatorProcess, box_image: str) -> None:
    uri = emulator.push(box_image, "team/digest")
    details = emulator.ecr.describe_images(repositoryName="team/digest")["imageDetails"]
    digests = json.loads(docker("image", "inspect", "--format", "{{json .RepoDigests}}", uri))
    assert f"{uri.removesuffix(':latest')}@{details[0]['imageDigest']}" in digests
    assert details[0]["imageTags"] == ["latest"]
    assert details[0]["imageManifestMediaType"] == "application/vnd.docker.distribution.manifest.v2+json"


def test_an_image_that_was_pushed_can_be_pulled(emulator: EmulatorProcess, box_image: str) -> None:
    uri = emulator.push(box_image, "pulled")
    config = str(emulator.data_dir / "docker-config")
    digest = emulator.ecr.describe_images(repositoryName="pulled")["imageDetails"][0]["imageDigest"]
    docker("image", "rm", uri)
    docker("--config", config, "pull", "--quiet", f"{uri.removesuffix(':latest')}@{digest}")


def test_a_push_to_a_repository_that_is_not_there_is_refused(emulator: EmulatorProcess, box_image: str) -> None:
    uri = emulator.push(box_image, "present")
    absent = uri.replace("/present:", "/absent:")
    docker("tag", box_image, absent)
    with pytest.raises(AssertionError, match="does not exist"):
        docker("--config", str(emulator.data_dir / "docker-config"), "push", "--quiet", absent)


def test_a_push_without_login_is_refused(emulator: EmulatorProcess, box_image: str) -> None:
    uri = emulator.push(box_image, "locked")
    empty = emulator.data_dir / "nobody"
    empty.mkdir()
    with pytest.raises(AssertionError, match=r"no basic auth credentials|unauthorized|authorization"):
        docker("--config", str(empty), "push", "--quiet", uri)


def test_the_registry_behind_answers_the_emulator_alone(emulator: EmulatorProcess, box_image: str) -> None:
    emulator.push(box_image, "private")
    (container,) = emulator.containers("label=samebox.arn=registry")
    with contextlib.closing(DockerEngine()) as engine:
        host, port = engine.address(container, 5000)
    for path in ("/v2/", "/v2/_catalog", "/v2/123456789012/us-east-1/private/tags/list"):
        with contextlib.closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:
            connection.request("GET", path)
            assert connection.getresponse().status == 404


def test_deleted_images_are_gone(emulator: EmulatorProcess, box_image: str) -> None:
    emulator.push(box_image, "brief")
    emulator.ecr.batch_delete_image(repositoryName="brief", imageIds=[{"imageTag": "latest"}])
    assert emulator.ecr.list_images(repositoryName="brief")["imageIds"] == []
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        emulator.ecr.describe_images(repositoryName="never")


def test_an_image_gets_another_tag_by_its_manifest_and_is_pulled_by_it(
    emulator: EmulatorProcess, box_image: str
) -> None:
    uri = emulator.push(box_image, "promoted")
    asked = emulator.ecr.batch_get_image(repositoryName="promoted", imageIds=[{"imageTag": "latest"}])
    manifest = asked["images"][0]["imageManifest"]
    emulator.ecr.put_image(repositoryName="promoted", imageManifest=manifest, imageTag="production")
    promoted = uri.replace(":latest", ":production")
    docker("--config", str(emulator.data_dir / "docker-config"), "pull", "--quiet", promoted)
    docker("image", "rm", promoted)


def test_a_manifest_whose_layers_are_not_there_is_refused(emulator: EmulatorProcess, box_image: str) -> None:
    emulator.push(box_image, "whole")
    asked = emulator.ecr.batch_get_image(repositoryName="whole", imageIds=[{"imageTag": "latest"}])
    manifest = json.loads(asked["images"][0]["imageManifest"])
    manifest["layers"][0]["digest"] = f"sha256:{'1' * 64}"
    with pytest.raises(ClientError, match="LayersNotFoundException"):
        emulator.ecr.put_image(repositoryName="whole", imageManifest=json.dumps(manifest), imageTag="half")


def test_a_job_runs_the_image_that_was_there_when_it_was_created(emulator: EmulatorProcess, box_image: str) -> None:
    uri = emulator.push(box_image, "moving")
    emulator.train("by-digest", uri, "print('ran')")
    assert emulator.ended("by-digest")["TrainingJobStatus"] == "Completed"
    assert emulator.log_lines("by-digest/") == ["ran"]


def test_the_names_of_aws_work_too(emulator: EmulatorProcess, box: str) -> None:
    emulator.train("aws-name", "123456789012.dkr.ecr.us-east-1.amazonaws.com/box:latest", "print('same box')")
    assert emulator.ended("aws-name")["TrainingJobStatus"] == "Completed"
