"""What an answer of Docker that is an error means."""

import json

import pytest

from samebox.containers import docker_http
from samebox.containers.engine import ContainerMissing


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "No such container: e5622ff51907"),
        (409, "can not get logs from container which is dead or marked for removal"),
        (500, "RWLayer of container e5622ff51907 is unexpectedly nil"),
    ],
)
def test_a_container_that_is_being_removed_is_missing(status: int, message: str) -> None:
    refusal = docker_http.refusal(status, json.dumps({"message": message}), "/containers/e5622ff51907/archive")
    assert type(refusal) is ContainerMissing
    assert str(refusal) == message
