"""Describes an image from inside: how its Python computes, the libraries that numpy loads, time zone and locale.

Run as `python probe.py FILE`; writes one JSON object there: {"group": {"name": "value"}}.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from typing import Dict

Told = Dict[str, str]


def main(path: str) -> int:
    found: Dict[str, Told] = {}
    for group, look in LOOKS:
        try:
            found.update({group: dict(found.get(group, {}), **look())})
        except Exception as error:  # noqa: PERF203  (one that fails must not hide the others)
            found.setdefault("not answered", {})[group] = "%s: %s" % (type(error).__name__, error)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(found, file)
    return 0


def python() -> Told:
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": os.path.realpath(sys.executable),
        "search path": ":".join(one for one in sys.path if one),
    }


def system() -> Told:
    name, version = platform.libc_ver()
    told = {"machine": platform.machine()}
    if version:
        told["libc"] = "%s %s" % (name, version)
    return told


def packages() -> Told:
    """As this interpreter finds them: the first on its path wins."""
    found = {}
    try:
        from importlib import metadata
    except ImportError:  # before Python 3.8
        import pkg_resources

        return {"-".join(one.key.split("_")): one.version for one in pkg_resources.working_set}
    for one in metadata.distributions():
        name = (one.metadata["Name"] or "").lower().replace("_", "-").replace(".", "-")
        if name and name not in found:
            found[name] = str(one.version)
    return found


def locale_words() -> Told:
    import locale

    told = {"preferred encoding": locale.getpreferredencoding(False).lower()}
    told["filesystem encoding"] = sys.getfilesystemencoding().lower()
    told["standard output"] = (getattr(sys.stdout, "encoding", "") or "").lower()
    try:
        locale.setlocale(locale.LC_ALL, "")
        told["number format"] = "decimal point %r" % locale.localeconv()["decimal_point"]
    except locale.Error as error:
        told["number format"] = str(error)
    return told


def clock() -> Told:
    summer = time.strftime("%Z %z", time.localtime(1782000000))  # June 2026
    winter = time.strftime("%Z %z", time.localtime(1768000000))
    return {"local time": winter if winter == summer else "%s, in summer %s" % (winter, summer)}


def numerics() -> Told:
    """What numpy is built with, and what it has loaded once a product has been computed."""
    try:
        import numpy
    except ImportError:
        return {}
    numpy.dot(numpy.ones((8, 8)), numpy.ones((8, 8)))
    told = {}
    loaded = set()
    with open("/proc/self/maps") as maps:
        for line in maps:
            name = os.path.basename(line.rsplit(None, 1)[-1])
            if any(word in name for word in ("blas", "lapack", "mkl_", "blis", "gomp", "iomp", "libomp")):
                loaded.add(name)
    if loaded:
        told["libraries that numpy loads"] = ", ".join(sorted(loaded))
    for module in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
        features = getattr(sys.modules.get(module), "__cpu_features__", None)
        if features:
            told["SIMD that numpy uses"] = " ".join(sorted(name for name in features if features[name]))
            break
    try:
        import threadpoolctl

        for pool in threadpoolctl.threadpool_info():
            words = (pool.get("internal_api"), pool.get("version"), pool.get("architecture"))
            told["%s pool" % pool.get("user_api")] = " ".join(word for word in words if word)
    except Exception:
        return told
    return told


def os_packages() -> Told:
    """RPM keeps a database that only its own program reads; dpkg's and apk's are read from outside."""
    if not shutil.which("rpm") or os.path.exists("/var/lib/dpkg/status"):
        return {}
    command = ["rpm", "-qa", "--qf", "%{NAME}\t%{VERSION}-%{RELEASE}\n"]
    said = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).communicate()[0]
    lines = [line.split("\t") for line in said.decode("utf-8", "replace").splitlines()]
    return {line[0]: line[1] for line in lines if len(line) == 2 and line[0] != "gpg-pubkey"}


LOOKS = (
    ("Python", python),
    ("system", system),
    ("Python packages", packages),
    ("locale", locale_words),
    ("time", clock),
    ("numerics", numerics),
    ("OS packages", os_packages),
)

if __name__ == "__main__":
    sys.path[:] = [one for one in sys.path if os.path.abspath(one) != os.path.dirname(os.path.abspath(__file__))]
    sys.exit(main(sys.argv[1]))
