"""Our serve image keeps the contract with a model that our train image has trained, and answers in every form."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy
import pytest

from tests.contract import kit

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.testing import Endpoint, EndpointResponse, TrainRun

IMAGE = "samebox/serve:cpu"
ROWS = [[(number * 7 + pixel) % 17 for pixel in range(64)] for number in range(3)]
CSV = "".join(f"{','.join(map(str, row))}\n" for row in ROWS)

pytestmark = pytest.mark.docker


@pytest.fixture(scope="session")
def samebox_image() -> str:
    return IMAGE


@pytest.fixture(scope="module")
def trained(train_run: TrainRun) -> TrainRun:
    run = train_run(image="samebox/train:cpu", hyperparameters={"epochs": "1"})
    assert run.exit_code == 0, run.outcome
    return run


@pytest.fixture(scope="module")
def digits(endpoint: Endpoint, trained: TrainRun) -> Endpoint:
    return endpoint(model=trained)


def test_the_serve_image_passes_every_check(trained: TrainRun, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(CSV)
    (tmp_path / "rows.json").write_text(json.dumps({"instances": ROWS}))

    found = kit.check(
        IMAGE,
        tmp_path,
        "--samebox-claims=serve,transform",
        f"--samebox-model={trained.model_archive}",
        f"--samebox-payload={tmp_path / 'rows.csv'}",
        f"--samebox-payload={tmp_path / 'rows.json'}",
        *kit.dockerfile("serve", tmp_path),
    )

    assert found.failed == {}
    streams = ("serve-stream", "serve-bidirectional")  # it answers whole
    assert {name: why for name, why in found.skipped.items() if not name.startswith(streams)} == {}
    assert found.passed > 50


def probabilities(answer: EndpointResponse) -> numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]:
    assert answer.status == 200, answer.text
    if answer.content_type == "text/csv":
        return numpy.loadtxt(io.StringIO(answer.text), delimiter=",")
    if answer.content_type == "application/x-npy":
        found: numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]] = numpy.load(io.BytesIO(answer.body))
        return found
    return numpy.array(answer.json()["predictions"])


def test_a_row_has_the_same_answer_in_every_form(digits: Endpoint) -> None:
    npy = io.BytesIO()
    numpy.save(npy, numpy.array(ROWS, dtype=numpy.float32))
    bodies = {
        "text/csv": CSV.encode(),
        "application/json": json.dumps({"instances": ROWS}).encode(),
        "application/x-npy": npy.getvalue(),
    }
    expected = probabilities(digits.invoke(CSV, "text/csv", accept="text/csv"))
    assert expected.shape == (3, 10)
    assert numpy.allclose(expected.sum(axis=1), 1, atol=1e-4)
    for content_type, body in bodies.items():
        for accept in bodies:
            found = probabilities(digits.invoke(body, content_type, accept=accept))
            assert numpy.allclose(found, expected, atol=1e-5), f"{content_type} -> {accept}"


def test_what_it_cannot_read_is_the_callers_fault(digits: Endpoint) -> None:
    assert digits.invoke("no,numbers", "text/csv").status == 400
    assert digits.invoke(b"\x00", "application/x-unheard-of").status == 415
    assert digits.ping().status == 200
