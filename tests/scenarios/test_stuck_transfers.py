"""An upload to S3 and a push that stop in the middle of their bodies: nothing else waits for them."""

import base64
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess

pytestmark = pytest.mark.docker

SIZE = 32 * 1024 * 1024  # more than sockets and the emulator hold of a body that is not read
HALF = b"\0" * (SIZE // 2)


@contextmanager
def stuck(
    emulator: EmulatorProcess, method: str, url: str, headers: dict[str, str]
) -> Iterator[http.client.HTTPConnection]:
    """A request that has sent half of its body, and for now no more."""
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=WAIT_SECONDS)
    try:
        place = urlsplit(url)
        connection.putrequest(method, f"{place.path}?{place.query}" if place.query else place.path)
        for name, value in {**headers, "Content-Length": str(SIZE)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(HALF)
        yield connection
    finally:
        connection.close()


def push_begun(emulator: EmulatorProcess, repository: str) -> tuple[str, dict[str, str]]:
    """Where a layer of a push goes, and the headers that it needs."""
    token = emulator.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:")
    headers = {"Authorization": f"Basic {token}"}
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=WAIT_SECONDS)
    connection.request("POST", f"/v2/{repository}/blobs/uploads/", headers={**headers, "Content-Length": "0"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 202
    return answer.headers["Location"], {**headers, "Content-Type": "application/octet-stream"}


def test_invocations_and_puts_wait_for_no_transfer_that_is_stuck(emulator: EmulatorProcess, box: str) -> None:
    emulator.serve("beside", box, "def invoke(body, headers): return 200, body.upper()")
    where = emulator.s3.generate_presigned_url("put_object", {"Bucket": "samebox-test", "Key": "stuck"})
    location, headers = push_begun(emulator, "box")
    with stuck(emulator, "PUT", where, {}) as upload, stuck(emulator, "PATCH", location, headers) as push:
        answer = emulator.runtime.invoke_endpoint(EndpointName="beside", Body=b"abc", ContentType="text/csv")
        assert answer["Body"].read() == b"ABC"
        emulator.s3.put_object(Bucket="samebox-test", Key="beside", Body=b"1")
        assert emulator.ecr.describe_repositories(repositoryNames=["box"])["repositories"]
        for connection, status in ((upload, 200), (push, 202)):
            connection.send(HALF)
            assert connection.getresponse().status == status
    assert emulator.s3.head_object(Bucket="samebox-test", Key="stuck")["ContentLength"] == SIZE
    emulator.sagemaker.delete_endpoint(EndpointName="beside")
