"""Rules and buses as they are stored, and their ARNs."""

from collections.abc import Callable, Mapping
from typing import Any

from samebox.errors import AwsError
from samebox.resources.query import Column, Contains, Scope
from samebox.resources.shelf import Shelf
from samebox.resources.store import Resource, Store
from samebox.wire.caller import Caller
from samebox.wire.partitions import partition_of

# As the trigger of the outbox has it (migrations/0007_outbox.sql).
RULE, BUS = "EventRule", "EventBus"
DEFAULT = "default"
Clock = Callable[[], float]


def rules(store: Store, clock: Clock) -> Shelf:
    """Every rule."""
    return Shelf(store, RULE, clock)


def buses(store: Store, clock: Clock) -> Shelf:
    """Every bus but those that are there from the beginning."""
    return Shelf(store, BUS, clock)


def scope(caller: Caller) -> Scope:
    """Whose rules a caller sees."""
    return Scope(caller.account, caller.region)


def bus_of(params: Mapping[str, Any]) -> str:
    """The name of the bus that a request names, by name or ARN."""
    return str(params.get("EventBusName") or DEFAULT).rpartition("event-bus/")[2]


def key(bus: str, rule: str) -> str:
    """The name of a rule's row: names are unique on a bus. A bus may have slashes in its name, a rule none."""
    return f"{bus}/{rule}"


def bus_and_name(row: Resource) -> tuple[str, str]:
    """Bus and name of a rule."""
    bus, _, name = row.name.rpartition("/")
    return bus, name


def of_bus(store: Store, clock: Clock, owner: Scope, bus: str, prefix: str = "") -> list[Resource]:
    """The rules of a bus, by name; only those whose names begin so."""
    found = rules(store, clock).all(owner, Contains(Column("name"), key(bus, prefix), first=True))
    return [row for row in found if bus_and_name(row)[0] == bus]


def rule_arn(caller: Caller, bus: str, name: str) -> str:
    """The ARN of a rule; the default bus is not in it."""
    return _arn(caller, f"rule/{name}" if bus == DEFAULT else f"rule/{bus}/{name}")


def bus_arn(caller: Caller, name: str) -> str:
    """The ARN of a bus."""
    return _arn(caller, f"event-bus/{name}")


def check_bus(store: Store, clock: Clock, owner: Scope, bus: str) -> None:
    """AwsError where there is no such bus."""
    if bus != DEFAULT and buses(store, clock).find(owner, bus) is None:
        raise AwsError("ResourceNotFoundException", f"Event bus {bus} does not exist.")


def _arn(caller: Caller, path: str) -> str:
    return f"arn:{partition_of(caller.region).name}:events:{caller.region}:{caller.account}:{path}"
