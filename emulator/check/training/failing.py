"""How a job fails: with an exit code and a reason that a person can read, and not as if all were well."""

from __future__ import annotations

from emulator.check.checks import Check, Context, Need
from emulator.check.findings import Finding, Rule
from emulator.check.training.baseline import SECONDS, trained
from emulator.check.training.job import Ended, Job, run

MOST_CHARACTERS = 1024  # of the failure file become FailureReason (contract §1.7)
LITTLE_MEMORY = 32 * 2**20  # no interpreter with a library for numbers starts in it

EXIT_CODE = Rule(
    "train-exit-code",
    "A training that cannot write its model ends with an exit code other than 0",
    "contract §1.1.1, §1.7",
    "fail",
    "training",
    "Exit code 0 makes the job Completed. Let errors end the program: set -e, exec the trainer, re-raise.",
)
FAILURE_FILE = Rule(
    "train-failure-file",
    "A failed training says why in /opt/ml/output/failure, in UTF-8 and at most 1024 characters",
    "contract §1.7",
    "warn",
    "training",
    "Write the exception's message first: SageMaker shows the first 1024 characters as FailureReason, and no log.",
)
MEMORY = Rule(
    "train-memory",
    "A training that is killed for its memory ends with an exit code other than 0",
    "contract §1.7",
    "fail",
    "training",
    "A shell script goes on after its child was killed: exec the trainer as its last command, or set -e.",
)


def failed(context: Context) -> Ended:
    """The plain job, with a model folder that cannot be written."""

    def fail() -> Ended:
        plain = trained(context)
        return run(context, Job(read_only_model=True), 3 * plain.seconds + 30)

    return context.shared.get("training-failed", fail)


def exit_code(context: Context) -> Finding:
    if not trained(context).model:
        return EXIT_CODE.skipped("it writes no model: see train-model")
    ended = failed(context)
    if ended.exit_code == 0:
        return EXIT_CODE.broken("exit code 0, although /opt/ml/model could not be written")
    if ended.exit_code is None:
        return EXIT_CODE.broken(f"still running {ended.seconds:.0f} s after it began to fail")
    return EXIT_CODE.passed(f"exit code {ended.exit_code} when /opt/ml/model cannot be written")


def failure_file(context: Context) -> Finding:
    if not trained(context).model:
        return FAILURE_FILE.skipped("it writes no model: see train-model")
    ended = failed(context)
    if not ended.exit_code:
        return FAILURE_FILE.skipped("it does not fail: see train-exit-code")
    if not ended.failure:
        return FAILURE_FILE.broken("there is none: FailureReason will be 'AlgorithmError: , exit code: N'")
    try:
        text = ended.failure.decode()
    except UnicodeDecodeError as error:
        return FAILURE_FILE.broken(f"byte {error.start} is not UTF-8")
    if len(text) > MOST_CHARACTERS:
        return FAILURE_FILE.broken(f"{len(text):,} characters; what comes after {MOST_CHARACTERS} is lost")
    return FAILURE_FILE.passed(f"{len(text)} characters: {text.strip().splitlines()[0][:100] if text.strip() else ''}")


def memory(context: Context) -> Finding:
    plain = trained(context)
    ended = run(context, Job(memory_bytes=LITTLE_MEMORY), 3 * plain.seconds + 30)
    if not ended.oom_killed:
        if ended.exit_code == 0:
            return MEMORY.skipped(f"it trains within {LITTLE_MEMORY >> 20} MiB, and was never short of memory")
        return MEMORY.passed(f"within {LITTLE_MEMORY >> 20} MiB: {ended.outcome}")
    if ended.exit_code == 0:
        return MEMORY.broken(f"exit code 0, although a process was killed at {LITTLE_MEMORY >> 20} MiB")
    if ended.exit_code is None:
        return MEMORY.broken(f"still running {ended.seconds:.0f} s after, although a process was killed for its memory")
    return MEMORY.passed(f"exit code {ended.exit_code} when killed at {LITTLE_MEMORY >> 20} MiB")


_ENGINE: frozenset[Need] = frozenset({"files", "engine"})

CHECKS = (
    Check(EXIT_CODE, exit_code, _ENGINE, frozenset({"train"}), SECONDS),
    Check(FAILURE_FILE, failure_file, _ENGINE, frozenset({"train"}), SECONDS),
    Check(MEMORY, memory, _ENGINE, frozenset({"train"}), SECONDS),
)
