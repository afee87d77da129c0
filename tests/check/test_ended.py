"""How a host's end is reported: its exit code, the middle of its log, and whether a stopped one noticed SIGTERM."""

from __future__ import annotations

import pytest

from samebox.check.ended import NO_NETWORK, HostOutput, HostResult, LeftFile, words_about
from samebox.check.findings import Quote, Rule
from samebox.containers.engine import LogLine
from samebox.platform.activity import Idle, LiveProcess

GIB = 1 << 30


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (HostResult(3, 1.0), "exit code 3"),
        (HostResult(None, 1.0), "not done"),
        (
            HostResult(137, 1.0, oom_killed=True, memory_bytes=GIB),
            "exit code 137 (killed for its memory at the limit of 1.0 GiB)",
        ),
        (HostResult(1, 1.0, oom_killed=True), "exit code 1 (a process of it killed for its memory)"),
        (
            HostResult(137, 1.0, memory_bytes=4 * GIB, peak_bytes=GIB),
            "exit code 137 (SIGKILL, and not for its memory: it held 1.0 GiB of 4.0 GiB)",
        ),
        (HostResult(137, 1.0), "exit code 137 (SIGKILL, and not for its memory)"),
    ],
)
def test_an_exit_code_is_reported_with_its_meaning(ended: HostResult, words: str) -> None:
    assert ended.how == words


def ended(*lines: str) -> HostResult:
    log = tuple(LogLine(int((100 + number) * 1e9), "stdout", text) for number, text in enumerate(lines))
    return HostResult(0, float(len(lines)), started_at=100.0, log=log)


PLAIN = ended("begun", "epoch 1: loss 0.9", "epoch 2: loss 0.5", "epoch 3: loss 0.4", "saved", "done")


def test_a_job_that_logs_all_its_usual_lines_went_on() -> None:
    same = ("begun", "epoch 1: loss 0.8", "epoch 2: loss 0.6", "epoch 3: loss 0.4", "saved", "done")

    assert ended(*same).went_on_as(PLAIN)
    assert ended(*same, "ignored a signal").went_on_as(PLAIN)


def test_a_job_that_skips_an_epoch_and_logs_why_did_not_go_on() -> None:
    heard = ("begun", "epoch 1: loss 0.9", "epoch 2: loss 0.5", "SIGTERM: no more epochs", "saved", "done")

    assert not ended(*heard).went_on_as(PLAIN)


def line(second: float) -> LogLine:
    return LogLine(int(second * 1e9), "stdout", f"at {second}")


def test_the_middle_of_a_training_is_found_by_its_lines() -> None:
    ended = HostResult(0, 10.0, started_at=100.0, log=tuple(line(100 + second) for second in range(10)))

    assert ended.middle_line == 6


@pytest.mark.parametrize("seconds", [(0, 1, 2, 3), (9, 9.1, 9.2, 9.3), (1, 9)])
def test_lines_that_are_all_at_one_end_give_no_middle(seconds: tuple[float, ...]) -> None:
    ended = HostResult(0, 10.0, started_at=100.0, log=tuple(line(100 + second) for second in seconds))

    assert ended.middle_line == 0


def test_how_a_job_ended_is_reported_with_its_last_lines() -> None:
    assert HostResult(3, 1.25, log=(line(1), LogLine(2, "stderr", "  "))).outcome == "exit code 3 after 1.2 s: at 1"
    assert HostResult(None, 60.0).outcome == "not done after 60.0 s, without a word"


TRACEBACK = ("Traceback (most recent call last):", '  File "a.py", line 1, in <module>', "ValueError: 64 were expected")


def host_result(*lines: str, message: str = "") -> HostResult:
    left = HostOutput(message=message.encode() if message else None)
    return HostResult(
        1, 9.3, log=tuple(LogLine(number, "stderr", text) for number, text in enumerate(lines)), left=left
    )


def test_an_exception_above_the_last_lines_is_the_reason_and_is_quoted_whole() -> None:
    ended = host_result("begun", *TRACEBACK, "[train] training ended with exit code 1")

    assert ended.outcome == "exit code 1 after 9.3 s: ValueError: 64 were expected"
    assert ended.quotes == (Quote("its log", "\n".join(TRACEBACK)),)


def test_a_failure_file_is_quoted_whole_and_the_log_where_it_has_more() -> None:
    toolkit = 'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "{}"\nCommand "python a.py"'
    whole = toolkit.format("\n".join(TRACEBACK))

    assert host_result("begun", *TRACEBACK, message=whole).quotes == (Quote("/opt/ml/output/failure", whole),)
    assert host_result("begun", *TRACEBACK, message=whole).reason == "ValueError: 64 were expected"
    assert host_result("begun", message=toolkit.format("it is wrong")).reason == "it is wrong"
    assert host_result(*TRACEBACK, message="training failed with 1").quotes[1] == Quote("its log", "\n".join(TRACEBACK))


@pytest.mark.parametrize(
    ("message", "explains"),
    [
        ("64 values were expected", True),
        ("KeyError: 0", True),
        ("training ended with 3", False),
        ("", False),
        ("exit code: 1", False),
    ],
)
def test_a_failure_file_with_more_than_a_number_explains_a_failure(message: str, explains: bool) -> None:
    assert host_result("epoch 1", message=message).explains_itself is explains


def test_a_job_that_was_killed_for_its_memory_needs_no_further_explanation() -> None:
    assert HostResult(137, 30.0, oom_killed=True).explains_itself


def test_a_short_failure_file_leaves_the_reason_to_the_log() -> None:
    assert host_result("error: no column", message="it ended with 3").reason == "error: no column"
    assert host_result("epoch 1", message="there is no label").reason == "there is no label"
    assert host_result("epoch 1").reason == "epoch 1"


def test_a_finding_shows_no_quote_that_it_gives_in_full() -> None:
    rule = Rule("train-x", "It trains", "", "fail", "training", "")
    ended = host_result("error: no column")

    assert ended.quoted_in(rule.broken(ended.outcome)).quotes == ()
    assert ended.quoted_in(rule.broken(ended.outcome)).log == ("error: no column",)


def test_what_was_survived_long_before_the_end_is_no_reason() -> None:
    survived = "WARNING: Temporary failure in name resolution, using the copy in the image"
    epochs = tuple(f"epoch {number}" for number in range(30))

    assert words_about(NO_NETWORK, host_result(survived, *epochs, *TRACEBACK)) == ""
    assert words_about(NO_NETWORK, host_result(*epochs, "curl: (6) Could not resolve host: a.b")).startswith("curl")


def test_a_job_that_does_not_end_is_reported_with_its_live_processes() -> None:
    alive = (LiveProcess(1, "python3 train", 2),)
    ended = HostResult(None, 16.2, left=HostOutput((LeftFile("model.json", 9),)), idle=Idle(10.4, alive))

    assert ended.outcome == (
        "not done after 16.2 s: it has left 1 file, and for 10 s it computed and wrote nothing; "
        "alive: python3 train (process 1, 2 threads)"
    )
