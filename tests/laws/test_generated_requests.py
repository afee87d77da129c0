"""Requests that are made up from the models' shapes are answered as they must be; the nightly run sends 2,000."""

from collections.abc import Iterator

import pytest

from tests.laws.generated_requests import GeneratedRequest, Generator, ask, fault
from tests.laws.whole_emulator import Answered, Whole, whole_emulator

SEED, COUNT = 20221201, 300


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole_emulator(tmp_path_factory.mktemp("generated")) as one:
        yield one


def test_generated_requests_are_answered_as_they_must_be(whole: Whole) -> None:
    assert ask(whole, Generator(SEED).requests(COUNT)) == {}
    assert whole.new_faults() == []


def test_a_seed_makes_the_same_requests_again() -> None:
    first, second = ([str(one) for one in Generator(SEED).requests(20)] for _ in range(2))
    assert first == second
    assert first != [str(one) for one in Generator(SEED + 1).requests(20)]


def test_requests_are_valid_and_broken_and_of_many_operations() -> None:
    requests = list(Generator(SEED).requests(COUNT))
    assert sum(bool(one.broken) for one in requests) == COUNT / 2
    assert len({one.operation.name for one in requests}) > COUNT / 4


def test_an_answer_that_is_wrong_is_found() -> None:
    valid, broken = (
        next(one for one in Generator(SEED).requests(9) if bool(one.broken) is wish) for wish in (False, True)
    )

    def answered(status: int, error: str, message: str) -> Answered:
        return Answered(status, error, message, {"ResponseMetadata": {"RequestId": "1"}}, b"")

    def constraint(request: GeneratedRequest) -> str:
        return f"1 validation error detected: Value null at '{request.broken}' failed to satisfy constraint: x"

    assert fault(valid, answered(200, "", "")) == ""
    assert "a valid request breaks a constraint" in fault(
        valid, answered(400, "ValidationException", constraint(broken))
    )
    assert fault(valid, answered(500, "InternalFailure", "x")) != ""
    assert f"{broken.broken} is broken, and the answer is 200" in fault(broken, answered(200, "", ""))
