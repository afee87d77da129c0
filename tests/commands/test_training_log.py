"""The log of a training job as `samebox train` shows it."""

import io

import pytest
from rich.console import Console

from samebox.commands import training_log
from samebox.commands.outcome import Stop
from samebox.commands.training_log import JobProgress, TrainingLog
from samebox.jobs.metrics import Metrics
from tests.commands.requests import complaints
from tests.commands.test_folding import DUMP


class WrittenLog:
    """A log that is written into a file, and what we say beside it."""

    def __init__(self, *, everything: bool = False, metrics: tuple[str, ...] = ()) -> None:
        self.lines, self.notes = io.StringIO(), io.StringIO()
        self.log = TrainingLog(
            Console(file=self.lines, width=200),
            Console(file=self.notes, width=200),
            training_log.definitions(metrics),
            everything,
        )


def test_the_dump_is_folded_with_a_note() -> None:
    seen = WrittenLog()
    seen.log.show([*DUMP, "epoch 1"])
    seen.log.close()
    assert seen.lines.getvalue() == "/usr/local/bin/python3 train.py --epochs 3\nepoch 1\n"
    assert seen.notes.getvalue() == "… 16 lines of sagemaker-training's own (--verbose shows them)\n"


def test_the_dump_is_shown_with_verbose() -> None:
    seen = WrittenLog(everything=True)
    seen.log.show([*DUMP, "epoch 1"])
    assert seen.lines.getvalue().splitlines() == [*DUMP, "epoch 1"]
    assert seen.notes.getvalue() == ""


def test_a_dump_that_the_job_did_not_survive_is_shown_at_its_end() -> None:
    seen = WrittenLog()
    seen.log.show(DUMP[:5])
    assert seen.lines.getvalue() == ""
    seen.log.close()
    assert seen.lines.getvalue().splitlines() == DUMP[:5]


@pytest.mark.parametrize(
    ("line", "metrics"),
    [
        ("epoch=1 loss=0.5000 accuracy=0.9 val_loss=0.6 val_accuracy=0.8 seconds=1.2", (0.5, 0.9, 0.6, 0.8)),
        (" - 1s - loss: 0.5 - accuracy: 0.9 - val_loss: 6e-1 - val_accuracy: 0.8 - 1s/epoch", (0.5, 0.9, 0.6, 0.8)),
        ("my_loss=3 top-accuracy=1 lossy=2", ()),
        ("loss=nan", ()),
        # As mpirun has them with --tag-output.
        ("[1,0]<stdout>:loss=0.5 accuracy=0.9", (0.5, 0.9)),
        ("[1,mpirank:1,algo-2]<stderr>:val_loss: 0.6", (0.6,)),
        ("[1,0]<stdout>:my_loss=3 top:loss=2 <other>:loss=2", ()),
    ],
)
def test_common_metrics_are_found_as_programs_print_them(line: str, metrics: tuple[float, ...]) -> None:
    found = Metrics(training_log.definitions(()))
    found.see(line, 0.0)
    assert tuple(one["Value"] for one in found.final()) == metrics


def test_a_metric_is_added_and_replaces_a_common_one() -> None:
    found = training_log.definitions(["f1=f1 is ([0-9.]+)", "loss=total=([0-9.]+)"])
    assert {one["Name"]: one["Regex"] for one in found}["loss"] == "total=([0-9.]+)"
    assert found[-1] == {"Name": "f1", "Regex": "f1 is ([0-9.]+)"}
    asked = {"TrainingImage": "i", "TrainingInputMode": "File", "MetricDefinitions": found}
    assert "MetricDefinitions" not in complaints("sagemaker", "CreateTrainingJob", {"AlgorithmSpecification": asked})


@pytest.mark.parametrize(("pair", "says"), [("f1", "NAME=REGEX"), ("f1=(", "missing"), ("f1=[0-9]+", "no group")])
def test_a_metric_that_finds_nothing_is_refused(pair: str, says: str) -> None:
    with pytest.raises(Stop, match=says):
        training_log.definitions([pair])


def test_metrics_are_the_last_values() -> None:
    seen = WrittenLog(metrics=("f1=f1 is ([0-9.]+)",))
    seen.log.show(["loss=0.5 f1 is 0.25", "loss=0.125"])
    assert seen.log.metrics == "loss 0.125  f1 0.25"


PIP = [
    "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None)) after connection broken by "
    "'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed "
    "certificate in certificate chain (_ssl.c:1007)'))': /simple/tqdm/",
    "ERROR: No matching distribution found for tqdm",
]


def test_the_hint_for_pip_with_an_unknown_certificate_is_shown() -> None:
    seen = WrittenLog()
    seen.log.show(PIP)
    assert "SAMEBOX_CA_BUNDLE=" in seen.log.hint


@pytest.mark.parametrize("lines", [PIP[1:], ["requests.exceptions.SSLError: CERTIFICATE_VERIFY_FAILED"], ["fine"]])
def test_no_hint_is_given_for_anything_else(lines: list[str]) -> None:
    seen = WrittenLog()
    seen.log.show(lines)
    assert seen.log.hint == ""


def described(*transitions: tuple[str, str]) -> dict[str, object]:
    return {"SecondaryStatusTransitions": [{"Status": name, "StatusMessage": text} for name, text in transitions]}


def test_every_status_of_a_job_is_shown_and_what_it_waits_for() -> None:
    progress = JobProgress()
    starting, training = ("Starting", "Starting the training job"), ("Training", "Training in-progress")
    looks = [
        described(starting),
        described(starting),
        described(("Starting", "Waiting for memory")),
        described(starting, training),
        described(starting, training),
        described(starting, training, ("Interrupted", ""), starting, ("Downloading", "")),
    ]
    *shown, last = [progress.new(one) for one in looks]
    assert shown == [["Starting"], [], ["Starting: Waiting for memory"], ["Training"], []]
    assert last == ["Interrupted", "Starting", "Downloading"]
    assert progress.status == "Downloading"


def test_on_a_terminal_the_latest_values_stand_below_the_lines() -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=200, force_terminal=True)
    log = TrainingLog(console, console, training_log.definitions(()))
    for loss in ("0.5", "0.25"):
        log.show([f"epoch: loss={loss}"])
        log.state("Training for 3 s", lambda: "CPU 150 %")
        screen.truncate(0)
        log._screen._live.refresh()  # type: ignore[union-attr]
        assert f"Training for 3 s  loss {loss}  CPU 150 %" in screen.getvalue()
    log.close()


def test_where_no_terminal_shows_them_the_values_of_hosts_are_not_asked_for() -> None:
    seen = WrittenLog()
    seen.log.state("Training for 3 s", lambda: pytest.fail("they are asked for"))
    assert seen.lines.getvalue() == ""
