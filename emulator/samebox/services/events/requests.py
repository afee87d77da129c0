"""What the operations of EventBridge have in common: the rule that a request names, pages, and refusals."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from samebox.errors import AwsError, ValidationException
from samebox.resources.shelf import Shelf
from samebox.resources.store import Resource
from samebox.services import pages
from samebox.services.context import Services
from samebox.services.events import records
from samebox.wire.caller import Caller

T = TypeVar("T")
# EB:ListRules.Limit
_PAGE = 100


def rules(services: Services) -> Shelf:
    """Every rule."""
    return records.rules(services.resources.store, services.clock)


def buses(services: Services) -> Shelf:
    """Every bus but those that are there from the beginning."""
    return records.buses(services.resources.store, services.clock)


def bus(services: Services, params: Mapping[str, Any], caller: Caller) -> str:
    """The bus that a request names. AwsError where there is none."""
    name = records.bus_of(params)
    records.check_bus(services.resources.store, services.clock, records.scope(caller), name)
    return name


def rule(services: Services, params: Mapping[str, Any], caller: Caller, member: str = "Name") -> Resource:
    """The rule that a request names. AwsError where there is none."""
    of = bus(services, params, caller)
    found = rules(services).find(records.scope(caller), records.key(of, params[member]))
    if found is None:
        # Observed in public logs of 2019-24.
        raise AwsError("ResourceNotFoundException", f"Rule {params[member]} does not exist on EventBus {of}.")
    return found


def page(rows: Sequence[T], params: Mapping[str, Any]) -> tuple[Sequence[T], dict[str, str]]:
    """The rows of one page, and the member of the answer that leads to the next."""
    start = pages.offset(params.get("NextToken"), ValidationException("NextToken is invalid."))
    return pages.page(rows, start, params.get("Limit", _PAGE))
