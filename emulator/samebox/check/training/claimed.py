"""Optional features, checked only on request: Pipe mode (--pipe) and a read-only root file system (--read-only-root).

SageMaker trains on a writable root and has no label for Pipe mode, so each needs its option. Which folders stay
writable on a read-only root (/opt/ml, /tmp, /dev/shm) is this kit's choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.checks import CannotCheck, Check, Context, Need
from samebox.check.ended import READ_ONLY, words_about
from samebox.check.findings import Finding, Rule
from samebox.check.training import shared_runs
from samebox.check.training.baseline import SECONDS, Piped, piped, run_piped, trained

if TYPE_CHECKING:
    from samebox.platform.pipes import Pipes

PIPE = Rule(
    "train-pipe",
    "It trains from pipes, one per channel and epoch",
    "contract §1.5",
    "fail",
    "training",
    "In Pipe mode there is no folder: read /opt/ml/input/data/CHANNEL_0 to its end, then CHANNEL_1 for the next epoch.",
)
PIPE_EPOCHS = Rule(
    "train-pipe-epochs",
    "It waits for the pipe of the next epoch",
    "contract §1.5",
    "fail",
    "training",
    "The next pipe appears some time after the last one was closed: where it is not there yet, wait and look again.",
)
READ_ONLY_ROOT = Rule(
    "train-read-only-root",
    "It trains with a read-only root file system",
    "no rule of AWS: asked for with --read-only-root",
    "fail",
    "training",
    "Write below /opt/ml, /tmp or /dev/shm only: point HOME, TMPDIR, MPLCONFIGDIR and caches there.",
)


def pipe(context: Context) -> Finding:
    found = piped(context)
    pipes = _pipes(found)
    if pipes.are_untouched:
        if found.ended.is_good:
            return PIPE.broken("exit code 0, and it opened no pipe")
        return found.ended.quoted_in(PIPE.broken(f"it opened no pipe: {found.ended.outcome}"))
    if not found.ended.is_good:
        if _is_impatient(context, found):
            raise CannotCheck("it fails at the pipe of the next epoch: see train-pipe-epochs")
        return found.ended.quoted_in(PIPE.broken(f"{found.ended.outcome} ({pipes.in_words()})"))
    return PIPE.passed(pipes.in_words())


def pipe_epochs(context: Context) -> Finding:
    found = piped(context)
    pipes = _pipes(found)
    if _is_impatient(context, found):
        seen = f"{found.ended.outcome}; with the next pipe there at once, it trains"
        return found.ended.quoted_in(PIPE_EPOCHS.broken(seen))
    if not found.ended.is_good:
        raise CannotCheck("it does not train: see train-pipe")
    if pipes.are_untouched:
        raise CannotCheck("it opened no pipe: see train-pipe")
    if max(taken.epochs for taken in pipes.taken.values()) < 2:
        return PIPE_EPOCHS.skipped("it reads one epoch")
    return PIPE_EPOCHS.passed("it waited half a second for each")


def _pipes(found: Piped) -> Pipes:
    if found.pipes is None:
        raise CannotCheck(found.ended.outcome)
    if found.pipes.problem:
        raise CannotCheck(found.pipes.problem)
    return found.pipes


def _is_impatient(context: Context, found: Piped) -> bool:
    """Whether all that it lacks is the next pipe, in time. Tried once."""
    if found.ended.is_good or found.ended.exit_code is None:
        return False
    if not any(taken.whole for taken in _pipes(found).taken.values()):
        return False

    def again() -> bool:
        assert context.scratch is not None
        checkpoints = context.scratch / "checkpoints-prompt"
        checkpoints.mkdir()
        return run_piped(context, checkpoints, prompt=True).ended.is_good

    return context.shared.get("training-prompt", again)


def on_read_only_root(context: Context) -> Finding:
    trained(context)
    ended = shared_runs.read_only_root(context)
    if ended.is_good:
        return READ_ONLY_ROOT.passed("trained, with /opt/ml, /tmp and /dev/shm to write to")
    about = words_about(READ_ONLY, ended)
    return ended.quoted_in(READ_ONLY_ROOT.broken(f"{ended.how}: {about}" if about else ended.outcome))


_ENGINE: frozenset[Need] = frozenset({"files", "engine"})

CHECKS = (
    Check(PIPE, pipe, _ENGINE | {"data"}, frozenset({"train"}), SECONDS, frozenset({"pipe"})),
    Check(PIPE_EPOCHS, pipe_epochs, _ENGINE | {"data"}, frozenset({"train"}), SECONDS, frozenset({"pipe"})),
    Check(READ_ONLY_ROOT, on_read_only_root, _ENGINE, frozenset({"train"}), SECONDS, frozenset({"read-only-root"})),
)
