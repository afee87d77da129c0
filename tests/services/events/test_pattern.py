"""Event patterns: what matches and what does not, by each operator of EventBridge, and what is not a pattern."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from samebox.services.events.pattern import InvalidPattern, matches, parse

EVENT: dict[str, Any] = {
    "source": "aws.sagemaker",
    "detail-type": "SageMaker Training Job State Change",
    "resources": ["arn:aws:a", "arn:aws:b"],
    "detail": {
        "TrainingJobName": "digits-1",
        "TrainingJobStatus": "Completed",
        "seconds": 300,
        "ratio": 0.5,
        "done": True,
        "reason": None,
        "address": "10.0.0.7",
        "steps": [{"name": "a", "n": 1}, {"name": "b", "n": 2}],
        "empty": [],
    },
}


def found(pattern: Any) -> bool:
    return matches(parse(json.dumps(pattern)), EVENT)


def detail(member: str, *wanted: Any) -> bool:
    return found({"detail": {member: list(wanted)}})


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.sagemaker"]},
        {"source": ["aws.ec2", "aws.sagemaker"]},
        {"source": ["aws.sagemaker"], "detail": {"TrainingJobStatus": ["Completed", "Failed"]}},
        {"resources": ["arn:aws:b"]},
        {"detail": {"done": [True], "reason": [None], "seconds": [300]}},
        {"detail": {"steps": {"name": ["b"], "n": [2]}}},
        {"$or": [{"source": ["x"]}, {"detail": {"done": [True]}}]},
        {"source": ["aws.sagemaker"], "$or": [{"account": ["1"]}, {"resources": ["arn:aws:a"]}]},
        {"detail": {"$or": [{"done": [False]}, {"seconds": [{"numeric": [">", 299]}]}]}},
    ],
)
def test_what_matches(pattern: dict[str, Any]) -> None:
    assert found(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.ec2"]},
        {"source": ["AWS.SAGEMAKER"]},
        {"nowhere": ["x"]},
        {"source": {"deep": ["x"]}},
        {"detail": ["x"]},
        {"source": ["aws.sagemaker"], "detail": {"TrainingJobStatus": ["Failed"]}},
        {"detail": {"done": [1], "seconds": [True]}},
        {"detail": {"seconds": ["300"]}},
        {"detail": {"seconds": [300.0]}},
        {"detail": {"steps": {"name": ["a"], "n": [2]}}},
        {"detail": {"empty": [None]}},
        {"$or": [{"source": ["x"]}, {"detail": {"done": [False]}}]},
        {"source": ["x"], "$or": [{"detail": {"done": [True]}}, {"resources": ["arn:aws:a"]}]},
    ],
)
def test_what_does_not(pattern: dict[str, Any]) -> None:
    assert not found(pattern)


@pytest.mark.parametrize(
    ("member", "wanted", "expected"),
    [
        ("TrainingJobName", {"prefix": "digits-"}, True),
        ("TrainingJobName", {"prefix": "Digits-"}, False),
        ("TrainingJobName", {"prefix": {"equals-ignore-case": "DIGITS"}}, True),
        ("seconds", {"prefix": "3"}, False),
        ("TrainingJobName", {"suffix": "-1"}, True),
        ("TrainingJobName", {"suffix": "-2"}, False),
        ("TrainingJobName", {"suffix": {"equals-ignore-case": "S-1"}}, True),
        ("TrainingJobStatus", {"equals-ignore-case": "completed"}, True),
        ("TrainingJobStatus", {"equals-ignore-case": "complete"}, False),
        ("TrainingJobStatus", {"anything-but": "Failed"}, True),
        ("TrainingJobStatus", {"anything-but": ["Failed", "Completed"]}, False),
        ("seconds", {"anything-but": 300}, False),
        ("seconds", {"anything-but": [1, 2]}, True),
        ("TrainingJobName", {"anything-but": {"prefix": "digits"}}, False),
        ("TrainingJobName", {"anything-but": {"prefix": ["x", "y"]}}, True),
        ("TrainingJobName", {"anything-but": {"suffix": "-1"}}, False),
        ("TrainingJobName", {"anything-but": {"wildcard": "*-1"}}, False),
        ("TrainingJobName", {"anything-but": {"equals-ignore-case": ["DIGITS-1"]}}, False),
        ("nowhere", {"anything-but": "x"}, False),
        ("seconds", {"numeric": ["=", 300]}, True),
        ("seconds", {"numeric": ["=", 300.0]}, True),
        ("seconds", {"numeric": [">", 0, "<=", 300]}, True),
        ("seconds", {"numeric": [">", 300, "<", 400]}, False),
        ("ratio", {"numeric": ["<", 1]}, True),
        ("done", {"numeric": ["=", 1]}, False),
        ("TrainingJobName", {"numeric": [">", 0]}, False),
        ("seconds", {"exists": True}, True),
        ("seconds", {"exists": False}, False),
        ("nowhere", {"exists": False}, True),
        ("nowhere", {"exists": True}, False),
        ("reason", {"exists": True}, True),
        ("TrainingJobName", {"wildcard": "dig*-*1"}, True),
        ("TrainingJobName", {"wildcard": "*"}, True),
        ("TrainingJobName", {"wildcard": "dig*-2"}, False),
        ("TrainingJobName", {"wildcard": "digits-1*1"}, False),
        ("TrainingJobName", {"wildcard": "digits\\*"}, False),
        ("address", {"cidr": "10.0.0.0/24"}, True),
        ("address", {"cidr": "10.0.1.0/24"}, False),
        ("address", {"cidr": "2001:db8::/32"}, False),
        ("TrainingJobName", {"cidr": "10.0.0.0/24"}, False),
    ],
)
def test_operators(member: str, wanted: dict[str, Any], expected: bool) -> None:
    assert detail(member, wanted) is expected


def test_operators_and_values_are_alternatives() -> None:
    assert detail("TrainingJobStatus", "Failed", {"prefix": "Comp"})
    assert found({"resources": [{"suffix": ":b"}]})
    assert detail("nowhere", "x", {"exists": False})


def test_a_star_that_is_escaped_is_a_star() -> None:
    pattern = parse('{"a": [{"wildcard": "x\\\\*y\\\\\\\\*"}]}')
    assert matches(pattern, {"a": "x*y\\z"})
    assert not matches(pattern, {"a": "xzy\\z"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Event pattern is not a valid JSON document"),
        ("[]", "Filter is not an object"),
        ("{}", "Empty objects are not allowed"),
        ('{"a": "b"}', '"a" must be an object or an array'),
        ('{"a": {"b": 1}}', '"b" must be an object or an array'),
        ('{"a": []}', "Empty arrays are not allowed"),
        ('{"a": {}}', "Empty objects are not allowed"),
        ('{"a": [["b"]]}', "Match value must be String, number, true, false, or null"),
        ('{"a": [{"is": "b"}]}', "Unrecognized match type is"),
        ('{"a": [{"prefix": "b", "suffix": "c"}]}', "Only one key allowed in match expression"),
        ('{"a": [{"prefix": 1}]}', "prefix match pattern must be a string"),
        ('{"a": [{"prefix": {"is": "b"}}]}', "Unsupported prefix pattern: is"),
        ('{"a": [{"exists": "yes"}]}', "exists match pattern must be either true or false."),
        ('{"a": [{"numeric": []}]}', "Value of numeric must be an array."),
        ('{"a": [{"numeric": ["~", 1]}]}', "Unrecognized numeric range operator: ~"),
        ('{"a": [{"numeric": [">", "1"]}]}', "Value of numeric operator must be numeric"),
        ('{"a": [{"numeric": [">", 2, "<", 1]}]}', "Bottom must be less than top"),
        ('{"a": [{"anything-but": []}]}', "Value of anything-but must be an array or single string/number value."),
        ('{"a": [{"anything-but": {"cidr": "b"}}]}', "Unsupported anything-but pattern: cidr"),
        ('{"a": [{"wildcard": "a**"}]}', "Consecutive wildcard characters"),
        ('{"a": [{"wildcard": "a\\\\b"}]}', "Invalid escape character"),
        ('{"a": [{"cidr": "10.0.0.1"}]}', "Malformed CIDR, one '/' required: 10.0.0.1"),
        ('{"a": [{"cidr": "x/8"}]}', "Malformed CIDR: x/8"),
        ('{"$or": [{"a": ["b"]}]}', "There must have at least 2 Objects in $or relationship"),
        ('{"a":' * 150 + '["b"]' + "}" * 150, "Event pattern is nested too deeply"),
    ],
)
def test_what_is_not_a_pattern_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidPattern) as refused:
        parse(text)
    assert str(refused.value) == why


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=10,
)


@given(some.dictionaries(some.text(), json_values), some.text(), json_values)
def test_any_event_is_matched_or_not(event: dict[str, Any], key: str, value: Any) -> None:
    """And an event with a scalar is matched by this scalar."""
    wanted = value if isinstance(value, str | int | float | bool | None) else "x"
    pattern = parse(json.dumps({key: [wanted]})) if key != "$or" else parse('{"a": ["b"]}')
    assert matches(pattern, event) in (True, False)
    if key != "$or":
        assert matches(pattern, {**event, key: wanted})


@given(some.lists(some.text(alphabet="ab", max_size=3), min_size=1, max_size=6), some.text(alphabet="ab", max_size=12))
def test_a_wildcard_is_that_of_file_names(pieces: list[str], value: str) -> None:
    """Compared with fnmatch, which has the same star."""
    from fnmatch import fnmatchcase

    text = "*".join(piece for place, piece in enumerate(pieces) if piece or place in (0, len(pieces) - 1))
    if "**" not in text:
        assert matches(parse(json.dumps({"a": [{"wildcard": text}]})), {"a": value}) is fnmatchcase(value, text)
