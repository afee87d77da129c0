"""Unique ids of resources: another resource of the same name, made later, has others."""

import hashlib
import hmac
import uuid

from samebox.resources.store import Resource


def unique_id(resource: Resource) -> str:
    """64 hex digits, the same in every process."""
    return hashlib.sha256(f"{resource.arn} {resource.created!r}".encode()).hexdigest()


def credentials_id(resource: Resource, secret: bytes, variant: str = "") -> str:
    """The uuid in the path of the role credentials of a job, or of an endpoint's variant.

    Who knows the path has the role, so it cannot be guessed without the emulator's secret.
    """
    text = " ".join(filter(None, ("credentials", unique_id(resource), variant)))
    return str(uuid.UUID(hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:32], version=4))
