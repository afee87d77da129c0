"""The kinds of faults: where each strikes, its parameters, and what a client then sees. docs/faults.md lists them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

TAG = "samebox:fault"  # of a job or an endpoint; also samebox:fault:2, … for more than one


class Point(Enum):
    """A place in the code at which faults are asked for."""

    API = "an operation of the AWS API"
    S3 = "a request to S3"
    CAPACITY = "before a job gets its instances"
    PULL = "before a container is made"
    DOWNLOAD = "before a job's data is fetched"
    RUNNING = "while a job's containers run"
    UPLOAD = "before a job's output is stored"
    PING = "a /ping while a server starts"


@dataclass(frozen=True)
class FaultKind:
    """`points` are where it strikes; the first, unless a parameter `at` chooses. `parameters` -> what each is."""

    name: str
    points: tuple[Point, ...]
    sees: str
    parameters: Mapping[str, str] = field(default_factory=dict)


_TIMES = {"times": "so often; without it, until it is cleared"}
_JOB = {"job": "the name of a job; not in a tag"}
_HOST = {"host": "algo-1 (default), algo-2, …", "after": "seconds of running; 0 (default) is at once"}

KINDS: Mapping[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind(
            "throttled",
            (Point.API,),
            "ThrottlingException: Rate exceeded",
            {"operation": "such as CreateTrainingJob; without it, each", **_TIMES},
        ),
        FaultKind(
            "s3-error",
            (Point.S3, Point.DOWNLOAD, Point.UPLOAD),
            "SlowDown (503); of a job: its data or output fails for it",
            {"bucket": "a bucket; without it, each", "at": "of a job: download (default) or upload", **_TIMES, **_JOB},
        ),
        FaultKind(
            "s3-slow",
            (Point.S3,),
            "the response comes later",
            {"seconds": "how much later (default: 1)", "bucket": "a bucket; without it, each", **_TIMES},
        ),
        FaultKind("capacity", (Point.CAPACITY,), "the job fails with a CapacityError", _JOB),
        FaultKind("image-pull", (Point.PULL,), "the job fails: its image cannot be pulled", _JOB),
        FaultKind(
            "disk-full",
            (Point.DOWNLOAD, Point.UPLOAD),
            "the job fails with Insufficient disk space",
            {"at": "download (default) or upload", **_JOB},
        ),
        FaultKind("out-of-memory", (Point.RUNNING,), "the job fails as one that needs more memory", {**_HOST, **_JOB}),
        FaultKind("lost-host", (Point.RUNNING,), "the job fails with InternalServerError", {**_HOST, **_JOB}),
        FaultKind("hang", (Point.RUNNING,), "the container does nothing more, and hears no SIGTERM", {**_HOST, **_JOB}),
        FaultKind(
            "slow-ping",
            (Point.PING,),
            "/ping of an endpoint or a transform job answers late; too late from 2 seconds on",
            {"seconds": "how much later (default: 3)", **_TIMES, "endpoint": "its name; not in a tag", **_JOB},
        ),
    )
}


def is_fault_tag(key: str) -> bool:
    """Whether a tag of this key asks for a fault."""
    return key == TAG or key.startswith(f"{TAG}:")


class BadFault(ValueError):
    """A text that names no fault; the message says why."""


@dataclass(frozen=True)
class Fault:
    """One fault that is asked for. Written as its kind and its parameters: `lost-host host=algo-2 after=5`."""

    kind: FaultKind
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Fault":
        """Raises BadFault."""
        name, *words = text.split() or [""]
        kind = KINDS.get(name)
        if kind is None:
            raise BadFault(f"there is no fault {name!r}; there are {', '.join(KINDS)}")
        parameters = dict(word.partition("=")[::2] for word in words)
        for parameter, value in parameters.items():
            if parameter not in kind.parameters:
                raise BadFault(f"{name} has no parameter {parameter!r}; it has {', '.join(kind.parameters)}")
            if parameter in ("times", "after", "seconds"):
                _check_number(name, parameter, value)
        if parameters.get("at", "download") not in ("download", "upload"):
            raise BadFault(f"{name} at={parameters['at']}: download or upload")
        return cls(kind, parameters)

    def check_set(self) -> None:
        """Raise BadFault where it cannot be set for all: of S3's clients no request is a job's download or upload."""
        if Point.S3 in self.kind.points and "at" in self.parameters and "job" not in self.parameters:
            raise BadFault(f"{self.kind.name} at={self.parameters['at']} needs job=NAME")

    def __str__(self) -> str:
        return " ".join([self.kind.name, *(f"{name}={value}" for name, value in self.parameters.items())])

    @property
    def point(self) -> Point:
        """Where it strikes a job."""
        if "at" in self.parameters:
            return Point[self.parameters["at"].upper()]
        own = [point for point in self.kind.points if point is not Point.S3]
        return own[0] if own else self.kind.points[0]

    def number(self, name: str, otherwise: float) -> float:
        """The value of a parameter that is a number."""
        return float(self.parameters.get(name, otherwise))

    def fits(self, about: Mapping[str, str]) -> bool:
        """Whether what happens is what this fault is restricted to."""
        return all(self.parameters.get(name, value) == value for name, value in about.items())


def _check_number(kind: str, name: str, value: str) -> None:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    whole = name != "times" or (number >= 1 and number.is_integer())
    if not (0 <= number < float("inf") and whole):
        raise BadFault(f"{kind} {name}={value}: it is not a number that it could be")
