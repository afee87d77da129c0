"""The contents of an image that predictions may depend on, as one table of names and values."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from samebox.check.findings import harmless
from samebox.check.static import cuda, python_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from samebox.check.files import ImageFiles
    from samebox.check.subject import Subject

Facts = dict[str, dict[str, str]]  # group -> name -> value

# In the order in which they are shown.
GROUPS = (
    "system",
    "Python",
    "Python packages",
    "numerics",
    "CUDA",
    "threads and switches",
    "locale",
    "time",
    "environment",
    "OS packages",
    "programs",
)

_LOCALE = re.compile(r"LANG|LANGUAGE|LC_\w+|PYTHONUTF8|PYTHONIOENCODING|PYTHONCOERCECLOCALE|PYTHONLEGACY\w+")
_SWITCHES = re.compile(
    r"(OMP|MKL|OPENBLAS|GOTO|BLIS|KMP|GOMP|NUMEXPR|VECLIB|DNNL|ONEDNN|TF|XLA|TORCH|PYTORCH|ATEN|CUDNN|CUBLAS|NCCL)_\w+"
    r"|CUDA_(VISIBLE_DEVICES|LAUNCH_BLOCKING|DEVICE_ORDER|MODULE_LOADING|CACHE_\w+)|NVIDIA_TF32_OVERRIDE"
    r"|PYTHONHASHSEED|KERAS_BACKEND"
)
_SECRET = re.compile(r"SECRET|TOKEN|PASSW|CREDENTIAL|API_?KEY|ACCESS_KEY|PRIVATE", re.IGNORECASE)
_CUDA = re.compile(
    r"/lib(cudart|cudnn|cublas|cublasLt|cufft|curand|cusolver|cusparse|nccl|nvinfer|nvrtc|cupti)\.so\.(\d[\d.]*)$"
)
_NUMERIC = re.compile(
    r"/(lib(?:openblas|scipy_openblas|blas|lapack|mkl_rt|mkl_core|blis|gomp|iomp5|omp5?(?=[.-])|gfortran)[\w.-]*\.so[\w.]*)$"
)
_LIBC = re.compile(r"/(?:libc-(\d[\d.]*)\.so|ld-musl-\w+\.so\.1)$")
_LIBSTDCXX = re.compile(r"/libstdc\+\+\.so\.(\d+\.\d+\.\d+)$")
_PYTHON = re.compile(r"/python(\d+\.\d+)$")
_MOST_BYTES = 64 << 20  # of a package database
_LONGEST = 500  # characters of a value: enough for a PATH


@dataclass(frozen=True)
class Inventory:
    """`probed`: what its own Python reported, which takes precedence over files; None if it could not be run."""

    image: str
    image_id: str = ""
    layers: tuple[tuple[str, int], ...] = ()  # diff id and bytes, the root's first
    static: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    probed: Mapping[str, Mapping[str, str]] | None = None
    claims: frozenset[str] = frozenset()  # of "train" and "serve": programs on its PATH

    @property
    def size_bytes(self) -> int:
        return sum(size for _, size in self.layers)

    def facts(self, with_probe: bool = True) -> Facts:
        """All of it; without the probe's answers where they are to be compared with an image that gave none."""
        told: Facts = {group: dict(values) for group, values in self.static.items()}
        if self.probed is None:
            return told
        if not with_probe:
            # Files have the same facts, and were not all read where Python was asked.
            precise = self.probed.get("Python", {}).get("version")
            return told | ({"Python": {**told.get("Python", {}), "version": precise}} if precise else {})
        for group, values in self.probed.items():
            told.setdefault(group, {}).update(values)
        seen = self.probed.get("Python packages")
        if seen:
            # Of the folders that its Python searches; those of other Pythons stay as the files have them.
            searched = set(self.probed.get("Python", {}).get("search path", "").split(":"))
            others = {
                name: version
                for name, version in self.static.get("Python packages", {}).items()
                if " in " in name and name.partition(" in ")[2] not in searched
            }
            told["Python packages"] = {**_merged(seen), **others}
        return told


