"""Checks the serve image from inside: it runs as any user, and nothing is left behind."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys

from image import check_image, require

NOBODY = 65534


def main(accelerator: str) -> None:
    check_image(accelerator, "serve")
    for name in ("flask", "gunicorn", "sagemaker-inference"):
        require(bool(importlib.metadata.version(name)), f"{name} is {importlib.metadata.version(name)}")
    as_nobody = subprocess.run(
        [sys.executable, "-c", "import flask, gunicorn, sagemaker_inference, tensorflow"],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={**os.environ, "HOME": "/nonexistent"},
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    if as_nobody.returncode:
        print(as_nobody.stderr)
    require(as_nobody.returncode == 0, "a user without name or home imports everything")


main(sys.argv[1])
