"""Plans: what a container job comes to, decided before anything is done. Same row, same plan, after a restart too.

Names, folders and ids are made from the job's ARN and its creation time, so that the process after a crash finds the
containers and the files of the one before it. `emulator/samebox/platform` plans each host.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samebox.containers.instances import Limits
from samebox.data.channels import DEFAULT_LAYOUT, ChannelLayout
from samebox.jobs import package_cache, surroundings
from samebox.jobs.package_cache import Cache
from samebox.platform.job import HostLimits, HostPlan, JobPlan, Surroundings
from samebox.resources.deployment import StandIn
from samebox.resources.store import Resource
from samebox.resources.unique_id import credentials_id, unique_id
from samebox.settings import Settings


@dataclass(frozen=True)
class EmulatorInfo:
    """What is the same for all work of one emulator. `label` is the id of its data directory, `secret` its secret.

    `credentials`: whether containers are served credentials at 169.254.170.2. Where they are not, `role_keys` gives the
    variables with the keys of a role, by its ARN and its credentials' id. `network` is the one for containers that need
    none of their own; `endpoint_url` is where containers reach this emulator, None if they cannot; `ca_bundle` has the
    certificates with which they trust its forward proxy.
    """

    data_dir: Path
    label: str
    settings: Settings
    secret: bytes = field(repr=False)
    credentials: bool = False
    network: str = "bridge"
    endpoint_url: str | None = None
    ca_bundle: Path | None = None
    role_keys: Callable[[str, str], Mapping[str, str]] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ArtifactUpload:
    """A directory of the hosts that becomes a gzip tar in S3, if there is anything in it (contract.md §1.8)."""

    source: str
    uri: str


@dataclass(frozen=True)
class FolderUpload:
    """A directory of the hosts whose files become objects below an address of S3 (contract.md §4.3).

    `continuous`: while the containers run, and not at their end alone.
    """

    source: str
    uri: str
    continuous: bool = False


@dataclass(frozen=True)
class FileSystem:
    """A channel that is a folder of this machine: `directory` below `root`, which stands for a file system."""

    channel: str
    root: Path
    directory: str
    read_only: bool


@dataclass(frozen=True)
class Inputs:
    """What is fetched from S3 before the start: channels, each to a folder below `folder` of each host.

    `folders` are their names, where they are not the channels' names. Those of `fast` are in FastFile mode: they are
    read on demand. `pipes` are channels that are fed to pipes while the containers run; `pipe_paths` are theirs below a
    host's root, without the number of the epoch.
    """

    channels: tuple[Mapping[str, Any], ...]  # as InputDataConfig has them
    folder: str
    folders: tuple[str, ...] = ()
    pipes: tuple[Mapping[str, Any], ...] = ()
    pipe_paths: tuple[str, ...] = ()
    fast: frozenset[str] = frozenset()
    fast_manifests: bool = False
    file_systems: tuple[FileSystem, ...] = ()
    layout: ChannelLayout = DEFAULT_LAYOUT


@dataclass(frozen=True)
class MirrorPlan:
    """A folder of the hosts whose files are in S3 while they run: below `uri`, which has no slash at its end.

    `folder` is a path below each host's root, `directory` the same in its container; `seconds` pass between two looks.
    `restored_from`, of checkpoints, is the address as the request has it: what is there is in the folder at the start,
    and a file that is deleted later is deleted in S3. `unfinished` ends the names of files that are still written.
    """

    name: str
    uri: str
    folder: str
    directory: str
    seconds: float
    restored_from: str = ""
    unfinished: str = ""


@dataclass(frozen=True)
class SpotPlan:
    """Managed spot training: when instances are interrupted, and how long they are waited for (contract.md §1.6).

    `interrupt_after` are seconds of training after which the first, second, … attempt is interrupted; `interrupt_at` is
    a text in the log at which the job is interrupted once. `savings_percent` is what spot instances cost less.
    """

    max_wait_seconds: float
    capacity_seconds: float = 0.0
    interrupt_after: tuple[float, ...] = ()
    interrupt_at: str = ""
    savings_percent: float = 0.0


@dataclass(frozen=True)
class MessageFile:
    """A file in which a container writes something for Describe.

    `member` shows it, of all hosts together, however the job ends; '' where it is the reason of a host's failure.
    """

    path: str
    member: str = ""


@dataclass(frozen=True)
class ModelDownload:
    """A model.tar.gz that is unpacked at `folder` before the start."""

    url: str
    folder: Path


@dataclass(frozen=True)
class Plan:
    """A container job: its hosts, what they are given, what is stored of them, and how long they may run."""

    arn: str
    root: Path
    job: JobPlan
    inputs: Inputs
    volume_bytes: int | None  # what the inputs may take on each host
    uploads: tuple[ArtifactUpload | FolderUpload, ...]
    uploaded: Mapping[str, Any]  # what Describe shows once they are stored
    message_file: MessageFile | None
    log_group: str
    log_streams: Mapping[str, str]  # host -> stream
    stop_seconds: float  # between the signal and SIGKILL
    max_runtime_seconds: float
    warning: str | None  # for the person who asked for a larger machine than this one
    metrics: Sequence[Mapping[str, Any]] = ()  # MetricDefinitions
    packages: Cache | None = None
    stop_signal: str = "SIGTERM"
    models: tuple[ModelDownload, ...] = ()
    startup_seconds: float = 0.0  # how long servers may take to answer /ping
    retries_client_errors: bool = False  # whether a response of 4xx is worth another request
    pipeline_bytes: int = 0  # that one container of a pipeline may send to the next
    line_ends: bool = False  # whether a line that is sent alone has its line end
    whole_keys: bool = False  # whether the key of an output has all of its input's
    mirrors: tuple[MirrorPlan, ...] = ()
    spot: SpotPlan | None = None
    metrics_seconds: float = 0.0  # between two values of each host's metrics; 0: none
    stand_ins: Mapping[str, StandIn] = field(default_factory=dict)  # by the images that are some
    upload_seconds: float = 0.0  # between two looks at what is uploaded while the containers run

    def hosts_of(self, channel: Mapping[str, Any]) -> Sequence[HostPlan]:
        """The hosts that get a channel of the inputs; a sharded one is shared by these."""
        return [one for one in self.job.hosts if one.channels is None or channel["ChannelName"] in one.channels]


def jobs_folder(data_dir: Path) -> Path:
    """Where all jobs' folders are."""
    return data_dir / "jobs"


