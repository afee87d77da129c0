"""Endpoints on real containers: served, updated, refused, gone."""

import io
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.scenarios.emulator_process import WAIT_SECONDS, EmulatorProcess, until

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def endpoints_go_with_their_story(emulator: EmulatorProcess) -> Iterator[None]:
    """Twenty servers that are not used any more would still be pinged, and slow down the tests after this one."""
    yield
    for endpoint in emulator.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]:
        if endpoint["EndpointStatus"] == "Deleting":
            continue  # by the story before, or by this one
        emulator.endpoint_at(endpoint["EndpointName"], {"InService", "Failed"})
        emulator.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


ECHO = "def invoke(body, headers): return 200, body.upper()"


def invoke(emulator: EmulatorProcess, name: str, body: bytes = b"abc", **given: Any) -> dict[str, Any]:
    return dict(emulator.runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType="text/csv", **given))


def of(emulator: EmulatorProcess, endpoint: dict[str, Any]) -> list[str]:
    """The endpoint's containers."""
    return emulator.containers(f"label=samebox.arn={endpoint['EndpointArn']}")


def refused(emulator: EmulatorProcess, name: str, **given: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        invoke(emulator, name, **given)
    answer: dict[str, Any] = caught.value.response  # type: ignore[assignment]
    return answer


def upload_model(emulator: EmulatorProcess, key: str, *members: tuple[tarfile.TarInfo, bytes]) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    emulator.s3.put_object(Bucket="samebox-test", Key=key, Body=packed.getvalue())
    return f"s3://samebox-test/{key}"


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_an_endpoint_serves_its_model_until_it_is_deleted(emulator: EmulatorProcess, box: str) -> None:
    model = upload_model(emulator, "models/good.tar.gz", (member("weights/one"), b"seven"))
    script = 'def invoke(body, headers): return 200, Path("/opt/ml/model/weights/one").read_bytes() + body'
    endpoint = emulator.serve("good", box, script, ModelDataUrl=model)
    image = endpoint["ProductionVariants"][0]["DeployedImages"][0]
    assert image["SpecifiedImage"] == box
    assert "@sha256:" in image["ResolvedImage"]
    answer = invoke(emulator, "good", CustomAttributes="trace=1")
    assert answer["Body"].read() == b"sevenabc"
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/csv", "AllTraffic")
    emulator.sagemaker.delete_endpoint(EndpointName="good")
    emulator.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="good", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    assert of(emulator, endpoint) == []
    assert refused(emulator, "good")["Error"]["Message"] == "Endpoint good of account 123456789012 not found."


def test_the_model_folder_is_read_only(emulator: EmulatorProcess, box: str) -> None:
    model = upload_model(emulator, "models/ro.tar.gz", (member("one"), b"1"))
    script = """
def invoke(body, headers):
    try: Path("/opt/ml/model/two").write_text("2")
    except OSError as error: return 200, error.strerror.encode()
    return 200, b"written"
"""
    emulator.serve("read-only", box, script, ModelDataUrl=model)
    assert invoke(emulator, "read-only")["Body"].read() == b"Read-only file system"


def test_errors_of_the_container_are_model_errors(emulator: EmulatorProcess, box: str) -> None:
    emulator.serve("unhappy", box, "def invoke(body, headers): return int(body), b'no such row'")
    answer = refused(emulator, "unhappy", body=b"400")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert (answer["Error"]["Code"], answer["OriginalStatusCode"]) == ("ModelError", 400)
    assert answer["OriginalMessage"] == "no such row"
    assert refused(emulator, "unhappy", body=b"500")["OriginalStatusCode"] == 500


def test_an_invocation_that_takes_too_long_is_given_up(emulator: EmulatorProcess, box: str) -> None:
    emulator.serve("slow", box, "def invoke(body, headers):\n time.sleep(float(body))\n return 200, b'done'")
    answer = refused(emulator, "slow", body=b"8")
    assert (answer["Error"]["Code"], answer["OriginalStatusCode"]) == ("ModelError", 0)
    assert (
        "Your invocation timed out while waiting for a response from container primary." in answer["Error"]["Message"]
    )
    assert invoke(emulator, "slow", body=b"0")["Body"].read() == b"done", "the container goes on"


def test_a_body_over_the_limit_is_refused(emulator: EmulatorProcess, box: str) -> None:
    emulator.serve("limited", box, ECHO)
    answer = refused(emulator, "limited", body=b"x" * 100_001)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert len(invoke(emulator, "limited", body=b"x" * 100_000)["Body"].read()) == 100_000


def test_a_ping_that_does_not_pass_fails_the_endpoint(emulator: EmulatorProcess, box: str) -> None:
    pings = {
        "ping-never": "def ping(): time.sleep(60)",
        "ping-error": "def ping(): return 500",
        "ping-late": "def ping():\n time.sleep(3)\n return 200",
    }
    for name, ping in pings.items():  # beside one another, because each takes the whole start window
        emulator.serve(name, box, ping, wait="Creating")
    for name in pings:
        endpoint = emulator.endpoint_at(name, {"Failed"})
        assert endpoint["FailureReason"] == (
            "The primary container for production variant AllTraffic did not pass the ping health check. "
            "Please check CloudWatch logs for this endpoint."
        )
        until(lambda: not of(emulator, endpoint), WAIT_SECONDS, "its container is gone")  # noqa: B023 - asked at once


def test_an_endpoint_is_not_served_while_it_is_created(emulator: EmulatorProcess, box: str) -> None:
    emulator.serve("creating", box, "time.sleep(2)", wait="Creating")
    assert refused(emulator, "creating")["Error"]["Code"] == "ValidationError"
    emulator.endpoint_at("creating", {"InService"})
    assert invoke(emulator, "creating")["Body"].read() == b"abc"


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([(member("../x"), b"1")], id="climbs"),
        pytest.param([(member("link", tarfile.SYMTYPE, "/etc/passwd"), b"")], id="symlink"),
        pytest.param([(member("null", tarfile.CHRTYPE), b"")], id="device"),
        pytest.param([], id="not-a-tar"),
    ],
)
def test_a_bad_archive_fails_the_endpoint(
    emulator: EmulatorProcess, box: str, members: list[tuple[tarfile.TarInfo, bytes]], request: pytest.FixtureRequest
) -> None:
    name = f"archive-{request.node.callspec.id}"
    uri = upload_model(emulator, f"models/{name}.tar.gz", *members)
    if not members:
        emulator.s3.put_object(Bucket="samebox-test", Key=f"models/{name}.tar.gz", Body=b"not a tar at all")
    endpoint = emulator.serve(name, box, ECHO, wait="Failed", ModelDataUrl=uri)
    assert uri in endpoint["FailureReason"]


