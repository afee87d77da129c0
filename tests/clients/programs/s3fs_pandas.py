"""pandas reads and writes s3://, and s3fs shows a bucket as folders. Argument: a bucket."""

import sys

import pandas
import s3fs

bucket = sys.argv[1]
frame = pandas.DataFrame({"n": range(10_000), "part": ["a", "b"] * 5_000, "text": ["ü"] * 10_000})

frame.to_csv(f"s3://{bucket}/frames/one.csv", index=False)
assert pandas.read_csv(f"s3://{bucket}/frames/one.csv").equals(frame)
frame.to_parquet(f"s3://{bucket}/frames/one.parquet")
assert pandas.read_parquet(f"s3://{bucket}/frames/one.parquet").equals(frame)
assert list(pandas.read_parquet(f"s3://{bucket}/frames/one.parquet", columns=["n"])) == ["n"]

frame.to_parquet(f"s3://{bucket}/by-part", partition_cols=["part"])
back = pandas.read_parquet(f"s3://{bucket}/by-part", filters=[("part", "==", "b")])
assert (len(back), set(back["part"])) == (5_000, {"b"})

frame.to_parquet(f"s3://{bucket}/fast.parquet", engine="fastparquet")
assert pandas.read_parquet(f"s3://{bucket}/fast.parquet", engine="fastparquet").equals(frame)

files = s3fs.S3FileSystem()
assert sorted(files.ls(f"{bucket}/frames")) == [f"{bucket}/frames/one.csv", f"{bucket}/frames/one.parquet"]
assert len(files.glob(f"{bucket}/by-part/part=*/*.parquet")) == 2
with files.open(f"{bucket}/notes/deep/er.txt", "w") as file:
    file.write("hello")
assert files.isdir(f"{bucket}/notes")
assert files.cat(f"{bucket}/notes/deep/er.txt") == b"hello"
assert files.info(f"{bucket}/notes/deep/er.txt")["size"] == 5
# In parts, and from anywhere in it
with files.open(f"{bucket}/large.bin", "wb", block_size=5 << 20) as file:
    for number in range(24):
        file.write(bytes([number]) * (1 << 20))
with files.open(f"{bucket}/large.bin", "rb") as file:
    file.seek(7 << 20)
    assert file.read(3) == b"\7\7\7"
files.cp(f"{bucket}/notes/deep/er.txt", f"{bucket}/notes/copy.txt")
files.mv(f"{bucket}/notes/copy.txt", f"{bucket}/notes/moved.txt")
assert sorted(files.find(f"{bucket}/notes")) == [f"{bucket}/notes/deep/er.txt", f"{bucket}/notes/moved.txt"]
files.touch(f"{bucket}/notes/empty")
assert files.exists(f"{bucket}/notes/empty")
files.rm(f"{bucket}/notes", recursive=True)
files.invalidate_cache()
assert not files.exists(f"{bucket}/notes")
files.mkdir(f"{bucket}-made")
assert files.exists(f"{bucket}-made")
files.rmdir(f"{bucket}-made")
