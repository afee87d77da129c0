"""How long `samebox check` takes to tell what is wrong with an image: from the command to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.figures import Bar, Row, median
from bench.stand import LABEL, NotMeasured
from tests.scenarios.emulator_process import docker

if TYPE_CHECKING:
    from pathlib import Path

    from bench.stand import Stand

VERDICT = "verdict"
FAILS_AT_ONCE = "#!/usr/bin/env python3\nraise ValueError('there is no column label')\n"
COMMAND_SECONDS = 600.0


@dataclass(frozen=True)
class PlantedFault:
    """An image with one fault: the box with one of its programs replaced, or taken away."""

    what: str
    program: str
    text: str | None
    claim: str
    rule_id: str  # of the finding that must be there, or the figure would be of something else
    bar: Bar


FAULTS = (
    PlantedFault(
        "a fault that is read: no program `serve`", "serve", None, "--serve", "serve-program", Bar("ours", 5.0)
    ),
    PlantedFault("a server that ends at once", "serve", FAILS_AT_ONCE, "--serve", "serve-starts", Bar("ours", 10.0)),
    PlantedFault("a training that fails", "train", FAILS_AT_ONCE, "--train", "train-completes", Bar("ours", 15.0)),
)


def measure(stand: Stand, rounds: int) -> list[Row]:
    """Each fault, with --fast, on an image that the kit has not read before: one that was just built."""
    data = stand.folder / "channels" / "train"
    data.mkdir(parents=True, exist_ok=True)
    (data / "a.csv").write_text("1,2\n")
    return [_row(stand, fault, data.parent, rounds) for fault in FAULTS]


def _row(stand: Stand, fault: PlantedFault, data: Path, rounds: int) -> Row:
    image = _image(stand, fault)
    seconds = []
    for number in range(rounds):
        seconds.append(_verdict(stand, image, fault, data))
        stand.report(f"{fault.what}: {number + 1} of {rounds}")
    return Row(VERDICT, f"samebox check --fast: {fault.what}", "s", median(seconds), bar=fault.bar)


def _image(stand: Stand, fault: PlantedFault) -> str:
    folder = stand.folder / "images" / fault.rule_id
    folder.mkdir(parents=True)
    place = f"/usr/local/bin/{fault.program}"
    lines = [f"FROM {stand.image}"]
    if fault.text is None:
        lines.append(f"RUN rm {place}")
    else:
        (folder / "program").write_text(fault.text)
        lines.append(f"COPY --chmod=755 program {place}")
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
    name = f"samebox-bench/{fault.rule_id}:{stand.id}"
    docker("build", "--quiet", "--label", f"{LABEL}={stand.id}", "--tag", name, str(folder))
    return name


def _verdict(stand: Stand, image: str, fault: PlantedFault, data: Path) -> float:
    """Seconds, of an image that was never read before. Raises NotMeasured where the fault was not found."""
    report = stand.folder / "report.json"
    report.unlink(missing_ok=True)
    options = ["--data", str(data)] if fault.claim == "--train" else []
    command = [sys.executable, "-m", "samebox.cli", "check", image, fault.claim, "--fast", *options]
    began = time.monotonic()
    done = subprocess.run(
        [*command, "--json", str(report)],
        cwd=stand.folder,
        env={**os.environ, "XDG_CACHE_HOME": str(stand.folder / stand.name("cache"))},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )
    took = time.monotonic() - began
    failed = [one["id"] for one in json.loads(report.read_text())["findings"] if one["status"] == "fail"]
    if done.returncode != 1 or fault.rule_id not in failed:
        raise NotMeasured(f"{fault.rule_id} was not found, but {failed}: {done.stderr.strip()}")
    return took
