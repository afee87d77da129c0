"""Checks run within their time, whatever they raise; nothing of theirs is left, however a run ends."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from samebox.check import runner, subject
from samebox.check.checks import LABEL, CannotCheck, Check, Claim, Context, Need, Options
from samebox.check.findings import Finding, Rule
from samebox.check.runner import Progress, Run, sweep_old
from samebox.containers.engine import INSTANCE_LABEL, ContainerSpec, EngineUnavailable
from samebox.containers.fake import FakeEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from samebox.containers.fake_process import Process

RULE = Rule("some-rule", "It holds", "contract §0", "fail", "static", "Mend it.")
IMAGE = "mine:1"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For what runs leave in the temporary folder: not to be seen by, or see, another process's runs."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    made = FakeEngine(tmp_path / "containers")
    made.add_image(IMAGE, {"sleep": sleep})
    return made


def sleep(process: Process) -> None:
    process.wait_until_killed()


def check(
    run: Callable[[Context], Finding | Iterable[Finding]],
    needs: Iterable[Need] = (),
    claims: Iterable[Claim] = (),
    seconds: float = 30,
) -> Check:
    return Check(RULE, run, frozenset(needs), frozenset(claims), seconds)


def passes(context: Context) -> Finding:
    return RULE.passed("fine")


def start(context: Context) -> str:
    assert context.engine is not None
    return context.engine.run(ContainerSpec(IMAGE, command=("sleep",), labels=context.labels))


def test_a_long_check_reports_its_current_step() -> None:
    def takes_long(context: Context) -> Finding:
        context.report("waiting for 3 s")
        return RULE.passed("fine")

    seen: list[Progress] = []
    with Run(None, Options()) as run:
        run.run([check(takes_long)], seen.append)

    assert [(one.doing, one.finding is None) for one in seen] == [("", True), ("waiting for 3 s", True), ("", False)]


def test_findings_come_as_they_are_found_and_take_their_time() -> None:
    seen: list[Progress] = []
    several = check(lambda _: [RULE.passed("one"), RULE.broken("two", line=7)])
    with Run(None, Options()) as run:
        findings = run.run([check(passes), several], seen.append)
    assert [(one.status, one.seen, one.line) for one in findings] == [
        ("pass", "fine", None),
        ("pass", "one", None),
        ("fail", "two", 7),
    ]
    assert [(one.number, one.of, one.finding is None) for one in seen] == [
        (1, 2, True),
        (1, 2, False),
        (2, 2, True),
        (2, 2, False),
        (2, 2, False),
    ]
    assert all(one.seconds >= 0 for one in findings)


def test_what_is_not_claimed_is_left_out() -> None:
    with Run(None, Options(claims=frozenset({"serve"}))) as run:
        assert len(run.run([check(passes, claims={"train"}), check(passes, claims={"serve", "transform"})])) == 1


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ("engine", "Docker is not there"),
        ("data", "--data"),
        ("model", "--model"),
        ("payloads", "--payload"),
        ("dockerfile", "--dockerfile"),
    ],
)
def test_a_need_that_is_not_met_is_the_reason_of_skipping(need: Need, words: str) -> None:
    with Run(None, Options(), why_no_engine="Docker is not there") as run:
        (found,) = run.one(check(passes, {need}))
    assert (found.status, words in found.seen) == ("skipped", True)


def test_an_archive_is_not_run(engine: FakeEngine, tmp_path: Path) -> None:
    with Run(engine, Options(), subject=subject.from_path(tmp_path / "image.tar")) as run:
        (found,) = run.one(check(passes, {"engine"}))
    assert (found.status, "docker load" in found.seen) == ("skipped", True)


def raising(error: Exception) -> Callable[[Context], Finding]:
    def run(_: Context) -> Finding:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (CannotCheck("the server never started"), "skipped", "the server never started"),
        (EngineUnavailable("Docker has gone"), "fail", "could not be checked: Docker has gone"),
        (OSError(28, "No space left on device"), "fail", "could not be checked: [Errno 28] No space left on device"),
        (ZeroDivisionError("a bug"), "fail", "could not be checked: ZeroDivisionError: a bug"),
    ],
)
def test_whatever_a_check_raises_is_a_finding(error: Exception, status: str, words: str) -> None:
    with Run(None, Options()) as run:
        (found,) = run.one(check(raising(error)))
    assert (found.status, found.seen, found.checked) == (status, words, status == "skipped")


def test_a_generator_that_breaks_down_is_a_finding_too() -> None:
    def run_some(_: Context) -> Iterable[Finding]:
        yield RULE.passed("one")
        raise ValueError("two")

    with Run(None, Options()) as run:
        (found,) = run.one(check(run_some))
    assert found.seen == "could not be checked: ValueError: two"


def test_a_check_that_hangs_is_given_up_and_its_containers_are_removed(engine: FakeEngine) -> None:
    freed = threading.Event()

    def hang(context: Context) -> Finding:
        container = start(context)
        assert context.engine is not None
        try:
            while context.engine.wait(container, 1) is None:
                pass
        finally:
            freed.set()
        return RULE.passed("never")

    with Run(engine, Options(), subject=subject.from_engine(engine, IMAGE, {})) as run:
        (found,) = run.one(check(hang, {"engine"}, seconds=0.2))
        assert (found.status, found.seen) == ("fail", "could not be checked: not done within 0.2 s")
        assert engine.find({}) == []
        assert freed.wait(30)


def test_an_engine_that_hangs_while_the_image_is_read_does_not_block(engine: FakeEngine) -> None:
    never = threading.Event()

    class Hanging(FakeEngine):
        def export(self, reference: str) -> BinaryIO:
            never.wait(60)
            return super().export(reference)

    hanging = Hanging(Path(tempfile.gettempdir()))
    hanging.add_image(IMAGE, {})
    examined = subject.from_engine(hanging, IMAGE, {}, seconds=-4.9)  # the runner adds five
    with Run(hanging, Options(), subject=examined) as run:
        (found,) = run.one(check(passes, {"files"}))
    never.set()
    assert (found.status, "cannot be read: not done within" in found.seen) == ("fail", True)


def test_an_engine_that_falls_silent_while_the_image_is_read_is_asked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.05)
    never = threading.Event()

    class Silent(FakeEngine):
        def export(self, reference: str) -> BinaryIO:
            self.unavailable = "Docker does not answer in time."
            never.wait(60)
            return super().export(reference)

    silent = Silent(Path(tempfile.gettempdir()))
    silent.add_image(IMAGE, {})
    with Run(silent, Options(), subject=subject.from_engine(silent, IMAGE, {})) as run:
        findings = run.run([check(passes, {"files"}), check(passes, {"files"})])
    never.set()
    assert {one.seen for one in findings} == {
        "could not be checked: the image cannot be read: Docker does not answer in time."
    }


def test_an_engine_that_hangs_in_the_middle_is_given_up_and_its_things_are_left_to_the_next_run(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.05)
    never = threading.Event()

    def hang(context: Context) -> Finding:
        start(context)
        engine.unavailable = "Docker does not answer in time."
        never.wait(60)
        return RULE.passed("never")

    checks = [check(hang, {"engine"}, seconds=600), check(passes, {"engine"}), check(passes)]
    with Run(engine, Options(), subject=subject.from_engine(engine, IMAGE, {})) as run:
        findings = run.run(checks)
    never.set()

    assert [(one.status, one.seen) for one in findings] == [
        ("fail", "could not be checked: Docker does not answer in time."),
        ("skipped", "the engine answers no more: Docker does not answer in time."),
        ("pass", "fine"),
    ]
    assert "the next `samebox check` removes" in caplog.text
    engine.unavailable = None
    assert sweep_old(engine) == 2  # a container and a folder
    assert engine.find({}) == []


def test_an_engine_that_hangs_at_the_end_does_not_block(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runner, "CLOSE_SECONDS", 0.05)
    hanging = threading.Event()

    def close(_: str) -> None:
        hanging.wait(60)

    def use(context: Context) -> Finding:
        return RULE.passed(context.shared.get("server", lambda: "server", close))

    with Run(engine, Options(), subject=subject.from_engine(engine, IMAGE, {})) as run:
        run.one(check(use, {"engine"}))
    assert "the next `samebox check` removes" in caplog.text
    hanging.set()


def make(events: list[str]) -> str:
    events.append("made")
    return "server"


def test_a_thing_is_made_once_for_all_checks_and_closed_at_the_end() -> None:
    events: list[str] = []

    def use(context: Context) -> Finding:
        made = context.shared.get("server", lambda: make(events), lambda _: events.append("closed"))
        return RULE.passed(made)

    with Run(None, Options()) as run:
        run.run([check(use), check(use)])
        assert events == ["made"]
    assert events == ["made", "closed"]


def test_a_thing_that_cannot_be_made_is_tried_once() -> None:
    tried: list[int] = []

    def fail() -> str:
        tried.append(1)
        raise CannotCheck("it never became ready")

    with Run(None, Options()) as run:
        findings = run.run([check(lambda context: RULE.passed(context.shared.get("server", fail)))] * 2)
    assert [one.status for one in findings] == ["skipped", "skipped"]
    assert len(tried) == 1


# What is left


def test_nothing_is_left_when_a_run_ends_in_whatever_way(engine: FakeEngine) -> None:
    engine.create_network("mine", {})

    def interrupted() -> None:
        with Run(engine, Options(), subject=subject.from_engine(engine, IMAGE, {})) as run:
            start(run.context)
            engine.create_network("run's", run.context.labels)
            assert run.context.scratch is not None
            (run.context.scratch / "data").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert engine.find({}) == []
    assert [network.name for network in engine.networks({})] == ["mine"]
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


def test_what_a_killed_run_has_left_is_swept_by_the_next(engine: FakeEngine) -> None:
    others = engine.run(ContainerSpec(IMAGE, command=("sleep",), labels={INSTANCE_LABEL: "x"}))
    killed = Run(engine, Options(), subject=subject.from_engine(engine, IMAGE, {}))
    start(killed.context)
    killed._lock.close()  # as the end of its process does
    living = Run(engine, Options(), subject=subject.from_engine(engine, IMAGE, {}))
    kept = start(living.context)
    assert sweep_old(engine) == 2  # a container and a folder
    assert {one.id for one in engine.find({})} == {others, kept}
    living.close()


def test_a_living_run_with_another_temporary_folder_is_let_be(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = Run(engine, Options(), subject=subject.from_engine(engine, IMAGE, {}))
    kept = start(living.context)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert sweep_old(engine) == 0
    assert {one.id for one in engine.find({})} == {kept}
    living.close()


def test_what_another_machine_has_left_is_swept_when_it_is_old(engine: FakeEngine) -> None:
    engine.run(ContainerSpec(IMAGE, command=("sleep",), labels={LABEL: "1000@elsewhere@samebox-check-x"}))
    assert sweep_old(engine, now=2000) == 0
    assert sweep_old(engine, now=1000 + 7 * 3600) == 1