def read(subject: Subject, probed: Mapping[str, Mapping[str, str]] | None = None) -> Inventory:
    """Reads the whole image. Raises NotAnImage, EngineError, OSError, OutOfTime."""
    contents = subject.contents
    config, files = contents.config, contents.files
    diff_ids = [str(one) for one in (contents.archive.config.get("rootfs") or {}).get("diff_ids") or []]
    sizes = [layer.bytes for layer in files.layers]
    static: Facts = {
        "system": {
            **_system(subject),
            "architecture": f"{config.operating_system}/{config.architecture}".strip("/"),
            "user": config.user or "root",
        },
        "Python": _python(subject, precise=probed is None),
        "Python packages": _packages(subject),
        "numerics": _libraries(files),
        "CUDA": _cuda(subject),
        "time": _time(subject),
        "OS packages": dict(_os_packages(subject)),
        "programs": _programs(subject),
        "threads and switches": {},
        "locale": {},
        "environment": {},
    }
    for name, value in config.environment.items():
        static[_group_of(name)][name] = f"hidden, {len(value)} characters" if _SECRET.search(name) else value
    return Inventory(
        subject.name,
        subject.facts.id if subject.facts else "",
        tuple(zip(diff_ids, sizes, strict=False)),
        {group: _clean(values) for group, values in static.items()},
        None if probed is None else {group: _clean(values) for group, values in probed.items()},
        frozenset(word for word in ("train", "serve") if subject.which(word) is not None),
    )


def shared(left: Inventory, right: Inventory) -> tuple[int, int]:
    """How many of the right image's layers the left one has, too, and their bytes."""
    there = {digest for digest, _ in left.layers}
    both = [size for digest, size in right.layers if digest in there]
    return len(both), sum(both)


def interpreter(subject: Subject, program: str) -> str | None:
    """The Python that `train` or `serve` runs with, by its #! line; else the first on PATH."""
    found = subject.which(program)
    head = subject.files.head(found) if found else None
    if head and head.startswith(b"#!"):
        words = head[2:].split(b"\n")[0].decode(errors="replace").split()
        words = [word for word in words if not word.endswith("/env") and not word.startswith("-")]
        if words and re.fullmatch(r"python[\d.]*", posixpath.basename(words[0])) and subject.which(words[0]):
            return words[0]
    return next((name for name in ("python3", "python") if subject.which(name) is not None), None)


def _group_of(variable: str) -> str:
    if variable == "TZ":
        return "time"
    if _LOCALE.fullmatch(variable):
        return "locale"
    return "threads and switches" if _SWITCHES.fullmatch(variable) else "environment"


def _clean(values: Mapping[str, str]) -> dict[str, str]:
    """Text of an untrusted image, without control sequences and shortened."""
    return {
        harmless(str(name))[:_LONGEST]: value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
        for name, value in ((name, harmless(str(value))) for name, value in values.items())
    }


def _system(subject: Subject) -> dict[str, str]:
    told = {}
    text = _text(subject, "/etc/os-release")
    words = dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)
    words = {name: value.strip().strip("\"'") for name, value in words.items()}
    if name := words.get("PRETTY_NAME") or words.get("NAME"):
        told["operating system"] = name
    version = _text(subject, "/etc/debian_version").strip() if words.get("ID") == "debian" else ""
    if name and re.fullmatch(r"\d+(\.\d+)*", version):
        told["operating system"] += f", {version}"
    libc, libstdcxx = set(), set()
    for path in subject.files.paths:
        if match := _LIBC.search(path):
            libc.add(f"glibc {match.group(1)}" if match.group(1) else "musl")
        elif match := _LIBSTDCXX.search(path):
            libstdcxx.add(match.group(1))
    told |= {name: ", ".join(sorted(found)) for name, found in (("libc", libc), ("libstdc++", libstdcxx)) if found}
    return told


def _python(subject: Subject, precise: bool) -> dict[str, str]:
    """`precise`: also what takes the reading of another file."""
    told = {}
    for name in ("python3", "python"):
        found = subject.which(name)
        if found is None:
            continue
        told[name] = found.path
        minor = _PYTHON.search(found.path)
        if "version" not in told and minor:
            told["version"] = minor.group(1)
            header = posixpath.dirname(posixpath.dirname(found.path)) + f"/include/python{minor.group(1)}/patchlevel.h"
            match = re.search(r'PY_VERSION\s+"([^"]+)"', _text(subject, header) if precise else "")
            if match:
                told["version"] = match.group(1)
    return told


def _packages(subject: Subject) -> dict[str, str]:
    """Of the Python on PATH by their names; of any other folder as "name in folder"."""
    prefix = next((one for one in map(str, _prefixes(subject)) if one), None)
    own: dict[str, str] = {}
    others: dict[str, str] = {}
    for python in python_packages.pythons(subject):
        mine = prefix is not None and (
            python.folder.startswith(f"{prefix.rstrip('/')}/lib")
            and (prefix != "/usr" or not python.folder.startswith("/usr/local"))
        )
        for package in python.packages.values():
            if mine:
                own.setdefault(package.name, str(package.version))
            else:
                others[f"{package.name} in {python.folder}"] = str(package.version)
    return {**_merged(own), **others}


