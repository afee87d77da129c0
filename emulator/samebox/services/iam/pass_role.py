"""Whether a session may pass a role on to SageMaker, where policies are evaluated."""

from typing import Any

from samebox.errors import AccessDenied
from samebox.resources.kinds import SESSION
from samebox.services.container_roles import SESSION_NAME, ContainerRoles
from samebox.services.context import Operation, Services
from samebox.services.iam import evaluation, records
from samebox.wire.caller import Caller
from samebox.wire.partitions import partition_of

_CONTEXT = {"iam:PassedToService": ["sagemaker.amazonaws.com"]}


def checked(operation: Operation) -> Operation:
    """The operation, refused where the caller may not pass the role that the request names."""

    def with_check(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any] | None:
        passed = params.get("RoleArn") or params.get("ExecutionRoleArn")
        if services.settings.evaluate_policies and passed:
            _check(services, str(passed), caller)
        return operation(services, params, caller)

    return with_check


def _check(services: Services, passed: str, caller: Caller) -> None:
    user = _user(services, caller)
    if user is None:
        return  # a key of the account itself may do everything
    name = user.split("/")[1]
    role = records.find_role(services, name, caller)
    documents = [] if role is None else records.documents(services, role)
    decision = evaluation.decide(documents, "iam:PassRole", passed, _CONTEXT)
    if decision == "allowed":
        return
    why = "with an explicit deny in an identity-based policy"
    if decision == "implicitDeny":
        why = "because no identity-based policy allows the iam:PassRole action"
    raise AccessDenied(f"User: {user} is not authorized to perform: iam:PassRole on resource: {passed} {why}")


def _user(services: Services, caller: Caller) -> str | None:
    """The ARN of the assumed role of a temporary key; None of another key."""
    if not caller.access_key.startswith("ASIA"):
        return None
    session = services.resources.find(SESSION, Caller(caller.account, "global"), caller.access_key)
    if session is not None:
        found: str | None = session.spec.get("AssumedRoleArn")
        return found
    role = ContainerRoles(services.resources, services.secret).of_key(caller.access_key)
    if role is None:
        return None
    account, name = role.arn.split(":")[4], role.arn.rpartition("/")[2]
    return f"arn:{partition_of(caller.region).name}:sts::{account}:assumed-role/{name}/{SESSION_NAME}"
