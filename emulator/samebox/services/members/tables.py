"""The tables of all operations that are run, but those that are written once for every noun.

Those (Describe, List and Delete of most nouns) act on each member that the model has; `resources/listing.py` refuses by
name a filter that it has no rule for.
"""

from collections.abc import Mapping
from typing import Any

from samebox.services.members import (
    cloudwatch,
    ecr,
    events,
    hosting,
    identity,
    logs,
    parameters,
    processing_jobs,
    runtime,
    s3,
    sagemaker,
    stored,
    training_jobs,
    transform_jobs,
)
from samebox.services.members.refusal import refuse_by
from samebox.services.members.row import Members

# Service -> operation -> table.
TABLES: Mapping[str, Mapping[str, Members]] = {
    "sagemaker": {
        **training_jobs.MEMBERS,
        **processing_jobs.MEMBERS,
        **transform_jobs.MEMBERS,
        **hosting.MEMBERS,
        **sagemaker.MEMBERS,
        **stored.MEMBERS,
    },
    "sagemaker-runtime": runtime.MEMBERS,
    "ecr": ecr.MEMBERS,
    "cloudwatch": cloudwatch.MEMBERS,
    "logs": logs.MEMBERS,
    "events": events.MEMBERS,
    "ssm": parameters.SSM,
    "secretsmanager": parameters.SECRETS,
    "sts": identity.STS,
    "iam": identity.IAM,
    "s3": s3.MEMBERS,
}


def refuse(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raise NotImplemented, naming member and value, for the first that the operation's table refuses."""
    refuse_by(TABLES[service][operation], service, operation, params)
