"""Docker Engine behind the Engine protocol; the only module that imports the docker SDK.

The SDK gives the transport (unix socket, TLS, ssh, contexts, credential stores); requests and answers are the Docker
Engine API's own JSON, one HTTP request for each thing that is asked. Paths bear no API version: a daemon then speaks
its newest, which spares the round trip that would ask for it, and what we use is the same in all since 1.41.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import json
import os
import shutil
import socket
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlsplit

from docker import APIClient, auth, utils
from docker.context import Context, ContextAPI
from docker.errors import DockerException
from docker.transport.unixconn import UnixHTTPAdapter, UnixHTTPConnection, UnixHTTPConnectionPool

from samebox.containers import janitor
from samebox.containers.docker_http import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    WORK_SECONDS,
    Conflict,
    Connected,
    DockerArchive,
    DockerHTTP,
    DockerLogs,
    NoAnswerYet,
    NotFound,
    broken_connections_are_unavailable,
    given_up,
)
from samebox.containers.docker_words import (
    PS_ARGUMENTS,
    PullTally,
    create_body,
    facts_of,
    gpus_of,
    running_processes,
    state_of,
)
from samebox.containers.engine import (
    IMAGE_ID,
    Capacity,
    ContainerMissing,
    ContainerSpec,
    EngineError,
    EngineUnavailable,
    ImageMissing,
    NameTaken,
    Network,
    OutOfSpace,
    StartFailed,
)
from samebox.containers.log_frames import RESUME_MARGIN, LogFrames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from samebox.containers.engine import ContainerState, ImageFacts, PullProgress, RunningProcess

_REQUESTS_AT_ONCE = 64  # more work, too; their connections are not kept


class DockerEngine:
    """`host` as in DOCKER_HOST; without it the environment and Docker's current context decide, as for `docker`.

    `gpus` overrides what can be found out about GPUs; `instance_id` labels what the engine makes for itself, `labels`
    everything that is made through it.
    """

    def __init__(
        self,
        host: str | None = None,
        gpus: int | None = None,
        instance_id: str = "",
        answer_seconds: float = ANSWER_SECONDS,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._http = DockerHTTP(lambda: _connect(host), answer_seconds)
        self._instance_id = instance_id
        self._labels = dict(labels or {})
        self._gpus = gpus
        self._capacity: Capacity | None = None
        self._reaches: bool | None = None
        self._streams: weakref.WeakSet[DockerLogs] = weakref.WeakSet()

    # What there is

    def available(self) -> str | None:
        try:
            self._http.call("GET", "/_ping", seconds=CONNECT_SECONDS)
        except EngineError as error:
            return str(error)
        return None

    def capacity(self) -> Capacity:
        if self._capacity is None:
            facts = self._http.json("GET", "/info")
            gpus = (
                self._gpus
                if self._gpus is not None
                else gpus_of(facts, _local_gpus() if self._is_local() else 0, _has_nvidia_hook())
            )
            self._capacity = Capacity(cpus=facts["NCPU"], memory_bytes=facts["MemTotal"], gpus=gpus)
        return self._capacity

    def image(self, reference: str) -> ImageFacts | None:
        try:
            return facts_of(self._http.json("GET", f"/images/{quote(reference, safe='/:@')}/json"))
        except ImageMissing:
            return None

    def pull(
        self,
        reference: str,
        username: str | None = None,
        password: str | None = None,
        progress: Callable[[PullProgress], None] | None = None,
    ) -> ImageFacts:
        if reference.startswith(IMAGE_ID):
            raise ImageMissing(reference)
        repository, tag = utils.parse_repository_tag(reference)
        session, _, address = self._http.connected
        if username is None:
            header = auth.get_config_header(session, auth.resolve_repository_name(repository)[0])
        else:
            header = auth.encode_header({"username": username, "password": password or ""})
        response = self._http.call(
            "POST",
            "/images/create",
            parameters={"fromImage": repository, "tag": tag or "latest"},
            headers={"X-Registry-Auth": header.decode()} if header else {},
            seconds=WORK_SECONDS,
            stream=True,
            image=reference,
        )
        tally = PullTally()
        with contextlib.closing(response), broken_connections_are_unavailable(address):
            for line in response.iter_lines():
                event = json.loads(line)
                if "error" in event:
                    if "no space left on device" in event["error"]:
                        raise OutOfSpace(event["error"])
                    if given_up(event["error"]):
                        raise EngineUnavailable(event["error"])
                    raise ImageMissing(reference, event["error"])
                reached = tally.add(event)
                if progress is not None:
                    progress(reached)
        facts = self.image(reference)
        if facts is None:
            raise ImageMissing(reference)
        return facts

    def export(self, reference: str) -> BinaryIO:
        response = self._http.call(
            "GET",
            f"/images/{quote(reference, safe='/:@')}/get",
            headers={"Connection": "close"},
            stream=True,
            seconds=WORK_SECONDS,  # before its first byte, a daemon may pack all of it
            image=reference,
        )
        return io.BufferedReader(DockerArchive(response, self._http.connected.address), 1 << 18)

    def tag(self, image: str, name: str) -> None:
        repository, _, tag = name.rpartition(":")
        path = f"/images/{quote(image, safe='/:@')}/tag"
        self._http.call("POST", path, parameters={"repo": repository, "tag": tag}, image=image)

    def untag(self, name: str) -> None:
        with contextlib.suppress(ImageMissing, Conflict):  # Conflict: the last name of what a container needs
            self._http.call("DELETE", f"/images/{quote(name, safe='/:@')}", seconds=WORK_SECONDS, image=name)

    def tags(self, repository: str) -> list[str]:
        filters = json.dumps({"reference": [repository]})
        found = self._http.json("GET", "/images/json", parameters={"filters": filters})
        names = [name for entry in found for name in entry.get("RepoTags") or ()]
        return sorted(name for name in names if name.rpartition(":")[0] == repository)

    def untagged(self, registry: str) -> list[str]:
        names = []
        for entry in self._http.json("GET", "/images/json"):
            tagged = {name.rpartition(":")[0] for name in entry.get("RepoTags") or ()}
            for name in entry.get("RepoDigests") or ():
                repository = name.partition("@")[0]
                if repository.startswith(f"{registry}/") and repository not in tagged:
                    names.append(name)
        return sorted(names)

    # The life of a container

    def create(self, spec: ContainerSpec) -> str:
        spec = replace(spec, labels={**self._labels, **spec.labels})
        body = create_body(spec, chosen_ports=not (spec.publish and self._reaches_containers()))
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
            raise  # whether it runs is not known: whoever asks again finds it by its labels
        except EngineError:
            self.remove(container)
            raise
        return container

    def inspect(self, container: str) -> ContainerState:
        return state_of(self._http.json("GET", f"/containers/{container}/json"))

    def processes(self, container: str) -> tuple[RunningProcess, ...]:
        try:
            answer = self._http.json("GET", f"/containers/{container}/top", parameters={"ps_args": PS_ARGUMENTS})
        except (ContainerMissing, EngineUnavailable):
            raise
        except EngineError:  # it does not run, or the host has another ps
            return ()
        return running_processes(answer)

    def find(self, labels: Mapping[str, str | None]) -> list[ContainerState]:
        found = self._http.json("GET", "/containers/json", parameters={"all": "1", "filters": _label_filter(labels)})
        states = []
        for entry in found:
            with contextlib.suppress(ContainerMissing):  # removed since
                states.append(self.inspect(entry["Id"]))
        return states

    def address(self, container: str, port: int) -> tuple[str, int]:
        answer = self._http.json("GET", f"/containers/{container}/json")
        published = state_of(answer).ports.get(port)
        if published is not None:
            return (urlsplit(self._http.connected.address).hostname or "127.0.0.1", published)
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
            except Conflict:  # somebody else is removing it just now
                path = f"/containers/{container}/wait"
                self._http.call("POST", path, parameters={"condition": "removed"}, seconds=ANSWER_SECONDS)

    # What goes in and out

    def logs(self, container: str, since: int | None = None, follow: bool = False) -> DockerLogs:
        parameters = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "1" if follow else "0"}
        if since is not None:
            begin = max(since - RESUME_MARGIN, 0)
            parameters["since"] = f"{begin // 1_000_000_000}.{begin % 1_000_000_000:09}"
        response = self._http.call(
            "GET",
            f"/containers/{container}/logs",
            parameters=parameters,
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

    def networks(self, labels: Mapping[str, str | None]) -> list[Network]:
        found = self._http.json("GET", "/networks", parameters={"filters": _label_filter(labels)})
        return [Network(entry["Id"], entry["Name"], entry.get("Labels") or {}) for entry in found]

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
        return Network(answer["Id"], name, labels)

    def remove_network(self, network: str) -> None:
        with contextlib.suppress(NotFound):
            self._http.call("DELETE", f"/networks/{network}")

    def sweep_path(self, path: Path) -> None:
        """Containers write as root, or as whoever they like; where we are not root, only a container removes that.

        See janitor.py for how.
        """
        if not path.is_absolute():
            raise ValueError(f"Not an absolute path: {path}")
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            return
        except PermissionError:
            self._sweep_as_root(path)

    def close(self) -> None:
        for lines in list(self._streams):
            lines.close()
        self._http.close()

    def _sweep_as_root(self, path: Path) -> None:
        spec = janitor.spec(path, self._instance_id)
        if self.image(spec.image) is None:
            self._http.call(
                "POST",
                "/images/create",
                parameters={"fromSrc": "-", "repo": janitor.REPOSITORY, "tag": janitor.TAG},
                data=janitor.empty_image(),
                seconds=WORK_SECONDS,
            )
        container = self.create(spec)
        try:
            self.put(container, janitor.FOLDER, janitor.replacement(path))
        finally:
            self.remove(container)
        path.unlink()

    def _is_local(self) -> bool:
        return self._http.connected.address.startswith("unix:")

    def _reaches_containers(self) -> bool:
        """Whether this process sees Docker's bridge, and so every container on it, without a published port.

        It does on Linux with a plain Docker Engine, and not with Docker Desktop, rootless Docker or from inside another
        container. A published port costs a proxy process: some 20 ms of every start and a hop in every request.
        """
        if self._reaches is None:
            self._reaches = False
            if self._is_local():
                networks = self._http.json("GET", "/networks/bridge")["IPAM"]["Config"] or []
                self._reaches = any(_is_ours(network.get("Gateway")) for network in networks)
        return self._reaches


def _connect(host: str | None) -> Connected:
    try:
        arguments: dict[str, Any] = {"base_url": host}
        if not host:
            arguments = dict(utils.kwargs_from_env())  # DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH
        if not arguments.get("base_url"):
            context = _current_context()
            arguments = {"base_url": context.Host, "tls": context.TLSConfig}
        address = arguments["base_url"] or "unix:///var/run/docker.sock"
        address = address.replace("http+unix://", "unix://")
        # The version is only the SDK's own book-keeping: giving one spares its question to the daemon.
        session = APIClient(**arguments, version="1.41", timeout=int(ANSWER_SECONDS), max_pool_size=_REQUESTS_AT_ONCE)
    except (DockerException, OSError, ValueError) as error:
        raise EngineUnavailable(f"Docker's settings cannot be used: {error}") from error
    session.trust_env = False  # no proxy stands between us and the engine, and looking for one costs a millisecond
    session.headers["Accept-Encoding"] = "identity"  # or Docker compresses archives, and we would unpack them again
    if session.base_url.startswith("http+docker://localhost"):
        session.mount("http+docker://", _SocketAdapter(address.removeprefix("unix://")))
    return Connected(session, session.base_url, address)


def _current_context() -> Context:
    name = os.environ.get("DOCKER_CONTEXT")
    contexts: list[Context | None] = [ContextAPI.get_context(name)]  # the stubs know nothing of its None
    if contexts[0] is None:
        raise EngineUnavailable(f"There is no Docker context {name!r}.")
    return contexts[0]


class _SocketAdapter(UnixHTTPAdapter):
    """The SDK keeps a pool of connections for each URL; all of them lead to one socket, so one pool serves all."""

    def __init__(self, path: str) -> None:
        self._pool = _SocketPool("http+docker://localhost", path, int(ANSWER_SECONDS), maxsize=_REQUESTS_AT_ONCE)
        super().__init__(f"http+unix://{path}")

    def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:  # noqa: ARG002
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


class _SocketPool(UnixHTTPConnectionPool):
    def _new_conn(self) -> Any:
        return _SocketConnection(self.base_url, self.socket_path, int(ANSWER_SECONDS))


class _SocketConnection(UnixHTTPConnection):
    def connect(self) -> None:
        """The SDK's own leaves the socket to the garbage collector when no daemon listens."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(self.unix_socket)
        except OSError:
            connection.close()
            raise
        self.sock = connection


def _label_filter(labels: Mapping[str, str | None]) -> str:
    return json.dumps({"label": [name if value is None else f"{name}={value}" for name, value in labels.items()]})


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


def _local_gpus() -> int:
    """NVIDIA's driver lists its GPUs here, one folder each."""
    folder = Path("/proc/driver/nvidia/gpus")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def _has_nvidia_hook() -> bool:
    """Debian's and NVIDIA's packages both put it on PATH; naming the runtime in the daemon's settings is optional."""
    return shutil.which("nvidia-container-runtime-hook") is not None
