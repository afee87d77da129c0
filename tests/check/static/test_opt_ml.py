"""What lies in /opt/ml is hidden by what SageMaker mounts there, but for /opt/ml/code."""

from __future__ import annotations

import pytest

from tests.check.images import LayerFile
from tests.check.static.looking import holding, look


@pytest.mark.parametrize(
    ("path", "claim", "status"),
    [
        ("opt/ml/code/train.py", "train", "pass"),
        ("opt/ml/", "train", "pass"),
        ("opt/ml/model/", "serve", "pass"),
        ("opt/ml/model/model.bin", "train", "fail"),
        ("opt/ml/model/model.bin", "serve", "warn"),
        ("opt/ml/input/config/x.json", "train", "fail"),
        ("opt/ml/input/x", "serve", "warn"),
        ("opt/ml/processing/input/x.csv", "processing", "fail"),
        ("opt/ml/app.py", "train", "warn"),
        ("opt/mlops/app.py", "train", "pass"),
    ],
)
def test_files_where_sagemaker_mounts(path: str, claim: str, status: str) -> None:
    image = holding(LayerFile(path, b"" if path.endswith("/") else b"x"))
    found = look("image-opt-ml-hidden", image, claim, words=f"FROM x\nCOPY . /{path.rpartition('/')[0]}")  # type: ignore[arg-type]
    assert found.status == status
    assert found.line == (None if status == "pass" else 2)
