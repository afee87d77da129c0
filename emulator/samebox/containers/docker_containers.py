"""ContainerApi on Docker."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from samebox.containers.docker_http import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    WORK_SECONDS,
    Conflict,
    DockerArchive,
    DockerHTTP,
    DockerLogs,
    NoAnswerYet,
    broken_connections_are_unavailable,
)
from samebox.containers.docker_json import (
    PODMAN_PS_ARGUMENTS,
    PS_ARGUMENTS,
    create_body,
    label_filters,
    log_parameters,
    memory_held,
    running_processes,
    state_of,
    summary_of,
)
from samebox.containers.engine import (
    ContainerMissing,
    ContainerSpec,
    ContainerUsage,
    EngineError,
    EngineUnavailable,
    ImageMissing,
    NameTaken,
    OutOfSpace,
    StartFailed,
)
from samebox.containers.log_frames import LogFrames

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.containers.engine import ContainerState, ContainerSummary, RunningProcess


class DockerContainers:
    """`labels` are given to each container."""

    def __init__(self, http: DockerHTTP, labels: Mapping[str, str]) -> None:
        self._http = http
        self._labels = labels
        self._reaches: bool | None = None
        self._host_address: str | None = None
        self._streams: weakref.WeakSet[DockerLogs] = weakref.WeakSet()

    def create(self, spec: ContainerSpec) -> str:
        spec = replace(spec, labels={**self._labels, **spec.labels})
        reaches = bool(spec.publish) and self._reaches_containers()
        body = create_body(spec, not reaches, self._published_at() if spec.publish else "")
        try:
            answer = self._http.json(
                "POST",
                "/containers/create",
                parameters={"name": spec.name} if spec.name else None,
                body=body,
                seconds=WORK_SECONDS,
                image=spec.image,
            )
        except (EngineUnavailable, ImageMissing, NameTaken, OutOfSpace):
            raise
        except EngineError as error:
            raise StartFailed(str(error)) from error
        return str(answer["Id"])

    def start(self, container: str) -> None:
        try:
            self._http.call("POST", f"/containers/{container}/start", seconds=WORK_SECONDS)
        except (EngineUnavailable, ContainerMissing, OutOfSpace):
            raise
        except EngineError as error:
            raise StartFailed(str(error)) from error

    def run(self, spec: ContainerSpec) -> str:
        container = self.create(spec)
        try:
            self.start(container)
        except EngineUnavailable:
            raise  # whether it runs is not known: a repeated call finds it by its labels
        except EngineError:
            self.remove(container)
            raise
        return container

    def inspect(self, container: str) -> ContainerState:
        return state_of(self._http.json("GET", f"/containers/{container}/json"))

    def processes(self, container: str) -> tuple[RunningProcess, ...]:
        for arguments in (PS_ARGUMENTS, PODMAN_PS_ARGUMENTS):
            # Podman would go on answering, every few seconds.
            parameters = {"ps_args": arguments, "stream": "false"}
            try:
                answer = self._http.call("GET", f"/containers/{container}/top", parameters=parameters).text
            except (ContainerMissing, EngineUnavailable):
                raise
            except EngineError:  # it does not run, or the host has another ps
                return ()
            if answer.strip():
                return running_processes(json.loads(answer))
            # Podman's answer for one that has ended, or whose image's ps has other options.
        return ()

    def memory(self, container: str) -> int | None:
        stats = self._stats(container)
        return memory_held(stats) if stats else None

    def usage(self, container: str) -> ContainerUsage | None:
        stats = self._stats(container)
        memory, used = memory_held(stats), (stats.get("cpu_stats") or {}).get("cpu_usage") or {}
        return None if memory is None else ContainerUsage(used.get("total_usage", 0) / 1e9, memory)

    def _stats(self, container: str) -> Mapping[str, Any]:
        # Without a second sample, for which Docker would wait a second: it serves shares of a processor alone.
        parameters = {"stream": "false", "one-shot": "true"}
        answer = self._http.call("GET", f"/containers/{container}/stats", parameters=parameters).text
        found: Mapping[str, Any] = json.loads(answer) if answer.strip() else {}  # Podman's for one that has ended
        return found

    def find(self, labels: Mapping[str, str | None]) -> list[ContainerSummary]:
        found = self._http.json(
            "GET", "/containers/json", parameters={"all": "1", "filters": json.dumps(label_filters(labels))}
        )
        return [summary_of(entry) for entry in found]

    def address(self, container: str, port: int) -> tuple[str, int]:
        answer = self._http.json("GET", f"/containers/{container}/json")
        published = state_of(answer).ports.get(port)
        if published is not None and answer["State"].get("Running"):
            return (self._published_at(), published)
        if f"{port}/tcp" in (answer["Config"].get("ExposedPorts") or {}) and self._reaches_containers():
            for network in answer["NetworkSettings"]["Networks"].values():
                if network.get("IPAddress"):
                    return (network["IPAddress"], port)
        raise EngineError(
            f"There is no way to port {port} of container {container[:12]} ({answer['State']['Status']})."
        )

    def wait(self, container: str, timeout_seconds: float) -> ContainerState | None:
        path = f"/containers/{container}/wait"
        try:
            self._http.call("POST", path, parameters={"condition": "not-running"}, seconds=max(timeout_seconds, 0.001))
        except NoAnswerYet:
            return None
        return self.inspect(container)

    def stop(self, container: str, grace_seconds: int, signal: str | None = None) -> None:
        if signal is None:
            self._http.call(
                "POST",
                f"/containers/{container}/stop",
                parameters={"t": str(grace_seconds)},
                seconds=grace_seconds + ANSWER_SECONDS,
            )
            return
        # The stop request takes a signal only since API 1.42.
        self.kill(container, signal)
        if self.wait(container, grace_seconds) is None:
            self.kill(container)
            if self.wait(container, ANSWER_SECONDS) is None:
                raise EngineUnavailable(f"Container {container[:12]} has been killed and does not end.")

    def kill(self, container: str, signal: str = "SIGKILL") -> None:
        try:
            self._http.call("POST", f"/containers/{container}/kill", parameters={"signal": signal})
        except Conflict:
            return  # it does not run

    def remove(self, container: str) -> None:
        with contextlib.suppress(ContainerMissing):
            try:
                self._http.call(
                    "DELETE", f"/containers/{container}", parameters={"force": "1", "v": "1"}, seconds=WORK_SECONDS
                )
            except Conflict:  # another client is removing it just now
                path = f"/containers/{container}/wait"
                self._http.call("POST", path, parameters={"condition": "removed"}, seconds=ANSWER_SECONDS)

    def logs(self, container: str, since: int | None = None, follow: bool = False) -> DockerLogs:
        response = self._http.call(
            "GET",
            f"/containers/{container}/logs",
            parameters=log_parameters(since, follow),
            # Not to be kept for another request: `close` may shut the connection down at any moment.
            headers={"Connection": "close"},
            stream=True,
            seconds=None if follow else ANSWER_SECONDS,  # a program may be silent for days
        )
        lines = DockerLogs(response, LogFrames(since), self._http.connected.address)
        self._streams.add(lines)
        return lines

    def archive(self, container: str, path: str) -> BinaryIO:
        response = self._http.call(
            "GET",
            f"/containers/{container}/archive",
            parameters={"path": path},
            headers={"Connection": "close"},
            stream=True,
            seconds=WORK_SECONDS,
        )
        return io.BufferedReader(DockerArchive(response, self._http.connected.address), 1 << 18)

    def put(self, container: str, path: str, tar: BinaryIO) -> None:
        self._http.call(
            "PUT", f"/containers/{container}/archive", parameters={"path": path}, data=tar, seconds=WORK_SECONDS
        )

    def close_streams(self) -> None:
        """End the logs that are being read."""
        for lines in list(self._streams):
            lines.close()

    def _published_at(self) -> str:
        """The engine's host as we reach it: ports are published at this address only. Loopback, where the engine is on
        this machine.
        """
        if self._host_address is None:
            where = urlsplit(self._http.connected.base_url)
            self._host_address = "127.0.0.1"
            if where.scheme in ("http", "https") and where.hostname:
                with broken_connections_are_unavailable(self._http.connected.address):
                    there = socket.create_connection((where.hostname, where.port or 2375), CONNECT_SECONDS)
                with there:
                    self._host_address = there.getpeername()[0]
        return self._host_address

    def _reaches_containers(self) -> bool:
        """Whether this process sees Docker's bridge, and so every container on it, without a published port.

        It does on Linux with a plain Docker Engine, and not with Docker Desktop, rootless Docker or from inside another
        container. A published port costs a proxy process: some 20 ms of every start and a hop in every request.
        """
        if self._reaches is None:
            self._reaches = False
            if self._http.connected.is_local:
                networks = self._http.json("GET", "/networks/bridge")["IPAM"]["Config"] or []
                self._reaches = any(_is_ours(network.get("Gateway")) for network in networks)
        return self._reaches


def _is_ours(address: str | None) -> bool:
    """Whether one of our network interfaces has this address: only then can a socket be bound to it."""
    if not address:
        return False
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True
