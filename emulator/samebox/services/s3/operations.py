"""Every operation of S3 that is run, by its name."""

from collections.abc import Mapping
from types import MappingProxyType

from samebox.services.s3 import acls, archive, buckets, listings, multipart, objects, settings, tagging
from samebox.services.s3.requests import Handler

OPERATIONS: Mapping[str, Handler] = MappingProxyType(
    {
        name: handler
        for module in (acls, archive, buckets, listings, multipart, objects, settings, tagging)
        for name, handler in module.OPERATIONS.items()
    }
)
