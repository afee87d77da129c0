"""Associations: what one entity of lineage is to another, as relations between resources."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from samebox.errors import ResourceNotFound, ValidationException
from samebox.resources.store import AlreadyThere, Changed, Relation, Resource
from samebox.services.context import Operation, Services
from samebox.wire.caller import Caller

# SM:AddAssociation: entities are these, and two of experiments' own cannot be associated
# (github.com/aws/sagemaker-experiments issue 157).
_TRACKED = frozenset({"Experiment", "Trial", "TrialComponent"})
_ENTITIES = _TRACKED | {"Action", "Artifact", "Context"}
_TYPES = frozenset({"ContributedTo", "AssociatedWith", "DerivedFrom", "Produced", "SameAs"})
_DEFAULT_TYPE = "AssociatedWith"  # choice: AWS's default is not known
_PAGE = 10

_Row = Mapping[str, Any]


def add(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """AddAssociation."""
    while True:
        source, destination = (_entity(services, params[member], caller) for member in ("SourceArn", "DestinationArn"))
        if {source.kind, destination.kind} <= _TRACKED:
            # Choice: AWS's words are not known.
            raise ValidationException(f"{source.kind} and {destination.kind} cannot be associated with each other.")
        kind = params.get("AssociationType", _DEFAULT_TYPE)
        try:
            services.resources.store.relate(Relation(source.arn, kind, destination.arn, services.clock()))
        except Changed:
            continue  # one of them went meanwhile
        except AlreadyThere:
            # Choice: AWS's words are not known.
            raise ValidationException(
                f"Association between {source.arn} and {destination.arn} already exists."
            ) from None
        return {"SourceArn": source.arn, "DestinationArn": destination.arn}


def delete(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """DeleteAssociation, of whatever type."""
    source, destination = (_entity(services, params[member], caller).arn for member in ("SourceArn", "DestinationArn"))
    store = services.resources.store
    gone = [store.unrelate(source, one.type, destination) for one in _between(services, source, destination)]
    if not any(gone):
        raise ResourceNotFound(f"Association between {source} and {destination} does not exist.")  # choice
    return {"SourceArn": source, "DestinationArn": destination}


def list_(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """ListAssociations: filtered, then sorted, then paged."""
    rows = [
        row
        for relation in _between(services, params.get("SourceArn"), params.get("DestinationArn"))
        if (row := _shown(services, relation, caller)) is not None and _fits(row, params)
    ]
    by = params.get("SortBy", "CreationTime")
    descending = params.get("SortOrder", "Descending") == "Descending"
    key: Callable[[_Row], list[Any]] = lambda row: [row.get(by) or "", row["SourceArn"], row["DestinationArn"]]  # noqa: E731
    rows.sort(key=key, reverse=descending)
    order = ["ListAssociations", by, descending]
    if params.get("NextToken"):
        place = _read(params["NextToken"], order)
        rows = [row for row in rows if (key(row) < place if descending else key(row) > place)]
    size = params.get("MaxResults", _PAGE)
    answer: dict[str, Any] = {"AssociationSummaries": rows[:size]}
    if len(rows) > size:
        answer["NextToken"] = base64.urlsafe_b64encode(json.dumps([order, key(rows[size - 1])]).encode()).decode()
    return answer


def _entity(services: Services, arn: str, caller: Caller) -> Resource:
    found = services.resources.by_arn(arn)
    is_own = found is not None and (found.account, found.region) == (caller.account, caller.region)
    if found is None or not is_own or found.kind not in _ENTITIES:
        raise ResourceNotFound(f"Entity '{arn}' does not exist.")  # choice
    return found


def _between(services: Services, source: str | None, destination: str | None) -> list[Relation]:
    found = services.resources.store.related(source=source, target=destination)
    return [relation for relation in found if relation.type in _TYPES]


def _shown(services: Services, relation: Relation, caller: Caller) -> _Row | None:
    source, destination = (services.resources.by_arn(arn) for arn in (relation.source, relation.target))
    if source is None or destination is None or (source.account, source.region) != (caller.account, caller.region):
        return None
    return {
        "SourceArn": source.arn,
        "DestinationArn": destination.arn,
        "SourceType": _type(source),
        "DestinationType": _type(destination),
        "AssociationType": relation.type,
        "SourceName": source.name or None,
        "DestinationName": destination.name or None,
        "CreationTime": relation.created,
    }


def _type(resource: Resource) -> str:
    """The entity's own type, as its Create has it: `DataSet` of an artifact."""
    return str(resource.spec.get(f"{resource.kind}Type", resource.kind))


def _fits(row: _Row, params: Mapping[str, Any]) -> bool:
    equal = ("SourceType", "DestinationType", "AssociationType")
    created = round(row["CreationTime"], 3)
    return (
        all(params.get(member) in (None, row[member]) for member in equal)
        and created > params.get("CreatedAfter", float("-inf"))
        and created < params.get("CreatedBefore", float("inf"))
    )


def _read(text: str, order: list[Any]) -> list[Any]:
    try:
        of_order, place = json.loads(base64.urlsafe_b64decode(text.encode()))
        comparable = [type(part) for part in place][1:] == [str, str] and isinstance(place[0], str | float | int)
    except (ValueError, binascii.Error, TypeError):
        raise ValidationException("Invalid NextToken.") from None
    if of_order != order or not comparable or isinstance(place[0], str) == (order[1] == "CreationTime"):
        raise ValidationException("NextToken belongs to another operation, SortBy or SortOrder.")
    return list(place)


OPERATIONS: dict[str, Operation] = {"AddAssociation": add, "DeleteAssociation": delete, "ListAssociations": list_}
