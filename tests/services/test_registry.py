"""The registry as docker asks it: over HTTP, with the login of GetAuthorizationToken, in front of a plain registry."""

import hashlib
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from samebox.services import registry_tokens
from tests.conftest import ACCOUNT, DOCKER_MANIFEST, Aws

MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_MANIFEST}).encode()
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
LAYER = b"a layer"
LAYER_DIGEST = f"sha256:{hashlib.sha256(LAYER).hexdigest()}"


@dataclass(frozen=True)
class RegistryResponse:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str, str]:
        (error,) = json.loads(self.body)["errors"]
        return self.status, error["code"], error["message"]


class Docker:
    """As much of docker as there is to a push: it follows Location headers, and shows its login each time."""

    def __init__(self, aws: Aws, account: str = ACCOUNT) -> None:
        (data,) = aws.client("ecr", account=account).get_authorization_token()["authorizationData"]
        self.basic = data["authorizationToken"]
        self.port = aws.services.settings.port

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> RegistryResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {"authorization": f"Basic {self.basic}"} if self.basic else {}
        connection.request(method, target, body, {**given, **{k.replace("_", "-"): v for k, v in headers.items()}})
        answer = connection.getresponse()
        found = RegistryResponse(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return found

    def put(self, reference: str, repository: str = "digits", manifest: bytes = MANIFEST) -> RegistryResponse:
        return self.ask("PUT", f"/v2/{repository}/manifests/{reference}", manifest, content_type=DOCKER_MANIFEST)


@pytest.fixture
def docker(aws: Aws) -> Docker:
    return Docker(aws)


def tags(aws: Aws, repository: str = "digits") -> dict[str, str]:
    listed: list[Any] = aws.ecr.list_images(repositoryName=repository)["imageIds"]
    return {one["imageTag"]: one["imageDigest"] for one in listed if "imageTag" in one}


def test_without_a_login_docker_is_asked_for_one(docker: Docker) -> None:
    docker.basic = ""
    answer = docker.ask("GET", "/v2/")
    assert (answer.status, answer.headers["www-authenticate"][:12]) == (401, "Basic realm=")


def test_a_login_is_good(docker: Docker) -> None:
    answer = docker.ask("GET", "/v2/")
    assert (answer.status, answer.headers["docker-distribution-api-version"]) == (200, "registry/2.0")


def test_a_login_that_we_did_not_issue_is_none(aws: Aws, docker: Docker) -> None:
    docker.basic = registry_tokens.issue(b"another secret", ACCOUNT, "us-east-1", aws.clock.now).basic
    assert docker.ask("GET", "/v2/").status == 401


def test_a_login_ends_after_twelve_hours(aws: Aws, docker: Docker) -> None:
    aws.clock.now += 12 * 3600 + 1
    assert docker.ask("GET", "/v2/").error == (
        403,
        "DENIED",
        "Your authorization token has expired. Reauthenticate and try again.",
    )


def test_a_layer_is_pushed_through_the_locations_that_we_give(aws: Aws, docker: Docker) -> None:
    begun = docker.ask("POST", "/v2/digits/blobs/uploads/", b"")
    assert begun.headers["location"].startswith("/v2/digits/blobs/uploads/")
    sent = docker.ask("PATCH", begun.headers["location"], LAYER)
    ended = docker.ask("PUT", f"{sent.headers['location']}&digest={LAYER_DIGEST}", b"")
    assert (ended.status, ended.headers["location"]) == (201, f"/v2/digits/blobs/{LAYER_DIGEST}")
    assert aws.registry.blobs == {(f"{ACCOUNT}/us-east-1/digits", LAYER_DIGEST): LAYER}
    assert docker.ask("GET", f"/v2/digits/blobs/{LAYER_DIGEST}").body == LAYER


def test_a_layer_is_mounted_from_another_repository_of_the_account(aws: Aws, docker: Docker) -> None:
    aws.ecr.create_repository(repositoryName="other")
    aws.registry.blobs[f"{ACCOUNT}/us-east-1/other", LAYER_DIGEST] = LAYER
    answer = docker.ask("POST", f"/v2/digits/blobs/uploads/?mount={LAYER_DIGEST}&from=other", b"")
    assert (answer.status, answer.headers["location"]) == (201, f"/v2/digits/blobs/{LAYER_DIGEST}")


def test_a_layer_of_a_repository_that_is_not_there_is_uploaded(aws: Aws, docker: Docker) -> None:
    answer = docker.ask("POST", f"/v2/digits/blobs/uploads/?mount={LAYER_DIGEST}&from=never", b"")
    assert answer.status == 202


def test_a_pushed_image_is_in_ecr_and_can_be_pulled(aws: Aws, docker: Docker) -> None:
    answer = docker.put("v1")
    assert (answer.status, answer.headers["docker-content-digest"]) == (201, DIGEST)
    assert tags(aws)["v1"] == DIGEST
    for reference in ("v1", DIGEST):
        pulled = docker.ask("GET", f"/v2/digits/manifests/{reference}")
        assert (pulled.body, pulled.headers["content-type"]) == (MANIFEST, DOCKER_MANIFEST)
    assert docker.ask("HEAD", "/v2/digits/manifests/v1").headers["docker-content-digest"] == DIGEST


def test_a_tag_that_moves_leaves_its_image_untagged(aws: Aws, docker: Docker) -> None:
    docker.put("v1")
    other = MANIFEST + b" "
    moved = docker.put("v1", manifest=other).headers["docker-content-digest"]
    assert tags(aws)["v1"] == moved != DIGEST
    untagged: list[Any] = aws.ecr.list_images(repositoryName="digits", filter={"tagStatus": "UNTAGGED"})["imageIds"]
    assert untagged == [{"imageDigest": DIGEST}]
    assert docker.ask("GET", "/v2/digits/manifests/v1").body == other


def test_a_repository_must_be_made_before_a_push(docker: Docker) -> None:
    expected = (
        404,
        "NAME_UNKNOWN",
        f"The repository with name 'team/never' does not exist in the registry with id '{ACCOUNT}'",
    )
    assert docker.put("v1", "team/never").error == expected
    assert docker.ask("POST", "/v2/team/never/blobs/uploads/", b"").error == expected


def test_an_immutable_tag_stays(aws: Aws, docker: Docker) -> None:
    docker.put("v1")
    aws.ecr.put_image_tag_mutability(repositoryName="digits", imageTagMutability="IMMUTABLE")
    assert docker.put("v1", manifest=MANIFEST + b" ").error == (
        400,
        "TAG_INVALID",
        "The image tag 'v1' already exists in the 'digits' repository and cannot be overwritten because the tag is "
        "immutable.",
    )
    assert docker.put("v2").status == 201


def test_a_deleted_image_is_not_pulled(aws: Aws, docker: Docker) -> None:
    docker.put("v1")
    aws.ecr.batch_delete_image(repositoryName="digits", imageIds=[{"imageDigest": DIGEST}])
    for reference in ("v1", DIGEST):
        assert docker.ask("GET", f"/v2/digits/manifests/{reference}").error[:2] == (404, "MANIFEST_UNKNOWN")


def test_accounts_have_repositories_of_their_own(aws: Aws, docker: Docker) -> None:
    docker.put("v1")
    stranger = Docker(aws, account="210987654321")
    assert stranger.ask("GET", "/v2/digits/manifests/v1").error[:2] == (404, "NAME_UNKNOWN")
    aws.client("ecr", account="210987654321").create_repository(repositoryName="digits")
    assert stranger.put("v1", manifest=MANIFEST + b" ").status == 201
    assert docker.ask("GET", "/v2/digits/manifests/v1").body == MANIFEST


def test_an_image_of_another_account_is_pulled_by_its_whole_name_and_never_pushed(aws: Aws, docker: Docker) -> None:
    docker.put("v1")
    stranger = Docker(aws, account="210987654321")
    whole = f"{ACCOUNT}/us-east-1/digits"
    assert stranger.ask("GET", f"/v2/{whole}/manifests/{DIGEST}").body == MANIFEST
    assert stranger.put("v2", whole).error[:2] == (404, "NAME_UNKNOWN")


def test_tags_are_listed_and_nothing_is_deleted_past_ecr(docker: Docker) -> None:
    docker.put("v1")
    assert json.loads(docker.ask("GET", "/v2/digits/tags/list").body) == {"name": "digits", "tags": ["latest", "v1"]}
    assert docker.ask("DELETE", f"/v2/digits/manifests/{DIGEST}").error[:2] == (405, "UNSUPPORTED")
    assert docker.ask("GET", "/v2/_catalog").error[:2] == (404, "UNSUPPORTED")


def test_a_registry_that_is_gone_is_an_answer_too(aws: Aws, docker: Docker) -> None:
    aws.registry.close()
    status, code, message = docker.ask("GET", "/v2/digits/manifests/latest").error
    assert (status, code) == (503, "UNAVAILABLE")
    assert "did not answer" in message


def test_our_names_for_things_do_not_reach_the_registry(aws: Aws, docker: Docker) -> None:
    docker.put("v1")
    docker.ask("GET", "/v2/digits/manifests/v1")
    assert urlsplit(aws.registry.requests[-1].split()[1]).path == f"/v2/{ACCOUNT}/us-east-1/digits/manifests/{DIGEST}"
