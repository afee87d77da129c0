"""Kind: one SageMaker noun. A line names it; operations, members and list rules are derived from the service model."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.errors import AwsError
from emulator.resources.lifecycle import Lifecycle
from emulator.resources.store import Resource
from emulator.wire.models import Service


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
    ignores_case: bool = False  # names that differ only in case are the same name, as endpoints' are

    def arn(self, account: str, region: str, name: str) -> str:
        """The ARN; its name part is lower-cased, the name itself is not (contract.md §6.2)."""
        return f"arn:aws:sagemaker:{region}:{account}:{self.arn_type}/{name.lower()}"

    def key(self, name: str) -> str:
        """The name as uniqueness sees it. ARNs are lower-cased, so two names that share an ARN are one name."""
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

    plurals = [f"List{kind.noun}s", f"List{kind.noun[:-1]}ies", f"List{kind.noun}"]
    listing = next((name for name in plurals if name in service.operations), "")
    return Derived(
        create=operation(f"Create{kind.noun}"),
        describe=operation(f"Describe{kind.noun}"),
        list=listing,
        delete=operation(f"Delete{kind.noun}"),
        name_member=f"{kind.noun}Name",
        arn_member=f"{kind.noun}Arn",
        list_key=service.paginators[listing].result_key if listing else "",
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


def _newest_first(service: Service, listing: str) -> bool:
    # The default of SortOrder stands only in the member's documentation, and differs from noun to noun.
    if not listing:
        return False
    member = service.operations[listing].input.members.get("SortOrder")
    text = re.sub(r"<[^>]+>", "", member.documentation) if member is not None else ""
    return "default is Descending" in text
