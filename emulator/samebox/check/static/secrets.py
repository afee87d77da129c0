"""What must not leave the house: keys and passwords in any layer, in the environment, in the history of the build."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import line_naming, some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from samebox.check.files import ImageFiles

_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-")
_AWS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")
_URL_PASSWORD = re.compile(rb"[a-z+]+://[^/\s:@]+:[^/\s@$]+@")
_TOKEN = re.compile(rb"_(?:authToken|auth|password)\s*=\s*(?!\$)\S+")
_ENV_FILE = re.compile(
    rb"(?im)^\s*(?:export\s+)?\w*(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY)\w*\s*=\s*['\"]?[^\s'\"$<]{6,}"
)
_NAME = re.compile(r"(?i)(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)$|^AWS_SECRET_ACCESS_KEY$")
_ARGUMENT = re.compile(r"(?i)\b(\w*(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY)\w*)=([^\s\"'$]{4,})")
_PLACEHOLDERS = {"", "none", "null", "true", "false", "changeme", "xxx", "dummy", "test", "example"}

# Whose tests and examples bring keys that open nothing.
_HARMLESS = re.compile(
    r"/(?:site|dist)-packages/.*(?:/tests?/|/testing/|/test_|/examples?/|/docs?/)|/lib/python[\d.]+/test/|/ssl-cert-snakeoil\.key$"
    r"|/usr/share/(?:doc|perl)|/(?:site|dist)-packages/(?:certifi|botocore|pip/_vendor/certifi)/"
)

# File name -> what of its content makes it a secret.
_SECRETS: tuple[tuple[re.Pattern[str], Callable[[bytes], bool]], ...] = (
    (
        re.compile(r"(?:^|/)id_(?:rsa|dsa|ecdsa|ed25519)$|\.(?:pem|key|ppk)$"),
        lambda data: bool(_PRIVATE_KEY.search(data)),
    ),
    (re.compile(r"\.(?:p12|pfx)$"), lambda data: data[:1] == b"\x30"),
    (re.compile(r"/\.aws/(?:credentials|config)$"), lambda data: b"aws_secret_access_key" in data.lower()),
    (re.compile(r"/\.netrc$"), lambda data: b"password" in data),
    (re.compile(r"/\.git-credentials$"), lambda data: b"@" in data),
    (re.compile(r"/\.pypirc$"), lambda data: bool(re.search(rb"password\s*[:=]\s*\S", data))),
    (re.compile(r"/\.npmrc$"), lambda data: bool(_TOKEN.search(data))),
    (
        re.compile(r"/(?:\.docker/config\.json|\.dockerconfigjson)$"),
        lambda data: bool(re.search(rb'"auth"\s*:\s*"\w', data)),
    ),
    (re.compile(r"/pip\.conf$"), lambda data: bool(_URL_PASSWORD.search(data))),
    (re.compile(r"/\.env$"), lambda data: bool(_ENV_FILE.search(data))),
    (re.compile(r"/(?:kubeconfig|\.kube/config)$"), lambda data: b"client-key-data" in data or b"token:" in data),
    (re.compile(r"service[-_]?account[\w.-]*\.json$"), lambda data: b'"private_key"' in data),
)

LEFT = Rule(
    "image-secrets",
    "No key, password or token is left in any layer",
    "CIS Docker Benchmark 4.10; contract §1.4.5",
    "fail",
    "static",
    "RUN --mount=type=secret keeps it out of every layer. Deleting it later does not: revoke it, and build again.",
)
CONFIGURED = Rule(
    "image-secrets-in-config",
    "No key, password or token is in ENV or in the build's history",
    "CIS Docker Benchmark 4.10; contract §1.4.5",
    "fail",
    "static",
    "ARG and ENV stay readable in the image: use RUN --mount=type=secret, and the role at run time.",
)


def left(context: Context) -> Finding:
    files = context.subject.files
    found, harmless = [], []
    for number, path, is_harmless in in_layers(files):
        if is_harmless:
            harmless.append(path)
            continue
        seen = files.get(path)
        gone = seen is None or seen.layer != number
        found.append(f"{path} in layer {number + 1}{', deleted or replaced later' if gone else ''}")
    if found:
        line = line_naming(context, *(one.split(" in layer")[0].rpartition("/")[2] for one in found))
        return LEFT.broken(some(found, 4), line=line)
    if harmless:
        return LEFT.passed(
            f"{some(harmless)} opens containers of this image only (MPI's ssh), which is how it is meant"
        )
    return LEFT.passed("none")


def in_layers(files: ImageFiles) -> Iterator[tuple[int, str, bool]]:
    """Number of the layer, counted from 0; path; whether it opens nothing but containers of this image."""
    for number, layer in enumerate(files.layers):
        for path, content in layer.contents.items():
            if any(name.search(path) and tells(content) for name, tells in _SECRETS) and not _HARMLESS.search(path):
                yield number, path, _is_for_its_own_hosts(files, number, path)


def configured(context: Context) -> Finding:
    config = context.subject.config
    found = [f"ENV {name}" for name, value in config.environment.items() if is_secret(name, value)]
    for instruction in config.history:
        found += [
            f"a build argument {name}" for name, value in _ARGUMENT.findall(instruction) if is_secret(name, value)
        ]
        found += [f"an AWS access key in {instruction[:30]!r}…" for _ in _AWS_KEY_ID.findall(instruction)]
    found = list(dict.fromkeys(found))
    if found:
        names = [one.rpartition(" ")[2] for one in found]
        return CONFIGURED.broken(f"{some(found)} (values are not shown here)", line=line_naming(context, *names))
    return CONFIGURED.passed("none")


def is_secret(name: str, value: str) -> bool:
    """Of a variable: whether its name and its value look like one."""
    if _AWS_KEY_ID.search(value):
        return True
    if name.upper().endswith(("_FILE", "_PATH", "_URL", "_URI", "_ARN")) or value.startswith(("/", "$", "sha256:")):
        return False
    return bool(_NAME.search(name)) and value.lower() not in _PLACEHOLDERS


def _is_for_its_own_hosts(files: ImageFiles, number: int, path: str) -> bool:
    """A key whose public half is all that authorized_keys beside it lets in: hosts of one job reach each other so."""
    folder, _, name = path.rpartition("/")
    if not name.startswith("id_"):
        return False
    contents = files.layers[number].contents
    public, allowed = contents.get(f"{path}.pub"), contents.get(f"{folder}/authorized_keys")
    return public is not None and allowed is not None and public.split() == allowed.split()


CHECKS = (Check(LEFT, left, FILES), Check(CONFIGURED, configured, FILES))
