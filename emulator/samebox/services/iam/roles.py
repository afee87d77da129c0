"""The operations on roles."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from samebox.errors import AwsError
from samebox.resources.derived import tags_of
from samebox.resources.store import AlreadyThere, Resource
from samebox.services import pages
from samebox.services.context import Operation, Services
from samebox.services.iam import evaluation, records
from samebox.services.iam.records import RoleFacts
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller

_SECONDS = 3600
_PAGE = 100
_Params = Mapping[str, Any]


def create_role(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """CreateRole."""
    name, path = params["RoleName"], params.get("Path", "/")
    records.checked(evaluation.check_trust_policy, params["AssumeRolePolicyDocument"])
    spec = {key: value for key, value in params.items() if key not in ("Tags", "PermissionsBoundary")}
    spec.setdefault("Path", path)
    spec.setdefault("MaxSessionDuration", _SECONDS)
    try:
        row = records.roles(services).add(
            records.scope(caller), name.lower(), records.arn(caller, "role", path, name), spec,
            tags=tags_of(params), facts=RoleFacts(),
        )  # fmt: skip
    except AlreadyThere:
        raise AwsError("EntityAlreadyExists", f"Role with name {name} already exists.") from None
    return {"Role": shown(row)}


def shown(row: Resource) -> dict[str, Any]:
    """A role as answers have it."""
    found = {
        **row.spec,
        "RoleId": records.id_of("AROA", row.arn),
        "Arn": row.arn,
        "CreateDate": row.created,
        # URL-encoded, as RFC 3986 has it (IAM:GetRole).
        "AssumeRolePolicyDocument": quote(row.spec["AssumeRolePolicyDocument"], safe=""),
    }
    return {**found, **({"Tags": _tags(row)} if row.tags else {})}


def list_roles(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListRoles: those that were created, by name."""
    prefix = params.get("PathPrefix", "/")
    rows = [row for row in records.roles(services).all(records.scope(caller)) if row.spec["Path"].startswith(prefix)]
    return paged("Roles", [{key: value for key, value in shown(row).items() if key != "Tags"} for row in rows], params)


