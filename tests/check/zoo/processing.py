"""Processors of a few lines of shell. Each broken one is the sound one with a single change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.check.zoo.training import DATA
from tests.check.zoo.zoo import Broken, Recipe, Sound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.check.checks import Claim

SOUND_PROCESSOR = """#!/bin/sh
set -eu
trap 'exit 0' TERM
trap 'code=$?; [ $code = 0 ] || echo "processing ended with $code" > /opt/ml/output/message' EXIT
host=$(sed 's/.*"current_host":"\\([^"]*\\)".*/\\1/' /opt/ml/config/resourceconfig.json)
for part in 1 2 3 4 5 6; do
    echo "part $part"
    sleep 0.2 & wait $!
done
cat /opt/ml/processing/input/*/* > "/opt/ml/processing/output/$host.csv"
echo done
"""
BEGINS = "set -eu\n"
WRITES = 'cat /opt/ml/processing/input/*/* > "/opt/ml/processing/output/$host.csv"'
EXPLAINS = "trap 'code=$?; [ $code = 0 ] || echo \"processing ended with $code\" > /opt/ml/output/message' EXIT"
CMD = ('CMD ["/bin/process"]',)

PROCESSING: frozenset[Claim] = frozenset({"processing"})
CLAIMED: frozenset[Claim] = PROCESSING | {"read-only-root"}
GIVEN: Mapping[str, Any] = {"data": DATA}


def processor(*changes: tuple[str, str], instructions: tuple[str, ...] = CMD) -> Recipe:
    """The sound one, with words of it replaced."""
    text = SOUND_PROCESSOR
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return Recipe({"bin/process": text}, instructions)


def first(*lines: str, instructions: tuple[str, ...] = CMD) -> Recipe:
    """The sound one, with lines in front of its work."""
    return processor((BEGINS, "\n".join((BEGINS, *lines, ""))), instructions=instructions)


def broken(name: str, fails: str, recipe: Recipe) -> Broken:
    return Broken(name, fails, recipe, PROCESSING, GIVEN)


SOUND = (
    Sound("a processor on a root that is only read", processor(), CLAIMED, GIVEN),
    Sound(
        "a program that is named with the job, and its own output",
        processor(("/opt/ml/processing/output", "/opt/ml/processing/$1")),
        PROCESSING,
        {
            **GIVEN,
            "entrypoint": ("/bin/process",),
            "arguments": ("made",),
            "outputs": ("/opt/ml/processing/made",),
        },
    ),
)

BROKEN = (
    broken("runs what is not there", "processing-starts", first("exec /bin/gone")),
    broken("cannot process", "processing-completes", first("echo 'there is no column label' >&2", "exit 3")),
    broken(
        "waits for the word train",
        "processing-argument",
        first('[ "${1:-}" = train ] || exit 2', instructions=('ENTRYPOINT ["/bin/process"]',)),
    ),
    broken(
        "reads hyperparameters", "processing-training-files", first("cat /opt/ml/input/config/hyperparameters.json")
    ),
    broken("wants SM_CURRENT_HOST", "processing-variables", first('echo "on $SM_CURRENT_HOST"')),
    broken("is on algo-1", "processing-hostname", first('[ "$(hostname)" = algo-1 ]')),
    broken("is nobody", "processing-user", processor(instructions=("USER nobody", *CMD))),
    broken("wants a way out", "processing-network-isolation", first("ip route get 192.0.2.1")),
    broken(
        "leaves its work elsewhere",
        "processing-output",
        processor(('"/opt/ml/processing/output/$host.csv"', "/opt/ml/processing/result.csv")),
    ),
    broken(
        "links its output",
        "processing-output-links",
        processor((WRITES, f'{WRITES}\nln -s "$host.csv" "/opt/ml/processing/output/$host-latest"')),
    ),
    broken("is silent", "processing-logs", processor((BEGINS, f"{BEGINS}exec > /tmp/log 2>&1\n"))),
    broken("swallows errors", "processing-exit-code", processor((WRITES, f"{WRITES} || true"))),
    broken("gives no reason", "processing-message", processor((EXPLAINS, ":"))),
    broken(
        "gives a reason that is no UTF-8",
        "processing-message",
        processor(('echo "processing ended with $code"', 'printf "\\377"')),
    ),
    broken("hears no SIGTERM", "processing-sigterm", processor(("trap 'exit 0' TERM", "trap '' TERM"))),
    broken(
        "is alone",
        "processing-two-hosts",
        first("if grep -q algo-2 /opt/ml/config/resourceconfig.json; then exit 5; fi"),
    ),
    broken("names nobody in its output", "processing-host-outputs", processor(("$host.csv", "all.csv"))),
    Broken(
        "writes to its root",
        "processing-read-only-root",
        first("mkdir -p /var/cache/processor"),
        CLAIMED,
        GIVEN,
    ),
)
