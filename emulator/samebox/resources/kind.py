"""Kind: one noun of a service. A line names it; operations, members and list rules come from the service's model."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from samebox.errors import AwsError
from samebox.resources.lifecycle import Lifecycle
from samebox.resources.query import Column, In, Query
from samebox.resources.store import Resource
from samebox.wire.models import Service
from samebox.wire.partitions import partition_of


@dataclass(frozen=True)
class Kind:
    """A noun, and the little that no model says: its ARN's type word, its moves, and AWS's words for two errors.

    `taken` and `missing` make the error from the resource's ARN (contract.md §6.3 says which code each noun uses).
    """

    noun: str
    arn_type: str
    taken: Callable[[str], AwsError]
    missing: Callable[[str], AwsError]
    lifecycle: Lifecycle | None = None
    service: str = "sagemaker"
    ignores_case: bool = False  # names that differ only in case are the same name, as endpoints' are
    filters_status_last: bool = False  # with MaxResults, the page is cut before StatusEquals (contract.md §6.5)

    def arn(self, account: str, region: str, name: str) -> str:
        """The ARN, with the name as it is: what SageMaker has answered since about 2022 (contract.md §6.2)."""
        return f"arn:{partition_of(region).name}:{self.service}:{region}:{account}:{self.arn_type}/{name}"

    def unfinished(self) -> Query:
        """All resources with work left, of all accounts; oldest first."""
        statuses = self.lifecycle.unfinished_statuses() if self.lifecycle else frozenset()
        return Query(self.noun, where=In(Column("status"), tuple(sorted(statuses))))

    def key(self, name: str) -> str:
        """The name as uniqueness sees it: two names that differ in case are one. Whether they are on AWS is unknown."""
        return name.lower()


@dataclass(frozen=True)
class Derived:
    """What the model knows of a noun: operation names ('' where there is none), members, and the default order."""

    create: str
    describe: str
    list: str
    delete: str
    name_member: str
    arn_member: str
    list_key: str
    newest_first: bool

    def operations(self) -> tuple[str, ...]:
        """The CRUD operations this noun has."""
        return tuple(name for name in (self.create, self.describe, self.list, self.delete) if name)


def derive(kind: Kind, service: Service) -> Derived:
    """Read a noun's operations and members out of the model."""

    def operation(name: str) -> str:
        return name if name in service.operations else ""

    create = operation(f"Create{kind.noun}")
    plurals = [f"{kind.noun}s", f"{kind.noun[:-1]}ies", kind.noun]
    verbs = ["List", "Describe"]  # ECR describes where SageMaker lists
    names = [verb + plural for verb in verbs for plural in plurals if verb == "List" or plural != kind.noun]
    listing = next((name for name in names if name in service.operations), "")
    request = service.operations[create].input if create else None
    # SageMaker's members begin with a capital letter, ECR's do not.
    stem = kind.noun if request is None or f"{kind.noun}Name" in request.members else _uncapitalized(kind.noun)
    return Derived(
        create=create,
        describe=operation(f"Describe{kind.noun}"),
        list=listing,
        delete=operation(f"Delete{kind.noun}"),
        name_member=f"{stem}Name",
        arn_member=f"{stem}Arn",
        list_key=service.paginators[listing].result_key[0] if listing else "",
        newest_first=_newest_first(service, listing),
    )


def present(resource: Resource, derived: Derived) -> dict[str, Any]:
    """A resource as its Describe operation may show it; the wire projects it onto the operation's output shape."""
    return {
        **resource.spec,
        **resource.state,
        derived.name_member: resource.name,
        derived.arn_member: resource.arn,
        "CreationTime": resource.created,
        "LastModifiedTime": resource.modified,
    }


def tags_of(params: Mapping[str, Any]) -> dict[str, str]:
    """The Tags member of a request as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}


def _uncapitalized(noun: str) -> str:
    return noun[:1].lower() + noun[1:]


def _newest_first(service: Service, listing: str) -> bool:
    # The default of SortOrder stands only in the member's documentation, and differs from noun to noun.
    request = service.operations[listing].input if listing else None
    member = request.members.get("SortOrder") if request is not None else None
    if member is None:
        return False
    text = re.sub(r"<[^>]+>", "", str(member.traits.get("documentation", "")))
    return "default is Descending" in text
