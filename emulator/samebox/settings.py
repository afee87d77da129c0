"""All settings of the emulator: one frozen value, read once, before anything starts."""

import dataclasses
import ipaddress
import math
import os
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PREFIX = "SAMEBOX_"
# The secret key of an emulator without a token: clients do not sign without one, and any will do unless it is checked.
NO_SECRET = "samebox"  # noqa: S105
# Settings that no answer and no message shows.
CONFIDENTIAL = frozenset({"token", "s3_credentials"})


def default_data_dir() -> Path:
    """The default place of the state: the XDG data directory of the user who runs the emulator."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "samebox"


def _setting(sentence: str, default: object = dataclasses.MISSING, factory: typing.Any = None) -> typing.Any:
    metadata = {"sentence": sentence}
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """One emulator's settings. Each can be given as SAMEBOX_<NAME> in the environment (docs/settings.md)."""

    host: str = _setting("Address to listen on; anything but loopback needs a token.", "127.0.0.1")
    port: int = _setting("Port of the one URL for every service.", 4566)
    data_dir: Path = _setting(  # noqa: RUF009  (a field with a factory: nothing is called per class)
        "Folder of everything that is kept: state, objects, images, logs.", factory=default_data_dir
    )
    token: str = _setting("When set, requests must be signed with it as AWS_SECRET_ACCESS_KEY.", "")
    check_signatures: bool = _setting(
        "Check signature, time and payload hash of each request, as AWS does; without a token the secret is samebox.",
        False,
    )
    allowed_origins: str = _setting(
        "Web pages that may use the emulator: origins such as http://localhost:3000, separated by commas.", ""
    )
    allowed_hosts: str = _setting(
        "Further names of the emulator in the Host header, separated by commas; *.name is every name below it.", ""
    )
    evaluate_policies: bool = _setting(
        "Evaluate the policies of roles: SimulatePrincipalPolicy answers by them, a session of a role passes to "
        "SageMaker only roles that it may pass, and a role has to be created. No other request is refused by a policy.",
        False,
    )
    event_destinations: str = _setting(
        "Where API destinations of EventBridge are on this machine, as name=http://127.0.0.1:8000/path, separated by "
        "commas.",
        "",
    )
    region: str = _setting("Region of requests that are not signed.", "us-east-1")
    account: str = _setting("Account of access keys that are not themselves a 12-digit account number.", "000000000000")
    allow_local_images: bool = _setting(
        "Accept image names that are not in the emulator's ECR, straight from the container engine; names of AWS's "
        "ECR, if the engine holds the image.",
        False,
    )
    image_aliases: str = _setting(
        "TOML file with local images for images that AWS owns, before samebox's own table of them.", ""
    )
    allow_gpu_on_cpu: bool = _setting("Run GPU instance types without a GPU where the host has none.", False)
    lower_case_arns: bool = _setting(
        "Lower-case names in the ARNs of new resources, as SageMaker did until 2022 or 2023.", False
    )
    upload_on_failure: bool = _setting(
        "Upload what failed training and processing jobs leave, too, as observed of training jobs in 2019.", True
    )
    training_stop_seconds: float = _setting(
        "Seconds between SIGTERM and SIGKILL when a training job is stopped.", 120.0
    )
    checkpoint_seconds: float = _setting(
        "Seconds between two looks at a training job's checkpoints, tensors, profiles and TensorBoard files, to copy "
        "what is new to S3.",
        10.0,
    )
    host_metrics_seconds: float = _setting(
        "Seconds between two values of the CPU, memory, GPU and disk metrics of a job's hosts; 0: none.", 60.0
    )
    spot_interrupt_after: str = _setting(
        "Interrupt managed spot training jobs after so many seconds of training: 30,60 the first attempt after 30 and "
        "the second after 60. A job's tag samebox:spot-interrupt-after takes precedence.",
        "",
    )
    spot_capacity_seconds: float = _setting(
        "Seconds for which a managed spot training job waits for instances, at first and after an interruption.", 0.0
    )
    spot_savings_percent: float = _setting(
        "What spot instances cost less, for BillableTimeInSeconds of managed spot training jobs.", 70.0
    )
    processing_stop_seconds: float = _setting(
        "Seconds between the signal and SIGKILL when a processing job is stopped.", 120.0
    )
    processing_stop_signal: str = _setting(
        "Signal that stops a processing job, before SIGKILL: SIGINT as AWS documents it, or SIGTERM.", "SIGINT"
    )
    processing_upload_seconds: float = _setting(
        "Seconds between two looks at a processing job's outputs of S3UploadMode Continuous.", 10.0
    )
    transform_startup_seconds: float = _setting(
        "Seconds that the containers of a transform job may take to answer /ping with 200, as reported of AWS in 2019.",
        1800.0,
    )
    transform_retries_client_errors: bool = _setting(
        "Retry invocations of a transform job that are answered 4xx, too, and not only 5xx, timeouts and lost "
        "connections.",
        False,
    )
    transform_line_ends: bool = _setting(
        "Send a line that a transform job sends alone (SplitType Line, SingleRecord) with its line end.", False
    )
    transform_output_keys: str = _setting(
        "Key of a transform job's output below S3OutputPath: relative, what follows the prefix of the input; whole, "
        "all of the input's key.",
        "relative",
    )
    pipeline_payload_mb: int = _setting(
        "MiB that one container of a serial pipeline may send to the next; that of AWS is 5 MB.",
        5,
    )
    serving_stop_seconds: float = _setting(
        "Seconds between SIGTERM and SIGKILL when a serving container is stopped.", 30.0
    )
    startup_seconds: float = _setting("Seconds a serving container may take to answer /ping with 200.", 480.0)
    delete_in_progress: bool = _setting(
        "Accept DeleteEndpoint while the endpoint is being created or updated, which AWS rejects.", False
    )
    ping_seconds: float = _setting("Seconds a single /ping may take.", 2.0)
    ping_interval_seconds: float = _setting("Seconds between the pings of a container in service.", 5.0)
    ping_successes: int = _setting("How many pings in a row must answer 200 before a container is in service.", 2)
    invocation_seconds: float = _setting("Seconds a container may take to answer an invocation.", 60.0)
    invocation_bytes: int = _setting("Largest body of InvokeEndpoint, in bytes.", 25 * 1024 * 1024)
    lenient_responses: bool = _setting(
        "Pass on what a container may not answer by the contract: other statuses than 2xx, 4xx and 5xx as 200, and "
        "Content-Encoding. By default such a status is a ModelError and the header is dropped.",
        False,
    )
    s3_redirects: bool = _setting(
        "Answer an S3 request that is signed for another region than its bucket's with a redirect, as AWS does.", False
    )
    s3_public_access: bool = _setting(
        "Refuse S3 requests that are not signed, unless a bucket's policy or an ACL lets everybody in, as AWS does.",
        False,
    )
    s3_url: str = _setting(
        "URL of another S3 (AWS, MinIO, SeaweedFS), which the API and jobs then use in place of the emulator's own.", ""
    )
    s3_credentials: str = _setting("Keys for it: access key, secret key and, if any, session token, with colons.", "")
    s3_region: str = _setting("Its region, and that of its buckets.", "us-east-1")
    overcommit: bool = _setting(
        "Run jobs at once, and the instances of an endpoint with all of their type's memory, although together they "
        "may use more than the host has.",
        False,
    )
    shm_bytes: int = _setting("Size of /dev/shm in job containers, in bytes; 0 leaves the engine's own default.", 0)
    ulimits: str = _setting(
        "Limits of resources in job and serving containers, as ulimit names them, separated by commas: nofile=65536, "
        "or nofile=1024:65536 with the soft one first; memlock=-1 is none. By default they are the engine's own.",
        "",
    )
    pids_limit: int = _setting("Most processes and threads of a container; 0: as many as the host has.", 8192)
    log_bytes: int = _setting(
        "About so many bytes of a container's log are kept, here and by the engine; 0: all.", 1024 * 1024 * 1024
    )
    container_credentials: bool = _setting(
        "Serve role credentials, and this emulator, to containers at 169.254.170.2 where the host allows it.", True
    )
    container_proxy: bool = _setting(
        "Let HTTPS_PROXY of containers name the emulator's forward proxy, so that AWS's own addresses lead back to it.",
        True,
    )
    http_proxy: str = _setting("HTTP_PROXY of job and serving containers.", "")
    https_proxy: str = _setting("HTTPS_PROXY of job and serving containers.", "")
    no_proxy: str = _setting("NO_PROXY of job and serving containers; localhost and the emulator are always added.", "")
    proxy_pass_through: bool = _setting(
        "Connect clients of the emulator's forward proxy to hosts that are not AWS's, too, by HTTPS_PROXY where it is "
        "set; false: refuse them.", True,
    )  # fmt: skip
    ca_bundle: str = _setting("PEM file with all certificate authorities that job and serving containers trust.", "")
    package_index: str = _setting("URL of the package index of pip in job and serving containers, instead of PyPI.", "")
    package_cache_bytes: int = _setting(
        "How much of what pip fetches in training jobs is kept for later jobs of the same image; 0: nothing.", 1024**3
    )
    channel_cache_bytes: int = _setting(
        "How many bytes of channels are kept on the disk for later jobs, beside what S3 here has as files; 0: none.",
        32 * 1024**3,
    )
    fast_file_shown_as: str = _setting(
        "TrainingInputMode of a FastFile channel in inputdataconfig.json: File, or FastFile as documented until 2023.",
        "File",
    )
    fast_file_manifests: bool = _setting("Write <channel>-manifest of channels in FastFile mode, too.", False)
    fast_file_partial_folders: bool = _setting(
        "Accept an S3Uri of a FastFile channel that is neither an object nor ends with a slash, which AWS's "
        "documentation does not allow.",
        False,
    )
    sharding: str = _setting(
        "Which objects of a ShardedByS3Key channel or input a host gets: turns, every n-th by key; blocks, keys that "
        "follow one another.",
        "turns",
    )
    partial_prefix_names: str = _setting(
        "Names of files below an S3 prefix that ends inside a path segment: segment, with that segment whole; rest, "
        "what follows the prefix.",
        "segment",
    )
    ignore_pipe_members: bool = _setting(
        "Ignore CompressionType and RecordWrapperType of channels that are not in Pipe mode, and do not refuse them.",
        False,
    )
    file_systems: str = _setting(
        "Folders that stand for file systems in training jobs, separated by commas: fs-0123456789abcdef0=/data/shared.",
        "",
    )
    repository_uris: str = _setting(
        "URIs of ECR's repositories: aws, as AWS has them; local, by localhost; auto: AWS's where samebox docker-setup "
        "taught them to the Docker daemon.",
        "auto",
    )
    registry_image: str = _setting("Image that runs CNCF Distribution behind ECR.", "samebox/registry:latest")
    localstack: bool = _setting(
        "Start LocalStack in a container of its own, and let it answer for the services that samebox does not run.",
        False,
    )
    localstack_image: str = _setting("Image that runs LocalStack.", "samebox/localstack:latest")
    engine_seconds: float = _setting("Seconds to wait for any single answer of the container engine.", 60.0)
    outage_seconds: float = _setting(
        "Seconds that a job or an endpoint waits for a container engine or an S3 that is away, before it fails.", 300.0
    )

    @property
    def url(self) -> str:
        """The endpoint URL a client on this machine uses."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104  (not bound, replaced)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def ulimits_by_name(self) -> dict[str, tuple[int, int]]:
        """Soft and hard limit by name. Raises ValueError for what is none."""
        found = {}
        for item in filter(None, (one.strip() for one in self.ulimits.split(","))):
            match = re.fullmatch(r"([a-z]+)=(-1|\d+)(?::(-1|\d+))?", item)
            if match is None or match[1] not in _ULIMITS:
                raise ValueError(
                    f"{PREFIX}ULIMITS: {item!r} is not a name and one or two numbers, such as nofile=1024:65536. "
                    f"Names are {', '.join(_ULIMITS)}."
                )
            found[match[1]] = (int(match[2]), int(match[3] or match[2]))
        return found

    @property
    def spot_interruptions(self) -> tuple[float, ...]:
        """Seconds of training of the first, second, … attempt. Raises ValueError for what is not a list."""
        try:
            return list_of_seconds(self.spot_interrupt_after)
        except ValueError as error:
            raise ValueError(f"{PREFIX}SPOT_INTERRUPT_AFTER: {error}; a list of them is 30,60.") from None

    @property
    def file_system_folders(self) -> dict[str, Path]:
        """The folder of each file system, by its id. Raises ValueError for what names none."""
        found = {}
        for item in filter(None, (one.strip() for one in self.file_systems.split(","))):
            name, _, folder = item.partition("=")
            if not re.fullmatch(r"fs-[0-9a-f]{8,}", name) or not folder.startswith("/"):
                raise ValueError(
                    f"{PREFIX}FILE_SYSTEMS: {item!r} is not the id of a file system and an absolute path, such as "
                    "fs-0123456789abcdef0=/data/shared."
                )
            found[name] = Path(folder)
        return found

    @property
    def signing_secret(self) -> str:
        """What requests must be signed with, "" where signatures are not checked."""
        return self.token or (NO_SECRET if self.check_signatures else "")

    def _check_s3(self) -> None:
        """Raises ValueError unless the other S3 can be asked for, and is given whole."""
        if not self.s3_url:
            if self.s3_credentials:
                raise ValueError(f"{PREFIX}S3_CREDENTIALS is given without {PREFIX}S3_URL, whose keys they are.")
            return
        try:
            place = urlsplit(self.s3_url)
            is_url = place.scheme in ("http", "https") and bool(place.hostname) and place.port != 0
        except ValueError:
            is_url = False
        if not is_url or "@" in place.netloc or place.path.strip("/") or place.query:
            raise ValueError(
                f"{PREFIX}S3_URL={self.s3_url}: an http or https URL of a host is wanted, such as http://127.0.0.1:9000."
            )
        if not 2 <= len(self.s3_credentials.split(":")) <= 3 or "" in self.s3_credentials.split(":"):
            raise ValueError(
                f"{PREFIX}S3_CREDENTIALS: an access key and a secret key with a colon between them are wanted, for "
                f"{PREFIX}S3_URL."
            )

    def _check_surroundings(self) -> None:
        """Raises ValueError for what no container could use."""
        for name in ("http_proxy", "https_proxy", "package_index"):
            value: str = getattr(self, name)
            host = urlsplit(value).hostname if "://" in value else None
            if value and not host:
                raise ValueError(f"{PREFIX}{name.upper()}={value}: expected a URL, such as http://proxy.example:3128.")
            if host and is_loopback(host):
                raise ValueError(
                    f"{PREFIX}{name.upper()}={value}: in a container, {host} is the container. Give an address of this "
                    "machine that containers reach, such as 172.17.0.1, Docker's own."
                )
        if self.image_aliases and not Path(self.image_aliases).is_absolute():
            raise ValueError(f"{PREFIX}IMAGE_ALIASES={self.image_aliases}: expected an absolute path.")
        if self.ca_bundle:
            if not Path(self.ca_bundle).is_absolute():
                raise ValueError(f"{PREFIX}CA_BUNDLE={self.ca_bundle}: expected an absolute path.")
            try:
                has_one = b"-----BEGIN CERTIFICATE" in Path(self.ca_bundle).read_bytes()
            except OSError as error:
                raise ValueError(f"{PREFIX}CA_BUNDLE={self.ca_bundle}: {error.strerror}.") from None
            if not has_one:
                raise ValueError(f"{PREFIX}CA_BUNDLE={self.ca_bundle}: there is no certificate in it, in PEM form.")

    @classmethod
    def read(cls, environment: Mapping[str, str], **given: object) -> "Settings":
        """Settings from SAMEBOX_* variables, overridden by what was given on the command line (None: not given).

        Raises ValueError with a sentence that names the variable when a value cannot be read.
        """
        values: dict[str, object] = {}
        hints = typing.get_type_hints(cls)
        for one in dataclasses.fields(cls):
            variable = PREFIX + one.name.upper()
            if variable in environment:
                values[one.name] = _convert(hints[one.name], environment[variable], variable)
        known = {one.name for one in dataclasses.fields(cls)}
        stray = [name for name in environment if name.startswith(PREFIX) and name[len(PREFIX) :].lower() not in known]
        if stray:
            raise ValueError(f"{', '.join(sorted(stray))}: there is no such setting. `samebox up --help` lists them.")
        values.update({name: value for name, value in given.items() if value is not None})
        settings = cls(**values)  # type: ignore[arg-type]
        settings._check_surroundings()
        settings._check_s3()
        destinations(settings.event_destinations)
        _check_names("ALLOWED_ORIGINS", settings.allowed_origins, _ORIGIN, "an origin, such as http://localhost:3000")
        _check_names("ALLOWED_HOSTS", settings.allowed_hosts, _HOST, "a host name without a port, such as my.box")
        _ = settings.file_system_folders, settings.ulimits_by_name, settings.spot_interruptions
        for name, choices in _CHOICES.items():
            if (chosen := getattr(settings, name)) not in choices:
                wanted = f"{', '.join(choices[:-1])} or {choices[-1]}"
                raise ValueError(f"{PREFIX}{name.upper()}={chosen}: {wanted} is wanted.")
        if not is_loopback(settings.host) and not settings.token:
            raise ValueError(
                f"--host {settings.host} listens beyond this machine, so a token is needed: set {PREFIX}TOKEN; "
                "clients give it as AWS_SECRET_ACCESS_KEY."
            )
        return settings

    @staticmethod
    def asked_for(environment: Mapping[str, str]) -> list[str]:
        """The names of the settings that an environment gives."""
        return [one.name for one in dataclasses.fields(Settings) if PREFIX + one.name.upper() in environment]


def is_loopback(host: str) -> bool:
    """True for addresses that only this machine can reach."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # another name: where it leads is not known here


