"""Proxies that the image was built behind, and that it takes to SageMaker with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import line_naming, some

if TYPE_CHECKING:
    from collections.abc import Mapping

# curl and Python heed lower case, Go and Java's tools upper case, many both.
NAMES = ("http_proxy", "https_proxy", "all_proxy")
# What a container asks without a proxy: itself, and the address that gives the role's credentials.
OWN = ("localhost", "127.0.0.1", "169.254.170.2")
_PIP = ("/etc/pip.conf", "/root/.config/pip/pip.conf", "/root/.pip/pip.conf")
_PIP_PROXY = re.compile(r"^\s*proxy\s*=\s*(\S+)", re.MULTILINE)
_USER = re.compile(r"//[^/@]*@")

PROXIES = Rule(
    "image-proxy-variables",
    "No proxy setting of the build network is left in the image",
    "aws/sagemaker-python-sdk#845; contract §1.4.5",
    "warn",
    "static",
    "Give it to the build alone: docker build --build-arg HTTP_PROXY=…, which needs no ARG and is not kept. Where "
    "SageMaker reaches the proxy, through VpcConfig, keep the container's own addresses out of it: "
    f"NO_PROXY={','.join(OWN)}.",
)


def proxies(context: Context) -> Finding:
    environment = context.subject.config.environment
    found = [f"ENV {name}={shown(value)}" for name, value in of_environment(environment).items()]
    missing = not_excepted(environment)
    files = []
    for path in _PIP:
        text = (context.subject.read_file(path) or b"").decode(errors="replace")
        files += [f"{path}: proxy = {shown(value)}" for value in _PIP_PROXY.findall(text)]
    if not found and not files:
        return PROXIES.passed("none")
    if found and not missing and not files:
        return PROXIES.passed(f"{some(found)}; NO_PROXY keeps the container's own addresses out")
    seen = [*found, *files]
    words = f"{some(seen)}: on SageMaker there is no such proxy, and what asks through it gets no answer"
    if found and missing:
        words += f"; {', '.join(missing)} would be asked through it, too"
    return PROXIES.broken(words, line=line_naming(context, *of_environment(environment), "pip.conf"))


def of_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that name a proxy."""
    return {name: value for name, value in environment.items() if name.lower() in NAMES and value}


def not_excepted(environment: Mapping[str, str]) -> list[str]:
    """Which of the container's own addresses no_proxy does not except."""
    excepted = {
        entry.strip().lower()
        for name, value in environment.items()
        if name.lower() == "no_proxy"
        for entry in value.split(",")
    }
    return [] if "*" in excepted else [one for one in OWN if one not in excepted]


def shown(value: str) -> str:
    """A proxy's address without the name and password that it may hold."""
    return _USER.sub("//…@", value)


CHECKS = (Check(PROXIES, proxies, FILES),)