def _prefixes(subject: Subject) -> Iterator[str]:
    """Where Pythons on PATH are installed: before links are followed, because an environment's python is a link."""
    for folder in subject.config.path.split(":"):
        for name in ("python3", "python"):
            found = subject.files.resolve(posixpath.join(folder, name))
            if found is not None and found.is_file:
                yield posixpath.dirname(folder.rstrip("/"))


def _merged(packages: Mapping[str, str]) -> dict[str, str]:
    """Builds of one thing under several names count as that thing: tensorflow-cpu 2.11.1 is tensorflow."""
    told = dict(packages)
    for name, builds in _BUILDS.items():
        for build in builds:
            if build in told:
                version = f"{told.pop(build)} ({build})"
                told[name] = f"{told[name]}, {version}" if name in told else version
    return told


_BUILDS = {
    "tensorflow": ("tensorflow-cpu", "tensorflow-gpu", "intel-tensorflow", "tensorflow-cpu-aws"),
    "onnxruntime": ("onnxruntime-gpu",),
    "opencv-python": ("opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "xgboost": ("xgboost-cpu",),
    "faiss": ("faiss-cpu", "faiss-gpu"),
}


def _libraries(files: ImageFiles) -> dict[str, str]:
    """Of linear algebra and of threads, wherever they lie: a wheel often brings its own."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in files.paths:
        match = _NUMERIC.search(path)
        file = files.get(path) if match else None
        if match and file is not None and file.is_file:
            name = re.split(r"[-.](?=[\da-f]|so)", match.group(1))[0]
            found[name].add(match.group(1))
    return {name: ", ".join(sorted(names)) for name, names in found.items()}


def _cuda(subject: Subject) -> dict[str, str]:
    found: dict[str, set[str]] = defaultdict(set)
    for path in subject.files.paths:
        if (match := _CUDA.search(path)) and "/stubs/" not in path:
            found[match.group(1)].add(match.group(2).rstrip("."))
    told = {}
    for name, versions in found.items():
        precise = {one for one in versions if not any(other.startswith(f"{one}.") for other in versions)}
        told[name] = ", ".join(sorted(precise))
    toolkit = cuda.cuda_versions(subject)
    if toolkit:
        told["toolkit"] = ", ".join(f"{major}.{minor}" for major, minor in sorted(toolkit))
    return told


def _time(subject: Subject) -> dict[str, str]:
    told = {}
    link = subject.files.get("/etc/localtime")
    if link is not None and link.is_link:
        told["/etc/localtime"] = link.link.partition("zoneinfo/")[2] or link.link
    elif link is not None and link.is_file:
        # The last line of a compiled time zone is its rule, such as CET-1CEST,M3.5.0,M10.5.0/3.
        data = subject.read_file("/etc/localtime") or b""
        told["/etc/localtime"] = data.strip(b"\n").rpartition(b"\n")[2][:60].decode(errors="replace") or "a file"
    if zone := _text(subject, "/etc/timezone").strip():
        told["/etc/timezone"] = zone
    return told


def _os_packages(subject: Subject) -> Iterable[tuple[str, str]]:
    paths = ["/var/lib/dpkg/status"]
    paths += [path for path in subject.files.paths if re.fullmatch(r"/var/lib/dpkg/status\.d/[^/]+", path)]
    for path in paths:
        if not path.endswith(".md5sums"):
            for paragraph in _text(subject, path).split("\n\n"):
                words = dict(line.partition(": ")[::2] for line in paragraph.splitlines() if line[:1].isalpha())
                if words.get("Package") and "deinstall" not in words.get("Status", ""):
                    yield words["Package"], words.get("Version", "")
    for paragraph in _text(subject, "/lib/apk/db/installed").split("\n\n"):
        words = dict(line.partition(":")[::2] for line in paragraph.splitlines())
        if "P" in words:
            yield words["P"], words.get("V", "")


def _programs(subject: Subject) -> dict[str, str]:
    folders = {folder.rstrip("/") for folder in subject.config.path.split(":") if folder}
    return {
        name: folder for folder, _, name in (path.rpartition("/") for path in subject.files.paths) if folder in folders
    }


def _text(subject: Subject, path: str) -> str:
    """A file's text; "" where there is none."""
    if subject.files.resolve(path) is None:
        return ""
    return (subject.read_file(path, _MOST_BYTES) or b"").decode(errors="replace")
