"""Endpoints that cannot be created: the FailureReason is AWS's, and the log says more."""

import io
import tarfile
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from samebox.containers.engine import Capacity
from samebox.containers.fake_process import FakeRequest, FakeResponse
from samebox.resources.deployment import ServedContainer, StandIn, Variant
from samebox.settings import Settings
from tests.jobs.endpoint_samples import PING_FAILED, SETTINGS, archive, logs, server, variant, wanted

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness


@pytest.fixture
def settings() -> Settings:
    return SETTINGS


def fails(harness: "Harness", one: Variant) -> str:
    """The FailureReason of an endpoint that cannot be."""
    harness.start()
    row = harness.wait_for_status(harness.create_endpoint(wanted(one)), "Failed")
    harness.poll_until(lambda: harness.container_names() == [])
    return str(row.state["FailureReason"])


def test_a_ping_that_is_never_answered_fails_the_endpoint_and_the_log_has_the_reason(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": lambda process: process.wait_for_stop()})
    assert fails(harness, variant(startup_seconds=0.2)) == PING_FAILED
    ((line,),) = logs(harness).values()
    assert line.startswith("samebox: the container did not pass the ping health check within 0.2 s: GET /ping was not")


def test_a_ping_that_answers_500_fails_the_endpoint_and_the_log_has_the_reason(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": lambda process: process.serve(lambda _: FakeResponse(500))})
    harness.settings = replace(harness.settings, ping_seconds=60)  # a slow machine is not a slow answer
    assert fails(harness, variant(startup_seconds=0.2)) == PING_FAILED
    assert "GET /ping answered 500, not 200" in next(iter(logs(harness).values()))[-1]


def test_a_ping_that_is_too_slow_fails_the_endpoint_and_the_log_has_the_reason(harness: "Harness") -> None:
    over = threading.Event()

    def slow(_: FakeRequest) -> FakeResponse:
        over.wait(60)
        return FakeResponse()

    harness.engine.add_image("serve:1", {"serve": lambda process: process.serve(slow)})
    reason = fails(harness, variant(startup_seconds=0.2))
    over.set()
    assert reason == PING_FAILED
    assert "took more than 0.5 seconds" in next(iter(logs(harness).values()))[-1]


def test_what_ping_answers_is_in_the_log_at_once_and_not_only_when_the_window_is_over(harness: "Harness") -> None:
    def serve(process: "Process") -> int:
        answer = FakeResponse(503, b'{"error": "the model could not be loaded: RuntimeError: x"}')
        return process.serve(lambda _: answer)

    harness.engine.add_image("serve:1", {"serve": serve})
    harness.start()
    row = harness.create_endpoint(wanted(variant(startup_seconds=3600)))
    said = "samebox: GET /ping answered 503, not 200: the model could not be loaded: RuntimeError: x"
    harness.poll_until(harness.container_names)
    harness.poll_until(lambda: list(logs(harness).values()) == [[said]])
    assert harness.reload(row).status == "Creating"


def test_a_server_that_crashes_is_started_again_until_its_window_is_over(harness: "Harness") -> None:
    def crash(process: "Process") -> int:
        process.print("crash")
        return 3

    harness.engine.add_image("serve:1", {"serve": crash})
    assert fails(harness, variant(startup_seconds=1.3)) == PING_FAILED
    (lines,) = logs(harness).values()
    again = "samebox: the container exited with code 3 before it answered /ping with 200; it is started again"
    assert lines[:3] == ["crash", again, "crash"]


def test_a_server_that_crashes_once_comes_into_service_all_the_same(harness: "Harness") -> None:
    starts = []

    def once(process: "Process") -> int:
        starts.append(1)
        return 1 if len(starts) == 1 else process.serve(lambda _: FakeResponse())

    harness.engine.add_image("serve:1", {"serve": once})
    harness.start()
    harness.wait_for_status(harness.create_endpoint(wanted(variant())), "InService")
    assert len(starts) == 2


def test_an_image_without_serve_on_its_path_fails_with_the_message_of_aws(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"train": server("one")})
    assert fails(harness, variant()) == (
        "CannotStartContainerError. Please ensure the model container for variant AllTraffic starts correctly when "
        "invoked with 'docker run <image> serve'"
    )
    assert logs(harness)[next(iter(logs(harness)))] == ['exec: "serve": executable file not found in $PATH']


def test_a_missing_image_fails_with_the_message_of_aws(harness: "Harness") -> None:
    assert fails(harness, variant()) == (
        "Please make sure all images included in the model for the production variant AllTraffic exist, and that the "
        "execution role used to create the model has permissions to access them."
    )


def test_a_stand_in_that_is_not_built_fails_with_the_command_that_builds_it(harness: "Harness") -> None:
    given = "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:2.11.1-cpu"
    stand_in = StandIn(given, "serve:1", "docker buildx bake serve-cpu")
    container = ServedContainer(given, "serve:1", stand_in=stand_in)
    assert fails(harness, replace(variant(), containers=(container,))) == (
        f"{given} is owned by AWS, and serve:1, which stands in for it, is not on this machine. Make it, in a clone of "
        "samebox: docker buildx bake serve-cpu"
    )
    assert logs(harness)[next(iter(logs(harness)))][0] == (f"samebox: serve:1 stands in for {given}, which AWS owns")


def test_a_missing_model_fails_with_the_message_of_aws(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    url = f"s3://{harness.bucket}/models/none.tar.gz"
    assert fails(harness, variant(url=url)) == (
        f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure that there is an '
        "object located at the URL and that the role passed to CreateModel has permissions to download the object."
    )


def outside() -> bytes:
    return archive(**{"../x": b"x"})


def symlink() -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w:gz") as tar:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    return spool.getvalue()


def device() -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w:gz") as tar:
        member = tarfile.TarInfo("null")
        member.type = tarfile.CHRTYPE
        tar.addfile(member)
    return spool.getvalue()


@pytest.mark.parametrize("body", [b"no tar at all", outside(), symlink(), device()], ids=["tar", "x", "link", "device"])
def test_a_model_archive_that_may_not_be_unpacked_fails_and_leaves_nothing(harness: "Harness", body: bytes) -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    url = harness.put_object("models/model.tar.gz", body)
    reason = fails(harness, variant(url=url))
    assert reason.startswith(f'Failed to extract model data archive for container "container_1" from URL: "{url}".')
    harness.poll_until(lambda: not list((harness.data_dir / "models").iterdir()))


def test_a_gpu_instance_on_a_host_without_a_gpu_fails_and_names_the_way_out(harness: "Harness") -> None:
    harness.engine.add_image("serve:1", {"serve": server("one")})
    reason = fails(harness, variant(instance_type="ml.g4dn.xlarge"))
    assert reason.startswith("Unable to provision requested ML compute capacity. ml.g4dn.xlarge has 1 x NVIDIA T4")


def test_the_instances_of_an_endpoint_share_the_memory_of_the_host(harness: "Harness") -> None:
    harness.engine.set_capacity(Capacity(cpus=8, memory_bytes=12 << 30))
    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.start()
    harness.wait_for_status(harness.create_endpoint(wanted(variant(count=3))), "InService")
    given = [harness.engine.spec_of(name).memory_bytes for name in harness.container_names()]
    assert given == [4 << 30] * 3


def test_instances_that_the_host_cannot_stand_for_together_are_a_lack_of_capacity(harness: "Harness") -> None:
    harness.engine.set_capacity(Capacity(cpus=8, memory_bytes=1 << 30))
    harness.engine.add_image("serve:1", {"serve": server("one")})
    assert fails(harness, variant(count=9)) == (
        "Unable to provision requested ML compute capacity. 9 instances of ml.m5.large do not fit on this machine."
    )


@pytest.mark.parametrize("settings", [replace(SETTINGS, overcommit=True)], ids=["overcommit"])
def test_each_instance_has_the_memory_of_its_type_where_more_may_be_promised(harness: "Harness") -> None:
    harness.engine.set_capacity(Capacity(cpus=8, memory_bytes=12 << 30))
    harness.engine.add_image("serve:1", {"serve": server("one")})
    harness.start()
    harness.wait_for_status(harness.create_endpoint(wanted(variant(count=3))), "InService")
    assert harness.engine.spec_of(harness.container_names()[0]).memory_bytes == 8 << 30
