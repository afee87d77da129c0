"""From data to predictions with the SageMaker SDK, version 3. Arguments: the image, and the role."""

import json
import sys
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, StoppingCondition

image, role = sys.argv[1:]
session = Session()
Path("numbers").mkdir()
Path("numbers/one.csv").write_text("1\n2\n6\n")
data = session.upload_data("numbers", key_prefix="sdk-3/training")

trainer = ModelTrainer(
    training_image=image,
    role=role,
    base_job_name="sdk-3",
    hyperparameters={"factor": 2},
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
    sagemaker_session=session,
)
trainer.train([InputData(channel_name="training", data_source=data)])
job = trainer._latest_training_job
assert job.training_job_status == "Completed", job

builder = ModelBuilder(
    image_uri=image,
    s3_model_data_url=job.model_artifacts.s3_model_artifacts,
    role_arn=role,
    instance_type="ml.m5.large",
    sagemaker_session=session,
)
model = builder.build("sdk-3")
endpoint = builder.deploy(endpoint_name="sdk-3")
answer = endpoint.invoke(json.dumps([1, 10]), content_type="application/json")
assert json.load(answer.body) == [6.0, 60.0], answer
endpoint.delete()
model.delete()
