"""The rules of the plain training job, each of which is read off it."""

from __future__ import annotations

from samebox.check.findings import Rule

COMPLETES = Rule(
    "train-completes",
    "Training ends with exit code 0 under SageMaker's /opt/ml",
    "contract §1.1, §1.2",
    "fail",
    "training",
    "The quoted lines show why; --log prints the rest. Give --data with a channel in each folder, and each "
    "--hyperparameter NAME=VALUE, as your jobs do.",
)
ARGUMENT = Rule(
    "train-argument",
    "It starts with the single argument `train`",
    "contract §1.1",
    "fail",
    "training",
    'Put a program named train on PATH, or use an ENTRYPOINT ["program"] that accepts the argument train.',
)
HYPERPARAMETERS = Rule(
    "train-hyperparameters",
    "It takes hyperparameters whose values are all strings",
    "contract §1.3",
    "fail",
    "training",
    'hyperparameters.json holds strings only: {"epochs":"3"}. Convert each value: int(parameters["epochs"]).',
)
# Of values that are JSON within a string, as SageMaker's SDK sends those of its framework estimators.
QUOTED = (
    "A value that the SageMaker SDK sends is JSON within a string, and bears quotes of its own: json.loads each value, "
    "and take it as it is where that fails."
)
STRUCTURES = (
    "hyperparameters.json holds strings only, lists and objects as JSON within one: json.loads each value, and take it "
    "as it is where that fails."
)
CONFIG_FILES = Rule(
    "train-config-files",
    "It ignores unknown files in /opt/ml/input/config",
    "contract §1.2",
    "fail",
    "training",
    "Open the files you need by name; SageMaker adds debughookconfig.json, profilerconfig.json and others.",
)
HOSTNAME = Rule(
    "train-hostname",
    "It does not assume that the hostname is algo-1",
    "contract §1.1",
    "fail",
    "training",
    "HOSTNAME is ip-….ec2.internal: read current_host from /opt/ml/input/config/resourceconfig.json.",
)
OWN_NAME = Rule(
    "train-own-name",
    "It reaches itself as current_host at an address other than 127.0.0.1",
    "contract §1.1, §1.4.4; where there is one host, a choice of this kit",
    "warn",
    "training",
    "A server that is reached by the name algo-1 must listen on 0.0.0.0; retry a name that does not resolve.",
)
SM_VARIABLES = Rule(
    "train-sm-variables",
    "It needs no SM_* variables, or sets them itself",
    "contract §1.4.2, §1.12",
    "fail",
    "training",
    "SM_MODEL_DIR and its like are made by sagemaker-training inside an image: install it, or use the paths.",
)
USER = Rule(
    "train-user",
    "The image's user can write /opt/ml/model and /opt/ml/output",
    "contract §1.1",
    "fail",
    "training",
    "The folders are root's, 0755: drop USER, or end with USER root.",
)
NETWORK = Rule(
    "train-network-isolation",
    "It trains without a network",
    "contract §1.4.5; CreateTrainingJob.EnableNetworkIsolation",
    "warn",
    "training",
    "Put what it downloads into the image or into a channel; a job with EnableNetworkIsolation reaches nothing.",
)
MODEL = Rule(
    "train-model",
    "The model is in /opt/ml/model when training has ended",
    "contract §1.8",
    "fail",
    "training",
    "Only /opt/ml/model becomes model.tar.gz: write the model there.",
)
MODEL_LINKS = Rule(
    "train-model-links",
    "There are no links in /opt/ml/model",
    "contract §2.4",
    "fail",
    "training",
    "A model.tar.gz with symbolic links cannot be deployed: copy the files (cp -L).",
)
LOGS = Rule(
    "train-logs",
    "It logs to standard output or standard error while it runs",
    "contract §1.9",
    "warn",
    "training",
    "Only these two reach CloudWatch, and metrics are found there: log to them, and not (only) to a file.",
)
