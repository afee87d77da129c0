"""Queries: which rows of one or several kinds, in which order. An expression is data, and becomes SQL here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Scalar = str | int | float | bool

TIMES = frozenset({"created", "modified"})
TEXTS = frozenset({"kind", "account", "region", "name", "name_key", "arn", "status", "parent"})
DOCUMENTS = frozenset({"spec", "state", "facts", "tags"})

# Members of documents that have an index; a migration makes it, of exactly this text.
INDEXED = (("spec", "DomainId"), ("spec", "EndpointName"), ("spec", "Source", "SourceUri"))

# What a JSON path of SQLite can name. Any other key is looked for among the keys of its object.
_PLAIN = re.compile(r'[^"\\\x00-\x1f]+')


class Sql(NamedTuple):
    """A piece of a statement and what is bound in it."""

    text: str
    values: tuple[object, ...] = ()


@dataclass(frozen=True)
class Scope:
    """Whose resources: one account in one region."""

    account: str
    region: str


@dataclass(frozen=True)
class Column:
    """A column of the table: one of TEXTS or TIMES. Times count as they are shown, in milliseconds."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in TEXTS | TIMES:
            raise ValueError(f"no column to compare: {self.name!r}")


@dataclass(frozen=True)
class JsonPath:
    """What lies at a path of a document: JsonPath("spec", "GitConfig", "Branch"), JsonPath("tags", "team")."""

    document: str
    path: tuple[str, ...]

    def __init__(self, document: str, *path: str) -> None:
        if document not in DOCUMENTS or not path or not all(_PLAIN.fullmatch(key) for key in path[:-1]):
            raise ValueError(f"no path to compare: {document!r} {path!r}")
        object.__setattr__(self, "document", document)
        object.__setattr__(self, "path", path)

    def sql(self, function: Literal["json_extract", "json_type"]) -> Sql:
        """Its value or its type; NULL where there is none."""
        if _PLAIN.fullmatch(self.path[-1]):
            return Sql(f"{function}({self.document}, {_path(self.path)})")
        column = {"json_extract": "value", "json_type": "type"}[function]
        within = f"json_each({self.document}, {_path(self.path[:-1])})"
        return Sql(f"(SELECT {column} FROM {within} WHERE key = ?)", (self.path[-1],))


Field = Column | JsonPath


@dataclass(frozen=True)
class Compare:
    """A field against a value of its own type; false where it has another type, or is not there."""

    field: Field
    operator: Literal["=", "<", ">", "<=", ">="]
    value: Scalar

    def sql(self) -> Sql:
        """As a condition."""
        if isinstance(self.field, Column):
            return self._of_column(self.field.name)
        kind = self.field.sql("json_type")
        if isinstance(self.value, bool):
            if self.operator != "=":
                return _NEVER
            return Sql(f"{kind.text} = ?", (*kind.values, "true" if self.value else "false"))
        types = "= 'text'" if isinstance(self.value, str) else "IN ('integer', 'real')"
        value = self.field.sql("json_extract")
        return Sql(
            f"({value.text} {self.operator} ? AND {kind.text} {types})", (*value.values, self.value, *kind.values)
        )

    def _of_column(self, name: str) -> Sql:
        if isinstance(self.value, bool) or isinstance(self.value, str) != (name in TEXTS):
            return _NEVER
        if name in TEXTS:
            return Sql(f"{name} {self.operator} ?", (self.value,))
        # The bounds let an index be used, which knows nothing of rounded times.
        bounds = {"<": ("< ? + 0.001",), ">": ("> ? - 0.001",)}.get(self.operator[0], ("> ? - 0.001", "< ? + 0.001"))
        near = " AND ".join(f"{name} {bound}" for bound in bounds)
        return Sql(f"({near} AND ROUND({name}, 3) {self.operator} ?)", (self.value,) * (len(bounds) + 1))


@dataclass(frozen=True)
class Contains:
    """A text has this text in it, in the same case; at its beginning, where `first` is set."""

    field: Field
    text: str
    first: bool = False

    def sql(self) -> Sql:
        """As a condition."""
        found = "= 1" if self.first else "> 0"
        if isinstance(self.field, Column):
            if self.field.name in TIMES:
                return _NEVER
            return Sql(f"instr({self.field.name}, ?) {found}", (self.text,))
        value, kind = self.field.sql("json_extract"), self.field.sql("json_type")
        return Sql(
            f"(instr({value.text}, ?) {found} AND {kind.text} = 'text')", (*value.values, self.text, *kind.values)
        )


@dataclass(frozen=True)
class Includes:
    """A list has this text as an element."""

    field: JsonPath
    element: str

    def sql(self) -> Sql:
        """As a condition."""
        value, kind = self.field.sql("json_extract"), self.field.sql("json_type")
        # Of what is not a list, an empty one is read: text is not JSON.
        elements = f"json_each(CASE {kind.text} WHEN 'array' THEN {value.text} ELSE '[]' END)"
        return Sql(
            f"EXISTS (SELECT 1 FROM {elements} WHERE type = 'text' AND value = ?)",
            (*kind.values, *value.values, self.element),
        )


