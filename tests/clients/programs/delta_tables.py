"""Delta tables in S3: many writers at once, each commit made with a conditional put. Argument: a bucket."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pandas
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

uri = f"s3://{sys.argv[1]}/tables/one"
write_deltalake(uri, pandas.DataFrame({"writer": [-1], "n": [0]}))
assert DeltaTable(uri).version() == 0


def write(writer):
    for n in range(5):
        write_deltalake(uri, pandas.DataFrame({"writer": [writer], "n": [n]}), mode="append")


# Each commit that lost the race for its version is made again as the next one.
with ThreadPoolExecutor(2) as pool:
    list(pool.map(write, range(2)))
table = DeltaTable(uri)
assert table.version() == 10
rows = table.to_pandas()
assert sorted(zip(rows["writer"], rows["n"], strict=True)) == [(-1, 0), *((w, n) for w in range(2) for n in range(5))]

# Two that overwrite what the other has read: one of them is refused.
first, second = DeltaTable(uri), DeltaTable(uri)
first.delete("writer = 0")
try:
    second.delete("writer = 0")
except CommitFailedError as error:
    print(error)
else:
    raise AssertionError("both deleted the same rows")
assert DeltaTable(uri, version=10).to_pandas().shape == (11, 2)
assert DeltaTable(uri).to_pandas().shape == (6, 2)
table = DeltaTable(uri)
assert table.optimize.compact()["numFilesAdded"] == 1
table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
assert len(table.file_uris()) == 1
