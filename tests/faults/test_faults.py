"""The faults of an emulator: what they change, how often, and until when."""

import asyncio

import pytest

from samebox.asgi import Message, Receive, Scope, Send
from samebox.faults.api import FaultyS3
from samebox.faults.faults import FaultTable, OwnFaults
from samebox.faults.kinds import TAG, Point

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/digits"


def job(faults: FaultTable, name: str = "digits", **tags: str) -> OwnFaults:
    return faults.of(f"{ARN}-{name}", name, "job", {key.replace("_", ":"): text for key, text in tags.items()})


def struck(faults: FaultTable, operation: str) -> bool:
    return faults.take(Point.API, operation=operation) is not None


def test_a_throttled_operation_is_struck_so_often_and_no_other_is() -> None:
    faults = FaultTable()
    faults.set("throttled operation=CreateModel times=2")
    assert not struck(faults, "ListModels")
    assert [struck(faults, "CreateModel") for _ in range(3)] == [True, True, False]
    assert faults.list() == ["throttled operation=CreateModel times=2 (struck 2 times)"]


def test_without_a_number_it_strikes_until_it_is_cleared() -> None:
    faults = FaultTable()
    faults.set("throttled")
    assert all(struck(faults, "ListModels") for _ in range(5))
    assert faults.clear() == 1
    assert not struck(faults, "ListModels")
    assert faults.list() == []


def test_a_job_asks_for_faults_by_its_tags_and_has_each_once() -> None:
    faults = FaultTable()
    own = job(faults, samebox_fault="capacity", samebox_fault_2="hang")
    assert [own.take(point) is not None for point in (Point.CAPACITY, Point.CAPACITY, Point.RUNNING, Point.PULL)] == [
        True, False, True, False,
    ]  # fmt: skip
    assert job(faults, "other").take(Point.CAPACITY) is None


def test_a_fault_that_was_set_for_one_job_strikes_that_one_alone() -> None:
    faults = FaultTable()
    faults.set("image-pull job=digits")
    assert job(faults, "other").take(Point.PULL) is None
    assert job(faults).take(Point.PULL) is not None


def test_a_fault_that_was_set_for_all_strikes_each_job_once() -> None:
    faults = FaultTable()
    faults.set("capacity")
    for name in ("a", "b"):
        assert [job(faults, name).take(Point.CAPACITY) is not None for _ in range(2)] == [True, False]


def test_errors_of_s3_that_were_set_for_clients_do_not_strike_jobs() -> None:
    faults = FaultTable()
    faults.set("s3-error")
    assert job(faults).take(Point.DOWNLOAD) is None
    assert faults.take(Point.S3, bucket="b") is not None


@pytest.mark.parametrize(
    ("text", "seconds"), [("slow-ping times=2", [3.0, 3.0, 0.0]), ("slow-ping seconds=1", [1.0] * 3)]
)
def test_pings_are_late_so_often_or_always(text: str, seconds: list[float]) -> None:
    own = FaultTable().of(ARN, "digits", "endpoint", {TAG: text})
    assert [own.late() for _ in range(3)] == seconds


def test_a_delay_of_s3_is_over_when_its_fault_is_cleared() -> None:
    faults, seen = FaultTable(), list[str]()

    async def s3(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        seen.append(message["type"])

    async def delayed() -> None:
        faults.set("s3-slow seconds=3600")
        request = asyncio.create_task(FaultyS3(s3, faults, lambda _: "bucket")({"path": "/bucket"}, receive, send))
        while "(struck 1 times)" not in faults.list()[0]:
            await asyncio.sleep(0)
        assert not seen
        faults.clear()
        await asyncio.wait_for(request, 60)

    asyncio.run(delayed())
    assert seen == ["/bucket"]