def job_folder(data_dir: Path, resource: Resource) -> Path:
    """The folder of one job; no other, of whatever kind, has it."""
    return jobs_folder(data_dir) / unique_id(resource)[:16]


def credentials_path(resource: Resource, emulator: EmulatorInfo, isolated: bool) -> str | None:
    """Where a job's containers get the credentials of its role; None where they get none."""
    if not emulator.credentials or isolated:
        return None
    return f"/v2/credentials/{credentials_id(resource, emulator.secret)}"


def host_limits(limits: Limits, settings: Settings) -> HostLimits:
    """What a container may take: of its instance, and of what the settings leave it."""
    return HostLimits(
        memory_bytes=limits.memory_bytes,
        cpus=limits.cpus,
        gpus=limits.gpus,
        shm_bytes=settings.shm_bytes or None,
        ulimits=settings.ulimits_by_name,
        pids=settings.pids_limit or None,
        log_bytes=settings.log_bytes or None,
    )


def surroundings_of(
    emulator: EmulatorInfo,
    isolated: bool,
    hosts: Sequence[str] = (),
    cache: Cache | None = None,
    keys: Mapping[str, str] | None = None,
) -> Surroundings:
    """What every container gets besides, on a network with these hosts; nothing of the network for one without.

    `keys` are the variables of its role's keys, as `keys_of` has them.
    """
    packages = package_cache.variables(cache)
    if isolated:
        return Surroundings(packages)
    way = None
    if emulator.endpoint_url and emulator.ca_bundle and emulator.settings.container_proxy:
        way = surroundings.ContainerProxy(emulator.endpoint_url, emulator.ca_bundle)
    around = surroundings.variables(emulator.settings, hosts, way)
    return Surroundings({**around, **packages, **(keys or {})}, surroundings.mounts(emulator.settings, way))


def layout_of(settings: Settings) -> ChannelLayout:
    """How channels and inputs are laid out where AWS's way is not known."""
    return ChannelLayout(settings.sharding == "blocks", settings.partial_prefix_names == "segment")


def keys_of(
    emulator: EmulatorInfo, resource: Resource, role: str | None, environment: Mapping[str, str], variant: str = ""
) -> Mapping[str, str]:
    """Variables with the keys of a container's role, where it is not served credentials and has no keys of its own."""
    if emulator.role_keys is None or not role or not environment.keys().isdisjoint(_KEYS):
        return {}
    return emulator.role_keys(role, credentials_id(resource, emulator.secret, variant))


_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def log_stream(resource: Resource, host: str = "algo-1") -> str:
    """`<job>/algo-1-<epoch>`; in seconds, as the documentation's text has it (contract.md §1.9)."""
    return f"{resource.name}/{host}-{int(resource.created)}"
