"""smart_open opens s3:// as Python opens files. Argument: a bucket."""

import sys
from contextlib import suppress

from smart_open import open  # noqa: A004  (as its users import it)
from smart_open.s3 import iter_bucket

bucket = sys.argv[1]
with open(f"s3://{bucket}/lines.txt.gz", "w") as file:
    for number in range(1_000):
        file.write(f"line {number}\n")
with open(f"s3://{bucket}/lines.txt.gz") as file:
    assert [line.rstrip() for line in file] == [f"line {number}" for number in range(1_000)]

# In parts of five megabytes, and read from the middle
with open(f"s3://{bucket}/large.bin", "wb", transport_params={"min_part_size": 5 << 20}) as file:
    for number in range(17):
        file.write(bytes([number]) * (1 << 20))
with open(f"s3://{bucket}/large.bin", "rb") as file:
    file.seek(-4, 2)
    assert file.read() == b"\x10" * 4
    file.seek(3 << 20)
    assert file.read(2) == b"\3\3"

# What is not finished is not there.
with suppress(ZeroDivisionError), open(f"s3://{bucket}/never.bin", "wb") as file:
    file.write(b"x" * (6 << 20) + bytes(1 // 0))
assert sorted(key.rpartition("/")[2] for key, _ in iter_bucket(bucket, workers=2)) == ["large.bin", "lines.txt.gz"]
try:
    open(f"s3://{bucket}/none")
except OSError as error:
    print(error)
else:
    raise AssertionError
