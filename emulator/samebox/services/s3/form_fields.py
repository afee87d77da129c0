"""The fields of an upload form as the headers of the PUT that makes the same object.

Written from AWS's "POST Object": what a PUT has in its headers, a form has in fields of the same names. Two have other
names, and tags are a document.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from samebox.services.s3 import decoding, members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.wire.models import Service

_OTHER_NAMES = MappingProxyType({"acl": "x-amz-acl", "x-amz-checksum-algorithm": "x-amz-sdk-checksum-algorithm"})
# The length is that of the file. S3 takes no notice of PUT's header for tags in a form (aws/aws-sdk-js#3790).
_NO_FIELDS = frozenset({"content-length", "x-amz-tagging"})
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_NOT_IN_HEADERS = re.compile(r"[\x00-\x1f\x7f]+")


def headers(service: Service, fields: Mapping[str, str]) -> dict[str, str]:
    """The headers that the fields are, by names in lower case. `service` is S3's model.

    Raises MalformedXML, InvalidTag, BadRequest for tags that no object can have.
    """
    put = service.shapes["PutObjectRequest"]
    names = put.header_members.keys() - _NO_FIELDS
    found: dict[str, str] = {}
    for field, value in fields.items():
        name = _OTHER_NAMES.get(field, field)
        if name in names or (name not in put.header_prefixes and name.startswith(tuple(put.header_prefixes))):
            # Line ends, say, of a text area.
            found[name] = _NOT_IN_HEADERS.sub(" ", value).strip()
    tags = _tags(service, fields.get("tagging", ""))
    if tags:
        found["x-amz-tagging"] = tags
    return {name: value for name, value in found.items() if _HEADER_NAME.fullmatch(name)}


def _tags(service: Service, document: str) -> str:
    """The tags of a document as PUT's header has them, a query string. A field that is empty has none: a guess."""
    if not document.strip():
        return ""
    tagging = decoding.document(service.shapes["Tagging"], "Tagging", document.encode())
    pairs = [(tag["Key"], tag["Value"]) for tag in tagging["TagSet"]]
    return urlencode(members.object_tags(pairs), quote_via=quote)
