"""How attributes and checksums are written into a row: JSON of what is not empty, in short."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from samebox.s3.records import Attributes, Retention

if TYPE_CHECKING:
    from collections.abc import Mapping


def dumped(attributes: Attributes) -> str:
    """Attributes as the text of a row; the storage class has a column of its own."""
    facts: dict[str, Any] = {}
    for name in ("headers", "metadata", "tags", "acl"):
        value = getattr(attributes, name)
        if value:
            facts[name] = value if isinstance(value, str) else dict(value)
    if attributes.retention is not None:
        facts["retention"] = [attributes.retention.mode, attributes.retention.until]
    if attributes.legal_hold:
        facts["hold"] = True
    if attributes.restored_until is not None:
        facts["restored"] = attributes.restored_until
    return json.dumps(facts, separators=(",", ":"), ensure_ascii=False) if facts else ""


def loaded(text: str, storage_class: str) -> Attributes:
    """The attributes of a row."""
    facts = json.loads(text) if text else {}
    retention = Retention(*facts["retention"]) if "retention" in facts else None
    return Attributes(
        facts.get("headers", {}),
        facts.get("metadata", {}),
        facts.get("tags", {}),
        storage_class,
        facts.get("acl", ""),
        retention,
        "hold" in facts,
        facts.get("restored"),
    )


def dumped_map(values: Mapping[str, str]) -> str:
    """Checksums as the text of a row."""
    return json.dumps(dict(values), separators=(",", ":")) if values else ""


def loaded_map(text: str) -> dict[str, str]:
    """The checksums of a row."""
    values: dict[str, str] = json.loads(text) if text else {}
    return values
