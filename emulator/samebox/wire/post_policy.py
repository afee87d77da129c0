"""Upload forms: the policy that a form's owner signed, and whether what was sent keeps to it.

Written from AWS's "Creating a POST policy"; botocore makes the forms of the tests. Its messages are S3's own.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from samebox.errors import AwsError
from samebox.wire import signature, signature_v2, sigv4
from samebox.wire.caller import scope

# Fields that no condition need name.
_FREE = frozenset({"file", "policy", "x-amz-signature", "signature", "awsaccesskeyid"})
_SIGNING = frozenset({"awsaccesskeyid", "signature", "x-amz-algorithm", "x-amz-credential", "x-amz-signature"})


@dataclass(frozen=True)
class Form:
    """A form that was sent to a bucket: the fields before its file, by names in lower case, and the file's size."""

    bucket: str
    fields: Mapping[str, str]
    size: int

    @property
    def access_key(self) -> str:
        """Whose key signed the policy, "" where none did."""
        found = scope({}, {"X-Amz-Credential": self.fields.get("x-amz-credential", "")})
        return self.fields.get("awsaccesskeyid", "") if found is None else found.access_key


def check_signature(form: Form, token: str) -> None:
    """AwsError (403) unless the form's policy is signed with the token, or with a temporary key's secret."""
    policy = form.fields.get("policy", "")
    if not policy or _SIGNING.isdisjoint(form.fields):
        raise AwsError("AccessDenied", "Access Denied", 403)
    _check_fields(form)
    secret = signature.secret_of(token, form.access_key)
    where = scope({}, {"X-Amz-Credential": form.fields.get("x-amz-credential", "")})
    if where is not None and form.fields.get("x-amz-algorithm") == sigv4.ALGORITHM:
        given, expected = form.fields.get("x-amz-signature", ""), sigv4.sign(secret, where, policy)
    else:
        given, expected = form.fields.get("signature", ""), signature_v2.sign(secret, policy)
    if not hmac.compare_digest(given.strip().encode(), expected.encode()):
        raise signature_v2.mismatch(form.access_key, given.strip(), policy)


def _check_fields(form: Form) -> None:
    """Raises InvalidArgument for the first field that a signed form lacks."""
    is_new = any(f"x-amz-{name}" in form.fields for name in ("algorithm", "credential", "signature"))
    for name in (
        ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature") if is_new else ("AWSAccessKeyId", "Signature")
    ):
        if name.lower() not in form.fields:
            text = (
                f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the"
            )
            raise AwsError("InvalidArgument", f"{text} fields.", 400, {"ArgumentName": name, "ArgumentValue": ""})


def check_policy(form: Form, now: float) -> None:
    """AwsError where the form has a policy and does not keep to it, in time, in a field or in the file's size."""
    if "policy" not in form.fields:
        return
    policy = _policy(form.fields["policy"])
    if now > _expiration(policy):
        raise _broken("Policy expired.")
    named = {"bucket"}
    for condition in _conditions(policy):
        match condition:
            case ["content-length-range", minimum, maximum]:
                _check_size(form.size, minimum, maximum)
            case [("eq" | "starts-with"), str(field), str()] if not field.startswith("$"):
                raise _broken(f"Policy Condition failed: {json.dumps(condition)}")
            case [("eq" | "starts-with") as operator, str(field), str(value)]:
                name = field[1:].lower()
                named.add(name)
                found = form.bucket if name == "bucket" else form.fields.get(name, "")
                if not (found == value if operator == "eq" else found.startswith(value)):
                    raise _broken(f"Policy Condition failed: {json.dumps(condition)}")
            case _:
                raise _invalid(f"Invalid condition: {json.dumps(condition)}.")
    extra = [name for name in form.fields if name not in _FREE | named and not name.startswith("x-ignore-")]
    if extra:
        raise _broken(f"Extra input fields: {', '.join(sorted(extra))}")


def _policy(text: str) -> dict[str, Any]:
    try:
        policy = json.loads(base64.b64decode(text))
    except (binascii.Error, ValueError, RecursionError):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(policy, dict):
        raise _invalid("Invalid JSON.")
    return policy


def _expiration(policy: Mapping[str, Any]) -> float:
    try:
        text = str(policy["expiration"])
        when = datetime.fromisoformat(text)
    except (KeyError, ValueError):
        raise _invalid("Invalid 'expiration' value.") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _conditions(policy: Mapping[str, Any]) -> list[list[Any]]:
    """All in the form of a list: `{"bucket": "b"}` is `["eq", "$bucket", "b"]`."""
    given = policy.get("conditions")
    if not isinstance(given, list):
        raise _invalid("'conditions' must be a list.")
    found: list[list[Any]] = []
    for one in given:
        if isinstance(one, dict):
            if len(one) != 1:
                raise _invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
            found += [["eq", f"${name}", value] for name, value in one.items()]
        elif isinstance(one, list):
            found.append([one[0].lower(), *one[1:]] if one and isinstance(one[0], str) else one)
        else:
            found.append([one])
    return found


def _check_size(size: int, minimum: Any, maximum: Any) -> None:
    try:
        least, most = int(minimum), int(maximum)
    except (TypeError, ValueError, OverflowError):
        condition = ["content-length-range", minimum, maximum]
        raise _broken(f"Policy Condition failed: {json.dumps(condition)}") from None
    if size > most:
        fields = {"ProposedSize": size, "MaxSizeAllowed": most}
        raise AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400, fields)
    if size < least:
        fields = {"ProposedSize": size, "MinSizeAllowed": least}
        raise AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400, fields)


def _broken(how: str) -> AwsError:
    return AwsError("AccessDenied", f"Invalid according to Policy: {how}", 403)


def _invalid(how: str) -> AwsError:
    return AwsError("InvalidPolicyDocument", f"Invalid Policy: {how}")
