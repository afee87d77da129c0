"""A TensorFlow script with the SageMaker SDK, version 2: trained and deployed on images that AWS owns."""

from pathlib import Path

import sagemaker
from sagemaker.tensorflow import TensorFlow, TensorFlowModel

SCRIPT = """
import argparse, os
import numpy, tensorflow

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
parser.add_argument("--model_dir")  # an address of S3, for checkpoints
given = parser.parse_args()
x = numpy.linspace(-1, 1, 200).reshape(-1, 1)
model = tensorflow.keras.Sequential([tensorflow.keras.layers.Dense(1, input_shape=(1,))])
model.compile(tensorflow.keras.optimizers.Adam(0.1), loss="mse")
history = model.fit(x, 3 * x + 1, epochs=given.epochs, verbose=0)
print(f"loss={history.history['loss'][-1]:.6f}")
model.save(os.path.join(os.environ["SM_MODEL_DIR"], "1"))
"""
HANDLERS = """
import json

def input_handler(data, context):
    return json.dumps({"instances": [[json.loads(data.read())["value"]]]})

def output_handler(response, context):
    if response.status_code != 200:
        raise ValueError(response.content.decode("utf-8"))
    return json.dumps({"answer": response.json()["predictions"][0][0]}), context.accept_header
"""

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
Path("source").mkdir()
Path("source/fit.py").write_text(SCRIPT)
estimator = TensorFlow(
    entry_point="fit.py",
    source_dir="source",
    framework_version="2.11",
    py_version="py39",
    role=role,
    instance_count=1,
    instance_type="ml.m5.large",
    hyperparameters={"epochs": 60},
    base_job_name="tensorflow",
    sagemaker_session=session,
)
estimator.fit()
predictor = estimator.deploy(1, "ml.m5.large", endpoint_name="tensorflow")
((value,),) = predictor.predict({"instances": [[2.0]]})["predictions"]
assert abs(value - 7.0) < 0.5, value
predictor.delete_model()
predictor.delete_endpoint()

Path("handlers").mkdir()
Path("handlers/inference.py").write_text(HANDLERS)
model = TensorFlowModel(
    estimator.model_data,
    role,
    entry_point="inference.py",
    source_dir="handlers",
    framework_version="2.11",
    sagemaker_session=session,
)
predictor = model.deploy(1, "ml.m5.large", endpoint_name="tensorflow-handlers")
value = predictor.predict({"value": 2.0})["answer"]
assert abs(value - 7.0) < 0.5, value
predictor.delete_model()
predictor.delete_endpoint()
