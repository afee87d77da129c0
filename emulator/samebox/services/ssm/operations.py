"""The operations on parameters."""

import re
from collections.abc import Mapping
from typing import Any

from samebox.errors import AwsError, ValidationException
from samebox.resources.derived import tags_of
from samebox.resources.facts import to_json
from samebox.resources.store import AlreadyThere, Changed, Resource
from samebox.services.context import Operation, Services
from samebox.services.members.tables import refuse
from samebox.services.sealing import Seal
from samebox.services.ssm import filters, records
from samebox.services.ssm.records import SECURE, ParameterFacts, ParameterVersion
from samebox.wire.caller import Caller
from samebox.wire.partitions import partition_of

_NAME = re.compile(r"[a-zA-Z0-9_./-]+")
# SSM:PutParameter: levels of a name, and characters of a value in each tier.
_DEEPEST = 15
_LARGEST = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}
# SSM:LabelParameterVersion
_LABEL = re.compile(r"(?!(?i:aws|ssm))[a-zA-Z_.-][a-zA-Z0-9_.-]{0,99}")
_Params = Mapping[str, Any]


def put_parameter(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutParameter: a parameter, or the next version of one."""
    refuse("ssm", "PutParameter", params)
    name = _checked_name(params)
    tier = params.get("Tier", "Standard")
    if len(params["Value"]) > _LARGEST[tier]:
        raise ValidationException(
            f"{tier} tier parameters support a maximum parameter value of {_LARGEST[tier]} characters."
        )
    if params.get("Overwrite") and params.get("Tags"):
        # Observed in public logs of 2019-24, as the others here.
        raise ValidationException(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please "
            "remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
            "RemoveTagsFromResource."
        )
    shelf = records.parameters(services)
    while True:
        # `foo` and `/foo` have one ARN, and are one parameter.
        there = shelf.find(records.scope(caller), name) or shelf.by_arn(records.arn(caller, name))
        try:
            if there is None:
                version = _version(services, params, caller, None)
                facts = ParameterFacts((version,))
                shelf.add(
                    records.scope(caller),
                    name,
                    records.arn(caller, name),
                    {"Name": name},
                    tags=tags_of(params),
                    facts=facts,
                )
            else:
                version = _overwrite(services, there, params, caller)
        except (AlreadyThere, Changed):
            continue  # another request was faster
        return {"Version": version.version, "Tier": version.tier}


def _overwrite(services: Services, row: Resource, params: _Params, caller: Caller) -> ParameterVersion:
    if not params.get("Overwrite"):
        raise AwsError(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        )
    made: list[ParameterVersion] = []

    def added(now: Resource) -> dict[str, Any]:
        several = records.versions(now)
        made.append(_version(services, params, caller, several[-1]))
        return {"facts": to_json(ParameterFacts(several).with_version(made[-1]))}

    records.parameters(services).change(row, added)
    return made[-1]


def _version(services: Services, params: _Params, caller: Caller, last: ParameterVersion | None) -> ParameterVersion:
    kind = params.get("Type") or (last.type if last else "")
    if not kind:
        raise ValidationException("A parameter type is required when you create a parameter.")
    value = Seal(services.secret).close(params["Value"]) if kind == SECURE else params["Value"]
    return ParameterVersion(
        version=last.version + 1 if last else 1,
        value=value,
        type=kind,
        at=services.clock(),
        user=f"arn:{partition_of(caller.region).name}:iam::{caller.account}:root",
        description=params.get("Description", last.description if last else ""),
        key_id=params.get("KeyId", "alias/aws/ssm") if kind == SECURE else "",
        tier=params.get("Tier", last.tier if last else "Standard"),
    )


def _checked_name(params: _Params) -> str:
    name = str(params["Name"])
    if name.startswith("arn:"):
        name = name.partition(":parameter")[2]
    if not _NAME.fullmatch(name) or name.endswith("/"):
        raise ValidationException(
            'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of '
            "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the "
            "following 3 symbols .-_"
        )
    first = name.strip("/").partition("/")[0].lower()
    if first.startswith(("aws", "ssm")):
        raise ValidationException(f"No access to reserved parameter name: {name}.")
    if "/" in name and not name.startswith("/"):
        raise ValidationException("Parameter name must be a fully qualified name.")
    if name.count("/") > _DEEPEST:
        raise AwsError("HierarchyLevelLimitExceededException", f"A hierarchy can have a maximum of {_DEEPEST} levels.")
    return name


def get_parameter(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetParameter: the newest version, or the one of a number or a label."""
    row, version, selector = records.selected(services, params["Name"], caller)
    found = records.shown(row, version, Seal(services.secret), params)
    return {"Parameter": {**found, **({"Selector": selector} if selector else {})}}


def get_parameters(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetParameters; names without a parameter are listed."""
    found, missing = [], []
    for name in dict.fromkeys(params["Names"]):
        try:
            found.append(get_parameter(services, {**params, "Name": name}, caller)["Parameter"])
        except AwsError as error:
            if error.code not in ("ParameterNotFound", "ParameterVersionNotFound"):
                raise
            missing.append(name)
    return {"Parameters": found, "InvalidParameters": missing}


def get_parameters_by_path(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetParametersByPath: those right below a path, or all below it; by name."""
    refuse("ssm", "GetParametersByPath", params)
    path = params["Path"]
    if not path.startswith("/"):
        raise ValidationException(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward "
            'slash "/".'
        )
    rows = [
        row
        for row in records.parameters(services).all(records.scope(caller))
        if filters.is_below(row.name, path, params.get("Recursive", False))
    ]
    page, more = filters.page(rows, params, 10)
    seal = Seal(services.secret)
    return {"Parameters": [records.shown(row, records.versions(row)[-1], seal, params) for row in page], **more}


def describe_parameters(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeParameters, by name."""
    refuse("ssm", "DescribeParameters", params)
    wanted = [filters.checked(one) for one in params.get("ParameterFilters", ())]
    found = [
        records.described(row, newest)
        for row in records.parameters(services).all(records.scope(caller))
        for newest in (records.versions(row)[-1],)
        if all(filters.fits(row, newest, one) for one in wanted)
    ]
    page, more = filters.page(found, params, 50)
    return {"Parameters": page, **more}


def get_parameter_history(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetParameterHistory, the oldest version first."""
    row, seal = records.named(services, params["Name"], caller), Seal(services.secret)
    found = []
    for one in records.versions(row):
        value = records.shown(row, one, seal, params)["Value"]
        found.append({**records.described(row, one), "Value": value, "Labels": list(one.labels)})
    page, more = filters.page(found, params, 50)
    return {"Parameters": page, **more}


def delete_parameter(services: Services, params: _Params, caller: Caller) -> None:
    """DeleteParameter."""
    records.parameters(services).remove(records.named(services, params["Name"], caller))


def delete_parameters(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DeleteParameters; names without a parameter are listed."""
    deleted, missing = [], []
    for name in dict.fromkeys(params["Names"]):
        found = records.parameters(services).find(records.scope(caller), name)
        if found is None:
            missing.append(name)
        else:
            records.parameters(services).remove(found)
            deleted.append(name)
    return {"DeletedParameters": deleted, "InvalidParameters": missing}


def label_parameter_version(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """LabelParameterVersion: labels move to this version from any other."""
    row, labels = records.named(services, params["Name"], caller), params["Labels"]
    good = [label for label in labels if _LABEL.fullmatch(label)]
    number = params.get("ParameterVersion", records.versions(row)[-1].version)
    _version_of(row, number)

    def labelled(now: Resource) -> dict[str, Any]:
        return {"facts": records.with_versions(records.relabelled(records.versions(now), number, good))}

    records.parameters(services).change(row, labelled)
    return {"InvalidLabels": [label for label in labels if label not in good], "ParameterVersion": number}


def unlabel_parameter_version(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """UnlabelParameterVersion."""
    row, labels, number = records.named(services, params["Name"], caller), params["Labels"], params["ParameterVersion"]
    there: list[str] = []

    def unlabelled(now: Resource) -> dict[str, Any]:
        at = _version_of(now, number).labels
        there[:] = [label for label in labels if label in at]
        return {"facts": records.with_versions(records.relabelled(records.versions(now), 0, there))}

    records.parameters(services).change(row, unlabelled)
    return {"RemovedLabels": there, "InvalidLabels": [label for label in labels if label not in there]}


def _version_of(row: Resource, number: int) -> ParameterVersion:
    for one in records.versions(row):
        if one.version == number:
            return one
    raise AwsError(
        "ParameterVersionNotFound",
        f"Systems Manager could not find version {number} of {row.name}. Verify the version and try again.",
    )


def add_tags(services: Services, params: _Params, caller: Caller) -> None:
    """AddTagsToResource, of a parameter."""
    records.parameters(services).tag(_tagged(services, params, caller), tags_of(params))


def remove_tags(services: Services, params: _Params, caller: Caller) -> None:
    """RemoveTagsFromResource, of a parameter."""
    records.parameters(services).tag(_tagged(services, params, caller), remove=tuple(params["TagKeys"]))


def list_tags(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListTagsForResource, of a parameter."""
    return {"TagList": [{"Key": k, "Value": v} for k, v in _tagged(services, params, caller).tags.items()]}


def _tagged(services: Services, params: _Params, caller: Caller) -> Resource:
    found = None
    if params["ResourceType"] == "Parameter":
        found = records.parameters(services).find(records.scope(caller), params["ResourceId"])
    if found is None:
        raise AwsError(
            "InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID and try again."
        )
    return found


OPERATIONS: dict[str, Operation] = {
    "PutParameter": put_parameter,
    "GetParameter": get_parameter,
    "GetParameters": get_parameters,
    "GetParametersByPath": get_parameters_by_path,
    "DescribeParameters": describe_parameters,
    "GetParameterHistory": get_parameter_history,
    "DeleteParameter": delete_parameter,
    "DeleteParameters": delete_parameters,
    "LabelParameterVersion": label_parameter_version,
    "UnlabelParameterVersion": unlabel_parameter_version,
    "AddTagsToResource": add_tags,
    "RemoveTagsFromResource": remove_tags,
    "ListTagsForResource": list_tags,
}