def update_role(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """UpdateRole: its description and its longest session."""
    changed = {key: params[key] for key in ("Description", "MaxSessionDuration") if key in params}
    row = records.role(services, params, caller)
    records.roles(services).change(row, lambda now: {"spec": {**now.spec, **changed}})
    return {}


def update_assume_role_policy(services: Services, params: _Params, caller: Caller) -> None:
    """UpdateAssumeRolePolicy."""
    records.checked(evaluation.check_trust_policy, params["PolicyDocument"])
    changed = {"AssumeRolePolicyDocument": params["PolicyDocument"]}
    row = records.role(services, params, caller)
    records.roles(services).change(row, lambda now: {"spec": {**now.spec, **changed}})


def delete_role(services: Services, params: _Params, caller: Caller) -> None:
    """DeleteRole, once it has no policies, and no instance profile holds it."""
    row = records.role(services, params, caller)
    if records.profiles_of(services, params["RoleName"], caller):
        raise records.held_by_profiles()
    facts = records.facts_of(row)
    if facts.attached:
        raise AwsError("DeleteConflict", "Cannot delete entity, must detach all policies first.")
    if facts.inline:
        raise AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.")
    records.roles(services).remove(row)


def attach_role_policy(services: Services, params: _Params, caller: Caller) -> None:
    """AttachRolePolicy: a policy that was created, or any of AWS's own."""
    wanted = params["PolicyArn"]
    if ":iam::aws:policy/" not in wanted and records.policies(services).by_arn(wanted) is None:
        raise AwsError("NoSuchEntity", f"Policy {wanted} does not exist or is not attachable.")
    _change(services, params, caller, lambda now: replace(now, attached=tuple(dict.fromkeys((*now.attached, wanted)))))


def detach_role_policy(services: Services, params: _Params, caller: Caller) -> None:
    """DetachRolePolicy."""
    wanted = params["PolicyArn"]
    if wanted not in records.facts_of(records.role(services, params, caller)).attached:
        raise AwsError("NoSuchEntity", f"Policy {wanted} was not found.")
    _change(services, params, caller, lambda now: replace(now, attached=tuple(x for x in now.attached if x != wanted)))


def list_attached_role_policies(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListAttachedRolePolicies."""
    refuse("iam", "ListAttachedRolePolicies", params)
    attached = records.facts_of(records.role(services, params, caller)).attached
    rows = [{"PolicyName": one.rpartition("/")[2], "PolicyArn": one} for one in attached]
    return paged("AttachedPolicies", rows, params)


def put_role_policy(services: Services, params: _Params, caller: Caller) -> None:
    """PutRolePolicy."""
    records.checked(evaluation.check_identity_policy, params["PolicyDocument"])
    added = {params["PolicyName"]: params["PolicyDocument"]}
    _change(services, params, caller, lambda now: replace(now, inline={**now.inline, **added}))


def get_role_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetRolePolicy."""
    row = records.role(services, params, caller)
    document = _inline(row, params["PolicyName"])
    name = row.spec["RoleName"]
    return {"RoleName": name, "PolicyName": params["PolicyName"], "PolicyDocument": quote(document, safe="")}


def delete_role_policy(services: Services, params: _Params, caller: Caller) -> None:
    """DeleteRolePolicy."""
    name = params["PolicyName"]
    _inline(records.role(services, params, caller), name)
    _change(
        services, params, caller,
        lambda now: replace(now, inline={key: text for key, text in now.inline.items() if key != name}),
    )  # fmt: skip


def list_role_policies(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListRolePolicies: the names of those that are its own."""
    return paged("PolicyNames", sorted(records.facts_of(records.role(services, params, caller)).inline), params)


def _inline(row: Resource, name: str) -> str:
    found = records.facts_of(row).inline.get(name)
    if found is None:
        raise AwsError("NoSuchEntity", f"The role policy with name {name} cannot be found.")
    return found


def _change(services: Services, params: _Params, caller: Caller, change: Callable[[RoleFacts], RoleFacts]) -> None:
    row = records.role(services, params, caller)
    records.roles(services).change(row, lambda now: records.columns(change(records.facts_of(now))))


def tag_role(services: Services, params: _Params, caller: Caller) -> None:
    """TagRole."""
    records.roles(services).tag(records.role(services, params, caller), tags_of(params))


def untag_role(services: Services, params: _Params, caller: Caller) -> None:
    """UntagRole."""
    records.roles(services).tag(records.role(services, params, caller), remove=tuple(params["TagKeys"]))


def list_role_tags(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListRoleTags."""
    return paged("Tags", _tags(records.role(services, params, caller)), params)


def _tags(row: Resource) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in row.tags.items()]


def paged(member: str, rows: Sequence[Any], params: _Params) -> dict[str, Any]:
    """A page of a list, and whether there is more."""
    marker = params.get("Marker")
    start = pages.offset(marker, AwsError("ValidationError", f"Invalid Marker: {marker}"))
    end = start + params.get("MaxItems", _PAGE)
    found = {member: rows[start:end], "IsTruncated": len(rows) > end}
    return {**found, "Marker": pages.token(end)} if len(rows) > end else found


OPERATIONS: dict[str, Operation] = {
    "CreateRole": create_role,
    "ListRoles": list_roles,
    "UpdateRole": update_role,
    "UpdateAssumeRolePolicy": update_assume_role_policy,
    "DeleteRole": delete_role,
    "AttachRolePolicy": attach_role_policy,
    "DetachRolePolicy": detach_role_policy,
    "ListAttachedRolePolicies": list_attached_role_policies,
    "PutRolePolicy": put_role_policy,
    "GetRolePolicy": get_role_policy,
    "DeleteRolePolicy": delete_role_policy,
    "ListRolePolicies": list_role_policies,
    "TagRole": tag_role,
    "UntagRole": untag_role,
    "ListRoleTags": list_role_tags,
}
