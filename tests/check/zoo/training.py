"""Trainers of a few lines of shell. Each broken one is the sound one with a single change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.check.zoo.zoo import Broken, Recipe, Sound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.check.checks import Claim

DATA = Path(__file__).parent / "data"

SOUND_TRAINER = """#!/bin/sh
set -eu
stopped() { echo stopped; echo half > /opt/ml/model/model.txt; exit 0; }
trap stopped TERM
trap 'code=$?; [ $code = 0 ] || echo "training ended with $code" > /opt/ml/output/failure' EXIT
[ "${1:-train}" = train ]
cat /opt/ml/input/config/hyperparameters.json
ping -c 1 -w 10 "$(sed 's/.*"current_host":"\\([^"]*\\)".*/\\1/' /opt/ml/input/config/resourceconfig.json)"
for epoch in 1 2 3 4 5 6 7 8; do
    echo "epoch $epoch"
    sleep 0.18 & wait $!
    if [ -d /opt/ml/checkpoints ]; then
        echo $epoch > /opt/ml/checkpoints/part
        mv /opt/ml/checkpoints/part /opt/ml/checkpoints/epoch
    fi
done
dd if=/dev/zero of=/dev/null bs=64M count=1
echo trained > /opt/ml/model/model.txt
echo done
"""
TAKES_TRAIN = '[ "${1:-train}" = train ]'
LAST = "echo trained > /opt/ml/model/model.txt"
HOG = "dd if=/dev/zero of=/dev/null bs=64M count=1"
FAILS = "trap 'code=$?; [ $code = 0 ] || echo \"training ended with $code\" > /opt/ml/output/failure' EXIT"
CHECKPOINTS = "if [ -d /opt/ml/checkpoints ]; then"

BEGINS = "for epoch in"
PIPES = """
for epoch in 0 1; do
    pipe=/opt/ml/input/data/training_$epoch
    until [ -p $pipe ]; do sleep 0.1; done
    bytes=$(wc -c < $pipe)
    echo "$bytes bytes of data"
done
"""
NO_FOLDER = "[ -d /opt/ml/input/data/training ] ||"

TRAIN: frozenset[Claim] = frozenset({"train"})
PIPE: frozenset[Claim] = TRAIN | {"pipe"}
READ_ONLY: frozenset[Claim] = TRAIN | {"read-only-root"}
GIVEN: Mapping[str, Any] = {"data": DATA, "hyperparameters": {"epochs": "8"}}


def trainer(*changes: tuple[str, str], instructions: tuple[str, ...] = ()) -> Recipe:
    """The sound one, with words of it replaced."""
    text = SOUND_TRAINER
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return Recipe({"bin/train": text}, instructions)


def first(*lines: str) -> Recipe:
    """The sound one, with lines in front of its work."""
    return trainer((TAKES_TRAIN, "\n".join((TAKES_TRAIN, *lines))))


def broken(name: str, fails: str, recipe: Recipe) -> Broken:
    return Broken(name, fails, recipe, TRAIN, GIVEN)


def piping(pipes: str) -> Recipe:
    """The sound one, which reads pipes where there is no folder."""
    return trainer((BEGINS, f"{NO_FOLDER} {{ {pipes} }}\n{BEGINS}"))


SOUND = (
    Sound("a trainer on a root that is only read", trainer(), READ_ONLY, GIVEN),
    Sound("a trainer that takes files and pipes", piping(PIPES), PIPE, GIVEN),
    Sound(
        "a trainer that takes records from pipes, and no files",
        trainer((BEGINS, f"cat /opt/ml/input/data/training_0 > /dev/null\n{PIPES.replace('0 1', '1')}{BEGINS}")),
        PIPE,
        {**GIVEN, "record_io": True},
    ),
)

BROKEN = (
    broken(
        "takes no argument",
        "train-argument",
        trainer(
            (TAKES_TRAIN, '[ $# = 0 ] || { echo "unexpected argument: $1" >&2; exit 2; }'),
            instructions=('ENTRYPOINT ["/bin/train"]',),
        ),
    ),
    broken("cannot train", "train-completes", first("echo 'there is no column label' >&2", "exit 3")),
    broken("calls a command that is not there", "train-completes", first("pyhton -m trainer")),
    # Its CMD is a shell, which ends with 0 without the argument, as those of Debian, Ubuntu and Python do.
    broken(
        "reads a channel that the job has not",
        "train-completes",
        trainer(
            (TAKES_TRAIN, f"{TAKES_TRAIN}\ncat /opt/ml/input/data/train/data.csv > /dev/null"),
            instructions=('CMD ["/bin/sh"]',),
        ),
    ),
    broken(
        "fails behind an entrypoint that runs any command",
        "train-completes",
        Recipe(
            {
                "bin/train": "#!/bin/sh\necho 'error: there is no column label' >&2\nexit 3\n",
                "bin/entry": '#!/bin/sh\nexec "$@"\n',
            },
            ('ENTRYPOINT ["/bin/entry"]', 'CMD ["/bin/sh"]'),
        ),
    ),
    broken(
        "wants numbers",
        "train-hyperparameters",
        first("grep -q '\"epochs\":[0-9]' /opt/ml/input/config/hyperparameters.json"),
    ),
    broken("has saved its model and does not end", "train-completes", trainer((LAST, f"{LAST}\nsleep 10000"))),
    Broken(
        "minds quotes within a string",
        "train-hyperparameters",
        first('grep -q \'"optimizer":"adam"\' /opt/ml/input/config/hyperparameters.json'),
        TRAIN,
        {**GIVEN, "hyperparameters": {"optimizer": '"adam"', "epochs": "8"}},
    ),
    broken(
        "knows all config files there are",
        "train-config-files",
        first(
            "for file in /opt/ml/input/config/*; do case ${file##*/} in",
            "hyperparameters.json|inputdataconfig.json|resourceconfig.json|checkpointconfig.json) ;;",
            '*) echo "unknown: $file" >&2; exit 1 ;; esac; done',
        ),
    ),
    broken("is on algo-1", "train-hostname", first('[ "$(hostname)" = algo-1 ]')),
    broken(
        "listens where only it can hear",
        "train-own-name",
        first(
            "echo heard > /tmp/index.html",
            "httpd -f -p 127.0.0.1:7777 -h /tmp & server=$!",
            "for again in 1 2 3 4 5; do wget -q -O - http://algo-1:7777/ && break; sleep 0.1; done",
            "wget -q -O - http://algo-1:7777/",
            "kill $server",
        ),
    ),
    broken("wants SM_MODEL_DIR", "train-sm-variables", trainer((LAST, 'echo trained > "$SM_MODEL_DIR/model.txt"'))),
    broken("is nobody", "train-user", trainer(instructions=("USER nobody",))),
    # Asks the kernel for the way out, which a download would take: busybox alone cannot look up names.
    broken("wants a way out", "train-network-isolation", first("ip route get 192.0.2.1")),
    broken("puts the model elsewhere", "train-model", trainer(("/opt/ml/model/model.txt", "/tmp/model.txt"))),
    broken("links its model", "train-model-links", trainer((LAST, f"{LAST}\nln -s model.txt /opt/ml/model/latest"))),
    broken("is silent", "train-logs", trainer(("set -eu\n", "set -eu\nexec > /tmp/log 2>&1\n"))),
    broken("swallows errors", "train-exit-code", trainer((LAST, f"{LAST} || true"))),
    broken("gives no reason", "train-failure-file", trainer((FAILS, ":"))),
    broken(
        "gives a reason that is no UTF-8", "train-failure-file", trainer(('"training ended with $code"', "$'\\xff'"))
    ),
    broken(
        "gives a reason that is too long",
        "train-failure-file",
        trainer(('echo "training ended with $code"', "seq 1 1000")),
    ),
    broken("lives on when its child was killed", "train-memory", trainer((HOG, f"{HOG} || true"))),
    Broken(
        "fills its memory",
        "train-memory-headroom",
        trainer((HOG, "dd if=/dev/zero of=/dev/null bs=90M count=40")),
        TRAIN,
        {**GIVEN, "memory_bytes": 96 << 20},
    ),
    Broken("looks for a folder", "train-pipe", first("cat /opt/ml/input/data/training/data.csv"), PIPE, GIVEN),
    Broken(
        "wants the next pipe at once",
        "train-pipe-epochs",
        piping(PIPES.replace("until [ -p $pipe ]; do sleep 0.1; done", "")),
        PIPE,
        GIVEN,
    ),
    Broken("writes to its root", "train-read-only-root", first("mkdir -p /var/cache/trainer"), READ_ONLY, GIVEN),
    broken("hears no SIGTERM", "train-sigterm", trainer(("trap stopped TERM\n", "trap '' TERM\n"))),
    broken(
        "loses its work at SIGTERM",
        "train-sigterm-model",
        trainer(("echo half > /opt/ml/model/model.txt; exit 0", "exit 1"), (CHECKPOINTS, "if false; then")),
    ),
    broken(
        "wants its checkpoints new",
        "train-checkpoint-resume",
        trainer((BEGINS, "[ ! -d /opt/ml/checkpoints ] || mkdir /opt/ml/checkpoints/run\nfor epoch in")),
    ),
    broken(
        "is alone",
        "train-two-hosts",
        first("if grep -q algo-2 /opt/ml/input/config/resourceconfig.json; then exit 5; fi"),
    ),
)
