"""A form that keeps to its policy in every field is accepted; for another, the error names what it breaks."""

import base64
import json
from typing import Any

import pytest

from samebox.errors import AwsError
from samebox.wire.post_policy import Form, check_policy, check_signature

NOW = 1_700_000_000.0
LATER = "2023-11-14T22:20:00Z"  # 400 s after that


def form(conditions: Any, expiration: str = LATER, **fields: str) -> Form:
    policy = base64.b64encode(json.dumps({"expiration": expiration, "conditions": conditions}).encode()).decode()
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return Form("b", {"policy": policy, "x-amz-signature": "any", **named}, size=5)


def refusal(one: Form, now: float = NOW) -> str:
    with pytest.raises(AwsError) as refused:
        check_policy(one, now)
    return str(refused.value)


def test_a_form_that_keeps_to_every_condition_is_let_in() -> None:
    conditions = [
        {"bucket": "b"}, ["starts-with", "$key", "user/"], {"Content-Type": "text/csv"}, ["EQ", "$acl", "private"],
        ["starts-with", "$x-amz-meta-who", ""], ["content-length-range", 1, 10],
    ]  # fmt: skip
    check_policy(
        form(conditions, key="user/me", content_type="text/csv", acl="private", x_amz_meta_who="", x_ignore_x="1"), NOW
    )
    check_policy(Form("b", {"key": "k"}, 1), NOW)
    another = form(conditions, key="other/me", content_type="text/csv", acl="private", x_amz_meta_who="")
    assert "user/" in refusal(another)


@pytest.mark.parametrize(
    ("conditions", "fields", "why"),
    [
        ([{"bucket": "other"}], {}, "AccessDenied: Invalid according to Policy: Policy Condition failed: "),
        ([["eq", "$key", "k"]], {"key": "kk"}, 'Policy Condition failed: ["eq", "$key", "k"]'),
        ([["starts-with", "$key", "user/"]], {"key": "other"}, "Policy Condition failed"),
        ([["eq", "$acl", "private"]], {}, "Policy Condition failed"),
        ([], {"key": "k"}, "Invalid according to Policy: Extra input fields: key"),
        ([["content-length-range", 0, 4]], {}, "EntityTooLarge: Your proposed upload exceeds"),
        ([["content-length-range", 6, 10]], {}, "EntityTooSmall: Your proposed upload is smaller"),
        ([["content-length-range", "x", 10]], {}, "Policy Condition failed"),
        ([["content-length-range", 0, float("inf")]], {}, "Policy Condition failed"),
        ([["like", "$key", "k"]], {"key": "k"}, "InvalidPolicyDocument"),
        ([["eq", "key", "k"]], {"key": "k"}, 'Policy Condition failed: ["eq", "key", "k"]'),
        ([{"key": "k", "acl": "private"}], {"key": "k"}, "must have exactly one property specified"),
        (["eq"], {}, "InvalidPolicyDocument"),
        ([[]], {}, "InvalidPolicyDocument"),
        ([{"key": 1}], {"key": "1"}, "InvalidPolicyDocument"),
        ({"key": "k"}, {"key": "k"}, "InvalidPolicyDocument"),
    ],
)
def test_a_form_that_breaks_its_policy_gets_the_reason(conditions: Any, fields: dict[str, str], why: str) -> None:
    assert why in refusal(form(conditions, LATER, **fields))


def test_a_policy_ends() -> None:
    check_policy(form([]), NOW + 399)
    assert refusal(form([]), NOW + 401) == "AccessDenied: Invalid according to Policy: Policy expired."
    assert "expiration" in refusal(form([], expiration="tomorrow"))


DEEP = base64.b64encode(b"[" * 15_000).decode()


@pytest.mark.parametrize(
    "policy", ["", "x", DEEP, "e30", base64.b64encode(b"[1]").decode(), base64.b64encode(b"{").decode()]
)
def test_an_invalid_policy_is_refused(policy: str) -> None:
    assert refusal(Form("b", {"policy": policy}, 1)).startswith("InvalidPolicyDocument")


def test_a_form_without_a_policy_is_not_signed() -> None:
    for fields in ({}, {"policy": "e30="}, {"awsaccesskeyid": "key", "signature": "x"}):
        with pytest.raises(AwsError, match="AccessDenied"):
            check_signature(Form("b", fields, 1), "a token")
