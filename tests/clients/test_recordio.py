"""RecordIO-protobuf of the SageMaker SDK is ours, byte for byte, and it reads what we write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from samebox.data import record_protobuf
from samebox.data.record_protobuf import DataRecord, Tensor
from tests.clients.environments import ClientShell

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clients

DENSE = [[1.0, -2.0, 3.0], [0.0, 5.0, 300.0]]


def test_the_sdk_and_we_read_what_the_other_writes(tmp_path: Path) -> None:
    ours = {
        "dense": [Tensor("float32", DENSE[0], [], []), Tensor("float32", DENSE[1], [], [])],
        "sparse": [Tensor("float64", [2.5, 3.5], [0, 300], [1000])],
        "numbers": [Tensor("int32", [-7], [], [])],
    }
    for name, tensors in ours.items():
        written = b"".join(record_protobuf.write(DataRecord({"values": one}) for one in tensors))
        (tmp_path / f"ours-{name}.recordio").write_bytes(written)

    ClientShell(tmp_path, {}).run("newest", "sagemaker2_recordio.py", str(tmp_path))

    assert json.loads((tmp_path / "read.json").read_text()) == {
        name: [[f"{one.type}_tensor", list(one.values), list(one.keys), list(one.shape)] for one in tensors]
        for name, tensors in ours.items()
    }
    found = {}
    for path in tmp_path.glob("sdk-*.recordio"):
        records = list(record_protobuf.read([path.read_bytes()]))
        assert b"".join(record_protobuf.write(records)) == path.read_bytes()
        found[path.stem.removeprefix("sdk-")] = [one.features["values"] for one in records]
    for kind in ("float32", "float64", "int32"):
        assert [list(one.values) for one in found[kind] if isinstance(one, Tensor)] == DENSE
    assert found["sparse"] == [Tensor("float32", [1.5], [1], [4]), Tensor("float32", [2.5, 3.5], [0, 3], [4])]
