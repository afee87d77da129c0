"""mlflow keeps the artifacts of a run in S3. Argument: a bucket."""

import sys
from pathlib import Path

from mlflow.artifacts import download_artifacts
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

root = f"s3://{sys.argv[1]}/mlruns/1"
Path("model/weights").mkdir(parents=True)
Path("model/MLmodel").write_text("flavors: {}\n")
Path("model/weights/w.bin").write_bytes(b"w" * (9 << 20))

store = get_artifact_repository(root)
store.log_artifacts("model", "model")
store.log_artifact("model/MLmodel", "again")
assert [(one.path, one.is_dir) for one in store.list_artifacts()] == [("again", True), ("model", True)]
assert [(one.path, one.file_size) for one in store.list_artifacts("model")] == [
    ("model/MLmodel", 12),
    ("model/weights", None),
]
local = Path(download_artifacts(artifact_uri=f"{root}/model", dst_path="down"))
assert (local / "weights" / "w.bin").read_bytes() == b"w" * (9 << 20)
store.delete_artifacts("again")
assert [one.path for one in store.list_artifacts()] == ["model"]