def destinations(text: str) -> dict[str, str]:
    """The items of SAMEBOX_EVENT_DESTINATIONS: address by name. Raises ValueError where one is not on loopback."""
    found = {}
    for item in filter(None, (one.strip() for one in text.split(","))):
        name, _, url = item.partition("=")
        try:
            place = urlsplit(url)
            is_near = place.scheme == "http" and is_loopback(place.hostname or "") and place.port != 0
        except ValueError:
            is_near = False
        if not name or not is_near or "@" in place.netloc:
            raise ValueError(
                f"{PREFIX}EVENT_DESTINATIONS={item}: a name and an http address on loopback are wanted, such as "
                "hook=http://127.0.0.1:8000/hook; events go nowhere else."
            )
        found[name] = url
    return found


def words(text: str) -> tuple[str, ...]:
    """The items of a setting that is a list: separated by commas, in lower case."""
    return tuple(word.strip().lower() for word in text.split(",") if word.strip())


def list_of_seconds(text: str) -> tuple[float, ...]:
    """Numbers of seconds, separated by commas or spaces: no tag may have a comma. Raises ValueError."""
    found = []
    for item in text.replace(",", " ").split():
        try:
            seconds = float(item)
        except ValueError:
            seconds = math.nan
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"{item!r} is not a number of seconds")
        found.append(seconds)
    return tuple(found)


