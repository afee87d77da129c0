"""IAM as far as clients of SageMaker ask it before they do anything: is there this role, and what may it do?

Nothing here has permissions: there is a role of every name, SageMaker may assume it, and it may do everything.
"""

import base64
import hashlib
import itertools
import json
import re
from typing import Any
from urllib.parse import quote

from samebox.errors import AwsError
from samebox.services.context import Operation, Services
from samebox.wire.caller import Caller
from samebox.wire.partitions import partition_of

# IAM:SimulatePrincipalPolicy.MaxItems
_PAGE = 100
_SECONDS = 3600
# Of every role, as the store has none: the day on which SageMaker was announced.
_MADE = 1_511_913_600.0
_ENTITY = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(user|group|role)/\S+")
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def get_role(_: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """GetRole. A role's path is not in the request, so the role of every name is at the root."""
    name = params["RoleName"]
    arn = f"arn:{partition_of(caller.region).name}:iam::{caller.account}:role/{name}"
    return {
        "Role": {
            "Path": "/",
            "RoleName": name,
            "RoleId": f"AROA{base64.b32encode(hashlib.sha256(arn.encode()).digest()).decode()[:17]}",
            "Arn": arn,
            "CreateDate": _MADE,
            # URL-encoded, as RFC 3986 has it (IAM:GetRole).
            "AssumeRolePolicyDocument": quote(json.dumps(_TRUST), safe=""),
            "MaxSessionDuration": _SECONDS,
        }
    }


def simulate_principal_policy(_: Services, params: dict[str, Any], __: Caller) -> dict[str, Any]:
    """SimulatePrincipalPolicy: every action is allowed. One result for each action and resource."""
    source = params["PolicySourceArn"]
    if not _ENTITY.fullmatch(source):
        # Observed in public logs, for the ARN of an assumed role.
        raise AwsError("InvalidInput", f"Invalid Entity Arn: {source} does not clearly define entity type and name.")
    start = _start(params.get("Marker"))
    size = params.get("MaxItems", _PAGE)
    pairs = itertools.product(params["ActionNames"], params.get("ResourceArns") or ["*"])
    page = list(itertools.islice(pairs, start, start + size + 1))
    answer: dict[str, Any] = {
        "EvaluationResults": [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": "allowed",
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for action, resource in page[:size]
        ],
        "IsTruncated": len(page) > size,
    }
    return {**answer, "Marker": str(start + size)} if len(page) > size else answer


def _start(marker: str | None) -> int:
    if marker is None:
        return 0
    if not re.fullmatch("[0-9]{1,9}", marker):
        raise AwsError("ValidationError", f"Invalid Marker: {marker}")  # choice: IAM's words are not known
    return int(marker)


OPERATIONS: dict[str, Operation] = {"GetRole": get_role, "SimulatePrincipalPolicy": simulate_principal_policy}
