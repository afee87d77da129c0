"""The report as one JSON object. Members are only ever added; `format` would be increased with a change of meaning."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from samebox.parity import differences
from samebox.parity.inventory import shared

if TYPE_CHECKING:
    from samebox.parity.agreement import Compared, ParityReport
    from samebox.parity.inventory import Inventory
    from samebox.parity.predict import Predicted


def write(report: ParityReport) -> str:
    count, size = shared(report.left, report.right)
    document = {
        "format": "samebox-parity/1",
        "version": report.version,
        "verdict": report.state if report.asked else "not compared",
        "exit_status": report.exit_status,
        "sentence": report.sentence,
        "contents": report.of_contents,
        "counts": differences.counts(report.differences),
        "tolerance": dataclasses.asdict(report.tolerance),
        "notes": list(report.notes),
        "started_at": datetime.fromtimestamp(report.started_at, UTC).isoformat(timespec="seconds"),
        "seconds": round(report.seconds, 3),
        "layers_shared": {"layers": count, "bytes": size},
        "differences": [dataclasses.asdict(one) for one in report.differences],
        "places": [_place(one) for one in report.predicted],
        "compared": [_compared(one) for one in report.compared],
        "train": _inventory(report.left),
        "serve": _inventory(report.right),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _inventory(one: Inventory) -> dict[str, Any]:
    return {
        "image": one.image,
        "image_id": one.image_id,
        "bytes": one.size_bytes,
        "layers": [{"diff_id": digest, "bytes": size} for digest, size in one.layers],
        "asked_within": one.probed is not None,
        "facts": {group: values for group, values in one.facts().items() if group != "programs"},
    }


def _place(one: Predicted) -> dict[str, Any]:
    return {
        "place": one.place,
        "how": one.how,
        "problem": one.problem,
        "seconds": round(one.seconds, 3),
        "answers": [
            {"content_type": answer.content_type, "bytes": len(answer.body), "error": answer.error}
            for answer in one.answers
        ],
        "log": list(one.log),
        "notes": list(one.notes),
    }


def _compared(one: Compared) -> dict[str, Any]:
    told: dict[str, Any] = {
        "input": one.input,
        "left": one.left,
        "right": one.right,
        "state": one.state,
        "problem": one.problem,
        "comparison": None,
        "first_rows": None if one.rows is None else list(one.rows),
    }
    if one.comparison is not None:
        told["comparison"] = {
            # JSON has no infinity, which is how far one is from any number.
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in dataclasses.asdict(one.comparison).items()
        }
    return told
