"""polars reads and writes s3:// through object_store, in Rust. Argument: a bucket."""

import sys

import polars

bucket = sys.argv[1]
frame = polars.DataFrame({"n": range(1_000), "part": ["a", "b"] * 500})

frame.write_parquet(f"s3://{bucket}/one.parquet")
assert polars.read_parquet(f"s3://{bucket}/one.parquet").equals(frame)
frame.lazy().sink_parquet(f"s3://{bucket}/lazy/0.parquet")
frame.lazy().sink_parquet(f"s3://{bucket}/lazy/1.parquet")
scanned = polars.scan_parquet(f"s3://{bucket}/lazy/*.parquet").filter(polars.col("part") == "b")
assert scanned.select(polars.len()).collect().item() == 1_000
frame.write_csv(f"s3://{bucket}/one.csv")
assert polars.scan_csv(f"s3://{bucket}/one.csv").collect().equals(frame)
