"""Passwords for `docker login`: they name an account and a region, end by themselves, and need no table."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass

from samebox.wire.caller import Caller

USER = "AWS"
LIFE_SECONDS = 12 * 3600  # contract.md §7


class Expired(Exception):
    """The password was good once."""


@dataclass(frozen=True)
class Token:
    """A password and when it ends, epoch seconds."""

    password: str
    expires: float

    @property
    def basic(self) -> str:
        """As it stands behind `Authorization: Basic`, and in GetAuthorizationToken's answer."""
        return base64.b64encode(f"{USER}:{self.password}".encode()).decode()


def issue(secret: bytes, account: str, region: str, now: float) -> Token:
    """A password for one account's repositories in one region."""
    expires = now + LIFE_SECONDS
    payload = base64.urlsafe_b64encode(json.dumps([account, region, expires]).encode()).decode().rstrip("=")
    return Token(f"{payload}.{_sign(secret, payload)}", expires)


def verify(secret: bytes, basic: str, now: float) -> Caller | None:
    """The caller whose password this is; None where there is none. Raises Expired."""
    try:
        user, _, password = base64.b64decode(basic, validate=True).decode().partition(":")
        payload, _, signature = password.partition(".")
        if user != USER or not hmac.compare_digest(signature.encode(), _sign(secret, payload).encode()):
            return None
        account, region, expires = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError):
        return None
    if now > expires:
        raise Expired
    return Caller(account, region)


def _sign(secret: bytes, payload: str) -> str:
    return hmac.new(secret, b"registry " + payload.encode(), hashlib.sha256).hexdigest()
