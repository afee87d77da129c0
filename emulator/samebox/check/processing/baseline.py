"""The plain processing job. If it fails, the cause is found by trial, as for training.

The job is repeated with one departure from the platform at a time; the first with which it succeeds names the fault.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samebox.check import buffering, trials
from samebox.check.checks import CannotCheck, Check, Context
from samebox.check.ended import NO_NETWORK, HostResult, LeftFile, counted, words_about
from samebox.check.findings import Finding, Rule
from samebox.check.hosts import to_the_end
from samebox.check.processing.job import ProcessingJob, outputs_of, run, running
from samebox.check.static import programs
from samebox.check.training.departures import SM
from samebox.check.trials import Departure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 900.0  # for the plain job and all that is tried when it fails
_PLAIN_SECONDS = 600.0
_NO_PROGRAM = r"executable file not found|no such file or directory: unknown|no command specified|\bexec: .*not found"

STARTS = Rule(
    "processing-starts",
    "It starts with its own ENTRYPOINT and CMD, or with those of the job",
    "contract §4.1",
    "fail",
    "processing",
    'Give the image an ENTRYPOINT ["program"] that processes, or give the program: --entrypoint and --argument.',
)
COMPLETES = Rule(
    "processing-completes",
    "Processing ends with exit code 0 under SageMaker's /opt/ml/processing",
    "contract §4.1, §4.2",
    "fail",
    "processing",
    "The quoted lines show why; --log prints the rest. Give --data with an input in each folder, and "
    "--entrypoint, --argument and --output, as your jobs do.",
)
ARGUMENT = Rule(
    "processing-argument",
    "It needs no argument that a processing job does not pass",
    "contract §4.1",
    "fail",
    "processing",
    "A processing job appends nothing, not even train: let the program process when it gets no argument.",
)
TRAINING_FILES = Rule(
    "processing-training-files",
    "It needs no files of a training job",
    "contract §4.2",
    "fail",
    "processing",
    "There is no hyperparameters.json here, and neither /opt/ml/input nor /opt/ml/model: take arguments and inputs.",
)
VARIABLES = Rule(
    "processing-variables",
    "It needs no SM_* variables and none of a training job",
    "contract §4.1",
    "fail",
    "processing",
    "Only the job's Environment and AWS_REGION are set: read /opt/ml/config, or ask for it in Environment.",
)
HOSTNAME = Rule(
    "processing-hostname",
    "It does not assume that the hostname is algo-1",
    "contract §4.1, §1.1",
    "fail",
    "processing",
    "HOSTNAME is ip-….ec2.internal: read current_host from /opt/ml/config/resourceconfig.json.",
)
USER = Rule(
    "processing-user",
    "The image's user can read /opt/ml/config and write its outputs",
    "contract §4.2",
    "fail",
    "processing",
    "The folders are root's, outputs 0755 and /opt/ml/config even 0644: drop USER, or end with USER root.",
)
NETWORK = Rule(
    "processing-network-isolation",
    "It processes without a network",
    "contract §4.4; CreateProcessingJob.NetworkConfig.EnableNetworkIsolation",
    "warn",
    "processing",
    "Put what it downloads into the image or into an input; a job with EnableNetworkIsolation reaches nothing.",
)
OUTPUT = Rule(
    "processing-output",
    "Its results are in the local path of an output when it has ended",
    "contract §4.3",
    "warn",
    "processing",
    "Only the LocalPath of an output is uploaded: write there, or name the path that it writes to with --output.",
)
LINKS = Rule(
    "processing-output-links",
    "There are no links among its outputs",
    "contract §4.3",
    "warn",
    "processing",
    "Symbolic links are not followed when outputs are uploaded: copy the files (cp -L).",
)
LOGS = Rule(
    "processing-logs",
    "It logs to standard output or standard error while it runs",
    "contract §4.4",
    "warn",
    "processing",
    "Only these two reach CloudWatch: log to them, and not (only) to a file.",
)

OF_TRAINING = {
    **SM,
    "TRAINING_JOB_NAME": "samebox-check",
    "TRAINING_JOB_ARN": "arn:aws:sagemaker:us-east-1:000000000000:training-job/samebox-check",
}


@dataclass(frozen=True)
class ProcessingBaseline:
    """The plain job's end. `culprit`: the rule that it broke, where it failed; `seen`: how that shows."""

    plain: HostResult
    elsewhere: tuple[LeftFile, ...] = ()  # files in no output
    culprit: Rule | None = None
    seen: str = ""
    remedy: str | None = None  # where more is known than the rule's own


def baseline(context: Context) -> ProcessingBaseline:
    """Run once; later uses are free."""
    return context.shared.get("processing-baseline", lambda: _examined(context))


def processed(context: Context) -> HostResult:
    """The plain job, which went well. Raises CannotCheck otherwise."""
    found = baseline(context)
    if found.culprit is not None:
        raise CannotCheck(f"processing fails: see {found.culprit.id}")
    return found.plain


