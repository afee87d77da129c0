"""A scikit-learn script with the SageMaker SDK, version 2: trained, deployed, processed, on images that AWS owns."""

import zipfile
from pathlib import Path

import numpy
import sagemaker
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.sklearn import SKLearn, SKLearnProcessor

SCRIPT = """
import argparse, os
import answer, joblib, numpy, shared
from sklearn.linear_model import LinearRegression

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "line.joblib"))

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--power", type=int)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    given = parser.parse_args()
    table = numpy.loadtxt(os.path.join(given.train, "line.csv"), delimiter=",")
    model = LinearRegression().fit(table[:, :1] ** given.power, table[:, 1])
    print(f"answer={answer.ANSWER} shared={shared.NAME} score={model.score(table[:, :1], table[:, 1]):.3f}")
    joblib.dump(model, os.path.join(given.model_dir, "line.joblib"))
"""
CLEAN = """
import sys
from pathlib import Path
lines = Path("/opt/ml/processing/input/line.csv").read_text().split()
out = Path("/opt/ml/processing/output"); out.mkdir(parents=True, exist_ok=True)
(out / "count.txt").write_text(f"{len(lines)} {sys.argv[1]}")
"""


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def wheel(folder: str) -> str:
    """A package of one module, so that requirements.txt is installed without a package index."""
    name = "answer-1.0-py3-none-any.whl"
    info = "answer-1.0.dist-info"
    with zipfile.ZipFile(Path(folder, name), "w") as file:
        file.writestr("answer.py", "ANSWER = 42\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: answer\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    return f"./{name}\n"


session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
write("source/fit.py", SCRIPT)
write("source/requirements.txt", wheel("source"))
write("shared.py", "NAME = 'together'\n")
write("numbers/line.csv", "".join(f"{x},{3 * x + 1}\n" for x in range(20)))
data = session.upload_data("numbers", key_prefix="sklearn/training")

estimator = SKLearn(
    "fit.py",
    framework_version="1.2-1",
    source_dir="source",
    dependencies=["shared.py"],
    role=role,
    instance_type="ml.m5.large",
    instance_count=1,
    hyperparameters={"power": 1},
    base_job_name="sklearn",
    metric_definitions=[{"Name": "score", "Regex": "score=([0-9.]+)"}],
    sagemaker_session=session,
)
estimator.fit({"train": data})
described = estimator.latest_training_job.describe()
assert described["AlgorithmSpecification"]["TrainingImage"] == estimator.training_image_uri(), described
assert ".dkr.ecr." in estimator.training_image_uri()
assert described["FinalMetricDataList"][0]["Value"] == 1.0, described

predictor = estimator.deploy(1, "ml.m5.large", endpoint_name="sklearn")
assert numpy.allclose(predictor.predict(numpy.array([[2.0], [5.0]])), [7.0, 16.0])
predictor.delete_model()
predictor.delete_endpoint()

SIZE = {"role": role, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": session}
processor = SKLearnProcessor("1.2-1", base_job_name="learn", **SIZE)
write("clean.py", CLEAN)


def wishes() -> dict:
    """Of one run: the SDK writes into it where the output goes."""
    return {
        "inputs": [ProcessingInput(data, "/opt/ml/processing/input")],
        "outputs": [ProcessingOutput("/opt/ml/processing/output", output_name="count")],
    }


framework = FrameworkProcessor(SKLearn, "1.2-1", base_job_name="framework", **SIZE)
script = ScriptProcessor(image_uri=estimator.training_image_uri(), command=["python3"], base_job_name="script", **SIZE)
write("process/clean.py", CLEAN)
write("process/requirements.txt", wheel("process"))
processor.run("clean.py", arguments=["one"], **wishes())
script.run("clean.py", arguments=["two"], **wishes())
framework.run("clean.py", source_dir="process", arguments=["three"], **wishes())
for ran, word in ((processor, "one"), (script, "two"), (framework, "three")):
    output = ran.jobs[-1].describe()["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    found = sagemaker.s3.S3Downloader.read_file(f"{output}/count.txt", sagemaker_session=session)
    assert found == f"20 {word}", found
