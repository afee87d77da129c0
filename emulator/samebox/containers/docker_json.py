"""Our values as the JSON of the Docker Engine API, and its answers as our values. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from samebox.containers import layers
from samebox.containers.engine import (
    ContainerSpec,
    ContainerState,
    ContainerSummary,
    ImageFacts,
    PullProgress,
    RunningProcess,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_STATUS: Mapping[str, Literal["created", "running", "exited"]] = {
    "created": "created",
    "running": "running",
    "paused": "running",
    "restarting": "running",
    "removing": "exited",
    "exited": "exited",
    "dead": "exited",
}
PS_ARGUMENTS = "-eo pid,time,args"
PODMAN_PS_ARGUMENTS = "pid,time,args"  # else it runs the image's own ps, if there is one
_PS_TIME = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d\d)")  # [[days-]hours:]minutes:seconds
_PODMAN_TIME = re.compile(r"()(?:(\d+)h)?(?:(\d+)m)?(\d+)(?:\.\d+)?s")  # 1h2m3s
# How far before the wanted time reading begins. Times are unique because a line that shares its time with another, or
# is older than the line before it, gets the next free nanosecond; to give the same answer at every reading, reading
# must begin before any such heap of lines.
RESUME_MARGIN = 1_000_000_000
_WHOLE_LOG = {"max-size": "1000g", "max-file": "1", "compress": "false"}


def _log_config(log_bytes: int | None) -> dict[str, Any]:
    """A line is lost if Docker rotates it away before it is read, or where the daemon's own driver cannot be read."""
    if log_bytes is None:
        return {"Type": "json-file", "Config": _WHOLE_LOG}
    two = {"max-size": str(max(1, log_bytes // 2)), "max-file": "2", "compress": "false"}  # the older one goes
    return {"Type": "json-file", "Config": two}


def label_filters(labels: Mapping[str, str | None]) -> dict[str, list[str]]:
    """The `filters` of a list request; None: the label with any value."""
    return {"label": [name if value is None else f"{name}={value}" for name, value in labels.items()]}


def log_parameters(since: int | None, follow: bool) -> dict[str, str]:
    """Of GET /containers/{id}/logs. What comes before the line at `since` is for LogFrames to leave out."""
    parameters = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "1" if follow else "0"}
    if since is not None:
        begin = max(since - RESUME_MARGIN, 0)
        parameters["since"] = f"{begin // 1_000_000_000}.{begin % 1_000_000_000:09}"
    return parameters


def _mounts(spec: ContainerSpec) -> list[dict[str, Any]]:
    # "bind" mounts rather than Binds: a source that is missing is an error, not a new folder owned by root.
    binds = [
        {"Type": "bind", "Source": str(mount.source), "Target": mount.target, "ReadOnly": mount.read_only}
        if mount.layer is None
        else layers.overlay(mount.source, mount.layer, mount.target, spec.labels)
        for mount in spec.mounts
    ]
    volumes = [
        {"Type": "volume", "Source": one.volume.name, "Target": one.target, "ReadOnly": one.read_only}
        # As with a folder of ours, what the image has at this place is not seen.
        | {"VolumeOptions": {"NoCopy": True}}
        for one in spec.volumes
    ]
    return [*binds, *volumes]


def create_body(spec: ContainerSpec, chosen_ports: bool = True, at: str = "127.0.0.1") -> dict[str, Any]:
    """The body of POST /containers/create.

    Without `chosen_ports`, a port of 0 ("any") is not published at all. `at` is the host's address to publish on.
    """
    published = {inside: outside for inside, outside in spec.publish.items() if outside or chosen_ports}
    host: dict[str, Any] = {
        "NetworkMode": spec.network,
        "LogConfig": _log_config(spec.log_bytes),
        "Mounts": _mounts(spec),
        "PortBindings": {
            f"{inside}/tcp": [{"HostIp": at, "HostPort": str(outside) if outside else ""}]
            for inside, outside in published.items()
        },
        "ExtraHosts": [f"{name}:{address}" for name, address in spec.extra_hosts.items()],
        "ReadonlyRootfs": spec.read_only_root,
        "Tmpfs": dict(spec.tmpfs),
    }
    if spec.memory_bytes is not None:
        # No swap: an instance has none, and with it a container over its memory would crawl rather than be killed.
        host |= {"Memory": spec.memory_bytes, "MemorySwap": spec.memory_bytes}
    if spec.cpus is not None:
        host["NanoCpus"] = round(spec.cpus * 1_000_000_000)
    if spec.shm_bytes is not None:
        host["ShmSize"] = spec.shm_bytes
    if spec.ulimits:
        host["Ulimits"] = [{"Name": name, "Soft": soft, "Hard": hard} for name, (soft, hard) in spec.ulimits.items()]
    if spec.pids_limit is not None:
        host["PidsLimit"] = spec.pids_limit
    if spec.gpus:
        which: dict[str, Any] = {"DeviceIDs": list(spec.gpu_devices)} if spec.gpu_devices else {"Count": spec.gpus}
        host["DeviceRequests"] = [{"Driver": "", "Capabilities": [["gpu"]], **which}]
    body: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in spec.environment.items()],
        "Labels": dict(spec.labels),
        "ExposedPorts": {f"{inside}/tcp": {} for inside in spec.publish},
        "HostConfig": host,
    }
    optional: dict[str, Any] = {
        "Cmd": None if spec.command is None else list(spec.command),
        "Entrypoint": None if spec.entrypoint is None else list(spec.entrypoint),
        "WorkingDir": spec.working_directory,
        "User": spec.user,
        "Hostname": spec.hostname,
        "StopSignal": spec.stop_signal,
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    if spec.aliases:
        endpoint: dict[str, Any] = {"Aliases": list(spec.aliases)}
        if spec.address is not None:
            endpoint["IPAMConfig"] = {"IPv4Address": spec.address}
        body["NetworkingConfig"] = {"EndpointsConfig": {spec.network: endpoint}}
    return body


def memory_held(stats: Mapping[str, Any]) -> int | None:
    """From GET /containers/{id}/stats: what the kernel cannot reclaim, as version 1 or 2 of its groups counts it.

    None for a container that does not run.
    """
    memory = stats.get("memory_stats") or {}
    counted = memory.get("stats") or {}
    for names in (("total_active_anon", "total_inactive_anon", "total_unevictable"), ("anon", "shmem")):
        if names[0] in counted:
            return sum(int(counted.get(name, 0)) for name in names)
    usage = memory.get("usage")  # Podman gives no more
    return int(usage) if usage else None


def running_processes(answer: Mapping[str, Any]) -> tuple[RunningProcess, ...]:
    """From GET /containers/{id}/top with either of the arguments above."""
    titles = [str(title).upper() for title in answer.get("Titles") or ()]
    found = []
    for values in answer.get("Processes") or ():
        row = dict(zip(titles, values, strict=False))
        time = _PS_TIME.fullmatch(row.get("TIME", "")) or _PODMAN_TIME.fullmatch(row.get("TIME", ""))
        if time is None or not row.get("PID", "").isdigit():
            continue
        days, hours, minutes, seconds = (int(part or 0) for part in time.groups())
        spent = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        found.append(RunningProcess(int(row["PID"]), row.get("COMMAND", ""), spent))
    return tuple(found)


def summary_of(entry: Mapping[str, Any]) -> ContainerSummary:
    """From an entry of GET /containers/json."""
    # A linked container has further names, below those of the others: /other/alias.
    name = next((name for name in entry.get("Names") or () if name.count("/") == 1), "")
    return ContainerSummary(
        id=entry["Id"],
        name=name.removeprefix("/"),
        status=_STATUS.get(entry["State"], "exited"),
        image=entry["Image"],
        labels=entry.get("Labels") or {},
        created_at=float(entry["Created"]),
    )


def state_of(answer: Mapping[str, Any]) -> ContainerState:
    """From GET /containers/{id}/json."""
    state = answer["State"]
    status = _STATUS.get(state["Status"], "exited")
    error = state.get("Error") or ""
    if status == "created" and (error or state.get("ExitCode")):
        status = "exited"  # Docker calls a container that could not be started "created" still
    ports = {
        int(inside.partition("/")[0]): int(bindings[0]["HostPort"])
        for inside, bindings in ((answer.get("NetworkSettings") or {}).get("Ports") or {}).items()
        if bindings and inside.endswith("/tcp")
    }
    started, finished = _seconds(state.get("StartedAt")), _seconds(state.get("FinishedAt"))
    if status == "exited" and started is not None and finished is not None:
        # Docker notes the start when its runtime has answered; the end of a short life may come before that.
        started = min(started, finished)
    return ContainerState(
        id=answer["Id"],
        name=answer["Name"].removeprefix("/"),
        status=status,
        exit_code=state.get("ExitCode") if status == "exited" else None,
        oom_killed=bool(state.get("OOMKilled")),
        created_at=_seconds(answer.get("Created")),
        started_at=started,
        finished_at=finished,
        error=error,
        image=answer["Config"]["Image"],
        labels=answer["Config"].get("Labels") or {},
        ports=ports,
    )


def familiar(name: str) -> str:
    """A name without the registry that `docker` leaves out; Podman writes it, and "localhost" for none."""
    for registry in ("docker.io/library/", "docker.io/", "localhost/"):
        name = name.removeprefix(registry)
    return name


def facts_of(answer: Mapping[str, Any]) -> ImageFacts:
    """From GET /images/{name}/json."""
    config = answer.get("Config") or {}
    return ImageFacts(
        id=answer["Id"],
        tags=tuple(familiar(name) for name in answer.get("RepoTags") or ()),
        digests=tuple(answer.get("RepoDigests") or ()),
        entrypoint=_words(config.get("Entrypoint")),
        command=_words(config.get("Cmd")),
        environment=dict(entry.partition("=")[::2] for entry in config.get("Env") or ()),
        labels=config.get("Labels") or {},
        user=config.get("User") or "",
        working_directory=config.get("WorkingDir") or "",
        operating_system=answer.get("Os") or "",
        architecture=answer.get("Architecture") or "",
        size_bytes=answer.get("Size") or 0,
        layers=tuple((answer.get("RootFS") or {}).get("Layers") or ()),
    )


def gpus_of(info: Mapping[str, Any], on_this_machine: int, has_hook: bool) -> int:
    """From GET /info: the GPUs that a container can be given. `on_this_machine` is 0 when the engine runs elsewhere.

    Docker counts none itself. It names them as CDI devices since API 1.50; before, an nvidia runtime shows only that
    the toolkit is there; the number comes from the driver on this machine.
    """
    devices = {entry.get("ID", "") for entry in info.get("DiscoveredDevices") or ()}
    numbered = {name for name in devices if re.fullmatch(r"nvidia\.com/gpu=\d+", name)}
    if numbered:
        return len(numbered)
    return on_this_machine if has_hook or "nvidia" in (info.get("Runtimes") or {}) else 0


class PullTally:
    """Adds up the events of POST /images/create: each speaks of one layer."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}

    def add(self, event: Mapping[str, Any]) -> PullProgress:
        layer, status = event.get("id", ""), event.get("status", "")
        detail = event.get("progressDetail") or {}
        if status == "Downloading" and detail.get("total"):
            self._layers[layer] = (detail["current"], detail["total"])
        elif status in {"Download complete", "Pull complete"} and layer in self._layers:
            self._layers[layer] = (self._layers[layer][1],) * 2
        done, total = (sum(sizes[index] for sizes in self._layers.values()) for index in (0, 1))
        return PullProgress(done, total, status)


def nanoseconds(timestamp: str) -> int:
    """An RFC 3339 timestamp with up to nine digits of fraction, as Docker writes it and `datetime` does not read it."""
    match = _TIMESTAMP.fullmatch(timestamp)
    if match is None:
        raise ValueError(f"Not a timestamp: {timestamp!r}")
    seconds, fraction, zone = match.groups()
    moment = datetime.fromisoformat(seconds + ("+00:00" if zone == "Z" else zone))
    # Not `timestamp()`: a float cannot hold nanoseconds.
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int((fraction or "").ljust(9, "0"))


def _seconds(timestamp: str | None) -> float | None:
    if not timestamp or timestamp.startswith("0001-"):  # Go's zero time: it did not happen
        return None
    return nanoseconds(timestamp) / 1_000_000_000


def _words(value: list[str] | str | None) -> tuple[str, ...] | None:
    if not value:
        return None
    return (value,) if isinstance(value, str) else tuple(value)
