"""The contract kit over an image of ours, as everybody runs it: pytest of its own, with the plugin."""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1200  # under load; quiet it takes one


@dataclass(frozen=True)
class Outcomes:
    """Check -> why, of those that did not pass; and how many passed."""

    failed: dict[str, str]
    skipped: dict[str, str]
    passed: int
    said: str


def check(image: str, folder: Path, *options: str) -> Outcomes:
    """All checks of the image; a warning is a failure."""
    report = folder / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        f"--junit-xml={report}",
        "--rootdir",
        str(folder),
    ]
    command += ["--samebox-image", image, "--samebox-strict", "--samebox-fast", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    said = done.stdout + done.stderr
    assert report.exists(), said
    failed, skipped, passed = {}, {}, 0
    for case in ET.parse(report).iter("testcase"):
        name = str(case.get("name"))
        bad = [*case.findall("failure"), *case.findall("error")]
        why = case.find("skipped")
        if bad:
            failed[name] = str(bad[0].get("message"))
        elif why is not None:
            skipped[name] = str(why.get("message"))
        else:
            passed += 1
    return Outcomes(failed, skipped, passed, said)


def dockerfile(image: str, folder: Path) -> tuple[str, str]:
    """The option that gives the image's own, with what our lint does not mind in it."""
    shutil.copy(ROOT / "images" / image / "Dockerfile", folder / "Dockerfile")
    shutil.copy(ROOT / "images" / "lint" / "hadolint.yaml", folder / ".hadolint.yaml")
    return "--samebox-dockerfile", str(folder / "Dockerfile")
