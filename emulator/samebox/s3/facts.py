"""How attributes and checksums are written into a row: JSON of what is not empty, in short."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from samebox.s3.records import Attributes, Retention

if TYPE_CHECKING:
    from collections.abc import Mapping


# `json.dumps` makes one of these each time.
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def dumped(attributes: Attributes) -> str:
    """Attributes as the text of a row; the storage class has a column of its own."""
    facts: dict[str, Any] = {}
    for name in ("headers", "metadata", "tags", "acl"):
        value = getattr(attributes, name)
        if value:
            facts[name] = value if isinstance(value, str) else dict(value)
    if attributes.retention is not None:
        facts["retention"] = [attributes.retention.mode, attributes.retention.until]
    if attributes.legal_hold is not None:
        facts["hold"] = attributes.legal_hold
    if attributes.restored_until is not None:
        facts["restored"] = attributes.restored_until
    return _ENCODER.encode(facts) if facts else ""


@lru_cache(maxsize=1000)
def loaded(text: str, storage_class: str) -> Attributes:
    """The attributes of a row. Most rows have no more than a type, and share one value."""
    facts = json.loads(text) if text else {}
    retention = Retention(*facts["retention"]) if "retention" in facts else None
    return Attributes(
        facts.get("headers", {}),
        facts.get("metadata", {}),
        facts.get("tags", {}),
        storage_class,
        facts.get("acl", ""),
        retention,
        facts.get("hold"),
        facts.get("restored"),
    )


def dumped_map(values: Mapping[str, str]) -> str:
    """Checksums as the text of a row."""
    return _ENCODER.encode(dict(values)) if values else ""


def loaded_map(text: str) -> dict[str, str]:
    """The checksums of a row."""
    values: dict[str, str] = json.loads(text) if text else {}
    return values
