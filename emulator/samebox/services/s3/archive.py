"""Archived objects: those of two storage classes cannot be read until they are restored, for some days.

A restore is finished at once; on AWS it takes minutes to days. The bytes are where they always were.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.s3 import refusals
from samebox.services.s3.requests import Handler, S3Response
from samebox.wire import restxml
from samebox.wire.shapes import write_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.s3.records import Version
    from samebox.services.s3.requests import S3Request

_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_DAY = 86_400


def is_archived(version: Version) -> bool:
    """Whether the object is of an archived class, restored or not."""
    return version.attributes.storage_class in _CLASSES


def check_readable(version: Version, now: float) -> None:
    """Raises InvalidObjectState for an archived object that is not restored, or no more."""
    if _is_cold(version, now):
        fields = {"StorageClass": version.attributes.storage_class}
        text = "The operation is not valid for the object's storage class"
        raise AwsError("InvalidObjectState", text, 403, fields)


def check_source(version: Version, now: float) -> None:
    """Raises ObjectNotInActiveTierError where that cannot be read that is to be copied."""
    if _is_cold(version, now):
        raise refusals.source_is_archived()


def _is_cold(version: Version, now: float) -> bool:
    until = version.attributes.restored_until
    return is_archived(version) and (until is None or until <= now)


def shown(version: Version, now: float) -> str | None:
    """`x-amz-restore`, of an object that is restored."""
    until = version.attributes.restored_until
    if not is_archived(version) or until is None or until <= now:
        return None
    return f'ongoing-request="false", expiry-date="{write_timestamp(until, "rfc822")}"'


def restore_object(request: S3Request) -> S3Response:
    """202 for a new restore, 200 where a restored object gets another time."""
    _ = request.bucket
    wanted = request.params.get("RestoreRequest") or {}
    days = wanted.get("Days")
    if days is None:
        raise restxml.malformed_xml()
    if days < 1:
        raise AwsError("InvalidArgument", "restoration days should be at least 1")
    version = request.store.objects.head(request.bucket_name, request.key, request.version)
    if not is_archived(version):
        text = "Restore is not allowed for the object's current storage class"
        raise AwsError("InvalidObjectState", text, 403, {"StorageClass": version.attributes.storage_class})
    was_restored = shown(version, request.now) is not None
    # The days end at the next midnight of UTC, as S3's do.
    until = math.ceil(request.now / _DAY + days) * _DAY
    request.store.objects.set_restored(request.bucket_name, request.key, until, request.version)
    return S3Response(status=200 if was_restored else 202)


OPERATIONS: Mapping[str, Handler] = MappingProxyType({"RestoreObject": restore_object})
