"""RecordIO-protobuf by the SageMaker SDK: written to sdk-*.recordio, and what it reads in ours-*.recordio, as JSON."""

import json
import sys
from pathlib import Path

import numpy
from sagemaker import serializer_utils as utils
from sagemaker.amazon.common import read_records, write_numpy_to_dense_tensor
from sagemaker.amazon.record_pb2 import Record

folder = Path(sys.argv[1])
for name, dtype in (("float32", "float32"), ("float64", "float64"), ("int32", "int")):
    rows = numpy.array([[1, -2, 3], [0, 5, 300]], dtype=dtype)
    with (folder / f"sdk-{name}.recordio").open("wb") as file:
        write_numpy_to_dense_tensor(file, rows, numpy.array([0, 1], dtype=dtype))
with (folder / "sdk-sparse.recordio").open("wb") as file:
    for keys, values, label in (([1], [1.5], 0.0), ([0, 3], [2.5, 3.5], 1.0)):
        # As write_spmatrix_to_sparse_tensor, which needs scipy to take a matrix apart.
        record = Record()
        utils._write_feature_tensor("Float32", record, values)
        utils._write_keys_tensor("Float32", record, keys)
        utils._write_label_tensor("Float32", record, label)
        utils._write_shape("Float32", record, 4)
        utils._write_recordio(file, record.SerializeToString())

found = {}
for path in sorted(folder.glob("ours-*.recordio")):
    with path.open("rb") as file:
        tensors = [one.features["values"].ListFields()[0] for one in read_records(file)]
    found[path.stem.removeprefix("ours-")] = [
        [field.name, list(one.values), list(one.keys), list(one.shape)] for field, one in tensors
    ]
(folder / "read.json").write_text(json.dumps(found))
