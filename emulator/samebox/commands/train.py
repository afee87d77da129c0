"""`samebox train`: runs a script as a SageMaker training job on this machine, and saves the model in ./model."""

import argparse
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from samebox.commands import (
    aws,
    bucket,
    hyperparameters,
    local_docker,
    push,
    repository,
    train_arguments,
    training_log,
    up,
    where,
)
from samebox.commands.folder import Folder, Pack
from samebox.commands.host_load import HostLoad
from samebox.commands.lines import TRAINING_JOBS, Lines
from samebox.commands.local_checkpoints import LocalCheckpoints
from samebox.commands.model_archive import fetch
from samebox.commands.outcome import Stop, interrupted
from samebox.commands.train_options import CODE_CHANNEL, check_output, data_channels, variables
from samebox.commands.training_log import JobProgress, TrainingLog
from samebox.commands.training_request import job_name, request
from samebox.settings import Settings

LOOK_EVERY_SECONDS = 0.3
FINAL = ("Completed", "Failed", "Stopped")
TIME_OVER: Mapping[str, str] = {
    "MaxRuntimeExceeded": "its time limit was reached",
    "MaxWaitTimeExceeded": "its time limit with the wait for spot instances was reached",
}


def run(given: argparse.Namespace) -> int:
    script = given.script.resolve()
    if not script.is_file():
        raise Stop(f"there is no script {given.script}.", status=2)
    try:
        values = hyperparameters.of_arguments(_arguments(given.arguments))
    except hyperparameters.CannotSay as reason:
        raise Stop(f"{given.script.name}: {reason}", status=2) from None
    folders = data_channels(given.data)
    environment = variables(given.env)
    options, kept = train_arguments.of(given, (CODE_CHANNEL, *folders)), train_arguments.checkpoint_folder(given)
    metrics = training_log.definitions(given.metric)
    check_output(given.output, script)
    notes = Console(stderr=True, soft_wrap=True)
    for option, value in _paths_in(values, script.parent):
        words = f"--{option} {value}: the job cannot see this path; pass it with --data NAME=PATH."
        notes.print(words, style="yellow", highlight=False, markup=False)
    with aws.spoken():
        with interrupted("no training job was started."):
            settings, url, is_here = _emulator(given.data_dir, notes)
            session = aws.of_emulator(url, settings)
            image = _image(session, given.image, is_here, notes)
            name = job_name(script.stem, datetime.now(UTC))
            unwanted = (*folders.values(), given.output.resolve(), *([kept] if kept else ()))
            places = _upload(session, name, Pack.of_code(script, unwanted), folders, notes)
            checkpoints = LocalCheckpoints.of(session, _bucket(session), kept)
            if checkpoints is not None:
                options = replace(options, checkpoint=checkpoints.upload())
            job = request(
                name, image, script.name, values, places, options, environment,
                output=f"s3://{_bucket(session)}/jobs", role=session.role("samebox"), metrics=metrics,
            )  # fmt: skip
        with (
            interrupted("`samebox jobs` shows whether the training job was created."),
            repository.held_by_emulator(image),
        ):
            session.client("sagemaker").create_training_job(**job)
        notes.print(f"Training job [bold]{name}[/] at {url}", highlight=False)
        log = TrainingLog(Console(), notes, metrics, everything=given.verbose)
        with closing(log):
            ended = follow(session, name, log)
        if ended is None:
            return 130
        if log.metrics:
            notes.print(f"Metrics: {log.metrics}", highlight=False, markup=False)
        if checkpoints is not None:
            checkpoints.download(notes)
        status = finish(session, ended, given.output, notes)
        if status and log.hint:
            notes.print(f"[yellow]Hint[/]: {escape(log.hint)}", highlight=False)
        return status


def _upload(session: aws.Session, name: str, code: Pack, folders: Mapping[str, Path], notes: Console) -> dict[str, str]:
    """Bring code and data into S3; where each channel is."""
    s3, container = session.client("s3"), _bucket(session)
    places = {CODE_CHANNEL: f"s3://{container}/jobs/{name}/{CODE_CHANNEL}/"}
    Folder(s3, places[CODE_CHANNEL]).upload(code)
    for channel, path in folders.items():
        # One place for each folder of this machine: a second job uploads only what has changed.
        places[channel] = f"s3://{container}/data/{Pack.name_of(path)}/"
        sent = Folder(s3, places[channel]).upload(Pack.of_data(path))
        notes.print(
            f"{channel}: {path} ({sent} file{'' if sent == 1 else 's'} uploaded)", highlight=False, markup=False
        )
    return places


