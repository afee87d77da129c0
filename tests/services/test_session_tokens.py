"""A session token makes one key good for a time, and cannot be made up."""

import base64
import json

import pytest

from samebox.services import session_tokens

SECRET = b"a secret"
KEY = "ASIA123456789012ABCDEFGHIJKLMNOP"


def test_a_token_is_good_until_it_ends() -> None:
    token = session_tokens.issue(SECRET, KEY, 1000.0)
    assert session_tokens.verify(SECRET, KEY, token, 1000.0) == "good"
    assert session_tokens.verify(SECRET, KEY, token, 1000.1) == "expired"


def test_a_token_is_of_one_key_and_one_secret() -> None:
    token = session_tokens.issue(SECRET, KEY, 1000.0)
    assert session_tokens.verify(SECRET, KEY.replace("P", "Q"), token, 0) == "wrong"
    assert session_tokens.verify(b"another", KEY, token, 0) == "wrong"


@pytest.mark.parametrize(
    "token", ["x", ".", "é", "\0", base64.b64encode(json.dumps([KEY, 9e9]).encode()).decode() + "."]
)
def test_what_was_not_given_out_is_wrong(token: str) -> None:
    assert session_tokens.verify(SECRET, KEY, token, 0) == "wrong"
    assert session_tokens.verify(SECRET, KEY, "", 0) == "missing"


@pytest.mark.parametrize(
    "key", ["", "123456789012", "ASIAIOSFODNN7EXAMPLE", "ASIA123456789012", "AKIAIOSFODNN7EXAMPLE"]
)
def test_other_keys_have_no_token_of_ours(key: str) -> None:
    assert session_tokens.verify(SECRET, key, "", 0) == "good"
