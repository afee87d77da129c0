"""Versions of Studio's images, which have aliases beside their number."""

from typing import Any

from samebox.errors import ResourceInUse, ResourceNotFound, ValidationException
from samebox.resources.query import And, Compare, Includes, JsonPath, Query, Scope
from samebox.resources.store import Resource
from samebox.resources.stored_kinds import IMAGE, IMAGE_VERSION
from samebox.services.context import Operation, Services
from samebox.wire.caller import Caller


def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateImageVersion."""
    for alias in params.get("Aliases", ()):
        _check_free(services, params["ImageName"], alias, caller)
    return services.resources.present(services.resources.create(IMAGE_VERSION, caller, params))


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeImageVersion: of a number, of an alias, or the newest."""
    return services.resources.present(_named(services, params, caller))


def update(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """UpdateImageVersion."""
    version = _named(services, params, caller)
    for alias in params.get("AliasesToAdd", ()):
        _check_free(services, version.name, alias, caller, but=version.arn)
    own = [alias for alias in _aliases(version) if alias not in params.get("AliasesToDelete", ())]
    aliases = [*dict.fromkeys([*own, *params.get("AliasesToAdd", ())])]
    about = {"ImageName", "Version", "Alias", "AliasesToAdd", "AliasesToDelete"}
    changes = {member: value for member, value in params.items() if member not in about}
    return {"ImageVersionArn": services.resources.amend(version, {**changes, "Aliases": aliases}).arn}


def delete(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """DeleteImageVersion."""
    services.resources.delete(_named(services, params, caller))


def list_aliases(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """ListAliases, of one version or all of an image; in one page, of which the token is the number of the next."""
    image = services.resources.named(IMAGE, caller, params)
    versions = services.resources.store.children(image.arn, IMAGE_VERSION.noun)
    wanted = [one for one in versions if params.get("Version") in (None, one.state["Version"])]
    found = sorted(alias for one in wanted for alias in _aliases(one) if params.get("Alias") in (None, alias))
    begin = _place(params.get("NextToken"), found)
    size = params.get("MaxResults", 10)
    answer: dict[str, Any] = {"SageMakerImageVersionAliases": found[begin : begin + size]}
    if begin + size < len(found):
        answer["NextToken"] = f"ListAliases:{found[begin + size]}"
    return answer


def _place(token: str | None, found: list[str]) -> int:
    if not token:
        return 0
    operation, _, alias = token.partition(":")
    if operation != "ListAliases" or not alias:
        raise ValidationException("Invalid NextToken.")
    return sum(one < alias for one in found)


def _named(services: Services, params: dict[str, Any], caller: Caller) -> Resource:
    alias = params.get("Alias")
    if alias is None:
        return services.resources.named(IMAGE_VERSION, caller, params)
    found = _of_alias(services, params["ImageName"], alias, caller)
    if found is None:
        raise ResourceNotFound(f"ImageVersion with alias {alias} of image {params['ImageName']} does not exist.")
    return found


def _check_free(services: Services, image: str, alias: str, caller: Caller, but: str = "") -> None:
    other = _of_alias(services, image, alias, caller)
    if other is not None and other.arn != but:
        raise ResourceInUse(f"Alias {alias} belongs to {other.arn}.")  # choice


def _of_alias(services: Services, image: str, alias: str, caller: Caller) -> Resource | None:
    where = And(Compare(JsonPath("spec", "ImageName"), "=", image), Includes(JsonPath("spec", "Aliases"), alias))
    found = services.resources.store.find(Query(IMAGE_VERSION.noun, Scope(caller.account, caller.region), where))
    return found[0] if found else None


def _aliases(version: Resource) -> list[str]:
    return list(version.spec.get("Aliases", ()))


OPERATIONS: dict[str, Operation] = {
    "CreateImageVersion": create,
    "DescribeImageVersion": describe,
    "UpdateImageVersion": update,
    "DeleteImageVersion": delete,
    "ListAliases": list_aliases,
}
