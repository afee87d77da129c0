"""Tags, of anything that has an ARN."""

from typing import Any

from samebox.errors import ValidationException
from samebox.resources.derived import tags_of
from samebox.resources.kinds import TRAINING_JOB
from samebox.resources.store import Resource
from samebox.services.context import Operation, Services
from samebox.services.sagemaker import training_rules
from samebox.wire.caller import Caller


def add(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """AddTags; answers with all tags that the resource has now."""
    found = _find(services, params, caller)
    if found.kind == TRAINING_JOB.noun:
        training_rules.check_spot_tags({**found.spec, "Tags": params["Tags"]})
    tagged = services.resources.tag(found, add=tags_of(params))
    return {"Tags": _listed(tagged)}


def list_(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """ListTags: all of them. A resource has at most 50 tags, and no page is smaller (SM:ListTagsMaxResults)."""
    if params.get("NextToken"):
        raise ValidationException("Invalid NextToken.")
    return {"Tags": _listed(_find(services, params, caller))}


def delete(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """DeleteTags. Keys that are not there are no error."""
    services.resources.tag(_find(services, params, caller), add={}, remove=tuple(params["TagKeys"]))


def _find(services: Services, params: dict[str, Any], caller: Caller) -> Resource:
    arn: str = params["ResourceArn"]
    found = services.resources.by_arn(arn)
    if found is not None and (found.account, found.region) == (caller.account, caller.region):
        return found
    kind_word = arn.rpartition(":")[2].partition("/")[0]
    for kind in services.resources.kinds:
        if kind.service == "sagemaker" and kind.arn_type == kind_word:
            raise kind.missing(arn)
    raise ValidationException(f"Invalid ARN: {arn}")  # choice: AWS's words are not known


def _listed(resource: Resource) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in resource.tags.items()]


OPERATIONS: dict[str, Operation] = {"AddTags": add, "ListTags": list_, "DeleteTags": delete}
