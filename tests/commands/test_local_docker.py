"""What only the docker program does: names in the local engine."""

import subprocess

import pytest

from samebox.commands import local_docker
from tests.tiny_image import import_tiny

pytestmark = pytest.mark.docker


def test_names_of_a_registry_that_is_gone_are_forgotten_and_no_others() -> None:
    tiny_image = import_tiny("plain")
    mine = ("localhost:1/a:1", "localhost:1/team/b:2")
    others = ("localhost:11/a:1", "samebox-test/other:1")
    for name in (*mine, *others):
        subprocess.run(["docker", "tag", tiny_image, name], check=True, timeout=60)
    try:
        local_docker.forget("localhost:1")
        local_docker.forget("localhost:1")
        assert [name for name in (*mine, *others, tiny_image) if local_docker.image(name)] == [*others, tiny_image]
    finally:
        subprocess.run(["docker", "rmi", *others], check=True, timeout=60, capture_output=True)
