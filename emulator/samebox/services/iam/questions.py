"""What clients of SageMaker ask IAM before they do anything: is there this role, and what may it do?

Unless policies are evaluated (SAMEBOX_EVALUATE_POLICIES), there is a role of every name, SageMaker may assume it, and
it may do everything.
"""

import itertools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from samebox.errors import AwsError
from samebox.services.context import Operation, Services
from samebox.services.iam import evaluation, records, roles
from samebox.services.iam.evaluation import Decision
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


def get_role(services: Services, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """GetRole. Of one that was not created, the path is not in the request, so it is at the root."""
    name = params["RoleName"]
    made = records.find_role(services, name, caller)
    if made is not None or services.settings.evaluate_policies:
        return {"Role": roles.shown(made or records.role(services, params, caller))}
    arn = f"arn:{partition_of(caller.region).name}:iam::{caller.account}:role/{name}"
    return {
        "Role": {
            "Path": "/",
            "RoleName": name,
            "RoleId": records.id_of("AROA", arn),
            "Arn": arn,
            "CreateDate": _MADE,
            # URL-encoded, as RFC 3986 has it (IAM:GetRole).
            "AssumeRolePolicyDocument": quote(json.dumps(_TRUST), safe=""),
            "MaxSessionDuration": _SECONDS,
        }
    }


def simulate_principal_policy(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """SimulatePrincipalPolicy. One result for each action and resource."""
    source = params["PolicySourceArn"]
    if not _ENTITY.fullmatch(source):
        # Observed in public logs, for the ARN of an assumed role.
        raise AwsError("InvalidInput", f"Invalid Entity Arn: {source} does not clearly define entity type and name.")
    decide = _decision(services, params, caller)
    start = _start(params.get("Marker"))
    size = params.get("MaxItems", _PAGE)
    pairs = itertools.product(params["ActionNames"], params.get("ResourceArns") or ["*"])
    page = list(itertools.islice(pairs, start, start + size + 1))
    answer: dict[str, Any] = {
        "EvaluationResults": [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decide(action, resource),
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for action, resource in page[:size]
        ],
        "IsTruncated": len(page) > size,
    }
    return {**answer, "Marker": str(start + size)} if len(page) > size else answer


def _decision(services: Services, params: dict[str, Any], caller: Caller) -> Callable[[str, str], Decision]:
    if not services.settings.evaluate_policies:
        return lambda _action, _resource: "allowed"
    role = records.role(services, {"RoleName": params["PolicySourceArn"].rpartition("/")[2]}, caller)
    documents = [*records.documents(services, role), *params.get("PolicyInputList", ())]
    for one in params.get("PolicyInputList", ()):
        records.checked(evaluation.check_identity_policy, one)
    context = {
        entry["ContextKeyName"]: entry.get("ContextKeyValues", [])
        for entry in params.get("ContextEntries", ())
        if "ContextKeyName" in entry
    }
    return lambda action, resource: evaluation.decide(documents, action, resource, context)


def _start(marker: str | None) -> int:
    if marker is None:
        return 0
    if not re.fullmatch("[0-9]{1,9}", marker):
        raise AwsError("ValidationError", f"Invalid Marker: {marker}")  # choice: IAM's words are not known
    return int(marker)


OPERATIONS: dict[str, Operation] = {"GetRole": get_role, "SimulatePrincipalPolicy": simulate_principal_policy}
