"""CUDA in the image: its libraries, the host driver that they need, and that the image contains no driver."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import line_of, some

if TYPE_CHECKING:
    from samebox.check.subject import Subject

_RUNTIME = re.compile(r"/libcudart\.so\.(\d+)\.(\d+)(?:\.\d+)*$")
_WHEEL = re.compile(r"/nvidia_cuda_runtime_cu\d+-(\d+)\.(\d+)[\d.]*\.dist-info/METADATA$")
_DRIVER = re.compile(r"/(?:libcuda\.so\.\d[\d.]*|libnvidia-ml\.so\.\d[\d.]*|nvidia-smi|nvidia\.ko)$")
_COMPAT = re.compile(r"/compat/|/stubs/")
_REQUIRED = re.compile(r"cuda\s*>=\s*(\d+)\.(\d+)")

# Oldest driver that a CUDA release runs on, without the compat package. NVIDIA's CUDA release notes, table 3.
DRIVERS = {(11, 0): "450.36", (12, 0): "525.60", (13, 0): "580.65"}

NO_DRIVER = Rule(
    "image-cuda-driver",
    "The NVIDIA driver is not in the image",
    "contract §1.1 (GPU)",
    "fail",
    "static",
    "Install the CUDA toolkit's libraries only: the driver comes from the host, and another one hides it.",
)
REQUIREMENT = Rule(
    "image-cuda-requirement",
    "The image declares the driver that its CUDA libraries need",
    "contract §1.1, §1.4.1; NVIDIA Container Toolkit, environment variables",
    "warn",
    "static",
    'ENV NVIDIA_REQUIRE_CUDA="cuda>=MAJOR.MINOR" of the newest CUDA in it, as nvidia/cuda images have it.',
)


def no_driver(context: Context) -> Finding:
    found = drivers(context.subject)
    if found:
        return NO_DRIVER.broken(some(found), line=line_of(context, "RUN", "nvidia"))
    return NO_DRIVER.passed("none")


def requirement(context: Context) -> Finding:
    subject = context.subject
    versions = cuda_versions(subject)
    stated = subject.config.environment.get("NVIDIA_REQUIRE_CUDA", "")
    match = _REQUIRED.search(stated)
    required = (int(match.group(1)), int(match.group(2))) if match else None
    line = line_of(context, "ENV", "NVIDIA_REQUIRE_CUDA") or line_of(context, "FROM")
    if not versions:
        if required:
            return REQUIREMENT.broken(
                f"NVIDIA_REQUIRE_CUDA={stated[:40]} and no CUDA libraries: hosts are refused for nothing",
                "Drop the variable, or start from a root without CUDA.",
                line,
            )
        return REQUIREMENT.passed("no CUDA libraries")
    newest = max(versions)
    seen = f"CUDA {', '.join(f'{major}.{minor}' for major, minor in sorted(versions))}"
    seen += f" (a driver of {_driver(newest)} or newer)"
    if any(_COMPAT.search(path) and "/libcuda.so" in path for path in subject.files.paths):
        seen += ", with the compat package"
    if required is None:
        return REQUIREMENT.broken(
            f"{seen}, and no NVIDIA_REQUIRE_CUDA: an older driver fails when the model runs", line=line
        )
    if required[0] < newest[0]:
        return REQUIREMENT.broken(
            f"{seen}, and NVIDIA_REQUIRE_CUDA requires cuda>={required[0]}.{required[1]}",
            f"Two CUDA releases are mixed (a wheel brings its own?): require cuda>={newest[0]}.{newest[1]}.",
            line,
        )
    return REQUIREMENT.passed(f"{seen}; NVIDIA_REQUIRE_CUDA requires cuda>={required[0]}.{required[1]}")


def drivers(subject: Subject) -> list[str]:
    """Paths of a driver's parts."""
    files = subject.files
    found = sorted(path for path in files.paths if _DRIVER.search(path) and not _COMPAT.search(path))
    # A package may leave the name as a link into compat/, or a file of no length where the runtime mounts.
    return [path for path in found if (file := files.get(path)) is not None and file.is_file and file.size]


def cuda_versions(subject: Subject) -> set[tuple[int, int]]:
    """Of every CUDA runtime in the image: of the OS, of a toolkit's folder, of wheels."""
    found = set()
    for path in subject.files.paths:
        match = _RUNTIME.search(path) or _WHEEL.search(path)
        if match:
            found.add((int(match.group(1)), int(match.group(2))))
    text = subject.read_file("/usr/local/cuda/version.json")
    if text:
        try:
            version = str(json.loads(text)["cuda"]["version"]).split(".")
            found.add((int(version[0]), int(version[1])))
        except (ValueError, KeyError, TypeError, IndexError):
            return found
    # libcudart.so.11.0 is the soname of every CUDA 11; its file has the true number.
    return found - {(11, 0)} if any(one[0] == 11 and one[1] for one in found) else found


def _driver(version: tuple[int, int]) -> str:
    fitting = [one for one in DRIVERS if one[0] == version[0]] or [max(DRIVERS)]
    return DRIVERS[fitting[0]]


CHECKS = (Check(NO_DRIVER, no_driver, FILES), Check(REQUIREMENT, requirement, FILES))
