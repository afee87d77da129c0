"""The routing table of endpoints: data that is handed in, replaced whole, and read without a lock."""

import itertools
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Address = tuple[str, int]


class Key(NamedTuple):
    """Which endpoint: names are matched with their case, as InvokeEndpoint does (contract.md §2.10)."""

    account: str
    region: str
    endpoint: str


@dataclass(frozen=True)
class TargetStage:
    """A further container of a pipeline: its name in messages, and where it is."""

    container: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True)
class Target:
    """One variant: its share is weight / sum of weights, its containers are at `addresses`.

    Of a pipeline these are the first ones; `further` get the response of the one before, in this order.
    """

    variant: str
    weight: float
    addresses: tuple[Address, ...]
    container: str = "primary"  # what messages call the container that failed
    further: tuple[TargetStage, ...] = ()


@dataclass(frozen=True)
class Route:
    """One endpoint in service. `partition` is the word of its region in ARNs."""

    key: Key
    targets: tuple[Target, ...]
    log_group: str = ""
    partition: str = "aws"
    _turn: "itertools.count[int]" = field(default_factory=itertools.count, compare=False, repr=False)

    def variant(self, name: str) -> Target | None:
        """The variant of this name, whatever its weight."""
        return next((target for target in self.targets if target.variant == name), None)

    def choose(self, random_number: Callable[[], float] = random.random, needs_address: bool = True) -> Target | None:
        """A variant by weight; None when all weights are 0, or no variant has the container that it needs."""
        able = [target for target in self.targets if (target.addresses or not needs_address) and target.weight > 0]
        if len(able) < 2:
            return able[0] if able else None
        point = random_number() * sum(target.weight for target in able)
        for target in able:
            point -= target.weight
            if point < 0:
                return target
        return able[-1]

    def addresses(self, target: Target | TargetStage) -> tuple[Address, ...]:
        """The target's addresses, beginning with the one whose turn it is."""
        count = len(target.addresses)
        if count < 2:
            return target.addresses
        start = next(self._turn) % count
        return target.addresses[start:] + target.addresses[:start]


class RoutingTable:
    """Which endpoint is served where. Any thread may write, and readers wait for none."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._routes: Mapping[Key, Route] = {route.key: route for route in routes}
        self._writing = threading.Lock()

    def find(self, key: Key) -> Route | None:
        """The route of an endpoint in service, or None."""
        return self._routes.get(key)

    def put(self, route: Route) -> None:
        """Add or replace one endpoint."""
        # A new mapping each time, so that a reader in another thread sees the old one or the new one whole.
        with self._writing:
            self._routes = {**self._routes, route.key: route}

    def remove(self, key: Key) -> None:
        """Forget one endpoint; nothing happens if it is not there."""
        with self._writing:
            self._routes = {known: route for known, route in self._routes.items() if known != key}

    def addresses(self) -> frozenset[Address]:
        """Every address that some endpoint is served at."""
        targets = [target for route in self._routes.values() for target in route.targets]
        found = [one.addresses for one in targets] + [one.addresses for target in targets for one in target.further]
        return frozenset(address for addresses in found for address in addresses)
