"""A change of train/train.py: baked again and pushed, and the bytes that the registry did not have yet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from bench.figures import Bar, Row, median
from bench.stand import LABEL, MB, ROOT, NotMeasured, Stand

if TYPE_CHECKING:
    from pathlib import Path

REBAKE = "rebake"
SECONDS_BAR, BYTES_BAR = Bar("ours", 5.0), Bar("ours", 1.0)
REPOSITORY = "samebox/train"
SECONDS = 1200


def measure(stand: Stand, rounds: int) -> list[Row]:
    """Bake and push once for the bulk of the layers, then for one change after the other."""
    tree = stand.folder / "tree"
    copy_tree(tree)
    _bake(stand, tree)
    stand.report("first push: every layer")
    _push(stand)
    before = _manifest(stand)
    bakes, wholes, pushed = [], [], []
    for number in range(rounds):
        with (tree / "train" / "train.py").open("a") as file:
            file.write(f"\n# change {stand.id} {number}\n")
        began = time.monotonic()
        _bake(stand, tree)
        baked = time.monotonic()
        _push(stand)
        wholes.append(time.monotonic() - began)
        bakes.append(baked - began)
        after = _manifest(stand)
        pushed.append(new_bytes(before, after) / MB)
        before = after
        stand.report(f"{number + 1} of {rounds}")
    return [
        Row(REBAKE, "change of train.py → baked and pushed", "s", median(wholes), median(bakes), bar=SECONDS_BAR,
            note="bare: `docker buildx bake train-cpu` alone"),
        Row(REBAKE, "change of train.py, pushed", "MB", median(pushed), bar=BYTES_BAR),
    ]  # fmt: skip


def copy_tree(target: Path) -> None:
    """The working tree as git sees it, and what scripts/roots made: the person's own files are not touched."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    names = [name for name in listed.split("\0") if name]
    names += [name for name in ("docker-bake.override.hcl", ".samebox/ca.pem") if (ROOT / name).exists()]
    for name in names:
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def new_bytes(before: dict[str, Any], after: dict[str, Any]) -> int:
    """Bytes of the blobs of `after` that `before` has not, and of the manifest itself."""
    had = {one["digest"] for one in [before["config"], *before["layers"]]}
    new = {one["digest"]: int(one["size"]) for one in [after["config"], *after["layers"]] if one["digest"] not in had}
    return sum(new.values()) + len(json.dumps(after))


def _image(stand: Stand) -> str:
    # A tag of our own: the person's samebox/train:cpu stays what it is.
    return f"samebox/train:cpu-{stand.tag}"


def _bake(stand: Stand, tree: Path) -> None:
    label = f"train-cpu.labels.{LABEL}={stand.id}"
    command = ["docker", "buildx", "bake", "--progress=quiet", "--set", label, "train-cpu"]
    done = subprocess.run(
        command, cwd=tree, env={**os.environ, "TAG": stand.tag},
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    if done.returncode:
        raise NotMeasured(f"docker buildx bake: {done.stderr.strip()[-500:]}")


def _push(stand: Stand) -> None:
    command = [sys.executable, "-m", "samebox.cli", "push", _image(stand), "--create", "--tag", "cpu"]
    done = subprocess.run(
        command, cwd=ROOT, env=stand.emulator.environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if done.returncode:
        raise NotMeasured(f"samebox push: {done.stderr.strip()[-500:]}")


def _manifest(stand: Stand) -> dict[str, Any]:
    answer = stand.emulator.ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "cpu"}])
    manifest: dict[str, Any] = json.loads(answer["images"][0]["imageManifest"])
    return manifest
