"""The syntax of metric math: an expression as text becomes a tree. Nothing here knows what a function computes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Parentheses, brackets and calls within each other; CloudWatch's own limit is not known.
_DEEPEST = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z]\w*)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<operator>&&|\|\||[=!<>]=|[-+*/^()\[\],<>]))"
)
# From those that bind least to those that bind most.
_BINARY: tuple[Mapping[str, str], ...] = (
    {"OR": "OR", "||": "OR"},
    {"AND": "AND", "&&": "AND"},
    {operator: operator for operator in ("==", "!=", "<", ">", "<=", ">=")},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/"},
)


class MalformedMath(Exception):
    """The text is not an expression, or it computes nothing; the message says why."""


@dataclass(frozen=True)
class NumberNode:
    """A number."""

    value: float


@dataclass(frozen=True)
class NameNode:
    """An id of a metric or of another expression."""

    id: str


@dataclass(frozen=True)
class WordNode:
    """A word in capitals that is not called: REPEAT in FILL(m1, REPEAT)."""

    word: str


@dataclass(frozen=True)
class TextNode:
    """A quoted text."""

    text: str


@dataclass(frozen=True)
class NegativeNode:
    """Unary minus."""

    of: "Node"


@dataclass(frozen=True)
class BinaryNode:
    """An operator between two operands; AND and OR for both of their spellings."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True)
class CallNode:
    """A function with its arguments."""

    function: str
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True)
class ArrayNode:
    """[m1, m2]."""

    items: "tuple[Node, ...]"


Node = NumberNode | NameNode | WordNode | TextNode | NegativeNode | BinaryNode | CallNode | ArrayNode


def parse(text: str) -> Node:
    """The tree of an expression. Raises MalformedMath."""
    parser = _Parser(text)
    tree = parser.expression()
    parser.expect("")
    return tree


def names(node: Node) -> frozenset[str]:
    """The ids that an expression names."""
    return frozenset(one.id for one in _walk(node) if isinstance(one, NameNode))


def functions(node: Node) -> frozenset[str]:
    """The functions that an expression calls."""
    return frozenset(one.function for one in _walk(node) if isinstance(one, CallNode))


def _walk(node: Node) -> Iterator[Node]:
    # A list and not recursion: a long sum is a deep tree.
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        match one:
            case NegativeNode(of):
                waiting.append(of)
            case BinaryNode(_, left, right):
                waiting += (left, right)
            case CallNode(_, parts) | ArrayNode(parts):
                waiting += parts


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._place = 0
        self._depth = 0

    def expression(self, level: int = 0) -> Node:
        if level == len(_BINARY):
            return self._signed()
        if level == 0:
            self._deeper(1)
        left = self.expression(level + 1)
        while (operator := _BINARY[level].get(self._next)) is not None:
            self._place += 1
            left = BinaryNode(operator, left, self.expression(level + 1))
        if level == 0:
            self._deeper(-1)
        return left

    def expect(self, token: str) -> None:
        if self._next != token:
            wanted = f"'{token}'" if token else "the end"
            raise MalformedMath(f"Expected {wanted}, found {_quoted(self._next)}")
        self._place += 1

    @property
    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _deeper(self, by: int) -> None:
        self._depth += by
        if self._depth > _DEEPEST:
            raise MalformedMath(f"The expression is nested more than {_DEEPEST} deep")

    def _signed(self) -> Node:
        # A chain of signs is a loop: it may be as long as the text.
        negative = False
        while self._next in ("-", "+"):
            negative ^= self._next == "-"
            self._place += 1
        power = self._power()
        return NegativeNode(power) if negative else power

    def _power(self) -> Node:
        # Choice: as in mathematics, 2^3^2 is 2^9 and -2^2 is -4; CloudWatch does not say.
        base = self._operand()
        if self._next != "^":
            return base
        self._place += 1
        self._deeper(1)
        power = BinaryNode("^", base, self._signed())
        self._deeper(-1)
        return power

    def _operand(self) -> Node:
        found = self._next
        self._place += 1
        if found == "(":
            inner = self.expression()
            self.expect(")")
            return inner
        if found == "[":
            return ArrayNode(self._list("]"))
        if found[:1].isdigit() or (found[:1] == "." and len(found) > 1):
            return NumberNode(float(found))
        if found[:1] in ('"', "'"):
            return TextNode(found[1:-1])
        if re.fullmatch("[A-Z][A-Z0-9_]*", found):
            if self._next != "(":
                return WordNode(found)
            self._place += 1
            return CallNode(found, self._list(")"))
        if found[:1].isalpha():
            return NameNode(found)
        raise MalformedMath(f"Expected a value, found {_quoted(found)}")

    def _list(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while self._next != end:
            if items:
                self.expect(",")
            items.append(self.expression())
        self.expect(end)
        return tuple(items)


def _tokens(text: str) -> Iterator[str]:
    place = 0
    text = text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise MalformedMath(f"Unexpected {_quoted(text[place:].lstrip()[:1])}")
        place = found.end()
        yield found[found.lastgroup or 0]


def _quoted(token: str) -> str:
    return f"'{token}'" if token else "the end"
