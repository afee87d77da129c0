"""The environment with which AWS clients use an emulator: by its URL, by its forward proxy, or by both."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from samebox.commands import aws, emulators, sdk_defaults, where
from samebox.commands.outcome import Stop
from samebox.settings import Settings

# A profile or a session token left in the shell would go before, or along with, the keys that we set.
UNWANTED = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
_ENDPOINT = "AWS_ENDPOINT_URL"
# Some programs read the one, some the other.
_PROXY = ("HTTPS_PROXY", "https_proxy")
_BESIDE = ("NO_PROXY", "no_proxy")
# botocore, requests, curl, OpenSSL, Node. Where a shell has CURL_CA_BUNDLE, curl does not read SSL_CERT_FILE.
_BUNDLE = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
_HERE = ("localhost", "127.0.0.1", "::1")
# A shell gets these back; it may need them for other hosts than AWS's.
_RESTORED = (*_PROXY, *_BESIDE, *_BUNDLE)
_REPLACED = "SAMEBOX_REPLACED"
SET = (
    _REPLACED,
    _ENDPOINT,
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    sdk_defaults.VARIABLE,
    sdk_defaults.VALIDATE_ROLE,
    *_PROXY,
    *_BESIDE,
    *_BUNDLE,
)


@dataclass(frozen=True)
class ClientEnvironment:
    """What is set and unset for clients of one emulator, and what a person should know of it."""

    variables: Mapping[str, str]
    unset: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class EmulatorPlace:
    """An emulator, or where one would be: its URL, its data folder, and its status, None where none answers."""

    url: str
    folder: Path
    status: dict[str, Any] | None
    running: emulators.EmulatorRecord | None

    @property
    def bundle(self) -> Path:
        """The certificates that its proxy is trusted with, and the public ones."""
        return self.folder / "proxy" / "ca-bundle.pem"

    @property
    def absence(self) -> str:
        """That it does not answer, and what to do."""
        way = f"`samebox up --port {urlsplit(self.url).port}` starts one."
        if self.running is not None:
            way = f"The emulator of this data folder runs at {self.running.url}: without --port it is meant."
        return f"no emulator answers at {self.url}. {way}"


def place(data_dir: Path | None, port: int | None) -> EmulatorPlace:
    """The emulator that a command means. Raises Stop where it has another token than this shell."""
    settings = where.settings(data_dir=data_dir, port=port)
    running = where.record(settings.data_dir)
    url = running.url if running is not None and port is None else settings.url
    status = where.ask(url)
    # By its port an emulator is found that has another folder than this shell's.
    folder = Path(status["data_dir"]) if status and where.is_here(url) else settings.data_dir
    return EmulatorPlace(url, folder, status, running)


def replaced(environment: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """What of an environment's proxies and certificates is replaced, as a variable of its own for `before`.

    The variable stays where it is set already: the others have then been replaced before.
    """
    if _REPLACED in environment or not variables.keys() & set(_RESTORED):
        return {}
    lost = {name: environment[name] for name in variables if name in _RESTORED and name in environment}
    return {_REPLACED: json.dumps(lost)}


def before(environment: Mapping[str, str]) -> dict[str, str]:
    """The proxies and certificates that an environment had before it was set for an emulator."""
    try:
        lost = json.loads(environment.get(_REPLACED, "{}"))
        return {name: str(lost[name]) for name in _RESTORED if name in lost}
    except (ValueError, TypeError):
        return {}


def of(
    found: EmulatorPlace, data_dir: Path | None, with_endpoint: bool = True, with_proxy: bool = True
) -> ClientEnvironment:
    """The environment for one or both ways to an emulator. Raises Stop where the proxy alone is wanted and missing."""
    settings = where.settings_of(found.status or {}, data_dir)
    variables, warnings = _identity(found, settings)
    unset: tuple[str, ...] = UNWANTED
    if found.status is None:
        warnings = (found.absence, *warnings)
    if with_endpoint:
        variables = {_ENDPOINT: found.url, **variables}
    else:
        unset = (*unset, _ENDPOINT)
    if with_proxy and found.status is not None and found.bundle.is_file():
        variables |= _proxied(found, os.environ)
        warnings = (*warnings, *_replaced(found, os.environ))
    elif not with_endpoint:
        raise Stop(
            found.absence if found.status is None else f"{found.bundle} is missing: is the emulator an older one?"
        )
    return ClientEnvironment(variables, unset, warnings)


def _identity(found: EmulatorPlace, settings: Settings) -> tuple[dict[str, str], tuple[str, ...]]:
    identity = aws.identity(settings)
    account, region = identity["AWS_ACCESS_KEY_ID"], identity["AWS_REGION"]
    variables = {**identity, "AWS_DEFAULT_REGION": region}
    try:
        path = sdk_defaults.written(found.folder, account, region)
    except OSError as error:
        words = f"the defaults of the SageMaker SDKs cannot be written: {error.filename}: {error.strerror}"
        return variables, (words,)
    if path is not None:
        variables |= {sdk_defaults.VARIABLE: str(path), sdk_defaults.VALIDATE_ROLE: "false"}
    return variables, ()


def _proxied(found: EmulatorPlace, environment: Mapping[str, str]) -> dict[str, str]:
    given = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    hosts = [word.strip() for word in given.split(",") if word.strip()]
    beside = ",".join([*hosts, *(one for one in _HERE if one not in hosts)])
    return {
        **dict.fromkeys(_PROXY, found.url),
        **dict.fromkeys(_BESIDE, beside),
        **dict.fromkeys(_BUNDLE, str(found.bundle)),
    }


def _replaced(found: EmulatorPlace, environment: Mapping[str, str]) -> Iterator[str]:
    """A proxy that this shell has, and that the emulator does not know."""
    given = environment.get("HTTPS_PROXY") or environment.get("https_proxy") or ""
    known = ((found.status or {}).get("settings") or {}).get("https_proxy")
    if given and given.rstrip("/") != found.url and not known:
        yield (
            "HTTPS_PROXY of this shell is replaced. The emulator connects to other hosts than AWS's directly; "
            "SAMEBOX_HTTPS_PROXY at its start names a proxy for that."
        )
