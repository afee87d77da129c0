"""JSON as an AWS front end reads it: no deeper than anything real is nested, no NaN, no half of a document."""

import json
from typing import Any

from samebox.errors import SerializationException

# The deepest request that SageMaker's models allow without recursion has 12 levels; search expressions nest 20 more.
DEEPEST = 49


def load(body: bytes) -> Any:
    """The document, or `{}` of an empty body. SerializationException of everything that is not one."""
    if not body.strip():
        return {}
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, and an integer of thousands of digits
        raise SerializationException(f"Could not parse request body into json: {error}") from None
    # Hardly any body has enough brackets to be too deep, so hardly any is walked.
    if body.count(b"{") + body.count(b"[") > DEEPEST and _depth_exceeds(document, DEEPEST):
        raise _too_deep()
    return document


def dump(document: Any) -> bytes:
    """Compact JSON in ASCII."""
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _depth_exceeds(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    items = value.values() if isinstance(value, dict) else value
    return any(_depth_exceeds(item, levels - 1) for item in items)


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not JSON")


def _too_deep() -> SerializationException:
    return SerializationException("Could not parse request body into json: it is nested too deeply")
