"""The tables of members beside botocore's model."""

from collections.abc import Iterator

from samebox.resources import nouns
from samebox.resources.kinds import KINDS, STORED
from samebox.services.members.row import Member, Members, Treatment, acted_on
from samebox.services.members.tables import TABLES
from samebox.services.sagemaker.operations import STORED_NOUNS
from samebox.wire.models import Models
from samebox.wire.schema import Shape

MODELS = Models()


def row_of(table: Members, path: str) -> Member | None:
    """The row that speaks of a member: of several, the one that is nearest to it."""
    return max((row for row in table if row.covers(path)), key=lambda row: len(row.path), default=None)


def paths(shape: Shape | None, path: str = "", above: tuple[str, ...] = ()) -> Iterator[str]:
    """Every member of a request, dotted, each structure and list before what is in it."""
    if shape is None or shape.name in above:
        return
    if path:
        yield path
    if shape.type == "structure":
        for name, member in shape.members.items():
            yield from paths(member.shape, f"{path}.{name}" if path else name, (*above, shape.name))
    elif shape.type == "list":
        yield from paths(shape.element.shape, f"{path}[]", (*above, shape.name))


def leaves(shape: Shape | None) -> list[str]:
    """The members that have no members of their own."""
    known = list(paths(shape))
    return [path for path in known if not any(other.startswith((f"{path}.", f"{path}[")) for other in known)]


def written_once() -> set[str]:
    """SageMaker's operations that are the same for every noun: each acts on its members, or stores and shows them."""
    service = MODELS.service("sagemaker")
    kinds = [kind for kind in KINDS if kind.service == "sagemaker"]
    every = {kind.noun: nouns.operations(kind.noun, service) for kind in kinds}
    updates = {every[kind.noun].update for kind in kinds if kind.updates}
    return updates | {name for one in every.values() for name in one.names() if name != one.update} - {""}


def only_stored() -> set[str]:
    """Operations of nouns that are stored and shown, and that nothing runs; tests of kinds and nouns try them out."""
    service = MODELS.service("sagemaker")
    every = {name for kind in STORED for name in nouns.operations(kind.noun, service).names()} & written_once()
    return every | {name for table in STORED_NOUNS for name in table}


def table_of(service: str, operation: str) -> Members | None:
    """The table of an operation; None where it has none, and needs one."""
    if operation in TABLES.get(service, {}):
        return TABLES[service][operation]
    if service == "sagemaker" and operation in written_once():
        shape = MODELS.operation(service, operation).input
        return acted_on(*(shape.members if shape is not None else ()))
    return None


def faults(table: Members, shape: Shape | None) -> list[str]:
    """Members that no row speaks of, rows of no member, rows that are twice or that no member is left for."""
    known, used = set(paths(shape)), set[str]()
    found = []
    for leaf in leaves(shape):
        row = row_of(table, leaf)
        if row is None:
            found.append(f"{leaf}: no row says what becomes of it")
        else:
            used.add(row.path)
    for row in table:
        if row.path not in known:
            found.append(f"{row.path}: the model has no such member")
        elif row.path not in used:
            found.append(f"{row.path}: rows of its members say all")
        if sum(other.path == row.path for other in table) > 1:
            found.append(f"{row.path}: has several rows")
        if row.treatment is Treatment.ACCEPTED and not row.reason:
            found.append(f"{row.path}: accepted without a reason")
    return found
