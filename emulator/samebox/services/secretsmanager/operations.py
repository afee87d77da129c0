"""The operations of Secrets Manager."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from samebox.errors import AwsError
from samebox.resources.store import AlreadyThere, Resource
from samebox.services import pages
from samebox.services.context import Operation, Services
from samebox.services.members.tables import refuse
from samebox.services.sealing import Seal
from samebox.services.secretsmanager import records
from samebox.services.secretsmanager.records import CURRENT, SecretFacts, SecretVersion
from samebox.wire.caller import Caller

_DAY = 86_400
# SM:DeleteSecret.RecoveryWindowInDays
_SHORTEST_DAYS, _LONGEST_DAYS = 7, 30
_PAGE = 100
_Params = Mapping[str, Any]


def create_secret(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """CreateSecret, with or without a first version."""
    refuse("secretsmanager", "CreateSecret", params)
    name, shelf = params["Name"], records.shelf(services)
    there = shelf.find(records.scope(caller), name)
    if there is not None and records.is_gone(there, services.clock()):
        shelf.remove(there)
    elif there is not None:
        return _created_again(services, there, params)
    version_id = params.get("ClientRequestToken") or str(uuid.uuid4())
    first = records.sealed(Seal(services.secret), params, version_id, services.clock())
    facts = SecretFacts() if first is None else SecretFacts().with_version(first, [CURRENT])
    spec = {key: params[key] for key in ("Name", "Description", "KmsKeyId") if key in params}
    try:
        row = shelf.add(
            records.scope(caller), name, records.new_arn(caller, name), spec, tags=_tags(params), facts=facts
        )
    except AlreadyThere:
        raise _exists(name) from None
    return {"ARN": row.arn, "Name": name, **({} if first is None else {"VersionId": version_id})}


def _created_again(services: Services, row: Resource, params: _Params) -> dict[str, Any]:
    facts = records.facts_of(row)
    if facts.deleted_at is not None:
        raise AwsError(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    # A request that is repeated is answered as the first one was.
    known = facts.find(params.get("ClientRequestToken", ""))
    if known is None or not _is_same(services, known, params):
        raise _exists(row.name)
    return {"ARN": row.arn, "Name": row.name, "VersionId": known.id}


def _exists(name: str) -> AwsError:
    return AwsError("ResourceExistsException", f"The operation failed because the secret {name} already exists.")


def _is_same(services: Services, version: SecretVersion, params: _Params) -> bool:
    found = records.value(Seal(services.secret), version)
    return found == {key: params[key] for key in ("SecretString", "SecretBinary") if key in params}


def get_secret_value(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetSecretValue: of the version at a stage, AWSCURRENT where none is named."""
    row = records.named(services, params, caller)
    facts, version_id, stage = records.facts_of(row), params.get("VersionId"), params.get("VersionStage")
    found = facts.find(version_id) if version_id else facts.at_stage(stage or CURRENT)
    if found is None:
        of = f"VersionId: {version_id}" if version_id else f"staging label: {stage or CURRENT}"
        raise AwsError("ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for {of}")
    if version_id and stage and stage not in found.stages:
        raise AwsError(
            "InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId."
        )
    return {
        "ARN": row.arn,
        "Name": row.name,
        "VersionId": found.id,
        **records.value(Seal(services.secret), found),
        "VersionStages": list(found.stages),
        "CreatedDate": found.at,
    }


