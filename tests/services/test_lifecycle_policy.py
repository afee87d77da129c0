"""Which documents ECR takes for a lifecycle policy, and what it says to others."""

import json
from typing import Any

import pytest

from samebox.services.lifecycle_policy import problem


def rule(priority: int = 1, action: dict[str, Any] | None = None, **selection: Any) -> dict[str, Any]:
    chosen = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1, **selection}
    return {
        "rulePriority": priority,
        "selection": {name: value for name, value in chosen.items() if value is not None},
        "action": action or {"type": "expire"},
    }


DAYS: dict[str, Any] = {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}


@pytest.mark.parametrize(
    "rules",
    [
        [rule()],
        [rule(**DAYS), rule(2, tagStatus="tagged", tagPrefixList=["dev"]), rule(3, tagStatus="any")],
        [rule(tagStatus="tagged", tagPatternList=["*-rc"])],
        [rule(), rule(2, storageClass="archive")],
        [rule(action={"type": "transition", "targetStorageClass": "archive"})],
    ],
)
def test_what_ecr_takes(rules: list[dict[str, Any]]) -> None:
    assert problem(json.dumps({"rules": rules})) == ""


@pytest.mark.parametrize(
    ("document", "words"),
    [
        # The first six as public logs have them.
        ([], "Could not map policyString into LifecyclePolicy."),
        ({}, 'object has missing required properties (["rules"])'),
        ({"rules": [{"rulePriority": 1}]}, 'object has missing required properties (["action","selection"])'),
        ({"rules": [rule(), rule(2)]}, "Only one rule can select Untagged images per storage class."),
        (
            {"rules": [rule(countNumber=0)]},
            "numeric instance is lower than the required minimum (minimum: 1, found: 0)",
        ),
        ({"rules": ["x"]}, 'instance type (string) does not match any allowed primitive type (allowed: ["object"])'),
        ({"rules": []}, "rules must be an array of rules"),
        ({"rules": [rule(tagStatus="old")]}, 'instance value ("old") not found in enum'),
        ({"rules": [rule(action={"type": "keep"})]}, 'instance value ("keep") not found in enum'),
        ({"rules": [{**rule(), "color": 1}]}, 'properties which are not allowed by the schema: ["color"]'),
        ({"rules": [rule(), rule(tagStatus="any")]}, "Rule priorities must be unique."),
        ({"rules": [rule(tagStatus="any"), rule(2)]}, "must have the highest value for rulePriority"),
        ({"rules": [rule(priority=True)]}, "rulePriority is a whole number."),
        ({"rules": [rule(countNumber="7")]}, "countNumber is a whole number."),
        ({"rules": [rule(countUnit="days")]}, "countUnit is required with"),
        ({"rules": [rule(countType="sinceImagePushed")]}, "countUnit is required with"),
        ({"rules": [rule(tagStatus="tagged")]}, "tagPrefixList or tagPatternList is required"),
        ({"rules": [rule(tagPrefixList=["dev"])]}, "tagPrefixList or tagPatternList is required"),
        ({"rules": [rule(tagStatus="tagged", tagPrefixList=[1])]}, "are lists of tags"),
    ],
)
def test_what_ecr_refuses(document: Any, words: str) -> None:
    assert words in problem(json.dumps(document))


@pytest.mark.parametrize("text", ["", "no JSON", "[" * 10_000])
def test_what_is_no_json_is_no_policy(text: str) -> None:
    assert problem(text) == "Could not map policyString into LifecyclePolicy."
