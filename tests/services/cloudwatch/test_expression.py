"""The syntax of metric math: what an expression is made of, and what is not one."""

import pytest

from samebox.services.cloudwatch.expression import (
    ArrayNode,
    BinaryNode,
    CallNode,
    MalformedMath,
    NameNode,
    NegativeNode,
    NumberNode,
    TextNode,
    WordNode,
    functions,
    names,
    parse,
)


def test_operators_bind_as_in_mathematics() -> None:
    assert parse("a + b * -2 ^ 2") == BinaryNode(
        "+", NameNode("a"), BinaryNode("*", NameNode("b"), NegativeNode(BinaryNode("^", NumberNode(2), NumberNode(2))))
    )
    assert parse("a - b - c") == BinaryNode("-", BinaryNode("-", NameNode("a"), NameNode("b")), NameNode("c"))
    assert parse("a > 1 && b <= 2 || c") == BinaryNode(
        "OR",
        BinaryNode(
            "AND", BinaryNode(">", NameNode("a"), NumberNode(1)), BinaryNode("<=", NameNode("b"), NumberNode(2))
        ),
        NameNode("c"),
    )
    assert parse("a AND b OR c") == parse("a&&b||c")


def test_a_function_takes_values_texts_and_arrays() -> None:
    assert parse('FILL(METRICS("err"), REPEAT)') == CallNode(
        "FILL", (CallNode("METRICS", (TextNode("err"),)), WordNode("REPEAT"))
    )
    assert parse("SUM([m1, m2])") == CallNode("SUM", (ArrayNode((NameNode("m1"), NameNode("m2"))),))
    assert parse("METRICS( )") == CallNode("METRICS", ())


def test_ids_and_functions_of_an_expression() -> None:
    tree = parse("IF(m1 > AVG(m2), FILL(m3, 0), -[m1])")
    assert names(tree) == {"m1", "m2", "m3"}
    assert functions(tree) == {"IF", "AVG", "FILL"}


@pytest.mark.parametrize("text", ["1.5", "1.", ".5", "2e3", "2E-3"])
def test_numbers(text: str) -> None:
    assert parse(text) == NumberNode(float(text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expected a value, found the end"),
        ("m1 +", "Expected a value, found the end"),
        ("m1 m2", "Expected the end, found 'm2'"),
        ("(m1", "Expected ')', found the end"),
        ("SUM(m1", "Expected ',', found the end"),
        ("m1 $ 2", "Unexpected '$'"),
        ("m1 = 2", "Unexpected '='"),
        ("[m1,,m2]", "Expected a value, found ','"),
        ("(" * 60 + "1" + ")" * 60, "The expression is nested more than 50 deep"),
        ("1" + "^1" * 60, "The expression is nested more than 50 deep"),
    ],
)
def test_a_text_that_is_not_an_expression_is_refused(text: str, why: str) -> None:
    with pytest.raises(MalformedMath) as refused:
        parse(text)
    assert str(refused.value) == why


def test_an_expression_may_be_long() -> None:
    assert names(parse("-" * 1000 + "m1" + "+m2" * 600)) == {"m1", "m2"}
