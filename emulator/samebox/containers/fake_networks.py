"""NetworkApi in memory: names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.containers.engine import NameTaken, Network
from samebox.containers.fake_host import FakeHost, carries

if TYPE_CHECKING:
    from collections.abc import Mapping


class FakeNetworks(FakeHost):
    """The networks of the host, which join nothing."""

    def networks(self, labels: Mapping[str, str | None]) -> list[Network]:
        self._answer()
        return [network for network in self._networks.values() if carries(network.labels, labels)]

    def create_network(
        self,
        name: str,
        labels: Mapping[str, str],
        internal: bool = False,  # noqa: ARG002
        gateway: str | None = None,
    ) -> Network:
        self._answer()
        with self._changed:
            if name in self._networks:
                raise NameTaken(f"network with name {name} already exists")
            self._networks[name] = Network(f"{next(self._numbers):064x}", name, dict(labels), gateway)
            return self._networks[name]

    def remove_network(self, network: str) -> None:
        self._answer()
        with self._changed:
            self._networks = {name: one for name, one in self._networks.items() if network not in (name, one.id)}
