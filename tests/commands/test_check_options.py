"""Arguments of `samebox check`, validated: chosen checks, sizes, and names that are paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.check.checks import Check
from samebox.check.findings import Rule
from samebox.commands import check_options
from samebox.commands.examination import looks_like_path
from samebox.commands.outcome import Stop

if TYPE_CHECKING:
    from pathlib import Path


def some(*ids: str) -> list[Check]:
    return [Check(Rule(one, "", "", "fail", "static", ""), lambda _: ()) for one in ids]


@pytest.mark.parametrize(
    ("only", "skip", "left"),
    [
        ([], [], ["serve-a", "serve-b", "train-a"]),
        (["serve-*"], [], ["serve-a", "serve-b"]),
        (["serve-a,train-a"], [], ["serve-a", "train-a"]),
        (["serve-*"], ["serve-b"], ["serve-a"]),
        ([], ["*-a"], ["serve-b"]),
    ],
)
def test_checks_are_chosen_by_ids_and_patterns(only: list[str], skip: list[str], left: list[str]) -> None:
    checks = some("serve-a", "serve-b", "train-a")
    assert [one.rule.id for one in check_options.chosen(checks, only, skip)] == left


def test_what_is_not_checked_any_more_may_be_left_out_and_not_asked_for() -> None:
    checks = some("serve-a")
    assert check_options.chosen(checks, [], ["serve-pipelining"]) == tuple(checks)
    with pytest.raises(Stop):
        check_options.chosen(checks, ["serve-pipelining"], [])


@pytest.mark.parametrize(
    ("size", "number"), [("10", 10), ("2.5GB", 2_500_000_000), ("1 KiB", 1024), ("900mib", 900 << 20)]
)
def test_a_size_is_read_as_people_write_it(size: str, number: int) -> None:
    assert check_options.bytes_of(size) == number


def test_a_size_that_is_none_stops() -> None:
    with pytest.raises(Stop):
        check_options.bytes_of("10 apples")


def test_a_path_is_distinguished_from_an_images_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "image.tar").touch()
    assert [looks_like_path(one) for one in ("image.tar", "./x", "gone.tar.gz", "~/x")] == [True] * 4
    assert [looks_like_path(one) for one in ("mine", "mine:1", "localhost:4566/mine:1")] == [False] * 3


def test_options_of_training_imply_its_claim() -> None:
    asked = check_options.CheckArguments(claims=frozenset({"pipe"}), record_io=True, instance_type="ml.c5.xlarge")
    options = check_options.validated(asked).options
    assert options.claims == {"pipe", "train"}
    assert (options.record_io, options.instance_type, options.memory_bytes) == (True, "ml.c5.xlarge", 8 << 30)


def test_a_root_that_is_only_read_claims_no_kind_of_job() -> None:
    assert check_options.validated(
        check_options.CheckArguments(claims=frozenset({"read-only-root"}))
    ).options.claims == {"read-only-root"}


def test_a_processing_job_is_described_as_its_request_would() -> None:
    asked = check_options.CheckArguments(
        claims=frozenset({"processing"}),
        entrypoint=["python3"],
        arguments=["run.py", "--all"],
        outputs=["/opt/ml/processing/made/"],
    )
    options = check_options.validated(asked).options
    assert (options.entrypoint, options.arguments) == (("python3",), ("run.py", "--all"))
    assert options.outputs == ("/opt/ml/processing/made",)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (check_options.CheckArguments(record_io=True), "--record-io needs --pipe"),
        (check_options.CheckArguments(instance_type="ml.zz.large"), "Unknown instance type: ml.zz.large"),
        (check_options.CheckArguments(arguments=["x"]), "--argument needs --processing"),
        (
            check_options.CheckArguments(claims=frozenset({"processing"}), outputs=["/tmp/x"]),
            "expected a path below /opt/ml/processing/",
        ),
    ],
)
def test_what_does_not_go_together_stops(asked: check_options.CheckArguments, words: str) -> None:
    with pytest.raises(Stop) as stopped:
        check_options.validated(asked)
    assert words in str(stopped.value)
    assert stopped.value.status == 2
