"""Login passwords: whose they are can be read, and not be changed."""

import base64

import pytest

from samebox.services import registry_tokens
from samebox.wire.caller import Caller

SECRET = b"secret"


def test_a_password_names_its_account() -> None:
    token = registry_tokens.issue(SECRET, "123456789012", "eu-west-1", 100.0)
    assert registry_tokens.verify(SECRET, token.basic, 200.0) == Caller("123456789012", "eu-west-1")


def test_a_password_ends() -> None:
    token = registry_tokens.issue(SECRET, "1", "r", 0.0)
    registry_tokens.verify(SECRET, token.basic, token.expires)
    with pytest.raises(registry_tokens.Expired):
        registry_tokens.verify(SECRET, token.basic, token.expires + 1)


@pytest.mark.parametrize(
    "basic",
    [
        "",
        "no base 64!",
        base64.b64encode(b"AWS:").decode(),
        base64.b64encode(b"AWS:a.b").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
    ],
)
def test_an_invalid_password_has_no_owner(basic: str) -> None:
    assert registry_tokens.verify(SECRET, basic, 0.0) is None


def test_a_changed_password_has_no_owner() -> None:
    mine = registry_tokens.issue(SECRET, "111111111111", "r", 0.0)
    other = registry_tokens.issue(SECRET, "222222222222", "r", 0.0)
    mixed = f"{other.password.split('.')[0]}.{mine.password.split('.')[1]}"
    assert registry_tokens.verify(SECRET, base64.b64encode(f"AWS:{mixed}".encode()).decode(), 0.0) is None
    assert registry_tokens.verify(SECRET, base64.b64encode(f"root:{mine.password}".encode()).decode(), 0.0) is None
    assert registry_tokens.verify(b"another", mine.basic, 0.0) is None
