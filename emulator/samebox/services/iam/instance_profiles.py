"""The operations on instance profiles: each holds the role that the programs of an instance have, or none."""

from collections.abc import Mapping
from typing import Any

from samebox.errors import AwsError
from samebox.resources.derived import tags_of
from samebox.resources.facts import to_json
from samebox.resources.store import AlreadyThere, Resource
from samebox.services.context import Operation, Services
from samebox.services.iam import questions, records, roles
from samebox.services.iam.records import ProfileFacts
from samebox.wire.caller import Caller

_Params = Mapping[str, Any]


def create_instance_profile(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """CreateInstanceProfile, without a role."""
    name, path = params["InstanceProfileName"], params.get("Path", "/")
    spec = {"InstanceProfileName": name, "Path": path}
    try:
        row = records.profiles(services).add(
            records.scope(caller), name.lower(), records.arn(caller, "instance-profile", path, name), spec,
            tags=tags_of(params), facts=ProfileFacts(),
        )  # fmt: skip
    except AlreadyThere:
        raise AwsError("EntityAlreadyExists", f"Instance Profile {name} already exists.") from None
    return {"InstanceProfile": {**_shown(services, row, caller), **_tagged(row)}}


def get_instance_profile(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetInstanceProfile."""
    row = _profile(services, params, caller)
    return {"InstanceProfile": {**_shown(services, row, caller), **_tagged(row)}}


def list_instance_profiles(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListInstanceProfiles, by name."""
    prefix = params.get("PathPrefix", "/")
    rows = [row for row in records.profiles(services).all(records.scope(caller)) if row.spec["Path"].startswith(prefix)]
    return roles.paged("InstanceProfiles", [_shown(services, row, caller) for row in rows], params)


def list_instance_profiles_for_role(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListInstanceProfilesForRole: those that hold it, by name."""
    questions.get_role(services, params, caller)  # is there such a role?
    rows = records.profiles_of(services, params["RoleName"], caller)
    return roles.paged("InstanceProfiles", [_shown(services, row, caller) for row in rows], params)


def add_role_to_instance_profile(services: Services, params: _Params, caller: Caller) -> None:
    """AddRoleToInstanceProfile: one role at most."""
    row = _profile(services, params, caller)
    role = questions.get_role(services, params, caller)["Role"]["RoleName"]

    def add(now: Resource) -> dict[str, Any]:
        if records.profile_facts(now).role is not None:
            raise AwsError("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
        return {"facts": to_json(ProfileFacts(role))}

    records.profiles(services).change(row, add)


def remove_role_from_instance_profile(services: Services, params: _Params, caller: Caller) -> None:
    """RemoveRoleFromInstanceProfile."""
    row, name = _profile(services, params, caller), params["RoleName"]

    def remove(now: Resource) -> dict[str, Any]:
        role = records.profile_facts(now).role
        if role is None or role.lower() != name.lower():
            # Choice: IAM's words for a role that another profile holds are not known.
            raise records.no_such_role(name)
        return {"facts": to_json(ProfileFacts())}

    records.profiles(services).change(row, remove)


def delete_instance_profile(services: Services, params: _Params, caller: Caller) -> None:
    """DeleteInstanceProfile, once it holds no role."""
    row = _profile(services, params, caller)
    if records.profile_facts(row).role is not None:
        raise records.held_by_profiles()
    records.profiles(services).remove(row)


def tag_instance_profile(services: Services, params: _Params, caller: Caller) -> None:
    """TagInstanceProfile."""
    records.profiles(services).tag(_profile(services, params, caller), tags_of(params))


def untag_instance_profile(services: Services, params: _Params, caller: Caller) -> None:
    """UntagInstanceProfile."""
    records.profiles(services).tag(_profile(services, params, caller), remove=tuple(params["TagKeys"]))


def list_instance_profile_tags(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListInstanceProfileTags."""
    return roles.paged("Tags", _tagged(_profile(services, params, caller)).get("Tags", []), params)


def _profile(services: Services, params: _Params, caller: Caller) -> Resource:
    name = params["InstanceProfileName"]
    found = records.profiles(services).find(records.scope(caller), name.lower())
    if found is None:
        raise AwsError("NoSuchEntity", f"Instance Profile {name} cannot be found.")
    return found


def _shown(services: Services, row: Resource, caller: Caller) -> dict[str, Any]:
    role = records.profile_facts(row).role
    held = [] if role is None else [questions.get_role(services, {"RoleName": role}, caller)["Role"]]
    return {
        **row.spec,
        "InstanceProfileId": records.id_of("AIPA", row.arn),
        "Arn": row.arn,
        "CreateDate": row.created,
        "Roles": [{key: value for key, value in one.items() if key != "Tags"} for one in held],
    }


def _tagged(row: Resource) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in row.tags.items()]} if row.tags else {}


OPERATIONS: dict[str, Operation] = {
    "CreateInstanceProfile": create_instance_profile,
    "GetInstanceProfile": get_instance_profile,
    "ListInstanceProfiles": list_instance_profiles,
    "ListInstanceProfilesForRole": list_instance_profiles_for_role,
    "AddRoleToInstanceProfile": add_role_to_instance_profile,
    "RemoveRoleFromInstanceProfile": remove_role_from_instance_profile,
    "DeleteInstanceProfile": delete_instance_profile,
    "TagInstanceProfile": tag_instance_profile,
    "UntagInstanceProfile": untag_instance_profile,
    "ListInstanceProfileTags": list_instance_profile_tags,
}