@dataclass(frozen=True)
class Exists:
    """A field is there and not null."""

    field: Field

    def sql(self) -> Sql:
        """As a condition."""
        value = Sql(self.field.name) if isinstance(self.field, Column) else self.field.sql("json_extract")
        return Sql(f"{value.text} IS NOT NULL", value.values)


@dataclass(frozen=True)
class In:
    """A field equals one of these values."""

    field: Field
    values: tuple[Scalar, ...]

    def sql(self) -> Sql:
        """As a condition."""
        return Or(*(Compare(self.field, "=", value) for value in self.values)).sql()


@dataclass(frozen=True)
class And:
    """All of these; true where there are none."""

    parts: "tuple[Expression, ...]"

    def __init__(self, *parts: "Expression") -> None:
        object.__setattr__(self, "parts", parts)

    def sql(self) -> Sql:
        """As a condition."""
        return _joined(" AND ", self.parts) if self.parts else Sql("1")


@dataclass(frozen=True)
class Or:
    """One of these; false where there are none."""

    parts: "tuple[Expression, ...]"

    def __init__(self, *parts: "Expression") -> None:
        object.__setattr__(self, "parts", parts)

    def sql(self) -> Sql:
        """As a condition."""
        return _joined(" OR ", self.parts) if self.parts else _NEVER


@dataclass(frozen=True)
class Not:
    """The opposite. What compares nothing is false, and its opposite true."""

    part: "Expression"

    def sql(self) -> Sql:
        """As a condition."""
        # SQL has a third value, where a member is not there: NOT would keep it.
        part = self.part.sql()
        return Sql(f"({part.text}) IS NOT TRUE", part.values)


@dataclass(frozen=True)
class Related:
    """A row is the source of a relation of this type to the resource `other`, or with `to_parts` to a part of it.

    With `as_target`, it is the target of one from there.
    """

    type: str
    other: str
    as_target: bool = False
    to_parts: bool = False

    def sql(self) -> Sql:
        """As a condition."""
        own, others = ("target", "source") if self.as_target else ("source", "target")
        meant = "IN (SELECT arn FROM resources WHERE parent = ?)" if self.to_parts else "= ?"
        return Sql(f"arn IN (SELECT {own} FROM relations WHERE type = ? AND {others} {meant})", (self.type, self.other))


Expression = Compare | Contains | Includes | Exists | In | And | Or | Not | Related

EVERYTHING = And()


@dataclass(frozen=True)
class Query:
    """Rows of kinds: filtered, then sorted, then cut. `after` is the `place` of the last row that was seen.

    Equal rows are in the order of their names, or of their ARNs where names are not unique.
    """

    kinds: str | tuple[str, ...]
    scope: Scope | None = None
    where: Expression = EVERYTHING
    order_by: Field = Column("created")
    descending: bool = False
    after: tuple[object, str] | None = None
    limit: int | None = None

    def sql(self) -> Sql:
        """Everything behind FROM."""
        kinds = (self.kinds,) if isinstance(self.kinds, str) else self.kinds
        conditions = [Sql(f"kind IN ({', '.join('?' * len(kinds))})", kinds)]
        if self.scope is not None:
            conditions.append(Sql("account = ? AND region = ?", (self.scope.account, self.scope.region)))
        conditions.append(self.where.sql())
        value, tie = self.place()
        if self.after is not None:
            sign = "<" if self.descending else ">"
            conditions.append(Sql(f"({value.text}, {tie}) {sign} (?, ?)", (*value.values, *self.after)))
        condition = _joined(" AND ", conditions)
        direction = "DESC" if self.descending else "ASC"
        order = Sql(f" ORDER BY {value.text} {direction}, {tie} {direction}", value.values)
        limit = Sql("") if self.limit is None else Sql(" LIMIT ?", (self.limit,))
        text = f" WHERE {condition.text}{order.text}{limit.text}"
        return Sql(text, (*condition.values, *order.values, *limit.values))

    def place(self) -> tuple[Sql, str]:
        """Where a row stands in the order: what it is sorted by, and the column that decides between equals."""
        tie = "name_key" if isinstance(self.kinds, str) and self.scope is not None else "arn"
        if isinstance(self.order_by, Column):
            name = self.order_by.name
            return Sql({"name": "lower(name)", "parent": "coalesce(parent, '')"}.get(name, name)), tie
        value = self.order_by.sql("json_extract")
        return Sql(f"coalesce({value.text}, '')", value.values), tie


_NEVER = Sql("0")


def _joined(word: str, parts: "Sequence[Expression | Sql]") -> Sql:
    pieces = [part if isinstance(part, Sql) else part.sql() for part in parts]
    text = word.join(f"({piece.text})" for piece in pieces)
    return Sql(text, tuple(value for piece in pieces for value in piece.values))


def _path(keys: Sequence[str]) -> str:
    text = "$" + "".join(f'."{key}"' for key in keys)
    return "'" + text.replace("'", "''") + "'"
