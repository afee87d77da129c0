"""Kind: one noun of a service. A line names it; operations, members and list rules come from the service's model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from samebox.errors import AwsError
from samebox.resources import nouns
from samebox.resources.lifecycle import Lifecycle
from samebox.resources.query import Column, Expression, In, Or, Query
from samebox.wire.partitions import partition_of


@dataclass(frozen=True)
class WholeNoun:
    """What resources of a kind are part of: a noun, and the member of requests that has its name or ARN."""

    noun: str
    member: str


def _as_given(params: Mapping[str, Any]) -> Mapping[str, Any]:
    return params


@dataclass(frozen=True)
class Kind:
    """A noun, and the little that no model says: its moves, what it is part of, and AWS's words for some errors.

    `taken`, `missing` and `in_use` make the error from the resource's ARN (contract.md §6.3 says which code each noun
    uses). `in_use` refuses to delete what has parts or relations; without it, parts go with the whole. `completed` adds
    to a request what AWS shows where nothing was given.
    """

    noun: str
    taken: Callable[[str], AwsError]
    missing: Callable[[str], AwsError]
    lifecycle: Lifecycle | None = None
    service: str = "sagemaker"
    ignores_case: bool = False  # names that differ only in case are the same name, as endpoints' are
    in_use: Callable[[str], AwsError] | None = None
    part_of: WholeNoun | None = None
    completed: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _as_given
    updates: bool = False  # Update replaces the members that it names, and that is all
    filters_status_last: bool = False  # with MaxResults, the page is cut before StatusEquals (contract.md §6.5)
    retained: Expression | None = None  # which of those that have ended still have something that is to end

    @property
    def arn_type(self) -> str:
        """The type word of its ARNs."""
        return nouns.arn_type(self.noun)

    def arn(self, account: str, region: str, path: str) -> str:
        """The ARN, with the name as it is: what SageMaker has answered since about 2022 (contract.md §6.2)."""
        return f"arn:{partition_of(region).name}:{self.service}:{region}:{account}:{self.arn_type}/{path}"

    def unfinished(self) -> Query:
        """All resources with work left, of all accounts; oldest first."""
        statuses = self.lifecycle.unfinished_statuses() if self.lifecycle else frozenset()
        return Query(self.noun, where=In(Column("status"), tuple(sorted(statuses))))

    def unended(self) -> Query:
        """All resources with work left, or that have ended and still have something that is to end; oldest first."""
        unfinished = self.unfinished()
        return unfinished if self.retained is None else Query(self.noun, where=Or(unfinished.where, self.retained))

    def key(self, name: str) -> str:
        """The name as uniqueness sees it: two names that differ in case are one. Whether they are on AWS is unknown."""
        return name.lower()
