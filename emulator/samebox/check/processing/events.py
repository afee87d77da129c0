"""Further runs of a processing job: an unwritable output, a stop, a second host, a read-only root file system.

Where contract.md has no answer, this is our choice: a stop is SIGTERM and, 120 s later, SIGKILL, as in training (AWS's
page of processing names SIGINT); each host has its own outputs, and all of them are uploaded to one place.
"""

from __future__ import annotations

import time

from samebox.check import stopping
from samebox.check.checks import CannotCheck, Check, Context, Need
from samebox.check.ended import READ_ONLY, HostResult, counted, words_about
from samebox.check.findings import Finding, Rule
from samebox.check.hosts import has_room_for_more
from samebox.check.processing.baseline import SECONDS, processed
from samebox.check.processing.job import ProcessingJob, run, running
from samebox.check.stopping import MiddleStop

MOST_BYTES = 1024  # of the message become ExitMessage (contract §4.4)
SHORTEST = 0.8  # seconds: what takes less cannot be met in the middle

EXIT_CODE = Rule(
    "processing-exit-code",
    "Processing that cannot write its output ends with an exit code other than 0",
    "contract §4.1",
    "fail",
    "processing",
    "Exit code 0 makes the job Completed. Let errors end the program: set -e, exec the processor, re-raise.",
)
MESSAGE = Rule(
    "processing-message",
    "Failed processing writes the reason to /opt/ml/output/message, in UTF-8 and at most 1 KB",
    "contract §4.4",
    "fail",
    "processing",
    "Write the exception's message there: its first 1 KB becomes ExitMessage. FailureReason names no cause; bytes that "
    "are not UTF-8 fail the job.",
)
STOP = Rule(
    "processing-sigterm",
    "SIGTERM ends processing within 120 s",
    "contract §4.1: StopProcessingJob, and the end of MaxRuntimeInSeconds",
    "warn",
    "processing",
    "Handle SIGTERM and SIGINT. PID 1 ignores them otherwise, and so does a shell that waits for a child: exec it.",
)
HOSTS = Rule(
    "processing-two-hosts",
    "Two hosts, algo-1 and algo-2, both succeed",
    "contract §4.2",
    "warn",
    "processing",
    "Read hosts and current_host from /opt/ml/config/resourceconfig.json; or never ask for an InstanceCount above 1.",
)
HOST_OUTPUTS = Rule(
    "processing-host-outputs",
    "Two hosts use different names for their outputs",
    "contract §4.3",
    "warn",
    "processing",
    "All hosts upload to one place, and the last one wins: put current_host into the names of the files.",
)
READ_ONLY_ROOT = Rule(
    "processing-read-only-root",
    "It processes with a read-only root file system",
    "no rule of AWS: asked for with --read-only-root",
    "fail",
    "processing",
    "Write below /opt/ml, /tmp or /dev/shm only: point HOME, TMPDIR, MPLCONFIGDIR and caches there.",
)


def failed(context: Context) -> HostResult:
    """The plain job, with outputs that cannot be written."""

    def fail() -> HostResult:
        plain = processed(context)
        # Beside it, where there is room, what is asked for later and no clock is held to.
        if has_room_for_more(context, plain) and {HOSTS.id, HOST_OUTPUTS.id} & context.wanted:
            context.shared.begin("processing-hosts", lambda: _both(context))
        return run(context, ProcessingJob(read_only_outputs=True), 3 * plain.seconds + 30)

    return context.shared.get("processing-failed", fail)


def exit_code(context: Context) -> Finding:
    if not processed(context).left.files:
        return EXIT_CODE.skipped("it writes no output: see processing-output")
    ended = failed(context)
    if ended.exit_code == 0:
        return ended.quoted_in(EXIT_CODE.broken("exit code 0, although its output could not be written"))
    if ended.exit_code is None:
        return ended.quoted_in(EXIT_CODE.broken(f"still running {ended.seconds:.0f} s after it began to fail"))
    return EXIT_CODE.passed(f"{ended.how} when its output cannot be written")


