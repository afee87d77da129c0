"""The caller: account, region and access key, from a signature that signature.py verifies."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from samebox.wire.sigv4 import CredentialScope

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Caller:
    """The account and region that a request acts in. `access_key` is empty when the request is not signed.

    `parent` is the ARN of the resource of ours that calls, as no client can: what it creates is a part of it.
    """

    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    access_key: str = ""
    parent: str = ""


_SIGNED = b"AWS4-HMAC-SHA256 Credential="  # as every SDK begins it
_TEMPORARY = "ASIA"
_HEADER = re.compile(r"^AWS4-HMAC-SHA256\s.*?Credential=([^,\s]+)", re.DOTALL)
_VERSION_2 = re.compile(r"^AWS ([^:\s]+):")
# sts.eu-west-1.amazonaws.com, ecr.eu-west-1.api.aws: of services that are called without a signature.
_REGIONAL = re.compile(r"(?:[^:]+\.)?([a-z]{2}(?:-[a-z]+)+-[0-9]+)\.(?:amazonaws\.com|api\.aws|api\.amazonwebservices)")
# Twelve digits are the account; temporary keys that STS issues keep theirs behind the prefix: ASIA123456789012….
_ACCOUNT = re.compile(r"([0-9]{12})|ASIA([0-9]{12}).*")


def scope(headers: Mapping[str, str], query: Mapping[str, str]) -> CredentialScope | None:
    """The credential scope of a signed or presigned request, or None. Header names are lower case."""
    authorization = headers.get("authorization", "")
    found = _HEADER.match(authorization)
    credential = found.group(1) if found else query.get("X-Amz-Credential", "")
    if credential:
        return _of_credential(credential)
    old = _VERSION_2.match(authorization)
    access_key = old.group(1) if old else query.get("AWSAccessKeyId", "")
    return CredentialScope(access_key, "", "", "s3") if access_key else None


def lasting_credential(headers: Iterable[tuple[bytes, bytes]]) -> CredentialScope | None:
    """The credential scope of a request that is signed in its header with a key that needs no session token, or None.

    It is what `scope` finds, and finds it in a fraction of the time. Header names are lower case.
    """
    signed = None
    for name, value in headers:
        if name == b"authorization":
            if signed is not None:  # two of them are read as one
                return None
            signed = value
    if signed is None or not signed.startswith(_SIGNED):
        return None
    return _lasting(signed.partition(b",")[0])


@lru_cache(maxsize=1000)
def _lasting(start: bytes) -> CredentialScope | None:
    found = scope({"authorization": start.decode("latin-1")}, {})
    return None if found is None or found.access_key.startswith(_TEMPORARY) else found


@lru_cache(maxsize=1000)  # a client has one a day, and each request asks several times
def _of_credential(credential: str) -> CredentialScope | None:
    # An access key may hold anything, a slash too; the four words behind it may not.
    parts = credential.rsplit("/", 4)
    return CredentialScope(*parts[:4]) if len(parts) == 5 else None


def account_of(access_key: str, default: str = DEFAULT_ACCOUNT) -> str:
    """The account that an access key stands for: its twelve digits, else the default."""
    found = _ACCOUNT.fullmatch(access_key)
    return default if found is None else found[1] or found[2]


def caller(
    headers: Mapping[str, str],
    query: Mapping[str, str],
    account: str = DEFAULT_ACCOUNT,
    region: str = DEFAULT_REGION,
) -> Caller:
    """Who calls; `account` and `region` stand in where neither the signature nor a host name of AWS says it."""
    return caller_in(scope(headers, query), headers, account, region)


def caller_in(signed: CredentialScope | None, headers: Mapping[str, str], account: str, region: str) -> Caller:
    """As `caller`, of a request whose credential scope is known."""
    if signed is None:
        named = _REGIONAL.match(headers.get("host", "").lower())
        return Caller(account, region if named is None else named[1])
    return Caller(account_of(signed.access_key, account), signed.region or region, signed.access_key)
