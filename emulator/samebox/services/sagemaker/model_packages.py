"""Model packages and their groups: versions, approval, and the policy of a group."""

import json
from typing import Any

from samebox.errors import ValidationException
from samebox.resources.facts import from_json
from samebox.resources.package_policy import GroupPolicy
from samebox.resources.stored_kinds import MODEL_PACKAGE, MODEL_PACKAGE_GROUP
from samebox.services.context import Operation, Services
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller


def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateModelPackage, of a group or with a name of its own."""
    refuse("sagemaker", "CreateModelPackage", params)
    if "ModelPackageName" in params and "ModelPackageGroupName" in params:
        # As Moto has it.
        raise ValidationException(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
            "Cannot determine which one to use."
        )
    if "ModelPackageName" not in params and "ModelPackageGroupName" not in params:
        raise ValidationException("Missing ARN.")  # as Moto has it
    return {"ModelPackageArn": services.resources.create(MODEL_PACKAGE, caller, params).arn}


def update(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """UpdateModelPackage, most often its approval."""
    arn = params.pop("ModelPackageArn")
    package = services.resources.named(MODEL_PACKAGE, caller, {"ModelPackageName": arn})
    more = params.pop("AdditionalInferenceSpecificationsToAdd", None)
    if more:
        there = {one["Name"]: one for one in package.spec.get("AdditionalInferenceSpecifications", ())}
        params["AdditionalInferenceSpecifications"] = [*{**there, **{one["Name"]: one for one in more}}.values()]
    services.resources.amend(package, params)
    return {"ModelPackageArn": package.arn}


def describe_many(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """BatchDescribeModelPackage: summaries of those that are there, an error of each other."""
    summaries, errors = {}, {}
    for arn in params["ModelPackageArnList"]:
        try:
            package = services.resources.named(MODEL_PACKAGE, caller, {"ModelPackageName": arn})
        except ValidationException as error:
            errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        else:
            summaries[arn] = services.resources.present(package)
    return {"ModelPackageSummaries": summaries, "BatchDescribeModelPackageErrorMap": errors}


def put_policy(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """PutModelPackageGroupPolicy: kept and shown; policies are not evaluated."""
    group = services.resources.named(MODEL_PACKAGE_GROUP, caller, params)
    policy = params["ResourcePolicy"]
    try:
        json.loads(policy)
    except (ValueError, RecursionError):
        raise ValidationException("Invalid resource policy.") from None  # choice
    services.resources.change(group, facts=lambda _: GroupPolicy(policy))
    return {"ModelPackageGroupArn": group.arn}


def get_policy(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """GetModelPackageGroupPolicy."""
    return {"ResourcePolicy": _policy(services, params, caller)}


def delete_policy(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """DeleteModelPackageGroupPolicy."""
    _policy(services, params, caller)
    group = services.resources.named(MODEL_PACKAGE_GROUP, caller, params)
    services.resources.change(group, facts=lambda _: GroupPolicy())


def _policy(services: Services, params: dict[str, Any], caller: Caller) -> str:
    group = services.resources.find(MODEL_PACKAGE_GROUP, caller, params["ModelPackageGroupName"].rpartition("/")[2])
    name = params["ModelPackageGroupName"]
    # The beginnings of both texts by the provider of Terraform.
    if group is None:
        raise ValidationException(f"Cannot find Model Package Group: {name}")
    policy = from_json(GroupPolicy, group.facts).policy
    if not policy:
        raise ValidationException(f"Cannot find resource policy for: {name}")
    return policy


OPERATIONS: dict[str, Operation] = {
    "CreateModelPackage": create,
    "UpdateModelPackage": update,
    "BatchDescribeModelPackage": describe_many,
    "PutModelPackageGroupPolicy": put_policy,
    "GetModelPackageGroupPolicy": get_policy,
    "DeleteModelPackageGroupPolicy": delete_policy,
}
