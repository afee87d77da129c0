"""A comparison in which much happens, with words of images that steer and of endless length."""

from __future__ import annotations

from samebox.parity import agreement, differences
from samebox.parity.agreement import ParityReport
from samebox.parity.inventory import Inventory
from samebox.parity.outputs import Tolerance
from samebox.parity.predict import Input, Predicted, Prediction


def inventory(image: str, numpy: str, libc: str, **more: str) -> Inventory:
    static = {
        "system": {"libc": libc, "architecture": "linux/amd64"},
        "Python packages": {"numpy": numpy, "pip": "23", **more},
        "locale": {"LANG": "C.UTF-8"},
        "programs": {"train": "/usr/bin"},
    }
    return Inventory(
        image, f"sha256:{image}", (("sha256:a", 1 << 30), ("sha256:b", 1 << 20)), static, claims=frozenset()
    )


def report(inputs: tuple[Input, ...], *places: Predicted, long: str = "") -> ParityReport:
    left = inventory(f"mine/train{long}:1", "1.23.5", "glibc 2.31")
    right = inventory("mine/serve:1", "1.26.4", "glibc 2.36", **({f"package{long}": f"1{long}"} if long else {}))
    return ParityReport(
        left,
        right,
        tuple(differences.differences(left, right)),
        asked=bool(inputs),
        predicted=places,
        compared=agreement.compare(inputs, places, Tolerance()),
        notes=(f"a note <b>{long}",),
        started_at=1_790_000_000,
        seconds=12.3,
        version="0.1.0",
    )


def prediction(place: str, *bodies: str, kind: str = "text/csv", own_form: bool = True) -> Predicted:
    return Predicted(place, "inference.py", tuple(Prediction(one.encode(), kind) for one in bodies), own_form=own_form)
