"""How the members of each operation are tried out: a request, what comes before and after it, and other values."""

from collections.abc import Mapping

from tests.laws.probes.accounts import IAM, STS
from tests.laws.probes.alarms import ALARMS
from tests.laws.probes.cloudwatch import CLOUDWATCH
from tests.laws.probes.ecr import ECR
from tests.laws.probes.events import EVENTS
from tests.laws.probes.logs import LOGS
from tests.laws.probes.parameters import SECRETS, SSM
from tests.laws.probes.sagemaker import RUNTIME, SAGEMAKER
from tests.laws.probing import Probe

PROBES: Mapping[str, Mapping[str, Probe]] = {
    "cloudwatch": {**CLOUDWATCH, **ALARMS},
    "sagemaker": SAGEMAKER,
    "sagemaker-runtime": RUNTIME,
    "ecr": ECR,
    "logs": LOGS,
    "events": EVENTS,
    "ssm": SSM,
    "secretsmanager": SECRETS,
    "sts": STS,
    "iam": IAM,
}
