"""The servers of one endpoint by slot and state, kept up to date change by change.

A change of one server costs the same however many there are; only a new deployment is gone through slot by slot.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from samebox.jobs.hosting import ServerPlan, Slot
from samebox.jobs.server import Address, Server
from samebox.resources.deployment import Variant

# Starts the server of a plan; the callable is to be called whenever its state has changed, in whichever thread.
StartServer = Callable[[ServerPlan, Callable[[], None]], Server]


class EndpointServers:
    """Used by the endpoint's thread alone; servers' threads call only what `add` hands to them."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._changed: deque[str] = deque()
        self._all: dict[str, Server] = {}  # by log stream, which has the instance id
        self._folders: Counter[Path] = Counter()
        self._filling: dict[Slot, Server] = {}  # not retired
        self._starting_adopted: set[str] = set()
        self._needed: Mapping[Slot, Variant] = {}
        self._wanted: frozenset[Slot] = frozenset()
        self._not_ready: set[Slot] = set()
        self.empty: dict[Slot, Variant] = {}  # slots to start a server for, in order
        self.failed: dict[Slot, Server] = {}
        self.addresses: dict[Slot, Address] = {}
        self.moved = False  # whether addresses changed since it was set back

    def need(self, needed: Mapping[Slot, Variant], wanted: Iterable[Slot]) -> None:
        """Say which slots shall have a server, and which of them must be ready for `is_ready`."""
        self._needed = needed
        self._wanted = frozenset(wanted)
        self._not_ready = {slot for slot in self._wanted if slot not in self.addresses}
        self.empty = {slot: variant for slot, variant in needed.items() if slot not in self._filling}
        self.moved = True

    @property
    def is_ready(self) -> bool:
        """True when each wanted slot has a server that is ready."""
        return not self._not_ready

    @property
    def awaits_adopted(self) -> bool:
        """True while a server that was taken over has not answered yet."""
        return bool(self._starting_adopted)

    @property
    def is_empty(self) -> bool:
        """True when the last server is gone."""
        return not self._all

    def has(self, stream: str) -> bool:
        """Whether a server with this log stream is there, retired or not."""
        return stream in self._all

    def fills(self, slot: Slot) -> bool:
        """Whether the slot has a server that is not retired."""
        return slot in self._filling

    def uses(self, folder: Path) -> bool:
        """Whether a server has its model there."""
        return self._folders[folder] > 0

    def add(self, start: StartServer, plan: ServerPlan, adopted: bool = False) -> None:
        """Start the server of a plan; it fills the plan's slot."""
        stream = plan.log_stream
        # Noted before it starts: its thread may report a change at once.
        if adopted:
            self._starting_adopted.add(stream)
        self._folders[plan.model_folder] += 1
        self.empty.pop(plan.slot, None)
        server = start(plan, partial(self._hear, stream))
        self._all[stream] = self._filling[plan.slot] = server

    def retire(self, server: Server, drain: bool = False) -> None:
        """Stop and remove a server. Its slot has none any more, and gets one only by `reopen`."""
        server.retire(drain)
        self._starting_adopted.discard(server.plan.log_stream)
        if self._filling.get(server.plan.slot) is server:
            self._vacate(server.plan.slot)

    def retire_all(self) -> None:
        """Stop and remove every server that is there."""
        for server in list(self._filling.values()):
            self.retire(server)

    def retire_unneeded(self) -> None:
        """Stop and remove the servers of slots that are not needed, after the requests under way."""
        for slot, server in list(self._filling.items()):
            if slot not in self._needed:
                self.retire(server, drain=server.state == "ready")

    def reopen(self, slot: Slot) -> None:
        """Have a server started for the slot again, if it is needed and has none."""
        if slot in self._needed and slot not in self._filling:
            self.empty[slot] = self._needed[slot]

    def skip(self, slot: Slot) -> None:
        """Have no server started for an empty slot until `reopen`."""
        self.empty.pop(slot, None)

    def settle(self) -> list[ServerPlan]:
        """Take note of what changed since the last time; gives the plans of servers that are gone.

        Raises what a server's thread did not expect.
        """
        gone = []
        while self._changed:
            server = self._all.get(stream := self._changed.popleft())
            if server is None:
                continue
            server.check()
            if server.state != "starting":
                self._starting_adopted.discard(stream)
            if server.state == "gone":
                del self._all[stream]
                self._folders[server.plan.model_folder] -= 1
                gone.append(server.plan)
            elif self._filling.get(server.plan.slot) is server:
                self._note(server.plan.slot, server)
        return gone

    def close(self) -> None:
        """Leave every container as it is."""
        for server in self._all.values():
            server.close()

    def _hear(self, stream: str) -> None:
        self._changed.append(stream)
        self._notify()

    def _note(self, slot: Slot, server: Server) -> None:
        if server.state == "ready" and server.address is not None:
            self.addresses[slot] = server.address
            self._not_ready.discard(slot)
            self.moved = True
        elif server.state == "failed":
            self._unroute(slot)
            self.failed[slot] = server

    def _vacate(self, slot: Slot) -> None:
        del self._filling[slot]
        self.failed.pop(slot, None)
        self._unroute(slot)

    def _unroute(self, slot: Slot) -> None:
        if self.addresses.pop(slot, None) is not None:
            self.moved = True
        if slot in self._wanted:
            self._not_ready.add(slot)
