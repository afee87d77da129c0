"""Signature Version 4: the canonical form of a request, and its signature.

Written from AWS's "Create a signed AWS API request"; botocore's signer is the oracle of the tests.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote, unquote

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
DATE = "%Y%m%dT%H%M%SZ"


_BASIC_FORMAT = re.compile(r"[0-9]{8}T[0-9]{6}Z")


@lru_cache(maxsize=100)  # all requests of a second have the same
def moment(date: str) -> float:
    """The epoch seconds of an X-Amz-Date. Raises ValueError."""
    if not _BASIC_FORMAT.fullmatch(date):
        raise ValueError(date)
    return datetime.fromisoformat(date).timestamp()  # strptime takes ten times as long


@dataclass(frozen=True)
class CredentialScope:
    """Whose key signed, and for what: `AKID/20261122/us-east-1/sagemaker/aws4_request`."""

    access_key: str
    date: str
    region: str
    service: str

    @property
    def is_s3(self) -> bool:
        return self.service in {"s3", "s3express"}

    @property
    def text(self) -> str:
        """As it stands in a string to sign: without the key."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True)
class SignedRequest:
    """What is signed of a request: `path` and `query` raw, `headers` those that are signed, by names in lower case.

    `payload` is the hash of the body, or a word in its place.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    payload: str

    @property
    def header_names(self) -> str:
        """As a signature lists them."""
        return ";".join(sorted(self.headers))

    def canonical(self, is_s3: bool) -> str:
        """The canonical form. S3 signs the path as it is on the wire; others sign it normalised and encoded again."""
        path = quote(unquote(self.path), safe="/~") if is_s3 else _normal(self.path)
        headers = (f"{name}:{' '.join(self.headers[name].split())}" for name in sorted(self.headers))
        return "\n".join([self.method, path, _sorted(self.query), *headers, "", self.header_names, self.payload])


def signature(secret: str, scope: CredentialScope, date: str, request: SignedRequest) -> str:
    """The signature of a request that was made at `date`."""
    return sign(secret, scope, string_to_sign(scope, date, request))


def string_to_sign(scope: CredentialScope, date: str, request: SignedRequest) -> str:
    """What is signed of a request that was made at `date`."""
    canonical = request.canonical(scope.is_s3).encode()
    return f"{ALGORITHM}\n{date}\n{scope.text}\n{hashlib.sha256(canonical).hexdigest()}"


def sign(secret: str, scope: CredentialScope, text: str) -> str:
    """The signature of a text: a string to sign, or the policy of a form."""
    key = f"AWS4{secret}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def _normal(path: str) -> str:
    kept: list[str] = []
    for step in path.split("/"):
        if step == "..":
            if kept:
                kept.pop()
        elif step not in {"", "."}:
            kept.append(step)
    return quote("/" + "/".join(kept) + ("/" if kept and path.endswith("/") else ""), safe="/~")


def _sorted(query: str) -> str:
    pairs = []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name and name != "X-Amz-Signature":
            pairs.append((quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~")))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))
