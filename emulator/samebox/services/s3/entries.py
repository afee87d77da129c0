"""The objects of a page of a list, as the XML of its answer.

They are the one document that is long and asked for often: a page has a thousand of them. So they are written here in
one pass and not member by member as the model has it, which takes three times as long.
tests/services/s3/test_entries.py compares the two.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from samebox.wire.shapes import write_timestamp
from samebox.wire.xmltext import Markup, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from samebox.s3.records import Listed

# What is the same percent-encoded, in XML and as it is.
_PLAIN = re.compile(r"[a-zA-Z0-9/*._-]*")


def percent_encoded(key: str) -> str:
    """A key as `encoding-type=url` has it."""
    # Most keys are as they are.
    return key if _PLAIN.fullmatch(key) else quote(key, safe="/*-._")


def contents(items: Iterable[Listed], encode: Callable[[str], str], owner: str | None) -> Markup:
    """The `Contents` elements of a page; `encode` gives a key as the request wants it, `owner` is the id of a user."""
    shown = "" if owner is None else f"<Owner><ID>{text_of(owner)}</ID></Owner>"
    out = []
    for key, _, modified, size, etag, storage_class, _, _, algorithms, kind in items:
        name = key if _PLAIN.fullmatch(key) else text_of(encode(key))
        out.append(
            f"<Contents><Key>{name}</Key><LastModified>{write_timestamp(modified, 'iso8601')}</LastModified>"
            f'<ETag>"{etag}"</ETag>{_sums(algorithms, kind)}<Size>{size}</Size>'
            f"<StorageClass>{storage_class}</StorageClass>{shown}</Contents>"
        )
    return Markup("".join(out))


@lru_cache(maxsize=100)
def _sums(algorithms: str, kind: str) -> str:
    named = "".join(f"<ChecksumAlgorithm>{one}</ChecksumAlgorithm>" for one in algorithms.split(",") if one)
    return f"{named}<ChecksumType>{kind}</ChecksumType>" if kind else named
