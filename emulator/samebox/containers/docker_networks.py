"""NetworkApi on Docker."""

from __future__ import annotations

import contextlib
import ipaddress
import json
from typing import TYPE_CHECKING, Any

from samebox.containers.docker_http import Conflict, DockerHTTP, NotFound
from samebox.containers.docker_json import label_filters, nanoseconds
from samebox.containers.engine import NameTaken, Network

if TYPE_CHECKING:
    from collections.abc import Mapping


class DockerNetworks:
    """`labels` are given to each network."""

    def __init__(self, http: DockerHTTP, labels: Mapping[str, str]) -> None:
        self._http = http
        self._labels = labels

    def networks(self, labels: Mapping[str, str | None]) -> list[Network]:
        found = self._http.json("GET", "/networks", parameters={"filters": json.dumps(label_filters(labels))})
        return [Network(entry["Id"], entry["Name"], entry.get("Labels") or {}, _gateway(entry)) for entry in found]

    def create_network(
        self, name: str, labels: Mapping[str, str], internal: bool = False, gateway: str | None = None
    ) -> Network:
        labels = {**self._labels, **labels}
        body: dict[str, Any] = {
            "Name": name,
            "Driver": "bridge",
            "Labels": labels,
            "Internal": internal,
            "CheckDuplicate": True,  # before API 1.44, two networks could bear one name
        }
        if gateway is not None:
            host = ipaddress.ip_interface(gateway)
            body["IPAM"] = {"Config": [{"Subnet": str(host.network), "Gateway": str(host.ip)}]}
        try:
            answer = self._http.json("POST", "/networks/create", body=body)
        except Conflict as error:
            raise NameTaken(str(error)) from error
        return Network(answer["Id"], name, labels, gateway)

    def started_at(self) -> float | None:
        # A daemon makes its default network anew when it starts; no other answer of it depends on its start.
        try:
            made = self._http.json("GET", "/networks/bridge").get("Created")
        except NotFound:
            return None
        return nanoseconds(made) / 1e9 if made else None

    def remove_network(self, network: str) -> None:
        with contextlib.suppress(NotFound):
            self._http.call("DELETE", f"/networks/{network}")


def _gateway(network: Mapping[str, Any]) -> str | None:
    for one in (network.get("IPAM") or {}).get("Config") or ():
        if one.get("Gateway") and one.get("Subnet"):
            return f"{one['Gateway'].partition('/')[0]}/{one['Subnet'].partition('/')[2]}"
    return None