def message(context: Context) -> Finding:
    plain = processed(context)
    written = plain.left.message
    if not written and not plain.left.files:
        return MESSAGE.skipped("it writes no output: see processing-output")
    if not written:
        ended = failed(context)
        if not ended.exit_code:
            return MESSAGE.skipped("it does not fail: see processing-exit-code")
        written = ended.left.message
    if not written:
        return MESSAGE.warned("there is none: ExitMessage will be empty, and FailureReason names no cause")
    try:
        text = written.decode()
    except UnicodeDecodeError as error:
        return MESSAGE.broken(f"byte {error.start} is not UTF-8: the job fails with a ClientError")
    if len(written) > MOST_BYTES:
        return MESSAGE.warned(f"{len(written):,} bytes; what comes after {MOST_BYTES} is lost")
    return MESSAGE.passed(f"{len(written)} bytes: {' '.join(text.split())[:120]}")


def stop(context: Context) -> Finding:
    plain = processed(context)
    if plain.seconds < SHORTEST:
        raise CannotCheck(f"processing of {plain.seconds:.1f} s has ended before it can be stopped: give it more to do")
    grace = stopping.grace(plain, context.options.fast)
    found = MiddleStop(plain, plain.seconds, grace, lambda _: running(context, ProcessingJob())).stopped()
    if found.took >= found.grace:
        return STOP.broken(f"SIGKILL after {found.grace} s{found.shortened}")
    if found.ended.is_good and found.went_on_as(plain):
        return STOP.broken(f"it went on to its end as if nothing had come{stopping.doubt(plain)}")
    return STOP.passed(f"ended {found.took:.1f} s after it, with exit code {found.ended.exit_code}{found.shortened}")


def hosts(context: Context) -> tuple[HostResult, HostResult]:
    """The plain job on two hosts; run once."""
    processed(context)
    return context.shared.get("processing-hosts", lambda: _both(context))


def _both(context: Context) -> tuple[HostResult, HostResult]:
    seconds = 5 * processed(context).seconds + 30  # they share one machine
    with running(context, ProcessingJob(hosts=2)) as job:
        end = time.monotonic() + seconds
        for host in range(2):
            job.wait(max(0.0, end - time.monotonic()), host)
        return job.ended(0), job.ended(1)


def two_hosts(context: Context) -> Finding:
    both = hosts(context)
    for number, ended in enumerate(both, 1):
        if not ended.is_good:
            return ended.quoted_in(HOSTS.broken(f"algo-{number}: {ended.outcome}"))
    return HOSTS.passed(f"both ended with exit code 0 after {max(one.seconds for one in both):.1f} s")


def host_outputs(context: Context) -> Finding:
    first, second = hosts(context)
    if not first.is_good or not second.is_good:
        raise CannotCheck("two hosts do not end well: see processing-two-hosts")
    ours, theirs = ({file.path for file in one.left.files} for one in (first, second))
    if not ours | theirs:
        return HOST_OUTPUTS.skipped("they write no output: see processing-output")
    if same := sorted(ours & theirs):
        more = f" and {len(same) - 1} more" if len(same) > 1 else ""
        return HOST_OUTPUTS.broken(f"both write {same[0]}{more}")
    return HOST_OUTPUTS.passed(f"{counted(first.left.files)} and {counted(second.left.files)}, none of the same name")


def read_only_root(context: Context) -> Finding:
    plain = processed(context)
    ended = run(context, ProcessingJob(read_only_root=True), 3 * plain.seconds + 30)
    if ended.is_good:
        return READ_ONLY_ROOT.passed("processed, with /opt/ml, /tmp and /dev/shm to write to")
    about = words_about(READ_ONLY, ended)
    return ended.quoted_in(READ_ONLY_ROOT.broken(f"{ended.how}: {about}" if about else ended.outcome))


_ENGINE: frozenset[Need] = frozenset({"files", "engine"})

CHECKS = (
    Check(EXIT_CODE, exit_code, _ENGINE, frozenset({"processing"}), SECONDS),
    Check(MESSAGE, message, _ENGINE, frozenset({"processing"}), SECONDS),
    Check(HOSTS, two_hosts, _ENGINE, frozenset({"processing"}), SECONDS),
    Check(HOST_OUTPUTS, host_outputs, _ENGINE, frozenset({"processing"}), SECONDS),
    Check(STOP, stop, _ENGINE, frozenset({"processing"}), SECONDS),
    Check(READ_ONLY_ROOT, read_only_root, _ENGINE, frozenset({"processing"}), SECONDS, frozenset({"read-only-root"})),
)