_CHOICES = {
    "fast_file_shown_as": ("File", "FastFile"),
    "sharding": ("turns", "blocks"),
    "partial_prefix_names": ("segment", "rest"),
    "transform_output_keys": ("relative", "whole"),
    "repository_uris": ("auto", "aws", "local"),
}
# What Docker takes; how many processes there are is a setting of its own.
_ULIMITS = ("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "rss", "rtprio", "rttime",
            "sigpending", "stack")  # fmt: skip
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_HOST = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*")


def _check_names(setting: str, text: str, form: re.Pattern[str], wanted: str) -> None:
    for word in words(text):
        if not form.fullmatch(word):
            raise ValueError(f"{PREFIX}{setting}: {word!r} is not {wanted}.")


def _convert(wanted: object, text: str, variable: str) -> object:
    if isinstance(wanted, types.UnionType):
        wanted = typing.get_args(wanted)[0]
    if wanted is bool:
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        if text.lower() in ("0", "false", "no", "off", ""):
            return False
        raise ValueError(f"{variable}={text!r} is neither true nor false.")
    if wanted is Path and not text:
        raise ValueError(f"{variable} is empty, which would mean the current folder: unset it, or name a folder.")
    try:
        return wanted(text)  # type: ignore[operator]
    except ValueError:
        raise ValueError(f"{variable}={text!r} is not of type {getattr(wanted, '__name__', wanted)}.") from None
