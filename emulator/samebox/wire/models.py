"""The services as botocore's data files describe them: operations, shapes, paginators, waiters.

The one module that knows where botocore keeps its models and how they are written down. The files are read directly:
botocore's own loader imports an HTTP client first, which costs more than the largest model. A service is read when it
is first asked for, a shape when it is first walked.
"""

import gzip
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

from samebox.wire.schema import Raw, Shape, Shapes

# What we answer requests for, in the order in which a tie between two of them is decided.
SPOKEN = (
    "sagemaker",
    "sagemaker-runtime",
    "ecr",
    "logs",
    "sts",
    "iam",
    "cloudwatch",
    "application-autoscaling",
    "sagemaker-metrics",
    "sagemaker-featurestore-runtime",
    "sagemaker-a2i-runtime",
    "sagemaker-edge",
    "events",
    "ssm",
    "secretsmanager",
)


@dataclass(frozen=True)
class Paginator:
    """How an operation pages, as botocore's clients expect it: names of members, dotted where they are nested."""

    input_token: tuple[str, ...]
    output_token: tuple[str, ...]
    limit_key: str | None
    result_key: tuple[str, ...]
    more_results: str | None


@dataclass(frozen=True)
class Waiter:
    """What a client polls for. `acceptors` are botocore's, unchanged."""

    name: str
    operation: str
    delay: int
    max_attempts: int
    acceptors: tuple[Raw, ...]


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of a service."""

    name: str
    service: str
    traits: Raw
    _shapes: Shapes
    paginator: Paginator | None = None

    @cached_property
    def input(self) -> Shape | None:
        raw = self.traits.get("input")
        return None if raw is None else self._shapes[raw["shape"]]

    @cached_property
    def output(self) -> Shape | None:
        raw = self.traits.get("output")
        return None if raw is None else self._shapes[raw["shape"]]

    @cached_property
    def result_wrapper(self) -> str | None:
        """The element around a query protocol's result."""
        wrapper: str | None = self.traits.get("output", {}).get("resultWrapper")
        return wrapper

    @cached_property
    def errors(self) -> Mapping[str, Shape]:
        """The errors this operation declares, by shape name."""
        names = [raw["shape"] for raw in self.traits.get("errors", ())]
        return MappingProxyType({name: self._shapes[name] for name in names})

    @cached_property
    def http_method(self) -> str:
        return str(self.traits.get("http", {}).get("method", "POST"))

    @cached_property
    def http_uri(self) -> str:
        """The URI template: `/endpoints/{EndpointName}/invocations`."""
        return str(self.traits.get("http", {}).get("requestUri", "/"))

    @cached_property
    def http_status(self) -> int:
        return int(self.traits.get("http", {}).get("responseCode", 200))


class Service:
    """One service: its names, its protocol, its operations."""

    def __init__(self, name: str, model: Raw, paginators: Raw, waiters: Raw) -> None:
        metadata = model["metadata"]
        self.name = name
        self.protocol: str = metadata["protocol"]
        self.protocols: tuple[str, ...] = tuple(metadata.get("protocols", (self.protocol,)))
        self.api_version: str = metadata["apiVersion"]
        self.target_prefix: str | None = metadata.get("targetPrefix")
        self.json_version: str = metadata.get("jsonVersion", "1.1")
        self.endpoint_prefix: str = metadata["endpointPrefix"]
        self.signing_name: str = metadata.get("signingName", metadata["endpointPrefix"])
        self.xml_namespace: str | None = metadata.get("xmlNamespace")
        self.is_query_compatible = "awsQueryCompatible" in metadata
        self.shapes = Shapes(model["shapes"])
        self._operations: Mapping[str, Raw] = model["operations"]
        self._paginators: Mapping[str, Raw] = paginators.get("pagination", {})
        self._waiters: Mapping[str, Raw] = waiters.get("waiters", {})

    def __repr__(self) -> str:
        return f"<Service {self.name} {self.api_version}>"

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        return MappingProxyType(
            {
                name: Operation(name, self.name, raw, self.shapes, self.paginators.get(name))
                for name, raw in self._operations.items()
            }
        )

    @cached_property
    def paginators(self) -> Mapping[str, Paginator]:
        return MappingProxyType({name: _paginator(raw) for name, raw in self._paginators.items()})

    @cached_property
    def waiters(self) -> Mapping[str, Waiter]:
        return MappingProxyType(
            {
                name: Waiter(name, raw["operation"], raw["delay"], raw["maxAttempts"], tuple(raw["acceptors"]))
                for name, raw in self._waiters.items()
            }
        )


class Models:
    """The services we answer for, each read once, when first asked for."""

    def __init__(self, names: Sequence[str] = SPOKEN) -> None:
        self.names = tuple(names)
        self._data = data_folder()
        self._read: dict[str, Service] = {}
        self._lock = Lock()

    def service(self, name: str) -> Service:
        """The service that botocore calls `name`. KeyError where it is not one of ours."""
        service = self._read.get(name)
        if service is not None:
            return service
        if name not in self.names:
            raise KeyError(name)
        with self._lock:  # the largest model takes 40 ms and 20 MB: not twice
            if name not in self._read:
                self._read[name] = _read_service(self._data / name, name)
            return self._read[name]

    def operation(self, service: str, operation: str) -> Operation:
        """KeyError where either is unknown."""
        return self.service(service).operations[operation]


def data_folder() -> Path:
    """Where botocore keeps its data files."""
    spec = importlib.util.find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("botocore is not installed; its models are what this package speaks by")
    return Path(spec.submodule_search_locations[0]) / "data"


def _read_service(folder: Path, name: str) -> Service:
    newest = max(path for path in folder.iterdir() if path.is_dir())  # folders are dates: 2017-07-24
    model = _read(newest, "service-2")
    if model is None:
        raise FileNotFoundError(f"botocore has no model of {name} in {newest}")
    return Service(name, model, _read(newest, "paginators-1") or {}, _read(newest, "waiters-2") or {})


def _read(folder: Path, stem: str) -> dict[str, Any] | None:
    """A data file with botocore's own additions to it (`….sdk-extras.json`) merged in, as its loader does."""
    data = _read_json(folder / f"{stem}.json")
    extras = _read_json(folder / f"{stem}.sdk-extras.json")
    if data is not None and extras is not None:
        _merge(data, extras["merge"])
    return data


def _read_json(path: Path) -> dict[str, Any] | None:
    packed = path.with_name(path.name + ".gz")
    if packed.exists():
        raw = gzip.decompress(packed.read_bytes())
    elif path.exists():
        raw = path.read_bytes()
    else:
        return None
    data: dict[str, Any] = json.loads(raw)
    return data


def _merge(into: dict[str, Any], extras: Mapping[str, Any]) -> None:
    for key, value in extras.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _paginator(raw: Raw) -> Paginator:
    def names(key: str) -> tuple[str, ...]:
        value = raw.get(key, ())
        return (value,) if isinstance(value, str) else tuple(value)

    return Paginator(
        names("input_token"), names("output_token"), raw.get("limit_key"), names("result_key"), raw.get("more_results")
    )
