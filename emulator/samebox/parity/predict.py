"""Predictions inside an image, for the same model and inputs: with the driver program, or with the user's command."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from samebox.check.findings import harmless
from samebox.containers.engine import Mount
from samebox.parity import sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from samebox.check.checks import Context
    from samebox.parity.sandbox import SandboxResult

MODEL = "/opt/ml/model"
# By the suffix of a file's name; --content-type sets what handlers get instead.
TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".jsonlines": "application/jsonlines",
    ".ndjson": "application/jsonlines",
    ".npy": "application/x-npy",
    ".txt": "text/plain",
}
_PROBE_SECONDS = 120.0
_TRACE_LINES = 12
_SHOWN = 500  # characters of a reason


@dataclass(frozen=True)
class Input:
    """One body to predict from, as a client of the endpoint would send it."""

    path: Path
    content_type: str
    accept: str = ""

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True)
class Prediction:
    """The result for one input. `error`: the model's error message, if there is no prediction."""

    body: bytes = b""
    content_type: str = ""
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Predicted:
    """What one place made of all inputs. `problem`: why it could make nothing of any; then there are no answers.

    `failed`: the problem is the model's (it was not loaded, or refused every input) and not that it could not be tried.
    """

    place: str  # the image's name, or "endpoint"
    how: str = ""  # what loaded the model: "code/inference.py (model_fn, predict_fn)"
    answers: tuple[Prediction, ...] = ()
    problem: str = ""
    log: tuple[str, ...] = ()  # the last lines, where something went wrong
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    failed: bool = False
    own_form: bool = True  # False: the driver chose the format, not an output_fn


@dataclass(frozen=True)
class Task:
    """What is run in every image alike. `model` is the unpacked archive; None: the image brings its own."""

    inputs: Sequence[Input]
    model: Path | None = None
    command: str = ""  # --run; "": the driver
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 600.0  # for one container


def probe(context: Context, image: str, python: str) -> dict[str, dict[str, str]] | None:
    """What the image's Python reports; None if it reports nothing that can be parsed. Raises EngineError."""
    done = sandbox.run(
        context, image, (python, f"{sandbox.HERE}/programs/probe.py", f"{sandbox.OUT}/probe.json"), _PROBE_SECONDS
    )
    told = _object(done.files.get("probe.json", b""))
    if told is None:
        return None
    return {
        group: {name: str(value) for name, value in values.items()}
        for group, values in told.items()
        if group != "not answered" and isinstance(values, dict)
    }


def by_driver(
    context: Context, image: str, python: str | None, task: Task, tick: Callable[[float], None] = lambda _: None
) -> Predicted:
    """Raises EngineError."""
    if python is None:
        return Predicted(image, problem="it has no Python on its PATH; `--run COMMAND` sets how the model is called")
    folder = _staged(context, task)
    plan = [
        {"path": f"{sandbox.HERE}/data/{number}", "content_type": one.content_type, "accept": one.accept}
        for number, one in enumerate(task.inputs)
    ]
    (folder / "plan.json").write_text(json.dumps({"inputs": plan}))
    (folder / "plan.json").chmod(0o644)
    command = (python, f"{sandbox.HERE}/programs/driver.py", f"{sandbox.HERE}/data/plan.json", sandbox.OUT)
    done = sandbox.run(context, image, command, task.seconds, _mounts(folder, task), task.environment, tick)
    return _told(image, done, len(task.inputs))


def by_command(context: Context, image: str, task: Task, tick: Callable[[float], None] = lambda _: None) -> Predicted:
    """The user's own command, once for each input: data on standard input and at $SAMEBOX_DATA, answer on standard
    output. Raises EngineError.
    """
    folder = _staged(context, task)
    answers: list[Prediction] = []
    log: tuple[str, ...] = ()
    spent = 0.0
    for number, one in enumerate(task.inputs):
        before = spent
        environment = {
            **task.environment,
            "SAMEBOX_DATA": f"{sandbox.HERE}/data/{number}",
            "SAMEBOX_CONTENT_TYPE": one.content_type,
            "SAMEBOX_ACCEPT": one.accept,
        }
        # The inner shell has the command as a word of its own: no quote or brace in it can reach this line.
        line = f'exec <"$SAMEBOX_DATA" >{sandbox.OUT}/answer || exit 125; exec /bin/sh -c "$1"'
        command = ("/bin/sh", "-c", line, "sh", task.command)
        done = sandbox.run(
            context,
            image,
            command,
            task.seconds,
            _mounts(folder, task),
            environment,
            lambda now: tick(before + now),  # noqa: B023
        )
        spent += done.seconds
        if done.start_error:
            return Predicted(
                image, "the command", problem=_short(f"{done.words} (--run needs a /bin/sh)"), seconds=spent
            )
        if done.exit_code != 0 or done.too_much:
            last = f": {done.reason}" if done.reason else ""
            answers.append(Prediction(error=_short(f"{done.words}{last}"), seconds=done.seconds))
            log = log or _clean(done.log)
        else:
            body = done.files.get("answer", b"")
            answers.append(Prediction(body, one.accept or sniffed(body), seconds=done.seconds))
    if task.inputs and all(one.error for one in answers):
        return Predicted(image, "the command", (), answers[0].error, log, seconds=spent, failed=True)
    return Predicted(image, "the command", tuple(answers), log=log, seconds=spent, own_form=False)


