"""Python packages that do not get on with each other, read from their own metadata; nothing is imported or run."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import line_naming, some

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.check.subject import Subject

_METADATA = re.compile(r"^(.*/(?:site|dist)-packages)/[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO)$")
_PYTHON = re.compile(r"/python(\d+\.\d+)/")


@dataclass(frozen=True)
class Clash:
    """Two packages that install together and do not work together, although the metadata of both allows it."""

    first: str  # a requirement, such as "tensorflow<2.12"
    second: str
    why: str
    cure: str


# What pip lets through. What packages say themselves is the other rule's.
CLASHES = (
    Clash("tensorflow<2.12", "protobuf>=3.20.4", "Descriptors cannot be created directly", "protobuf<3.20"),
    Clash("tensorflow-cpu<2.12", "protobuf>=3.20.4", "Descriptors cannot be created directly", "protobuf<3.20"),
    Clash("sagemaker-training<4.10", "protobuf>=3.21", "its protobuf code is of before 3.21", "protobuf<3.21"),
    Clash("tensorflow<2.12", "numpy>=1.24", "module 'numpy' has no attribute 'object'", "numpy<1.24"),
    Clash("tensorflow-cpu<2.12", "numpy>=1.24", "module 'numpy' has no attribute 'object'", "numpy<1.24"),
    Clash("tensorflow<2.18", "numpy>=2", "compiled for NumPy 1: numpy.core.multiarray failed to import", "numpy<2"),
    Clash("torch<2.3", "numpy>=2", "compiled for NumPy 1: Numpy is not available", "numpy<2"),
    Clash("pandas<2.2.2", "numpy>=2", "compiled for NumPy 1: numpy.dtype size changed", "numpy<2, or pandas>=2.2.2"),
    Clash("scikit-learn<1.4.2", "numpy>=2", "compiled for NumPy 1: numpy.dtype size changed", "numpy<2"),
    Clash("scipy<1.13", "numpy>=2", "compiled for NumPy 1: numpy.core.multiarray failed to import", "numpy<2"),
    Clash("h5py<3.11", "numpy>=2", "compiled for NumPy 1: numpy.dtype size changed", "numpy<2, or h5py>=3.11"),
    Clash("xgboost<2.1", "numpy>=2", "uses names that NumPy 2 has taken away", "numpy<2, or xgboost>=2.1"),
    Clash("mxnet<2", "numpy>=1.24", "module 'numpy' has no attribute 'bool'", "numpy<1.24"),
    Clash("scikit-learn<1.0", "numpy>=1.24", "module 'numpy' has no attribute 'float'", "numpy<1.24"),
    Clash("flask<2.2.5", "werkzeug>=3", "cannot import name 'url_quote' from 'werkzeug.urls'", "werkzeug<3"),
    Clash("flask<2", "jinja2>=3.1", "cannot import name 'escape' from 'jinja2'", "jinja2<3.1"),
    Clash("flask<2", "itsdangerous>=2.1", "cannot import name 'json' from 'itsdangerous'", "itsdangerous<2.1"),
    Clash("jinja2<3", "markupsafe>=2.1", "cannot import name 'soft_unicode' from 'markupsafe'", "markupsafe<2.1"),
    Clash(
        "keras>=3", "tensorflow<2.16", "Keras 3 beside a TensorFlow that brings Keras 2", "keras of TensorFlow's own"
    ),
    Clash("transformers<4.36", "numpy>=2", "uses names that NumPy 2 has taken away", "numpy<2"),
    Clash("gunicorn<20.1", "eventlet>=0.30.3", "cannot import name 'ALREADY_HANDLED'", "gunicorn>=20.1"),
    Clash("botocore<1.29.3", "urllib3>=2", "cannot import name 'DEFAULT_CIPHERS'", "urllib3<2"),
    Clash("pydantic>=2", "fastapi<0.100", "FastAPI before 0.100 speaks pydantic 1", "pydantic<2"),
)

PAIRS = Rule(
    "image-python-clashes",
    "No Python packages with a known conflict are installed together",
    "contract §2.5; the packages' own release notes",
    "fail",
    "static",
    "Pin the one that is too new, and keep a lock of what worked.",
)
REQUIREMENTS = Rule(
    "image-python-requirements",
    "The requirements of every Python package are installed",
    "https://pip.pypa.io/en/stable/cli/pip_check/",
    "warn",
    "static",
    "Run `pip check` at the end of the build, and let it fail.",
)


@dataclass(frozen=True)
class Package:
    name: str
    version: Version
    requires: tuple[str, ...]
    requires_python: str


@dataclass(frozen=True)
class Python:
    """One folder of packages. `version` is "" where the folder's path does not contain it."""

    folder: str
    version: str
    packages: Mapping[str, Package]


