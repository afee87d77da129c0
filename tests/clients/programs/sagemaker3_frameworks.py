"""Scikit-learn and XGBoost with the SageMaker SDK, version 3, on images that AWS owns. Argument: the role."""

import io
import sys
from pathlib import Path

import numpy
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode, StoppingCondition

SCRIPT = """
import os, shutil
import joblib, numpy
from sklearn.linear_model import LinearRegression

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "line.joblib"))

if __name__ == "__main__":
    table = numpy.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "line.csv"), delimiter=",")
    out = os.environ["SM_MODEL_DIR"]
    joblib.dump(LinearRegression().fit(table[:, :1], table[:, 1]), os.path.join(out, "line.joblib"))
    os.makedirs(os.path.join(out, "code"), exist_ok=True)
    shutil.copy(__file__, os.path.join(out, "code", "inference.py"))
"""

(role,) = sys.argv[1:]
session = Session()
region = session.boto_region_name
Path("source").mkdir()
Path("source/fit.py").write_text(SCRIPT)
for folder, lines in (
    ("line", [f"{x},{3 * x + 1}\n" for x in range(20)]),
    ("rows", [f"{3 * x + 1},{x}\n" for x in range(200)]),
):
    Path(folder).mkdir()
    Path(folder, f"{folder}.csv").write_text("".join(lines))
data = {name: session.upload_data(name, key_prefix=f"sdk-3/{name}") for name in ("line", "rows")}
SIZE = {
    "role": role,
    "compute": Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
    "stopping_condition": StoppingCondition(max_runtime_in_seconds=900),
    "sagemaker_session": session,
}


def served(name: str, image: str, trainer: ModelTrainer, body: bytes, content_type: str, accept: str) -> bytes:
    """The answer of an endpoint with a trained model; the endpoint is deleted afterwards."""
    job = trainer._latest_training_job
    assert job.training_job_status == "Completed", job
    builder = ModelBuilder(
        image_uri=image,
        s3_model_data_url=job.model_artifacts.s3_model_artifacts,
        role_arn=role,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    model = builder.build(name)
    endpoint = builder.deploy(endpoint_name=name)
    answer = endpoint.invoke(body, content_type=content_type, accept=accept).body.read()
    endpoint.delete()
    model.delete()
    return answer


image = image_uris.retrieve("sklearn", region, version="1.2-1", image_scope="training")
trainer = ModelTrainer(
    training_image=image,
    source_code=SourceCode(source_dir="source", entry_script="fit.py"),
    base_job_name="sdk-3-sklearn",
    **SIZE,
)
trainer.train([InputData(channel_name="train", data_source=data["line"])])
body = io.BytesIO()
numpy.save(body, numpy.array([[2.0], [5.0]]))
answer = served("sdk-3-sklearn", image, trainer, body.getvalue(), "application/x-npy", "application/x-npy")
assert numpy.allclose(numpy.load(io.BytesIO(answer)), [7.0, 16.0])

image = image_uris.retrieve("xgboost", region, version="1.7-1")
trainer = ModelTrainer(
    training_image=image,
    hyperparameters={"num_round": 20, "objective": "reg:squarederror"},
    base_job_name="sdk-3-xgboost",
    **SIZE,
)
trainer.train([InputData(channel_name="train", data_source=data["rows"], content_type="text/csv")])
answer = served("sdk-3-xgboost", image, trainer, b"10\n100", "text/csv", "text/csv")
first, second = map(float, answer.decode().split(","))
assert abs(first - 31) < 10, answer
assert abs(second - 301) < 10, answer