def _examined(context: Context) -> ProcessingBaseline:
    job = ProcessingJob()
    with running(context, job) as started:
        plain = to_the_end(context, started, _PLAIN_SECONDS)
        elsewhere = started.elsewhere() if plain.is_good and not plain.left.files else ()
    if plain.is_good:
        return ProcessingBaseline(plain, elsewhere)
    if trials.did_not_start(plain, _NO_PROGRAM, lambda: programs.processing(context).status == "pass"):
        return ProcessingBaseline(plain, culprit=STARTS, seen=plain.outcome)
    about = words_about(NO_NETWORK, plain)
    if about:
        return ProcessingBaseline(plain, culprit=NETWORK, seen=f"{plain.how}: {about}")
    found = trials.culprit(context, plain, _departures(context, job), lambda one, limit: run(context, one, limit))
    if found is None:
        return ProcessingBaseline(plain, culprit=COMPLETES, seen=plain.outcome, remedy=trials.cure(plain))
    ends = "it ends well" if found.ended.left.files else "it ends with exit code 0, and leaves no output"
    seen = f"{plain.outcome}; {found.departure.words}, {ends}"
    return ProcessingBaseline(plain, culprit=found.departure.rule, seen=seen)


def _departures(context: Context, job: ProcessingJob) -> Iterator[Departure[ProcessingJob]]:
    """The departures to try, each with its description."""
    user = context.subject.config.user.partition(":")[0]
    if user not in ("", "root", "0"):
        as_root = dataclasses.replace(job, user="0")
        yield Departure(USER, f"as root instead of {user}", as_root, r"permission|denied|EACCES|errno 13\b")
    yield Departure(
        HOSTNAME,
        "on a machine named algo-1",
        dataclasses.replace(job, hostname="algo-1"),
        r"host|ip-\d+|algo-\d|ec2\.internal",
    )
    yield Departure(
        VARIABLES,
        "with the variables of a training job",
        dataclasses.replace(job, environment=OF_TRAINING),
        r"\bSM_[A-Z]|TRAINING_JOB|environ|unbound variable|parameter not set",
    )
    yield Departure(
        TRAINING_FILES,
        "with the files of a training job",
        dataclasses.replace(job, training_files=True),
        r"/opt/ml/(?:input|model|output)\b|hyperparameters|resourceconfig|inputdataconfig",
    )
    if not context.options.entrypoint and not context.options.arguments:
        for word in ("train", "serve"):
            yield Departure(
                ARGUMENT,
                f"with the argument {word}",
                dataclasses.replace(job, command=(word,)),
                r"argument|usage|command|parameter",
                # An image may well have such a program, which does something else and ends with 0.
                is_shown=lambda ended: bool(context.subject.config.entrypoint or ended.left.files),
            )


def completes(context: Context) -> Finding:
    return trials.completes(context, COMPLETES, baseline(context), "processing")


def _not_tripped_over(rule: Rule, seen: str, word: str = "") -> Callable[[Context], Finding]:
    return trials.not_tripped_over(baseline, processed, rule, seen, word)


def starts(context: Context) -> Finding:
    found = baseline(context)
    if found.culprit is STARTS and programs.processing(context).status != "pass":
        raise CannotCheck("there is nothing that could be started: see processing-program")
    words = " ".join(" ".join(programs.processing_command(context)).split())[:120]
    look = _not_tripped_over(STARTS, f"started as `{words}`", "ENTRYPOINT")
    return look(context)


def user(context: Context) -> Finding:
    look = _not_tripped_over(USER, f"processed as {context.subject.config.user or 'root'}", "USER")
    return look(context)


def output(context: Context) -> Finding:
    files = processed(context).left.files
    paths = ", ".join(outputs_of(context).values())
    if files:
        return OUTPUT.passed(f"{counted(files)} in {paths}")
    lost = [f"/opt/ml/{file.path}" for file in baseline(context).elsewhere]
    if lost:
        return OUTPUT.broken(f"nothing in {paths}; it wrote {', '.join(lost[:3])}, which is not an output")
    return OUTPUT.broken(f"exit code 0, and nothing in {paths}")


def links(context: Context) -> Finding:
    found = [one for one in processed(context).left.files if one.link]
    if found:
        return LINKS.broken(", ".join(f"{one.path} -> {one.link}" for one in found[:3]))
    return LINKS.passed("none")


def logs(context: Context) -> Finding:
    ended = processed(context)
    if not ended.last_words:
        return LOGS.broken("not one line")
    return buffering.looked_at(context, LOGS, ended) or LOGS.passed(f"its last line: {ended.last_words[:120]}")


_ENGINE = frozenset({"files", "engine"})
_PROCESSING = frozenset({"processing"})

CHECKS = tuple(
    Check(rule, look, _ENGINE, _PROCESSING, SECONDS)  # type: ignore[arg-type]  # frozensets of literals
    for rule, look in (
        (STARTS, starts),
        (COMPLETES, completes),
        (ARGUMENT, _not_tripped_over(ARGUMENT, "nothing was appended to its command line")),
        (TRAINING_FILES, _not_tripped_over(TRAINING_FILES, "processed with the files of a processing job")),
        (VARIABLES, _not_tripped_over(VARIABLES, "processed with AWS_REGION alone")),
        (HOSTNAME, _not_tripped_over(HOSTNAME, "processed on a machine with an EC2 name")),
        (USER, user),
        (NETWORK, _not_tripped_over(NETWORK, "processed, cut off from the world")),
        (OUTPUT, output),
        (LINKS, links),
        (LOGS, logs),
    )
)
