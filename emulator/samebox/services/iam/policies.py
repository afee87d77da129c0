"""The operations on policies that are managed by the account."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from samebox.errors import AwsError
from samebox.resources.derived import tags_of
from samebox.resources.store import AlreadyThere, Resource
from samebox.services.context import Operation, Services
from samebox.services.iam import evaluation, records, roles
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller

_VERSION = "v1"
_Params = Mapping[str, Any]


def create_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """CreatePolicy; it has one version."""
    name, path = params["PolicyName"], params.get("Path", "/")
    records.checked(evaluation.check_identity_policy, params["PolicyDocument"])
    spec = {"Path": path, **{key: value for key, value in params.items() if key != "Tags"}}
    try:
        row = records.policies(services).add(
            records.scope(caller), name.lower(), records.arn(caller, "policy", path, name), spec, tags=tags_of(params)
        )
    except AlreadyThere:
        raise AwsError(
            "EntityAlreadyExists", f"A policy called {name} already exists. Duplicate names are not allowed."
        ) from None
    return {"Policy": _shown(services, row, caller)}


def get_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetPolicy, of AWS's own where something is known of it."""
    arn = params["PolicyArn"]
    if records.managed_document(arn) is not None:
        name = arn.rpartition("/")[2]
        return {"Policy": {"PolicyName": name, "PolicyId": records.id_of("ANPA", arn), "Arn": arn, "Path": "/",
                           "DefaultVersionId": _VERSION, "IsAttachable": True}}  # fmt: skip
    return {
        "Policy": {**_shown(services, _policy(services, arn, caller), caller), "Tags": _tags(services, arn, caller)}
    }


def get_policy_version(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetPolicyVersion."""
    arn = params["PolicyArn"]
    document, created = records.managed_document(arn), None
    if document is None:
        row = _policy(services, arn, caller)
        document, created = row.spec["PolicyDocument"], row.created
    if params["VersionId"] != _VERSION:
        raise AwsError(
            "NoSuchEntity", f"Policy {arn} version {params['VersionId']} does not exist or is not attachable."
        )
    found = {"Document": quote(document, safe=""), "VersionId": _VERSION, "IsDefaultVersion": True}
    return {"PolicyVersion": {**found, **({} if created is None else {"CreateDate": created})}}


def list_policies(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListPolicies: those that were created, by name; AWS's own are not listed."""
    refuse("iam", "ListPolicies", params)
    prefix = params.get("PathPrefix", "/")
    rows = [
        shown
        for row in records.policies(services).all(records.scope(caller))
        if row.spec["Path"].startswith(prefix)
        for shown in (_shown(services, row, caller),)
        if not params.get("OnlyAttached") or shown["AttachmentCount"]
    ]
    return roles.paged("Policies", [] if params.get("Scope") == "AWS" else rows, params)


def delete_policy(services: Services, params: _Params, caller: Caller) -> None:
    """DeletePolicy, once no role has it."""
    row = _policy(services, params["PolicyArn"], caller)
    if _attachments(services, row, caller):
        raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.")
    records.policies(services).remove(row)


def _policy(services: Services, arn: str, caller: Caller) -> Resource:
    found = records.policies(services).by_arn(arn)
    if found is None or found.account != caller.account:
        raise AwsError("NoSuchEntity", f"Policy {arn} was not found.")
    return found


def _attachments(services: Services, row: Resource, caller: Caller) -> int:
    every = records.roles(services).all(records.scope(caller))
    return sum(row.arn in records.facts_of(one).attached for one in every)


def _shown(services: Services, row: Resource, caller: Caller) -> dict[str, Any]:
    return {
        **row.spec,
        "PolicyId": records.id_of("ANPA", row.arn),
        "Arn": row.arn,
        "DefaultVersionId": _VERSION,
        "AttachmentCount": _attachments(services, row, caller),
        "IsAttachable": True,
        "CreateDate": row.created,
        "UpdateDate": row.modified,
    }


def _tags(services: Services, arn: str, caller: Caller) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in _policy(services, arn, caller).tags.items()]


OPERATIONS: dict[str, Operation] = {
    "CreatePolicy": create_policy,
    "GetPolicy": get_policy,
    "GetPolicyVersion": get_policy_version,
    "ListPolicies": list_policies,
    "DeletePolicy": delete_policy,
}
