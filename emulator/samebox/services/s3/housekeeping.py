"""Lifecycle rules carried out: once at the start and then once an hour, bucket by bucket, in a thread of its own."""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import TYPE_CHECKING

from samebox.errors import AwsError
from samebox.s3 import lifecycle
from samebox.services.hourly import HourlyWork

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from samebox.s3.expiry import ExpiredVersion
    from samebox.s3.store import S3Store

log = logging.getLogger(__name__)


class Housekeeping(HourlyWork):
    """Removes what the buckets' lifecycle rules let expire.

    `expired(bucket, removed)` is called after each part of it.
    """

    def __init__(self, store: S3Store, expired: Callable[[str, Sequence[ExpiredVersion]], None]) -> None:
        super().__init__("s3-lifecycle")
        self._store = store
        self._expired = expired

    def look(self) -> int:
        """Carry the rules of all buckets out now; gives how many versions and uploads were removed."""
        removed = 0
        for bucket in self._store.buckets.list():
            if self.is_ended:
                break
            try:
                text = self._store.buckets.setting(bucket.name, "lifecycle")
                if text is not None:
                    rules = lifecycle.rules(json.loads(text))
                    removed += self._store.expire(bucket.name, rules, partial(self._expired, bucket.name))
            except AwsError as error:  # the bucket is gone, or the disk is full: the next look tries again
                log.warning("lifecycle of the bucket %s: %s", bucket.name, error)
        return removed