def put_secret_value(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutSecretValue: a new version, AWSCURRENT where no stages are given."""
    refuse("secretsmanager", "PutSecretValue", params)
    row = records.named(services, params, caller)
    version_id = params.get("ClientRequestToken") or str(uuid.uuid4())
    made = records.sealed(Seal(services.secret), params, version_id, services.clock())
    if made is None:
        raise AwsError("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
    row = _add(services, row, made, params, params.get("VersionStages", [CURRENT]))
    stages = records.facts_of(row).find(version_id)
    return {
        "ARN": row.arn,
        "Name": row.name,
        "VersionId": version_id,
        "VersionStages": [] if stages is None else list(stages.stages),
    }


def update_secret(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """UpdateSecret: its description and key, and a new AWSCURRENT where a value is given."""
    refuse("secretsmanager", "UpdateSecret", params)
    row = records.named(services, params, caller)
    version_id = params.get("ClientRequestToken") or str(uuid.uuid4())
    made = records.sealed(Seal(services.secret), params, version_id, services.clock())
    changed = {key: params[key] for key in ("Description", "KmsKeyId") if key in params}
    if changed:
        row = records.shelf(services).change(row, lambda now: {"spec": {**now.spec, **changed}})
    if made is None:
        return {"ARN": row.arn, "Name": row.name}
    _add(services, row, made, params, [CURRENT])
    return {"ARN": row.arn, "Name": row.name, "VersionId": version_id}


def _add(services: Services, row: Resource, made: SecretVersion, params: _Params, stages: Sequence[str]) -> Resource:
    def added(now: Resource) -> dict[str, Any]:
        facts = records.facts_of(now)
        known = facts.find(made.id)
        if known is None:
            return records.columns(facts.with_version(made, list(stages)))
        if not _is_same(services, known, params):
            raise AwsError(
                "ResourceExistsException",
                f"You can't use ClientRequestToken {made.id} because that value is already in use for a version of "
                f"secret {now.arn}.",
            )
        return records.columns(facts)  # a request that is repeated

    return records.shelf(services).change(row, added)


def describe_secret(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeSecret, of a deleted one too."""
    row = records.named(services, params, caller, deleted=True)
    return {**_shown(row), "VersionIdsToStages": _stages(row)}


def list_secrets(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListSecrets: by when they were made, the newest first, unless something else is asked for."""
    now, filters = services.clock(), params.get("Filters", ())
    rows = [
        row
        for row in records.shelf(services).all(records.scope(caller))
        if not records.is_gone(row, now)
        and (params.get("IncludePlannedDeletion") or records.facts_of(row).deleted_at is None)
        and all(_fits(row, one) for one in filters)
    ]
    key = params.get("SortBy", "created-date")
    rows.sort(key=lambda row: (_order(row, key), row.name), reverse=params.get("SortOrder", "desc") == "desc")
    page, more = _page(rows, params)
    return {"SecretList": [{**_shown(row), "SecretVersionsToStages": _stages(row)} for row in page], **more}


def _order(row: Resource, key: str) -> tuple[float, str]:
    return (0.0, row.name) if key == "name" else (row.created if key == "created-date" else row.modified, "")


def _fits(row: Resource, wanted: _Params) -> bool:
    texts = {
        "name": [row.name],
        "description": [row.spec.get("Description", "")],
        "tag-key": list(row.tags),
        "tag-value": list(row.tags.values()),
    }.get(wanted.get("Key", ""), [])
    # SM:ListSecrets.Filters: by prefix; a value that begins with an exclamation mark must not be there.
    values = wanted.get("Values", ())
    return all(
        (not any(text.startswith(one[1:]) for text in texts)) if one.startswith("!") else True for one in values
    ) and (
        all(one.startswith("!") for one in values)
        or any(text.lower().startswith(one.lower()) for one in values for text in texts)
    )


def delete_secret(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DeleteSecret: after a recovery window, or at once."""
    force, days = params.get("ForceDeleteWithoutRecovery"), params.get("RecoveryWindowInDays")
    if force and days is not None:
        raise AwsError(
            "InvalidParameterException",
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        )
    if days is not None and not _SHORTEST_DAYS <= days <= _LONGEST_DAYS:
        raise AwsError(
            "InvalidParameterException",
            f"RecoveryWindowInDays value must be between {_SHORTEST_DAYS} and {_LONGEST_DAYS} days (inclusive).",
        )
    row, now = records.named(services, params, caller, deleted=bool(force)), services.clock()
    if force:
        records.shelf(services).remove(row)
        return {"ARN": row.arn, "Name": row.name, "DeletionDate": now}
    gone_at = now + (days or _LONGEST_DAYS) * _DAY
    records.shelf(services).change(
        row, lambda newest: records.columns(replace(records.facts_of(newest), deleted_at=now, gone_at=gone_at))
    )
    return {"ARN": row.arn, "Name": row.name, "DeletionDate": gone_at}


def restore_secret(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """RestoreSecret, within the recovery window."""
    row = records.named(services, params, caller, deleted=True)
    records.shelf(services).change(
        row, lambda now: records.columns(replace(records.facts_of(now), deleted_at=None, gone_at=None))
    )
    return {"ARN": row.arn, "Name": row.name}


def update_secret_version_stage(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """UpdateSecretVersionStage: a stage is at one version, and has to be taken from it by its id."""
    row, stage = records.named(services, params, caller), params["VersionStage"]
    to, away = params.get("MoveToVersionId", ""), params.get("RemoveFromVersionId", "")

    def staged(now: Resource) -> dict[str, Any]:
        facts = records.facts_of(now)
        there = facts.at_stage(stage)
        for one in filter(None, (to, away)):
            if facts.find(one) is None:
                raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret version.")
        if there is not None and there.id not in (to, away):
            raise AwsError(
                "InvalidParameterException",
                f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to "
                f"version {there.id}, so you must explicitly reference that version in RemoveFromVersionId.",
            )
        if stage == CURRENT and not to:
            raise AwsError(
                "InvalidParameterException",
                f"You can only move staging label {CURRENT} to a different secret version. It can't be completely "
                "removed.",
            )
        return records.columns(facts.moved(stage, to))

    records.shelf(services).change(row, staged)
    return {"ARN": row.arn, "Name": row.name}


def list_secret_version_ids(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListSecretVersionIds; versions without a stage only where they are asked for."""
    row = records.named(services, params, caller, deleted=True)
    found = [
        {"VersionId": one.id, "VersionStages": list(one.stages), "CreatedDate": one.at}
        for one in records.facts_of(row).versions
        if one.stages or params.get("IncludeDeprecated")
    ]
    page, more = _page(found, params)
    return {"Versions": page, "ARN": row.arn, "Name": row.name, **more}


def tag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """TagResource."""
    records.shelf(services).tag(records.named(services, params, caller), _tags(params))


def untag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """UntagResource."""
    records.shelf(services).tag(records.named(services, params, caller), remove=tuple(params["TagKeys"]))


def _tags(params: _Params) -> dict[str, str]:
    tags = params.get("Tags", ())
    if any("Key" not in tag for tag in tags):
        raise AwsError("InvalidParameterException", "Tag key is missing.")  # choice of words
    return {tag["Key"]: tag.get("Value", "") for tag in tags}


def _shown(row: Resource) -> dict[str, Any]:
    deleted_at = records.facts_of(row).deleted_at
    return {
        **row.spec,
        "ARN": row.arn,
        "CreatedDate": row.created,
        "LastChangedDate": row.modified,
        "Tags": [{"Key": key, "Value": value} for key, value in row.tags.items()],
        **({} if deleted_at is None else {"DeletedDate": deleted_at}),
    }


def _stages(row: Resource) -> dict[str, list[str]]:
    return {one.id: list(one.stages) for one in records.facts_of(row).versions if one.stages}


def _page(rows: Sequence[Any], params: _Params) -> tuple[Sequence[Any], dict[str, str]]:
    refusal = AwsError("InvalidNextTokenException", "The NextToken value is invalid.")
    return pages.page(rows, pages.offset(params.get("NextToken"), refusal), params.get("MaxResults", _PAGE))


OPERATIONS: dict[str, Operation] = {
    "CreateSecret": create_secret,
    "GetSecretValue": get_secret_value,
    "PutSecretValue": put_secret_value,
    "UpdateSecret": update_secret,
    "DescribeSecret": describe_secret,
    "ListSecrets": list_secrets,
    "DeleteSecret": delete_secret,
    "RestoreSecret": restore_secret,
    "UpdateSecretVersionStage": update_secret_version_stage,
    "ListSecretVersionIds": list_secret_version_ids,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
