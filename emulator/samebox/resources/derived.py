"""What a service's model says of a kind: its operations, its identity, and how its resources are shown and listed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from samebox.resources import list_rules, nouns, updates
from samebox.resources.identity import Identity, PartOf, Versioned
from samebox.resources.kind import Kind
from samebox.resources.list_rules import CREATED, MODIFIED, ListRules
from samebox.resources.nouns import Operations
from samebox.resources.store import Resource
from samebox.resources.updates import UpdateRules
from samebox.wire.models import Service
from samebox.wire.schema import Reference


@dataclass(frozen=True)
class Derived:
    """What the model says of one kind.

    `columns`: members of responses that are columns of the row. `whole`: the member in which Describe answers with all
    the others; '' where it answers with these themselves. `updates`: what Update does with what is there.
    """

    operations: Operations
    identity: Identity
    arn_member: str
    columns: Mapping[str, str]
    whole: str
    updates: UpdateRules
    lists: ListRules | None


def derive(kind: Kind, service: Service) -> Derived:
    """Read a kind out of the model. Raises LookupError where its identity is not known, or is another noun's."""
    operations = nouns.operations(kind.noun, service)
    identity = nouns.identity(kind.noun, service)
    if isinstance(identity, PartOf):
        raise LookupError(f"{kind.noun} has no resources of its own: they are {identity.noun}'s")  # noqa: TRY004
    asked = _members(service, operations.create, "input")
    changed = _members(service, operations.update, "input")
    described = _members(service, operations.describe, "output")
    whole = kind.noun if list(described) == [kind.noun] else ""
    if whole:
        described = described[whole].shape.members
    lists = list_rules.derive(service.operations[operations.list], service, kind.noun) if operations.list else None
    arn_member = nouns.arn_member(kind.noun, service)
    shown = {**described, **(_members(service, operations.list, "output", lists.key) if lists else {})}
    columns = {member: column for member in shown if (column := _column(member, arn_member, identity.name))}
    return Derived(
        operations=operations,
        identity=identity,
        arn_member=arn_member,
        columns={identity.name: "name", arn_member: "arn", **columns},
        whole=whole,
        updates=updates.derive(asked, changed),
        lists=lists,
    )


def present(resource: Resource, derived: Derived) -> dict[str, Any]:
    """A resource as its Describe operation may show it; the wire projects it onto the operation's output shape."""
    columns = {member: getattr(resource, column) for member, column in derived.columns.items()}
    identity = derived.identity
    if isinstance(identity, Versioned) and identity.name != identity.group and identity.group in resource.spec:
        columns[identity.name] = ""  # a version has its group's name, and none of its own
    # A resource may have no name.
    return {**resource.spec, **resource.state, **{member: value for member, value in columns.items() if value != ""}}


def tags_of(params: Mapping[str, Any]) -> dict[str, str]:
    """The Tags member of a request as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}


def _members(
    service: Service, operation: str, direction: Literal["input", "output"], rows: str = ""
) -> Mapping[str, Reference]:
    """Members of a request or response, or of the rows of a list in it."""
    shape = getattr(service.operations[operation], direction) if operation else None
    if shape is not None and rows:
        shape = shape.members[rows].shape.element.shape
    return shape.members if shape is not None else {}


def _column(member: str, arn_member: str, name_member: str) -> str:
    """The column that a member of a response is; '' where it is none."""
    member = member.removeprefix("Monitoring")  # lists of JobDefinitions have MonitoringJobDefinitionName
    if member in CREATED:
        return "created"
    if member in MODIFIED:
        return "modified"
    if member in ("Arn", arn_member):
        return "arn"
    return "name" if member == name_member else ""
