"""`samebox convert`: CSV, JSON Lines and RecordIO-protobuf, and what is none of them."""

import argparse
import json
from pathlib import Path

import pytest

from samebox.commands import convert
from samebox.commands.outcome import Stop
from samebox.data import record_protobuf
from samebox.data.record_protobuf import Blobs, DataRecord, Tensor


def run(source: Path, target: Path, no_label: bool = False) -> int:
    return convert.run(argparse.Namespace(source=source, target=target, no_label=no_label))


def records(path: Path) -> list[DataRecord]:
    return list(record_protobuf.read([path.read_bytes()]))


def test_a_row_of_csv_is_a_label_and_a_vector(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,0.5,2\n\n0,1.5,3\n")
    assert run(tmp_path / "a.csv", tmp_path / "a.recordio") == 0
    first, second = records(tmp_path / "a.recordio")
    assert first == DataRecord(
        {"values": Tensor("float32", [0.5, 2.0], [], [])}, {"values": Tensor("float32", [1.0], [], [])}
    )
    assert second.label["values"] == Tensor("float32", [0.0], [], [])
    assert run(tmp_path / "a.csv", tmp_path / "b.recordio", no_label=True) == 0
    assert records(tmp_path / "b.recordio")[0] == DataRecord({"values": Tensor("float32", [1.0, 0.5, 2.0], [], [])})


def test_any_record_goes_through_json_lines_and_back(tmp_path: Path) -> None:
    written = [
        DataRecord(
            {"values": Tensor("float64", [0.1], [3], [9]), "image": Blobs([b"\0\xff"], "image/png")}, {}, uid="7"
        ),
        DataRecord({"values": Tensor("int32", [-5], [], [])}, {"values": Tensor("int32", [1], [], [])}, metadata="m"),
    ]
    (tmp_path / "a.recordio").write_bytes(b"".join(record_protobuf.write(written)))
    run(tmp_path / "a.recordio", tmp_path / "a.jsonl")
    run(tmp_path / "a.jsonl", tmp_path / "b.recordio")
    assert (tmp_path / "b.recordio").read_bytes() == (tmp_path / "a.recordio").read_bytes()
    line = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[1])
    assert line == {
        "features": {"values": {"type": "int32", "values": [-5]}},
        "label": {"values": {"type": "int32", "values": [1]}},
        "metadata": "m",
    }


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "1,2\n1,x\n", "a.csv, record 2: could not convert string to float"),
        ("a.jsonl", '{"features": {"values": {"type": "int8", "values": []}}}\n', "record 1: type int8: expected"),
        ("a.jsonl", '{"features": [1]}\n', "record 1: expected what `samebox convert` writes"),
        ("a.recordio", "not a record", "record 1: No record begins at byte 0"),
        ("a.txt", "", "expected a name that ends with .recordio"),
    ],
)
def test_what_cannot_be_converted_is_named_and_leaves_no_file(
    tmp_path: Path, name: str, content: str, says: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(Stop, match=says):
        run(tmp_path / name, tmp_path / "out.recordio")
    assert [path.name for path in tmp_path.iterdir()] == [name]
