"""The tables of members beside botocore's model, and the part of docs/fidelity.md that is rendered from them.

`scripts/fidelity` writes that part; tests/laws/test_members.py compares it.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from samebox.resources import nouns
from samebox.resources.kinds import KINDS, STORED
from samebox.services.members.row import Member, Members, Treatment, acted_on, row_of
from samebox.services.members.tables import TABLES
from samebox.wire.models import Models
from samebox.wire.schema import Shape

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fidelity.md"
BEGIN, END = "<!-- begin: written by scripts/fidelity -->", "<!-- end: written by scripts/fidelity -->"
MODELS = Models()


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
    """Operations of nouns that are stored and shown, and that nothing runs; tests/laws/test_kinds.py tries them out."""
    service = MODELS.service("sagemaker")
    return {name for kind in STORED for name in nouns.operations(kind.noun, service).names()} & written_once()


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


# The page


def render(tables: Mapping[str, Mapping[str, Members]] = TABLES) -> str:
    """Both tables of the page, as Markdown."""
    accepted: dict[tuple[str, str], list[str]] = {}
    refused: dict[tuple[str, str], list[str]] = {}
    for operations in tables.values():
        for operation, table in operations.items():
            for row in table:
                if _is_doubled(row):
                    continue
                if row.treatment is Treatment.REFUSED:
                    refused.setdefault((operation, _values(row)), []).append(row.path)
                elif row.reason:
                    accepted.setdefault((operation, row.reason), []).append(row.path)
    return "\n".join(
        [
            "## Accepted but not acted on",
            "",
            "These members are accepted, stored and returned, but have no effect, or less than on AWS.",
            "",
            "| Operation | Member | On AWS |",
            "| --- | --- | --- |",
            *_rows(accepted),
            "",
            "## Refused",
            "",
            "These members are answered 501 unless they have a value that runs.",
            "",
            "| Operation | Member | Runs with |",
            "| --- | --- | --- |",
            *_rows(refused),
        ]
    )


def written(page: str) -> str:
    """The page with its rendered part as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render()}\n\n{END}{after}"


def _is_doubled(row: Member) -> bool:
    # Containers[] of CreateModel are the same structure as PrimaryContainer.
    return row.path.startswith("Containers[].")


def _rows(cells: Mapping[tuple[str, str], list[str]]) -> list[str]:
    """A row for all members of an operation of which the same is to be said."""
    return [
        f"| {operation} | {', '.join(f'`{path}`'.replace('[]', '') for path in members)} | {what} |"
        for (operation, what), members in cells.items()
    ]


def _values(row: Member) -> str:
    shown = [
        str(value).lower() if isinstance(value, bool) else str(value) for value in row.values if value not in ([], {})
    ]
    return ", ".join(f"`{value}`" for value in shown) or "no value"


def main() -> int:
    """Write the page anew."""
    PAGE.write_text(written(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