def test_an_update_changes_the_model_without_a_lost_request(emulator: EmulatorProcess, box: str) -> None:
    emulator.serve("updated", box, "def invoke(body, headers): return 200, b'old'")
    emulator.model("newer", box, "def invoke(body, headers): return 200, b'new'")
    emulator.configure("newer", "newer")
    emulator.sagemaker.update_endpoint(EndpointName="updated", EndpointConfigName="newer")
    with ThreadPoolExecutor(4) as pool:

        def ask(_: int) -> bytes:
            body: bytes = invoke(emulator, "updated")["Body"].read()
            return body

        seen: list[bytes] = []

        def look() -> bool:
            seen.extend(pool.map(ask, range(20)))
            return seen[-1] == b"new"

        until(look, WAIT_SECONDS, "the new model serves")
    assert set(seen) == {b"old", b"new"}
    assert emulator.endpoint_at("updated", {"InService"})["EndpointConfigName"] == "newer"


def test_a_failed_update_keeps_the_old_model(emulator: EmulatorProcess, box: str) -> None:
    emulator.serve("kept", box, "def invoke(body, headers): return 200, b'old'")
    emulator.model("bad", box, "sys.exit(3)")
    emulator.configure("bad", "bad")
    emulator.sagemaker.update_endpoint(EndpointName="kept", EndpointConfigName="bad")
    endpoint = emulator.endpoint_at("kept", {"InService"})
    assert "ping health check" in endpoint["FailureReason"]
    assert endpoint["EndpointConfigName"] == "kept"
    assert invoke(emulator, "kept")["Body"].read() == b"old"


def test_two_variants_share_the_traffic(emulator: EmulatorProcess, box: str) -> None:
    for letter in "ab":
        emulator.model(f"share-{letter}", box, f"def invoke(body, headers): return 200, b'{letter}'")
    emulator.configure("shared", "share-a", "share-b")
    emulator.sagemaker.create_endpoint(EndpointName="shared", EndpointConfigName="shared")
    emulator.endpoint_at("shared", {"InService"})
    assert {invoke(emulator, "shared")["Body"].read() for _ in range(60)} == {b"a", b"b"}
    assert invoke(emulator, "shared", TargetVariant="v1")["Body"].read() == b"b"


def test_a_container_that_dies_is_replaced(emulator: EmulatorProcess, box: str) -> None:
    endpoint = emulator.serve(
        "mortal", box, "def invoke(body, headers):\n if body == b'die': os._exit(1)\n return 200, body"
    )
    assert refused(emulator, "mortal", body=b"die")["Error"]["Code"] == "ModelError"

    def again() -> bool:
        try:
            return bool(invoke(emulator, "mortal", body=b"alive")["Body"].read() == b"alive")
        except ClientError:
            return False

    until(again, WAIT_SECONDS, "the container was replaced")
    assert len(of(emulator, endpoint)) == 1
