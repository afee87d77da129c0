"""The command `samebox`: its arguments and help. Each command is a module of emulator/samebox/commands.

Nothing heavy is imported before a command is known, so that `samebox --help` answers at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.commands import coverage_options, env_options, image_options, job_options, production, train_arguments
from samebox.commands.option_form import Commands, add_location
from samebox.settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = "0.1.0"

_FORMS = {"junit": "JUnit XML", "json": "JSON", "html": "an HTML page", "sarif": "SARIF"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    root = parser()
    given, unknown = root.parse_known_args(arguments)
    if unknown:  # the usage of the command that was meant, and not of all commands
        _commands(root)[given.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    if given.command == "help":
        (_commands(root)[given.about] if given.about else root).print_help()
        return 0
    from samebox.commands import outcome  # here, and not above: a bare --help needs none of it

    def run() -> int:
        try:
            command = importlib.import_module(f"samebox.commands.{given.command.replace('-', '_')}")
        except KeyboardInterrupt:
            raise outcome.Stop("interrupted; nothing was started.", status=130) from None
        status: int = command.run(given)
        return status

    return outcome.of(run)


def _commands(root: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (commands,) = (one for one in root._actions if isinstance(one, Commands))  # noqa: SLF001
    return dict(commands.choices)


def parser() -> argparse.ArgumentParser:
    """Every command and option there is. The list in docs/commands.md is tested against it."""
    root = argparse.ArgumentParser(
        prog="samebox",
        description="A local SageMaker that really runs your containers: one URL for S3, ECR, SageMaker, Logs and STS.",
        epilog='Start with `samebox up`, then `eval "$(samebox env)"` in the shell where your AWS clients run.',
    )
    root.add_argument("--version", action="version", version=f"samebox {VERSION}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _up, _down, _status, env_options.env, env_options.run, _jobs, _logs,
        job_options.metrics, job_options.spot, job_options.shell, _s3, _prune, _train,
        production.push, production.deploy, env_options.docker_setup, _check, _parity, _record,
        coverage_options.add, image_options.add, _fault, _convert, _help,
    ):  # fmt: skip
        add(commands)
    return root


def _up(commands: Commands[argparse.ArgumentParser]) -> None:
    up = commands.add_parser(
        "up",
        help="start the emulator",
        description="Start the emulator, in the foreground unless --detach is given. Ctrl-C or `samebox down` "
        "stops it; jobs and endpoints keep running in their containers until the next `samebox up` takes them over.",
        epilog=_settings_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_location(up, port=True)
    up.add_argument("--host", help="address to listen on (default 127.0.0.1); beyond loopback a token is required")
    up.add_argument(
        "--localstack",
        action="store_true",
        help="let LocalStack, in a container, answer for the services that samebox does not run",
    )
    up.add_argument("--detach", action="store_true", help="start in the background, and return when it is ready")


def _down(commands: Commands[argparse.ArgumentParser]) -> None:
    down = commands.add_parser(
        "down",
        help="stop the emulator",
        description="Stop the emulator. Running jobs and endpoints keep their containers, for the next `samebox up`.",
    )
    add_location(down)
    down.add_argument(
        "--stop-containers", action="store_true", help="also remove the containers of running jobs and endpoints"
    )


def _status(commands: Commands[argparse.ArgumentParser]) -> None:
    status = commands.add_parser(
        "status",
        help="show what is running",
        description="Show the emulator, its helpers, running jobs and endpoints. Exit status 1 when it is not running.",
    )
    add_location(status)
    status.add_argument("--json", action="store_true", help="print one JSON object instead of a table")


def _jobs(commands: Commands[argparse.ArgumentParser]) -> None:
    jobs = commands.add_parser(
        "jobs",
        help="list jobs, the newest first, with duration and metrics",
        description="List training, processing and transform jobs, the newest first: status, start, duration, metrics.",
    )
    add_location(jobs)
    jobs.add_argument("prefix", metavar="PREFIX", nargs="?", default="", help="only jobs whose names begin with it")
    jobs.add_argument("--limit", type=int, default=20, metavar="N", help="how many; 0: all (default: 20)")
    jobs.add_argument("--json", action="store_true", help="print one JSON list instead of a table")


def _logs(commands: Commands[argparse.ArgumentParser]) -> None:
    logs = commands.add_parser(
        "logs",
        help="print the log lines of a job or an endpoint",
        description="Print the log lines of a job or an endpoint, as CloudWatch Logs would show them.",
    )
    add_location(logs)
    logs.add_argument(
        "name",
        metavar="JOB",
        nargs="?",
        help="name of a job or an endpoint, or a prefix for the newest (default: the newest job)",
    )
    logs.add_argument("--follow", "-f", action="store_true", help="continue until the job has ended, or Ctrl-C")


def _s3(commands: Commands[argparse.ArgumentParser]) -> None:
    s3 = commands.add_parser(
        "s3",
        help="list or export the objects of a data folder; no emulator need run",
        description="List the buckets, or the objects under an address, of the emulator's S3; with --export, write the "
        "objects below a folder. It reads the data folder, so no emulator need run.",
        epilog="Exit status of --export: 1 if keys were left out because they are no path of a file.",
    )
    s3.add_argument("uri", metavar="s3://BUCKET[/PREFIX]", nargs="?", help="the objects (default: list the buckets)")
    s3.add_argument("--export", type=Path, metavar="FOLDER", help="write the objects there, a file for each")
    add_location(s3)


def _prune(commands: Commands[argparse.ArgumentParser]) -> None:
    prune = commands.add_parser(
        "prune",
        help="remove containers, networks and folders that are no longer needed",
        description="Remove everything with this data folder's samebox label that belongs to no running job or "
        "endpoint, and nothing else.",
    )
    add_location(prune)
    prune.add_argument("--dry-run", action="store_true", help="only print what would be removed")
    prune.add_argument("--yes", "-y", action="store_true", help="do not ask")


def _convert(commands: Commands[argparse.ArgumentParser]) -> None:
    convert = commands.add_parser(
        "convert",
        help="convert data to RecordIO-protobuf, and back",
        description="Convert CSV or JSON Lines to RecordIO-protobuf (application/x-recordio-protobuf), as the "
        "SageMaker SDK writes it, and RecordIO-protobuf to JSON Lines. The endings of the names say what is what: "
        ".csv, .jsonl, .recordio. Needs no emulator.",
    )
    convert.add_argument("source", metavar="SOURCE", type=Path, help="the file to read")
    convert.add_argument("target", metavar="TARGET", type=Path, help="the file to write")
    convert.add_argument("--no-label", action="store_true", help="of CSV: the first column is not a label")


def _fault(commands: Commands[argparse.ArgumentParser]) -> None:
    fault = commands.add_parser(
        "fault",
        help="make something fail on purpose, or list and clear what was set",
        description="Make the running emulator fail on purpose: `samebox fault set KIND [name=value …]`, such as "
        "`samebox fault set throttled operation=CreateTrainingJob times=2`. docs/faults.md has the kinds. A job or an "
        "endpoint asks for a fault with the tag samebox:fault, too.",
    )
    add_location(fault)
    fault.add_argument("action", choices=("list", "set", "clear"), help="what to do")
    fault.add_argument("fault", nargs="*", metavar="KIND [name=value …]", help="of set: the fault")


def _train(commands: Commands[argparse.ArgumentParser]) -> None:
    train = commands.add_parser(
        "train",
        help="run a training script as a SageMaker training job on this machine",
        usage="samebox train [options] SCRIPT [script arguments]",
        description="Run a training script as a SageMaker training job: the script's folder becomes the channel "
        "`code`, its arguments become hyperparameters, log lines are shown as they come, and the model is left in "
        "./model. Starts the emulator if none runs. Ctrl-C stops the job; a second Ctrl-C detaches; the job continues.",
        epilog="Options of samebox come before SCRIPT, arguments of the script after it. SageMaker passes every "
        "argument as a pair, so each must be `--name value`, `--name=value` or `-n value`: flags without a value, "
        "positional arguments and repeated names are rejected before anything starts.",
    )
    add_location(train)
    train.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="a file or folder as channel NAME; without a name the folders in it are channels, or all of it is the "
        "channel `training`; repeatable",
    )
    train.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="variable of the job; repeatable"
    )
    train.add_argument("--image", default="samebox/train:cpu", help="image to train in (default: samebox/train:cpu)")
    train_arguments.add(train)
    train.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="NAME=REGEX",
        help="a metric to show and to keep: what the first group matches in a line (default: loss, accuracy, val_loss "
        "and val_accuracy, as in `loss=0.25` or `loss: 0.25`); repeatable",
    )
    train.add_argument(
        "--verbose", "-v", action="store_true", help="show what sagemaker-training writes before the script begins, too"
    )
    train.add_argument("--output", type=Path, default=Path("model"), help="where the model is left (default: ./model)")
    train.add_argument("script", metavar="SCRIPT", type=Path, help="the program to run: a .py or .sh file")
    train.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="the script's own arguments")


def _check(commands: Commands[argparse.ArgumentParser]) -> None:
    check = commands.add_parser(
        "check",
        help="check whether an image would work on SageMaker, before it is pushed",
        description="Check whether an image would work on SageMaker, with a remedy for each fault. Needs no emulator; "
        "for an archive (docker save, OCI layout) the checks that only read it need no container engine.",
        epilog="Exit status: 0 if nothing would fail, 1 if something would, 2 if the image cannot be examined. "
        "Without --train, --serve or another purpose, the programs on the image's PATH decide, as the report shows.",
    )
    check.add_argument("image", metavar="IMAGE", nargs="?", help="name of an image, or path of an archive")
    claims = check.add_argument_group("purposes of the image (default: by the programs on its PATH)")
    claims.add_argument("--train", action="append_const", dest="claims", const="train", help="training jobs")
    claims.add_argument("--serve", action="append_const", dest="claims", const="serve", help="endpoints")
    claims.add_argument("--transform", action="append_const", dest="claims", const="transform", help="batch transform")
    claims.add_argument(
        "--multi-model", action="append_const", dest="claims", const="multi-model", help="multi-model endpoints"
    )
    claims.add_argument("--processing", action="append_const", dest="claims", const="processing", help="processing")
    claims.add_argument(
        "--serverless", action="append_const", dest="claims", const="serverless", help="serverless endpoints"
    )
    claims.add_argument(
        "--streaming", action="append_const", dest="claims", const="streaming", help="endpoints with streamed responses"
    )
    claims.add_argument(
        "--pipe", action="append_const", dest="claims", const="pipe", help="training with channels in Pipe mode"
    )
    claims.add_argument(
        "--read-only-root",
        action="append_const",
        dest="claims",
        const="read-only-root",
        help="jobs with a read-only root file system, except /opt/ml, /tmp and /dev/shm",
    )
    given = check.add_argument_group("inputs of the checks")
    given.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of data; each folder in it is a channel or an input"
    )
    given.add_argument("--model", type=Path, metavar="TAR", help="model.tar.gz to serve, and to check as an artifact")
    given.add_argument(
        "--payload", type=Path, action="append", default=[], metavar="FILE", help="body of an invocation; repeatable"
    )
    given.add_argument(
        "--hyperparameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="hyperparameter of the training jobs; repeatable",
    )
    given.add_argument("--record-io", action="store_true", help="with --pipe: RecordWrapperType RecordIO")
    given.add_argument("--instance-type", metavar="TYPE", help="ml.* type that sets the memory of the jobs")
    given.add_argument(
        "--entrypoint",
        action="append",
        default=[],
        metavar="WORD",
        help="a word of ContainerEntrypoint of processing jobs; repeatable (default: the image's own)",
    )
    given.add_argument(
        "--argument",
        action="append",
        default=[],
        metavar="WORD",
        help="a word of ContainerArguments of processing jobs; with a dash: --argument=--verbose; repeatable",
    )
    given.add_argument(
        "--output",
        action="append",
        default=[],
        metavar="PATH",
        help="LocalPath of an output of processing jobs; repeatable (default: /opt/ml/processing/output)",
    )
    given.add_argument(
        "--dockerfile",
        type=Path,
        metavar="FILE",
        help="the image's Dockerfile: it is linted, and findings name its lines",
    )
    given.add_argument(
        "--max-size", metavar="SIZE", help="largest size of the image, such as 2.5GB, beside AWS's limits"
    )
    chosen = check.add_argument_group("selection of checks")
    chosen.add_argument("--list", action="store_true", help="print all checks and their ids")
    chosen.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="run only these checks: ids, or patterns such as serve-*; repeatable",
    )
    chosen.add_argument(
        "--skip",
        action="append",
        default=[],
        metavar="ID",
        help="run all checks but these: ids or patterns; repeatable",
    )
    chosen.add_argument("--fast", action="store_true", help="shorten the checks that have to wait")
    chosen.add_argument("--accept", type=Path, metavar="FILE", help="accepted findings (default: .samebox-check.toml)")
    written = check.add_argument_group("reports; - is standard output")
    for form in _FORMS:
        written.add_argument(f"--{form}", metavar="FILE", help=f"write the report as {_FORMS[form]}")
    written.add_argument(
        "--export",
        action="append",
        default=[],
        metavar="FOLDER",
        help="write tests for container-structure-test and goss there; or container-structure-test=FILE, goss=FILE",
    )
    written.add_argument("--log", action="store_true", help="print the logs of failed checks in full")
    written.add_argument("--verbose", "-v", action="store_true", help="also show the rules that passed")


def _parity(commands: Commands[argparse.ArgumentParser]) -> None:
    parity = commands.add_parser(
        "parity",
        help="compare a train and a serve image",
        usage="samebox parity [options] TRAIN_IMAGE SERVE_IMAGE\n       samebox parity [options] --recorded FILE IMAGE",
        description="Compare two images: their contents, and whether a difference can change a prediction; with "
        "--model and --data, the predictions of the same model for the same inputs in both, and through an endpoint. "
        "Programs run without network access, except for the endpoint.",
        epilog="A model is loaded by its code/inference.py, or as a SavedModel, Keras or pickled scikit-learn model. "
        "Exit status: 0 if they agree, 1 if they differ, 2 if they could not be compared. Without --data, 1 means a "
        "difference that is likely to change predictions.",
    )
    parity.add_argument("images", metavar="IMAGE", nargs="*", help="names of images, or paths of archives")
    given = parity.add_argument_group("what is predicted")
    given.add_argument("--model", type=Path, metavar="TAR", help="model.tar.gz (default: the images' own model)")
    given.add_argument("--data", type=Path, action="append", default=[], metavar="FILE", help="an input; repeatable")
    given.add_argument("--content-type", default="", help="of the inputs (default: by file extension)")
    given.add_argument("--accept", default="", metavar="TYPE", help="requested type of the responses")
    given.add_argument(
        "--run",
        dest="run_command",
        metavar="COMMAND",
        help="a shell command that predicts, in place of the defaults, for both images; the model is in /opt/ml/model, "
        "the input on its standard input and at $SAMEBOX_DATA, the prediction on its standard output",
    )
    given.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="variable of every container; repeatable"
    )
    given.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="for each image (default: 600)")
    how = parity.add_argument_group("how it is compared")
    how.add_argument("--rtol", type=float, default=1e-5, help="relative tolerance of numbers (default: 1e-5)")
    how.add_argument("--atol", type=float, default=1e-6, help="absolute tolerance of numbers (default: 1e-6)")
    how.add_argument(
        "--no-endpoint", dest="endpoint", action="store_false", help="do not compare with an endpoint, too"
    )
    how.add_argument(
        "--emulator", action="store_true", help="use the running emulator, not one for this comparison alone"
    )
    how.add_argument("--data-dir", type=Path, help="with --emulator: its folder (default: ~/.local/share/samebox)")
    how.add_argument(
        "--recorded", type=Path, metavar="FILE", help="replay the transcript of `samebox record` on one IMAGE"
    )
    written = parity.add_argument_group("reports; - is standard output")
    for form in ("json", "html"):
        written.add_argument(f"--{form}", metavar="FILE", help=f"write the report as {_FORMS[form]}")
    written.add_argument("--verbose", "-v", action="store_true", help="also show minor differences")


def _record(commands: Commands[argparse.ArgumentParser]) -> None:
    record = commands.add_parser(
        "record",
        help="record calls of an endpoint, to replay them on an image",
        description="Record calls of an endpoint, of AWS or of the emulator, with their responses in a transcript, a "
        "JSON Lines file that `samebox parity --recorded` replays. It invokes the endpoint with the given payloads, or "
        "listens on loopback, forwards an application's calls to the endpoint and returns its responses.",
        epilog="Credentials and region are AWS's usual ones; with AWS_ENDPOINT_URL it uses the emulator. Transcripts "
        "contain the bodies unchanged, and no credentials.",
    )
    record.add_argument("endpoint", metavar="ENDPOINT", help="name of the endpoint")
    record.add_argument("--payload", type=Path, action="append", default=[], metavar="FILE", help="a body; repeatable")
    record.add_argument("--content-type", metavar="TYPE", help="of the payloads (default: by file extension)")
    record.add_argument("--accept", metavar="TYPE", help="requested content type of the responses")
    record.add_argument("--times", type=int, default=1, metavar="N", help="send all payloads N times (default: 1)")
    record.add_argument("--listen", metavar="[HOST:]PORT", help="record an application's calls there; 0: any free port")
    record.add_argument("--output", type=Path, required=True, metavar="FILE", help="the transcript")
    record.add_argument("--append", action="store_true", help="add to a transcript of the same endpoint")
    record.add_argument("--region", help="AWS region (default: AWS_REGION, or the profile's)")
    record.add_argument("--yes", "-y", action="store_true", help="do not ask before calls that AWS may bill")


def _help(commands: Commands[argparse.ArgumentParser]) -> None:
    commands.add_parser("help", help="explain samebox, or a command of it").add_argument(
        "about", metavar="COMMAND", nargs="?", choices=[*commands.choices], help="the command to explain"
    )


def _settings_text() -> str:
    lines = ["Every setting can be given in the environment:"]
    lines += [f"  {PREFIX}{one.name.upper()}\n      {one.metadata['sentence']}" for one in dataclasses.fields(Settings)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
