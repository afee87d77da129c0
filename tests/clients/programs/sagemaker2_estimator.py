"""From data to predictions with the SageMaker SDK, version 2. Argument: the image."""

import sys
from pathlib import Path

import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import JSONSerializer

image = sys.argv[1]
session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
assert session.account_id() in role, role
assert session.account_id() in session.default_bucket()
Path("numbers").mkdir()
Path("numbers/one.csv").write_text("1\n2\n6\n")
data = session.upload_data("numbers", key_prefix="sdk-2/training")

estimator = Estimator(
    image,
    role,
    instance_count=1,
    instance_type="ml.m5.large",
    base_job_name="sdk-2",
    hyperparameters={"factor": 2},
    metric_definitions=[{"Name": "mean", "Regex": "mean=([0-9.]+)"}],
    keep_alive_period_in_seconds=600,
    sagemaker_session=session,
)
estimator.fit({"training": TrainingInput(data)})
assert estimator.latest_training_job.describe()["FinalMetricDataList"][0]["Value"] == 6.0
job = estimator.latest_training_job.name
assert session.describe_training_job(job)["WarmPoolStatus"]["Status"] == "Available"
session.update_training_job(job, resource_config={"KeepAlivePeriodInSeconds": 0})
predictor = estimator.deploy(
    1, "ml.m5.large", endpoint_name="sdk-2", serializer=JSONSerializer(), deserializer=JSONDeserializer()
)
assert predictor.predict([1, 10]) == [6.0, 60.0]

attached = Estimator.attach(job, sagemaker_session=session)
assert attached.model_data == estimator.model_data
predictor.delete_model()
predictor.delete_endpoint()
client = session.sagemaker_client
client.get_waiter("endpoint_deleted").wait(EndpointName="sdk-2", WaiterConfig={"Delay": 1, "MaxAttempts": 120})
assert not client.list_models(NameContains="sdk-2")["Models"]
