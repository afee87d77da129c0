"""Model cards, of which each change of the content is a version; one that only approves is none."""

import json
from typing import Any

from samebox.errors import ResourceNotFound, ValidationException
from samebox.resources.query import Column, Compare, Scope
from samebox.resources.shelf import Shelf
from samebox.resources.store import AlreadyThere, Resource
from samebox.resources.stored_kinds import MODEL_CARD
from samebox.services.context import Operation, Services
from samebox.services.sagemaker import shelf_pages
from samebox.wire.caller import Caller

_NOUN = "ModelCardVersion"


def create(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """CreateModelCard."""
    _check_content(params)
    card = services.resources.create(MODEL_CARD, caller, params)
    _write_version(services, card, 1, card.spec)
    return services.resources.present(card)


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeModelCard: the newest version, or the one of a number."""
    card = services.resources.named(MODEL_CARD, caller, params)
    shown = {**services.resources.present(card), "CreatedBy": {}, "LastModifiedBy": {}}
    number = params.get("ModelCardVersion")
    if number is not None and number != card.spec["ModelCardVersion"]:
        version = _shelf(services).by_arn(_arn(card, number))
        if version is None:
            raise ResourceNotFound(f"ModelCard {card.arn} has no version {number}.")  # choice
        shown |= {**version.spec, "CreationTime": version.created, "LastModifiedTime": version.modified}
    if params.get("IncludedData") == "MetadataOnly":
        del shown["Content"]
    return shown


def update(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """UpdateModelCard. The version is written first: until the card names it, nothing shows it."""
    if "Content" in params and "ModelCardStatus" in params:
        # SM:UpdateModelCard has the rule, and not its error. Choice.
        raise ValidationException("You cannot update both model card content and model card status in a single call.")
    _check_content(params)
    card = services.resources.named(MODEL_CARD, caller, params)
    changes: dict[str, Any] = {name: params[name] for name in ("Content", "ModelCardStatus") if name in params}
    number = card.spec["ModelCardVersion"] + ("Content" in changes)
    _write_version(services, card, number, {**card.spec, **changes})
    amended = services.resources.replace_spec(card, lambda row: {**row.spec, **changes, "ModelCardVersion": number})
    return services.resources.present(amended)


def delete(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """DeleteModelCard, with its versions."""
    card = services.resources.named(MODEL_CARD, caller, params)
    shelf = _shelf(services)
    for version in _versions(services, card):
        shelf.remove(version)
    services.resources.delete(card)


def list_versions(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """ListModelCardVersions, the newest first unless it is asked for otherwise."""
    card = services.resources.named(MODEL_CARD, caller, params)
    status, last = params.get("ModelCardStatus"), card.spec["ModelCardVersion"]
    found = [
        one
        for one in shelf_pages.created_between(_versions(services, card), params)
        if one.spec["ModelCardVersion"] <= last and status in (None, one.spec["ModelCardStatus"])
    ]
    found.sort(key=lambda one: one.spec["ModelCardVersion"], reverse=params.get("SortOrder") != "Ascending")
    rows, more = shelf_pages.page("ListModelCardVersions", found, params)
    summaries = [
        {
            **{member: one.spec[member] for member in ("ModelCardStatus", "ModelCardVersion")},
            "ModelCardName": card.name,
            "ModelCardArn": card.arn,
            "CreationTime": one.created,
            "LastModifiedTime": one.modified,
        }
        for one in rows
    ]
    return {"ModelCardVersionSummaryList": summaries, **more}


def _check_content(params: dict[str, Any]) -> None:
    """ValidationException unless the content is a JSON object. AWS's schema of its members is not looked at."""
    if "Content" not in params:
        return
    try:
        is_object = isinstance(json.loads(params["Content"]), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise ValidationException("Model card content must be a JSON object.")  # choice


def _write_version(services: Services, card: Resource, number: int, spec: Any) -> None:
    shelf = _shelf(services)
    kept = {"Content": spec["Content"], "ModelCardStatus": spec["ModelCardStatus"], "ModelCardVersion": number}
    scope = Scope(card.account, card.region)
    try:
        shelf.add(scope, f"{card.name}/{number}", _arn(card, number), kept, parent=card.arn)
    except AlreadyThere:
        there = shelf.by_arn(_arn(card, number))
        if there is not None:
            shelf.change(there, lambda _: {"spec": kept})


def _versions(services: Services, card: Resource) -> list[Resource]:
    return _shelf(services).all(Scope(card.account, card.region), Compare(Column("parent"), "=", card.arn))


def _arn(card: Resource, number: int) -> str:
    """None of AWS's: a version is named by its card and number."""
    return f"{card.arn}/version/{number}"


def _shelf(services: Services) -> Shelf:
    return Shelf(services.resources.store, _NOUN, services.clock)


OPERATIONS: dict[str, Operation] = {
    "CreateModelCard": create,
    "DescribeModelCard": describe,
    "UpdateModelCard": update,
    "DeleteModelCard": delete,
    "ListModelCardVersions": list_versions,
}
