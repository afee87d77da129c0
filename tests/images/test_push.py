"""What arrives in a registry: Docker v2 manifests and nothing else, because CreateModel refuses OCI ones."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from .conftest import REGISTRY, Bake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.client import DockerClient

pytestmark = pytest.mark.docker

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
# All that a registry may answer with: it must have been pushed as what it is.
ACCEPT = f"{DOCKER_MANIFEST}, application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
SECONDS_TO_START = 30


@pytest.fixture
def registry(engine: DockerClient) -> Iterator[str]:
    """A throw-away registry from our own image; its host:port."""
    container = engine.containers.run(
        REGISTRY, detach=True, ports={"5000/tcp": ("127.0.0.1", 0)}, labels={"samebox-test": "images"}
    )
    try:
        container.reload()
        address = f"localhost:{container.attrs['NetworkSettings']['Ports']['5000/tcp'][0]['HostPort']}"
        wait_until_it_answers(f"http://{address}/v2/")
        yield address
    finally:
        container.remove(force=True, v=True)


def wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not answers(url):
        assert time.monotonic() < deadline, f"{url} does not answer after {SECONDS_TO_START} s"
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=60):
            return True
    except OSError:
        return False


def test_bake_pushes_a_docker_manifest_without_attestations(engine: DockerClient, bake: Bake, registry: str) -> None:
    bake("registry", "--push", REGISTRY=registry)
    engine.images.remove(f"{registry}/samebox/registry:latest")

    request = urllib.request.Request(
        f"http://{registry}/v2/samebox/registry/manifests/latest", headers={"Accept": ACCEPT}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        media_type, manifest = answer.headers["Content-Type"], json.load(answer)

    assert media_type == manifest["mediaType"] == DOCKER_MANIFEST
    assert manifest["config"]["mediaType"] == "application/vnd.docker.container.image.v1+json"
    assert {layer["mediaType"] for layer in manifest["layers"]} == {"application/vnd.docker.image.rootfs.diff.tar.gzip"}


def test_the_registry_deletes_manifests(engine: DockerClient, registry: str) -> None:
    # ECR's BatchDeleteImage needs it; Distribution answers 405 unless it is allowed.
    digest = "sha256:" + "0" * 64
    request = urllib.request.Request(f"http://{registry}/v2/none/manifests/{digest}", method="DELETE")

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    refused.value.close()

    assert refused.value.code == 404
