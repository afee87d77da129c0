"""pyarrow's own S3 client, in C++: files, folders, partitioned datasets. Argument: a bucket."""

import os
import sys

import pyarrow
import pyarrow.dataset
import pyarrow.parquet
from pyarrow import fs

bucket = sys.argv[1]
files = fs.S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"])
table = pyarrow.table({"n": list(range(1_000)), "part": ["a", "b"] * 500})

with files.open_output_stream(f"{bucket}/stream.bin") as stream:
    for number in range(12):
        stream.write(bytes([number]) * (1 << 20))
with files.open_input_file(f"{bucket}/stream.bin") as file:
    assert file.size() == 12 << 20
    assert file.read_at(3, 5 << 20) == b"\5\5\5"
    file.seek((12 << 20) - 2)
    assert file.read() == b"\x0b\x0b"

files.create_dir(f"{bucket}/made/deep")
assert files.get_file_info(f"{bucket}/made/deep").type == fs.FileType.Directory
assert files.get_file_info(f"{bucket}/none").type == fs.FileType.NotFound
assert files.get_file_info(f"{bucket}/stream.bin").size == 12 << 20

pyarrow.parquet.write_table(table, f"{bucket}/one.parquet", filesystem=files)
assert pyarrow.parquet.read_table(f"{bucket}/one.parquet", filesystem=files).equals(table)

pyarrow.dataset.write_dataset(
    table, f"{bucket}/set", format="parquet", filesystem=files, partitioning=["part"], partitioning_flavor="hive"
)
again = pyarrow.dataset.dataset(f"{bucket}/set", filesystem=files, partitioning="hive")
assert again.count_rows() == 1_000
assert again.to_table(filter=pyarrow.dataset.field("part") == "b").num_rows == 500
paths = [one.path for one in files.get_file_info(fs.FileSelector(f"{bucket}/set", recursive=True))]
assert f"{bucket}/set/part=a/part-0.parquet" in paths, paths
# Written again over what is there
pyarrow.dataset.write_dataset(
    table.slice(0, 10),
    f"{bucket}/set",
    format="parquet",
    filesystem=files,
    partitioning=["part"],
    partitioning_flavor="hive",
    existing_data_behavior="delete_matching",
)
assert pyarrow.dataset.dataset(f"{bucket}/set", filesystem=files, partitioning="hive").count_rows() == 10

files.copy_file(f"{bucket}/one.parquet", f"{bucket}/two.parquet")
files.move(f"{bucket}/two.parquet", f"{bucket}/three.parquet")
assert files.get_file_info(f"{bucket}/two.parquet").type == fs.FileType.NotFound
files.delete_file(f"{bucket}/three.parquet")
files.delete_dir(f"{bucket}/set")
assert files.get_file_info(f"{bucket}/set").type == fs.FileType.NotFound
