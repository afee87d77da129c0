"""What targets are sent: the event, a part, a constant, or a text, by the guide's examples."""

import json
from typing import Any

import pytest

from samebox.services.events.transform import InvalidPath, at, check_path, payload

EVENT: dict[str, Any] = {
    "id": "1",
    "time": "2026-11-30T00:00:00Z",
    "source": "aws.sagemaker",
    "detail": {"name": 'di"gits', "seconds": 300, "tags": {"a": "b"}, "list": [{"x": 1}, {"x": 2}], "is-on": True},
}
RULE = "arn:aws:events:us-east-1:1:rule/r"


def sent(**target: Any) -> str:
    return payload(EVENT, target, RULE, "r")


def transformed(template: str, **paths: str) -> str:
    return sent(InputTransformer={"InputPathsMap": paths, "InputTemplate": template})


def test_all_a_part_or_a_constant() -> None:
    assert json.loads(sent()) == EVENT
    assert sent(Input='{"fixed": 1}') == '{"fixed": 1}'
    assert json.loads(sent(InputPath="$.detail")) == EVENT["detail"]
    assert sent(InputPath="$.detail.name") == '"di\\"gits"'
    assert sent(InputPath="$.nowhere") == "null"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"<name> took <seconds> s"', '"di\\"gits took 300 s"'),
        ('{"job": <name>, "n": <seconds>, "tags": <tags>}', '{"job": "di\\"gits", "n": 300, "tags": {"a":"b"}}'),
        ('{"job": "<name>", "n": "<seconds>"}', '{"job": "di\\"gits", "n": "300"}'),
        ('{"text": "job <name>: <tags>"}', '{"text": "job di\\"gits: {"a":"b"}"}'),
        ("plain <name>", 'plain di"gits'),
        ("<nothing>|<unknown>", "|"),
        ('{"rule": <aws.events.rule-arn>, "as": "<aws.events.rule-name>"}', f'{{"rule": "{RULE}", "as": "r"}}'),
        ("<aws.events.event.ingestion-time>", "2026-11-30T00:00:00Z"),
    ],
)
def test_templates(template: str, expected: str) -> None:
    paths = {"name": "$.detail.name", "seconds": "$.detail.seconds", "tags": "$.detail.tags", "nothing": "$.detail.no"}
    assert transformed(template, **paths) == expected


def test_the_event_in_a_template() -> None:
    found = json.loads(transformed('{"all": <aws.events.event.json>, "head": <aws.events.event>}'))
    assert found == {"all": EVENT, "head": {key: EVENT[key] for key in EVENT if key != "detail"}}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", EVENT),
        ("$.detail.list[1].x", 2),
        ("$.detail.list[5]", None),
        ("$.detail.is-on", True),
        ("$.detail['is-on']", True),
        ("$.detail.name.deeper", None),
        ("$.id[0]", None),
    ],
)
def test_paths(path: str, expected: Any) -> None:
    check_path(path)
    assert at(EVENT, path) == expected


@pytest.mark.parametrize("path", ["", "detail", "$detail", "$.", "$.a[", "$.a[x]", "$..a"])
def test_what_is_not_a_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidPath):
        check_path(path)
