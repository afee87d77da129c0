"""XGBoost with the SageMaker SDK, version 2: the built-in algorithm and a script, on images that AWS owns."""

import random
from pathlib import Path

import sagemaker
from sagemaker import image_uris
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer
from sagemaker.xgboost import XGBoost

SCRIPT = """
import argparse, os
import xgboost

def model_fn(model_dir):
    model = xgboost.Booster()
    model.load_model(os.path.join(model_dir, "model.json"))
    return model

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--num_round", type=int)
    parser.add_argument("--max_depth", type=int)
    given, _ = parser.parse_known_args()
    import numpy
    table = numpy.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), delimiter=",")
    matrix = xgboost.DMatrix(table[:, 1:], label=table[:, 0])
    model = xgboost.train({"max_depth": given.max_depth}, matrix, given.num_round, evals=[(matrix, "train")])
    model.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"))
"""

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
random.seed(1)
rows = [(random.random(), random.random()) for _ in range(400)]
labelled = [(3 * x - y, x, y) for x, y in rows]
for name, part in (("train", labelled[:300]), ("validation", labelled[300:])):
    Path(f"csv/{name}").mkdir(parents=True)
    Path(f"libsvm/{name}").mkdir(parents=True)
    Path(f"csv/{name}/{name}.csv").write_text("".join(f"{a},{x},{y}\n" for a, x, y in part))
    Path(f"libsvm/{name}/{name}.libsvm").write_text("".join(f"{a} 0:{x} 1:{y}\n" for a, x, y in part))
there = {form: session.upload_data(form, key_prefix=f"xgboost/{form}") for form in ("csv", "libsvm")}
SIZE = {"role": role, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": session}
image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")


def fitted(form: str) -> Estimator:
    """The algorithm, trained on data in one form."""
    algorithm = Estimator(
        image,
        base_job_name=f"xgboost-{form}",
        hyperparameters={"num_round": 40, "max_depth": 4, "eta": 0.3, "objective": "reg:squarederror"},
        metric_definitions=[{"Name": "validation:rmse", "Regex": r".*\[[0-9]+\].*#011validation-rmse:([0-9.]+)"}],
        **SIZE,
    )
    channels = {
        name: TrainingInput(f"{there[form]}/{name}", content_type=f"text/{form}") for name in ("train", "validation")
    }
    algorithm.fit(channels)
    (metric,) = algorithm.latest_training_job.describe()["FinalMetricDataList"]
    assert metric["MetricName"] == "validation:rmse", metric
    assert metric["Value"] < 0.2, metric
    return algorithm


fitted("libsvm")
algorithm = fitted("csv")
predictor = algorithm.deploy(
    1, "ml.m5.large", endpoint_name="xgboost", serializer=CSVSerializer(), deserializer=CSVDeserializer()
)
((first, second),) = predictor.predict([[0.5, 0.5], [0.9, 0.1]])
assert abs(float(first) - 1.0) < 0.3, first
assert abs(float(second) - 2.6) < 0.3, second
runtime = session.sagemaker_runtime_client
answer = runtime.invoke_endpoint(
    EndpointName="xgboost", ContentType="text/libsvm", Accept="application/json", Body=b"0:0.5 1:0.5\n0:0.9 1:0.1"
)
scores = JSONDeserializer().deserialize(answer["Body"], "application/json")
assert [round(one["score"], 4) for one in scores["predictions"]] == [round(float(first), 4), round(float(second), 4)]
predictor.delete_model()
predictor.delete_endpoint()

Path("fit.py").write_text(SCRIPT)
script = XGBoost(
    "fit.py",
    framework_version="1.7-1",
    hyperparameters={"num_round": 40, "max_depth": 4},
    base_job_name="xgboost-script",
    **SIZE,
)
script.fit({"train": f"{there['csv']}/train"})
predictor = script.deploy(1, "ml.m5.large", endpoint_name="xgboost-script", serializer=CSVSerializer())
answer = runtime.invoke_endpoint(
    EndpointName="xgboost-script", ContentType="text/csv", Accept="text/csv", Body=b"0.5,0.5\n0.9,0.1"
)
one, two = map(float, answer["Body"].read().split())
assert abs(one - 1.0) < 0.3, one
assert abs(two - 2.6) < 0.3, two
predictor.delete_model()
predictor.delete_endpoint()
