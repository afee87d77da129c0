"""Contents of hubs: documents that are imported under a name, a type and a version, and shown again."""

import json
from typing import Any

from samebox.errors import ResourceInUse, ResourceNotFound, ValidationException
from samebox.resources.query import Column, Compare, Scope
from samebox.resources.shelf import Shelf
from samebox.resources.store import AlreadyThere, Resource
from samebox.resources.stored_kinds import HUB
from samebox.services.context import Operation, Services
from samebox.services.sagemaker import shelf_pages
from samebox.wire.caller import Caller
from samebox.wire.partitions import partition_of

_NOUN = "HubContent"
_FIRST = "1.0.0"
_STATUS = "Available"
_NAMING = frozenset({"HubName", "HubContentName", "HubContentType", "HubContentVersion"})


def import_content(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """ImportHubContent. Without a version, the first is 1.0.0, and the next one is of the next patch (choice)."""
    hub = services.resources.named(HUB, caller, params)
    try:
        json.loads(params["HubContentDocument"])
    except ValueError:
        raise ValidationException("HubContentDocument must be JSON.") from None  # choice
    kind, name = params["HubContentType"], params["HubContentName"]
    version = params.get("HubContentVersion") or _next(_of_name(services, hub, kind, name))
    spec = {member: value for member, value in params.items() if member != "Tags"}
    spec |= {"HubName": hub.name, "HubContentVersion": version}
    arn = _arn(hub, kind, name, version)
    tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}
    try:
        row = _shelf(services).add(
            Scope(hub.account, hub.region), f"{hub.name}/{kind}/{name}/{version}", arn, spec,
            status=_STATUS, parent=hub.arn, tags=tags,
        )  # fmt: skip
    except AlreadyThere:
        raise ResourceInUse(f"Hub content {arn} already exists.") from None  # choice
    return _shown(row)


def describe(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DescribeHubContent: a version, or the newest."""
    return _shown(_named(services, params, caller))


def update(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """UpdateHubContent, of one version."""
    row = _named(services, params, caller)
    changes = {member: value for member, value in params.items() if member not in _NAMING}
    return _shown(_shelf(services).change(row, lambda now: {"spec": {**now.spec, **changes}}))


def delete(services: Services, params: dict[str, Any], caller: Caller) -> None:
    """DeleteHubContent, of one version."""
    _shelf(services).remove(_named(services, params, caller))


def list_contents(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """ListHubContents: the newest version of each name, of one type."""
    hub = services.resources.named(HUB, caller, params)
    newest: dict[str, Resource] = {}
    for row in _of_hub(services, hub):
        name = row.spec["HubContentName"]
        if row.spec["HubContentType"] == params["HubContentType"] and (
            name not in newest or _order(row) > _order(newest[name])
        ):
            newest[name] = row
    wanted = params.get("NameContains") or ""
    return _listed("ListHubContents", [row for name, row in newest.items() if wanted in name], params)


def list_versions(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """ListHubContentVersions, of one name."""
    hub = services.resources.named(HUB, caller, params)
    rows = _of_name(services, hub, params["HubContentType"], params["HubContentName"])
    if not rows:
        raise _missing(_arn(hub, params["HubContentType"], params["HubContentName"], "*"))
    least = _numbers(params.get("MinVersion") or "0.0.0")
    return _listed("ListHubContentVersions", [row for row in rows if _order(row) >= least], params)


def _listed(operation: str, rows: list[Resource], params: dict[str, Any]) -> dict[str, Any]:
    most = params.get("MaxSchemaVersion")
    found = [
        row
        for row in shelf_pages.created_between(rows, params)
        if most is None or _numbers(row.spec["DocumentSchemaVersion"]) <= _numbers(most)
    ]
    by_name = params.get("SortBy") == "HubContentName"
    found.sort(
        key=lambda row: (row.spec["HubContentName"] if by_name else "", row.created, _order(row)),
        reverse=params.get("SortOrder") == "Descending",
    )
    page, more = shelf_pages.page(operation, found, params)
    return {"HubContentSummaries": [_shown(row) for row in page], **more}


def _named(services: Services, params: dict[str, Any], caller: Caller) -> Resource:
    hub = services.resources.named(HUB, caller, params)
    kind, name, version = params["HubContentType"], params["HubContentName"], params.get("HubContentVersion")
    rows = [row for row in _of_name(services, hub, kind, name) if version in (None, row.spec["HubContentVersion"])]
    if not rows:
        raise _missing(_arn(hub, kind, name, version or "*"))
    return max(rows, key=_order)


def _missing(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"Hub content {arn} does not exist.")  # choice


def _shown(row: Resource) -> dict[str, Any]:
    return {
        **row.spec,
        "HubArn": row.parent,
        "HubContentArn": row.arn,
        "HubContentStatus": row.status,
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }


def _of_hub(services: Services, hub: Resource) -> list[Resource]:
    return _shelf(services).all(Scope(hub.account, hub.region), Compare(Column("parent"), "=", hub.arn))


def _of_name(services: Services, hub: Resource, kind: str, name: str) -> list[Resource]:
    return [
        row
        for row in _of_hub(services, hub)
        if (row.spec["HubContentType"], row.spec["HubContentName"]) == (kind, name)
    ]


def _next(rows: list[Resource]) -> str:
    if not rows:
        return _FIRST
    major, minor, patch = max(map(_order, rows))
    return f"{major}.{minor}.{patch + 1}"


def _order(row: Resource) -> tuple[int, ...]:
    return _numbers(row.spec["HubContentVersion"])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def _arn(hub: Resource, kind: str, name: str, version: str) -> str:
    place = f"{partition_of(hub.region).name}:sagemaker:{hub.region}:{hub.account}"
    return f"arn:{place}:hub-content/{hub.name}/{kind}/{name}/{version}"


def _shelf(services: Services) -> Shelf:
    return Shelf(services.resources.store, _NOUN, services.clock)


OPERATIONS: dict[str, Operation] = {
    "ImportHubContent": import_content,
    "DescribeHubContent": describe,
    "UpdateHubContent": update,
    "DeleteHubContent": delete,
    "ListHubContents": list_contents,
    "ListHubContentVersions": list_versions,
}