def follow(session: aws.Session, name: str, log: TrainingLog) -> dict[str, Any] | None:
    """Show the job's lines until it has ended; None when the person leaves it to itself with a second Ctrl-C."""
    sagemaker = session.client("sagemaker")
    lines = Lines(session.client("logs"), TRAINING_JOBS, f"{name}/")
    began, progress, stopping = time.monotonic(), JobProgress(), False
    load = HostLoad(session, name)
    while True:
        try:
            found = dict(sagemaker.describe_training_job(TrainingJobName=name))
            log.show(lines.new())
            for note in progress.new(found):
                log.note(f"[dim]{escape(note)}[/]")
                began = time.monotonic()
            if found["TrainingJobStatus"] in FINAL:
                return found
            log.state(f"{progress.status} for {time.monotonic() - began:.0f} s", partial(load.text, found))
            time.sleep(LOOK_EVERY_SECONDS)
        except KeyboardInterrupt:
            if stopping:
                log.note(f"\n{name} is still stopping: samebox logs --follow {name}")
                return None
            stopping = True
            log.note("\nStopping the job; it has 120 s to save its model. Ctrl-C again detaches.")
            _stop(sagemaker, name)


def finish(session: aws.Session, job: Mapping[str, Any], output: Path, notes: Console) -> int:
    """Fetch the model, if there is one, and report the result; returns the exit status."""
    status = job["TrainingJobStatus"]
    uri = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    fetched = status != "Failed" and uri and fetch(session, uri, output)
    if fetched:
        notes.print(f"Model in {output}", highlight=False, markup=False)
    if status == "Completed":
        if not fetched:
            notes.print("[yellow]No model[/]: the job wrote nothing to SM_MODEL_DIR (/opt/ml/model).", highlight=False)
        return 0
    if status == "Stopped":
        why = TIME_OVER.get(job.get("SecondaryStatus", ""), "on request")
        notes.print(f"[yellow]Stopped[/]: {why}. What it had saved by then is kept.", highlight=False)
        return 1
    reason = str(job.get("FailureReason", "no reason is given"))
    notes.print(f"[red]{status}[/]: {escape(reason)}", highlight=False)
    return exit_status(reason)


def exit_status(reason: str) -> int:
    """The exit code of the job's program, where its FailureReason has one (contract.md §1.7); else 1."""
    found = re.search(r"^AlgorithmError: .*, exit code: (\d+)$", reason, re.DOTALL)
    return int(found[1]) if found and 0 < int(found[1]) < 256 else 1


def _arguments(given: list[str]) -> list[str]:
    return given[1:] if given[:1] == ["--"] else given


def _paths_in(values: Mapping[str, str], folder: Path) -> Iterator[tuple[str, str]]:
    """Arguments that look like paths of this machine outside the script's folder: the job will not find them."""
    for name, value in values.items():
        path = Path(value)
        if "/" in value and "\0" not in value and path.exists() and not path.resolve().is_relative_to(folder):
            yield name, value


def _emulator(data_dir: Path | None, notes: Console) -> tuple[Settings, str, bool]:
    """Settings and URL of the emulator, started if none runs, and whether it is on this machine."""
    settings = where.settings(data_dir=data_dir)
    url = where.url(data_dir)
    said = where.ask(url)
    if said is None:
        if url != settings.url:
            raise Stop(f"no emulator answers at {url}, which AWS_ENDPOINT_URL names.")
        up.check_port(settings)
        pid = up.start_detached(settings)
        notes.print(
            f"No emulator was running; started one at {url} (process {pid}). `samebox down` ends it.", highlight=False
        )
        said = where.ask(url) or {}
    engine = said.get("engine") or {}
    if engine and not engine.get("available"):
        raise Stop(f"training needs a container engine: {engine.get('detail') or 'none answers'}")
    return where.settings_of(said, data_dir), url, where.is_here(url)


def _image(session: aws.Session, image: str, is_here: bool, notes: Console) -> str:
    """The name for the request: a local image by its id, or, where the emulator is elsewhere, pushed to its ECR."""
    first = image.partition("/")[0]
    if "/" in image and ("." in first or ":" in first) and local_docker.image(image) is None:
        return image  # already a name in a registry
    local = push.present(image)
    if is_here:
        return repository.by_id(local)
    name, tag = repository.default_name(image)
    pushed = repository.push(session.client("ecr"), local, name, tag, create=True)
    if not pushed.skipped:
        notes.print(f"Pushed {image} to {pushed.uri}", highlight=False)
    return pushed.pinned


def _bucket(session: aws.Session) -> str:
    name = bucket.name(session.account, session.region)
    bucket.ensure(session.client("s3"), name, session.region)
    return name


def _stop(sagemaker: Any, name: str) -> None:
    try:
        sagemaker.stop_training_job(TrainingJobName=name)
    except aws.ClientError as error:
        if aws.code(error) != "ValidationException":  # it had ended already
            raise
