"""How a job fails: with an exit code and a reason that a person can read; and how near it came for its memory."""

from __future__ import annotations

from samebox.check.checks import Check, Context, Need
from samebox.check.findings import Finding, Rule
from samebox.check.training.baseline import SECONDS, trained
from samebox.check.training.shared_runs import LITTLE_MEMORY, failed, short_of_memory
from samebox.platform.memory import in_words

MOST_CHARACTERS = 1024  # of the failure file become FailureReason (contract §1.7)
FULL = 0.9  # of the memory

EXIT_CODE = Rule(
    "train-exit-code",
    "Training that cannot write its model ends with an exit code other than 0",
    "contract §1.1.1, §1.7",
    "fail",
    "training",
    "Exit code 0 makes the job Completed. Let errors end the program: set -e, exec the trainer, re-raise.",
)
FAILURE_FILE = Rule(
    "train-failure-file",
    "Failed training writes the reason to /opt/ml/output/failure, in UTF-8 and at most 1024 characters",
    "contract §1.7",
    "warn",
    "training",
    "Write the exception's message first: SageMaker shows the first 1024 characters as FailureReason, and no log.",
)
MEMORY = Rule(
    "train-memory",
    "Training that is killed for its memory ends with an exit code other than 0",
    "contract §1.7",
    "fail",
    "training",
    "A shell script goes on after its child was killed: exec the trainer as its last command, or set -e.",
)
HEADROOM = Rule(
    "train-memory-headroom",
    "Training uses at most nine tenths of its memory",
    "contract §1.7: a job that is killed for its memory ends with exit code 137",
    "warn",
    "training",
    "Take a larger instance, or hold less at once: smaller batches, fewer loaders. The page cache is not counted.",
)


def exit_code(context: Context) -> Finding:
    if not trained(context).left.files:
        return EXIT_CODE.skipped("it writes no model: see train-model")
    ended = failed(context)
    if ended.exit_code == 0:
        return ended.quoted_in(EXIT_CODE.broken("exit code 0, although /opt/ml/model could not be written"))
    if ended.exit_code is None:
        return ended.quoted_in(EXIT_CODE.broken(f"still running {ended.seconds:.0f} s after it began to fail"))
    return EXIT_CODE.passed(f"exit code {ended.exit_code} when /opt/ml/model cannot be written")


def failure_file(context: Context) -> Finding:
    if not trained(context).left.files:
        return FAILURE_FILE.skipped("it writes no model: see train-model")
    ended = failed(context)
    if not ended.exit_code:
        return FAILURE_FILE.skipped("it does not fail: see train-exit-code")
    if not ended.left.message:
        return FAILURE_FILE.broken("there is none: FailureReason will be 'AlgorithmError: , exit code: N'")
    try:
        text = ended.left.message.decode()
    except UnicodeDecodeError as error:
        return FAILURE_FILE.broken(f"byte {error.start} is not UTF-8")
    if len(text) > MOST_CHARACTERS:
        return FAILURE_FILE.broken(f"{len(text):,} characters; what comes after {MOST_CHARACTERS} is lost")
    return FAILURE_FILE.passed(f"{len(text)} characters: {' '.join(text.split())[:120]}")


def memory(context: Context) -> Finding:
    trained(context)
    ended = short_of_memory(context)
    little = in_words(LITTLE_MEMORY)
    if not ended.oom_killed:
        if ended.exit_code == 0:
            return MEMORY.skipped(f"it trains within {little}, and was never short of memory")
        return MEMORY.passed(f"given {little}: {ended.outcome}")
    if ended.exit_code == 0:
        return MEMORY.broken(f"exit code 0, although a process was killed at the limit of {little}")
    if ended.exit_code is None:
        return MEMORY.broken(f"still running {ended.seconds:.0f} s after, although a process was killed for its memory")
    return MEMORY.passed(f"given {little}: {ended.how}")


def headroom(context: Context) -> Finding:
    plain = trained(context)
    if plain.peak_bytes is None or not plain.memory_bytes:
        return HEADROOM.skipped("it could not be seen: too short a job, or an engine on another machine")
    wanted, whose = context.options.memory_bytes, context.options.instance_type
    if wanted is None:
        whose = "this machine's share for it; --instance-type names another"
    elif wanted > plain.memory_bytes:
        whose = f"all of this machine; {whose} has {in_words(wanted)}"
    seen = f"it held {in_words(plain.peak_bytes)} of {in_words(plain.memory_bytes)} ({whose})"
    if plain.peak_bytes > FULL * plain.memory_bytes:
        return HEADROOM.broken(seen)
    return HEADROOM.passed(seen)


_ENGINE: frozenset[Need] = frozenset({"files", "engine"})

CHECKS = (
    Check(EXIT_CODE, exit_code, _ENGINE, frozenset({"train"}), SECONDS),
    Check(FAILURE_FILE, failure_file, _ENGINE, frozenset({"train"}), SECONDS),
    Check(MEMORY, memory, _ENGINE, frozenset({"train"}), SECONDS),
    Check(HEADROOM, headroom, _ENGINE, frozenset({"train"}), SECONDS),
)
