"""Checks that every image we ship must pass, run inside it."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

# TensorFlow 2.11 and Horovod look for these names; libcuda itself comes with the driver of the host.
CUDA_LIBRARIES = (
    "libcudart.so.11.0",
    "libcublas.so.11",
    "libcublasLt.so.11",
    "libcufft.so.10",
    "libcurand.so.10",
    "libcusolver.so.11",
    "libcusparse.so.11",
    "libcudnn.so.8",
    "libnccl.so.2",
)
VERSIONS = {"tensorflow": "2.11.1", "keras": "2.11.0", "horovod": "0.28.1"}


def require(claim: bool, sentence: str) -> None:
    if not claim:
        sys.exit(f"FAILED: {sentence}")
    print(f"ok: {sentence}")


def check_image(accelerator: str, program: str) -> None:
    check_python(accelerator)
    check_program(program)
    check_leftovers()
    if accelerator != "cpu":
        check_cuda()


def check_python(accelerator: str) -> None:
    require(sys.version_info[:2] == (3, 10), "Python is 3.10")
    for name, version in VERSIONS.items():
        distribution = "tensorflow-cpu" if (name, accelerator) == ("tensorflow", "cpu") else name
        require(importlib.metadata.version(distribution) == version, f"{distribution} is {version}")
    pip_check = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    if pip_check.returncode:
        print(pip_check.stdout)
    require(pip_check.returncode == 0, "what is installed fits together")

    import horovod.tensorflow as horovod
    import tensorflow

    require(horovod.mpi_built() and horovod.gloo_built(), "Horovod has MPI and Gloo")
    require(bool(horovod.nccl_built()) == (accelerator != "cpu"), "Horovod has NCCL exactly where there is CUDA")
    require(tensorflow.test.is_built_with_cuda() == (accelerator != "cpu"), "TensorFlow is built for this accelerator")


def check_program(program: str) -> None:
    path = shutil.which(program)
    require(path is not None and path.startswith("/opt/samebox/"), f"`{program}` is on PATH ({path})")
    first_line = Path(str(path)).read_bytes().split(b"\n", 1)[0]
    require(first_line.startswith(b"#!") and not first_line.endswith(b"\r"), f"`{program}` starts with a clean #! line")
    own = Path("/usr/local/bin") / program
    own.touch(mode=0o755, exist_ok=False)
    found = shutil.which(program)
    own.unlink()
    require(found == str(own), f"a `{program}` of an image that is built on this one would win")


def check_leftovers() -> None:
    for compiler in ("cc", "gcc", "g++", "clang", "cmake", "make", "nvcc"):
        require(shutil.which(compiler) is None, f"no {compiler}")
    # BuildKit leaves empty mount points behind; files would be another matter.
    for cache in ("/root/.cache", "/var/lib/apt/lists", "/var/cache/apt/archives", "/run/secrets", "/tools", "/fetch"):
        files = [name for name in files_below(Path(cache)) if name.name != "lock"]
        require(not files, f"nothing left in {cache} {files[:3]}")


def files_below(folder: Path) -> list[Path]:
    return [Path(at) / name for at, _, names in os.walk(folder) for name in names]


def check_cuda() -> None:
    for library in CUDA_LIBRARIES:
        ctypes.CDLL(library)
        print(f"ok: {library} loads")