def pythons(subject: Subject) -> list[Python]:
    """Every folder of packages, with what is in it. Reads the image."""
    folders: dict[str, dict[str, Package]] = {}
    for path in subject.files.paths:
        match = _METADATA.match(path)
        if match:
            package = _package((subject.read_file(path) or b"").decode(errors="replace"))
            if package is not None:
                folders.setdefault(match.group(1), {})[package.name] = package
    found = []
    for folder, packages in sorted(folders.items()):
        version = _PYTHON.search(folder + "/")
        found.append(Python(folder, version.group(1) if version else "", packages))
    return found


def pairs(context: Context) -> Finding:
    found, cures = [], []
    everything = pythons(context.subject)
    for python in everything:
        for clash in CLASHES:
            first, second = (_met(python, text) for text in (clash.first, clash.second))
            if first and second:
                found.append(f"{first.name} {first.version} with {second.name} {second.version}: {clash.why}")
                cures.append(clash.cure)
    if found:
        line = line_naming(context, "requirements", "pip install")
        return PAIRS.broken("; ".join(dict.fromkeys(found)), f"Install {some(list(dict.fromkeys(cures)))}.", line)
    return PAIRS.passed(_counted(everything))


def requirements(context: Context) -> Finding:
    missing = []
    everything = pythons(context.subject)
    for python in everything:
        for package in python.packages.values():
            missing += [f"{package.name} {package.version} wants {words}" for words in unmet(python, package)]
    if missing:
        line = line_naming(context, "requirements", "pip install")
        return REQUIREMENTS.broken(some(sorted(missing), 4), line=line)
    return REQUIREMENTS.passed(_counted(everything))


def unmet(python: Python, package: Package) -> list[str]:
    """`numpy<2, and there is 2.1.0`, for each requirement that the folder does not meet."""
    words = []
    environment = {"extra": "", "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    environment |= {"platform_machine": "x86_64", "implementation_name": "cpython"}
    environment["platform_python_implementation"] = "CPython"
    if python.version:
        environment |= {"python_version": python.version, "python_full_version": f"{python.version}.0"}
        if package.requires_python and not _allows(package.requires_python, python.version):
            words.append(f"Python {package.requires_python}, and this is {python.version}")
    for text in package.requires:
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            continue
        if wanted.marker is not None and not wanted.marker.evaluate(environment):
            continue
        there = python.packages.get(canonicalize_name(wanted.name))
        if there is None:
            words.append(f"{wanted.name}{wanted.specifier}, which is not there")
        elif not wanted.specifier.contains(there.version, prereleases=True):
            words.append(f"{wanted.name}{wanted.specifier}, and there is {there.version}")
    return words


def _allows(specifier: str, version: str) -> bool:
    """Folder names have 3.10 without the patch version, so that >=3.10.2 counts as met."""
    try:
        return SpecifierSet(specifier).contains(f"{version}.99")
    except ValueError:
        return True


def _met(python: Python, text: str) -> Package | None:
    wanted = Requirement(text)
    there = python.packages.get(canonicalize_name(wanted.name))
    return there if there and wanted.specifier.contains(there.version, prereleases=True) else None


def _package(text: str) -> Package | None:
    headers = HeaderParser().parsestr(text.partition("\n\n")[0])
    try:
        version = Version(str(headers["Version"]))
    except InvalidVersion:
        return None
    return Package(
        canonicalize_name(str(headers["Name"])),
        version,
        tuple(str(one) for one in headers.get_all("Requires-Dist") or ()),
        str(headers["Requires-Python"] or ""),
    )


def _counted(everything: list[Python]) -> str:
    if not everything:
        return "no Python packages"
    return ", ".join(f"{len(one.packages)} in {posixpath.dirname(one.folder)}" for one in everything)


CHECKS = (Check(PAIRS, pairs, FILES), Check(REQUIREMENTS, requirements, FILES))