def sniffed(body: bytes) -> str:
    """The type of what a command printed."""
    if body.startswith(b"\x93NUMPY"):
        return "application/x-npy"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    lines = [line for line in text.splitlines() if line.strip()]
    if _is_json(text) and not (len(lines) == 1 and _is_number(text)):
        return "application/json"
    if lines and all(_is_json(line) and not _is_number(line) for line in lines):
        return "application/jsonlines"
    if lines and all(_is_number(cell) for line in lines for cell in line.split(",")):
        return "text/csv"
    return "text/plain"


def _staged(context: Context, task: Task) -> Path:
    """A folder with the inputs by their numbers; made once, and the same for every image."""
    assert context.scratch is not None
    folder = context.scratch / "data"
    if not folder.exists():
        folder.mkdir()
        folder.chmod(0o755)
        for number, one in enumerate(task.inputs):
            shutil.copyfile(one.path, folder / str(number))
            (folder / str(number)).chmod(0o644)
    return folder


def _mounts(folder: Path, task: Task) -> tuple[Mount, ...]:
    data = Mount(folder, f"{sandbox.HERE}/data", read_only=True)
    return (data,) if task.model is None else (data, Mount(task.model, MODEL, read_only=True))


def _told(image: str, done: SandboxResult, wanted: int) -> Predicted:
    """What the driver has written, or why it has not."""
    told = _object(done.files.get("result.json", b""))
    if told is None:
        why = done.words if done.exit_code != 0 or done.start_error else "it left no answer"
        last = f"; its log: {done.reason}" if done.reason else ""
        return Predicted(image, problem=_short(f"{why}{last}"), log=_clean(done.log), seconds=done.seconds)
    how = harmless(str(told.get("how", "")))
    plain = Predicted(image, how, notes=_clean(_texts(told.get("notes"))), seconds=done.seconds)
    if told.get("error"):
        log = _clean((*done.log, *_trace(told)))
        return replace(plain, problem=_short(f"the model was not loaded: {told['error']}"), log=log, failed=True)
    answers = [one for one in told.get("answers") or () if isinstance(one, dict)]
    if len(answers) != wanted:
        return replace(plain, problem="its answers are not complete", log=_clean(done.log))
    trace = next((_trace(one) for one in answers if one.get("error")), ())
    return replace(
        plain,
        answers=tuple(_answer(number, one, done.files) for number, one in enumerate(answers)),
        log=_clean((*done.log, *trace)) if trace else (),
        own_form="output_fn" in how or "transform_fn" in how,
    )


def _trace(told: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(told.get("trace", "")).splitlines()[-_TRACE_LINES:])


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def _answer(number: int, told: Mapping[str, Any], files: Mapping[str, bytes]) -> Prediction:
    told_seconds = told.get("seconds")
    # An image may write any number, and some integers no float can hold.
    seconds = float(told_seconds) if isinstance(told_seconds, int | float) and 0 <= told_seconds < 1e9 else 0.0
    if told.get("error"):
        return Prediction(error=_short(str(told["error"])), seconds=seconds)
    if str(number) not in files:
        return Prediction(error="its answer is missing", seconds=seconds)
    return Prediction(files[str(number)], str(told.get("content_type", "")), seconds=seconds)


def _object(data: bytes) -> dict[str, Any] | None:
    """What an image has written, which may be anything."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _short(text: str) -> str:
    text = harmless(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _clean(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(_short(line) for line in lines)
