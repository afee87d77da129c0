"""Session tokens of temporary credentials: they name their access key, end by themselves, and need no table."""

import base64
import binascii
import hashlib
import hmac
import json
import re

from samebox.wire.sessions import Verdict

# What STS here gives out: the account behind the prefix, then letters only. Keys that AWS gave out are shorter.
_OURS = re.compile(r"ASIA[0-9]{12}[A-Z]{16}")


# Base 32 has the digits 2 to 7; none may stand behind the account's own.
_LETTERS = str.maketrans("234567", "ABCDEF")


def access_key(account: str, base32: str) -> str:
    """A temporary access key of an account, with 16 characters that no other has.

    wire/caller.py reads the account out of the key; upper case letters after the digits end them.
    """
    return f"ASIA{account}{base32.translate(_LETTERS)}"


def issue(secret: bytes, key: str, expires: float) -> str:
    """A token that makes one access key good until then, epoch seconds."""
    payload = base64.b64encode(json.dumps([key, expires]).encode()).decode()
    return f"{payload}.{_sign(secret, payload)}"


def verify(secret: bytes, access_key: str, token: str, now: float) -> Verdict:
    """Whether a key may be used. Only keys that STS here gave out have tokens; of others it is not for us to say."""
    if not _OURS.fullmatch(access_key):
        return "good"
    if not token:
        return "missing"
    payload, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _sign(secret, payload).encode()):
        return "wrong"
    try:
        key, expires = json.loads(base64.b64decode(payload, validate=True))
    except (binascii.Error, ValueError):
        return "wrong"
    if key != access_key:
        return "wrong"
    return "good" if now <= expires else "expired"


def _sign(secret: bytes, payload: str) -> str:
    return hmac.new(secret, b"session " + payload.encode(), hashlib.sha256).hexdigest()
