"""Coverage: of each operation in the models of AWS's services, whether it runs here, is only stored, or is absent."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from samebox.resources import nouns
from samebox.resources.derived import derive
from samebox.resources.kinds import KINDS, STORED
from samebox.services.absent import reason_of
from samebox.services.members.row import Member, Treatment
from samebox.services.members.tables import TABLES
from samebox.services.operations import routed
from samebox.services.s3.operations import OPERATIONS as S3_OPERATIONS
from samebox.services.s3.settings import ONLY_KEPT
from samebox.services.sagemaker.operations import STORED_NOUNS
from samebox.wire.models import Models

# The services of which SageMaker's users meet something, by botocore's names, in the order of the report.
SERVICES = (
    "sagemaker",
    "sagemaker-runtime",
    "sagemaker-metrics",
    "sagemaker-featurestore-runtime",
    "sagemaker-a2i-runtime",
    "sagemaker-edge",
    "ecr",
    "logs",
    "cloudwatch",
    "events",
    "ssm",
    "secretsmanager",
    "application-autoscaling",
    "sts",
    "iam",
    "s3",
)


class Grade(Enum):
    """What the emulator makes of an operation."""

    RUNS = "runs"
    STORED = "stored"
    ABSENT = "absent"


@dataclass(frozen=True)
class CoveredOperation:
    """An operation with its grade; of an absent one the reason, of others the members without (full) effect."""

    service: str
    name: str
    grade: Grade
    reason: str = ""
    members: tuple[Member, ...] = ()

    def without_effect(self) -> tuple[Member, ...]:
        """Members that are accepted, and have no effect or less than on AWS."""
        return tuple(row for row in self.members if row.treatment is not Treatment.REFUSED)

    def refused(self) -> tuple[Member, ...]:
        """Members that are answered 501, unless they have one of a few values."""
        return tuple(row for row in self.members if row.treatment is Treatment.REFUSED)


def covered(models: Models | None = None) -> tuple[CoveredOperation, ...]:
    """Every operation of `SERVICES`, in alphabetical order within each."""
    models = models or Models(SERVICES)
    known, stored = _known(models), _stored(models)
    return tuple(
        _graded(service, name, name in known.get(service, ()), name in stored.get(service, ()))
        for service in SERVICES
        for name in sorted(models.service(service).operations)
    )


def _graded(service: str, name: str, is_known: bool, is_stored: bool) -> CoveredOperation:
    if not is_known:
        return CoveredOperation(service, name, Grade.ABSENT, reason_of(service, name))
    table = TABLES.get(service, {}).get(name, ())
    return CoveredOperation(
        service,
        name,
        Grade.STORED if is_stored else Grade.RUNS,
        members=tuple(row for row in table if _is_reported(row)),
    )


def _is_reported(row: Member) -> bool:
    # Containers[] of CreateModel are the same structure as PrimaryContainer.
    return (row.treatment is Treatment.REFUSED or bool(row.reason)) and not row.path.startswith("Containers[].")


def _known(models: Models) -> Mapping[str, frozenset[str]]:
    """The operations that have a handler. Invocations have one in `traffic`, and their table here."""
    handled = routed(KINDS, lambda kind: derive(kind, models.service(kind.service)))
    return {
        **{service: frozenset(table) for service, table in handled.items()},
        "sagemaker-runtime": frozenset(TABLES["sagemaker-runtime"]),
        "s3": frozenset(S3_OPERATIONS),
    }


def _stored(models: Models) -> Mapping[str, frozenset[str]]:
    return {"sagemaker": frozenset(_of_stored_nouns(models)), "s3": ONLY_KEPT}


def _of_stored_nouns(models: Models) -> Iterator[str]:
    for table in STORED_NOUNS:
        yield from table
    for kind in STORED:
        yield from nouns.operations(kind.noun, models.service(kind.service)).names()


def by_reason(operations: Iterable[CoveredOperation]) -> Mapping[str, list[str]]:
    """The absent ones among the operations: their names by the reason."""
    found: dict[str, list[str]] = {}
    for one in operations:
        if one.grade is Grade.ABSENT:
            found.setdefault(one.reason, []).append(one.name)
    return found


@dataclass(frozen=True)
class MemberNote:
    """Members of one operation of which the same is to be reported."""

    operation: str
    paths: tuple[str, ...]
    text: str


def without_effect(operations: Iterable[CoveredOperation]) -> list[MemberNote]:
    """What is accepted and not acted on; the text is what it is for on AWS."""
    return _noted((one, row, row.reason) for one in operations for row in one.without_effect())


def refused(operations: Iterable[CoveredOperation]) -> list[MemberNote]:
    """What is refused; the text has the values that run, if any."""
    return _noted((one, row, _values(row)) for one in operations for row in one.refused())


def _noted(rows: Iterable[tuple[CoveredOperation, Member, str]]) -> list[MemberNote]:
    found: dict[tuple[str, str], list[str]] = {}
    for operation, row, text in rows:
        found.setdefault((operation.name, text), []).append(row.path.replace("[]", ""))
    return [MemberNote(name, tuple(paths), text) for (name, text), paths in found.items()]


def _values(row: Member) -> str:
    shown = [
        str(value).lower() if isinstance(value, bool) else str(value) for value in row.values if value not in ([], {})
    ]
    return ", ".join(f"`{value}`" for value in shown) or "no value"
