"""The `serve` program: reads the settings, installs the model's requirements, chooses the number of workers, and
serves.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile

from samebox_serve import code_archive, cores, logs
from samebox_serve.settings import BadSetting, ServeSettings

log = logging.getLogger("samebox.serve")

PIP_SECONDS = 600
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - all writers there use mkstemp


def main() -> int:
    try:
        settings = ServeSettings.read(os.environ)
    except BadSetting as error:
        logs.configure("INFO")
        log.error("%s", error)  # noqa: TRY400 - the sentence says it all
        return 1
    logs.configure(settings.log_level)
    if settings.multi_model:
        log.error("SAGEMAKER_MULTI_MODEL is true, but this image serves one model: use it in a single-model endpoint")
        return 1
    try:
        find_temporary_folder()
    except OSError as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence says it all
        return 1
    settings, problem = code_archive.fetch(settings)
    problem = problem or install_requirements(settings)
    plan = make_plan(settings)
    # Without these, every process would compute with as many threads as the host has cores.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(plan.computing_threads))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    log.info(
        "serving %s on port %d: %d workers, %d predictions at once in each, %d threads in each prediction",
        settings.model_dir,
        settings.port,
        plan.workers,
        plan.threads,
        plan.computing_threads,
    )
    # Only now: numpy reads these variables when it is imported.
    from samebox_serve.server import GunicornServer

    GunicornServer(settings, plan, problem).run()
    return 0


def make_plan(settings: ServeSettings) -> cores.Concurrency:
    own = settings.own_program is not None
    return cores.plan(
        cores.usable_cores(),
        cores.usable_memory(),
        cores.bytes_below(settings.model_dir),
        cores.visible_gpus(),
        own,
        workers=settings.workers,
        threads=settings.threads,
    )


def find_temporary_folder() -> None:
    """Make sure that there is one, for gunicorn, TensorFlow and the model's code. Raises OSError saying what to do.

    On a read-only root /tmp cannot be written, but docker gives every container /dev/shm.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        if not os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
            raise OSError(f"{error}: give the container a writable /tmp (docker run --tmpfs /tmp)") from None
        os.environ["TMPDIR"] = SHARED_MEMORY
        tempfile.tempdir = None


def install_requirements(settings: ServeSettings) -> str | None:
    """pip-install <model>/code/requirements.txt, as sagemaker-inference's server does. Returns what went wrong."""
    requirements = settings.code_dir / "requirements.txt"
    if not os.path.isfile(requirements):  # noqa: PTH113 - as in Settings.own_program
        return None
    # Neither site-packages nor the home folder need be writable: the image may run as any user, with a read-only root.
    target = tempfile.mkdtemp(prefix="requirements-")
    log.info("installing %s", requirements)
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--no-cache-dir",
                "--disable-pip-version-check",
                "--target",
                target,
                "-r",
                str(requirements),
            ],
            cwd=settings.code_dir,  # what it names by relative paths is beside it
            capture_output=True,
            text=True,
            timeout=PIP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"pip install -r {requirements} did not end within {PIP_SECONDS} s"
    if done.returncode != 0:
        return f"pip install -r {requirements} failed: {done.stderr.strip()[-1000:]}"
    sys.path.insert(0, target)
    return None
