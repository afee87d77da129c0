"""What S3 refuses in a bucket's website: the texts are those recorded from AWS in February 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from samebox.errors import AwsError

if TYPE_CHECKING:
    from samebox.services.s3.requests import S3Request

_PROTOCOLS = ("http", "https")


def website(_request: S3Request, kept: Any) -> Any:
    """Raises InvalidArgument, InvalidRequest."""
    index, every = kept.get("IndexDocument"), kept.get("RedirectAllRequestsTo")
    if every is not None:
        if kept.get("RoutingRules") or index is not None:
            text = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
            raise _invalid(text, "RedirectAllRequestsTo", "not null")
        _check_protocol(every)
        return kept
    if index is None:
        text = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"
        raise _invalid(text, "IndexDocument", "null")
    suffix = index.get("Suffix") or ""
    if not suffix or "/" in suffix:
        raise _invalid("The IndexDocument Suffix is not well formed", "IndexDocument", suffix)
    for rule in kept.get("RoutingRules") or []:
        _check_rule(rule)
    return kept


def _check_rule(rule: Any) -> None:
    redirect = rule.get("Redirect") or {}
    _check_protocol(redirect)
    if "ReplaceKeyWith" in redirect and "ReplaceKeyPrefixWith" in redirect:
        raise AwsError("InvalidRequest", "You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
    if "Condition" in rule and not rule["Condition"]:
        text = (
            "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't "
            "be present."
        )
        raise AwsError("InvalidRequest", text)


def _check_protocol(redirect: Any) -> None:
    if redirect.get("Protocol", _PROTOCOLS[0]) not in _PROTOCOLS:
        text = "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected"
        raise AwsError("InvalidRequest", f"{text} automatically.")


def _invalid(text: str, name: str, value: str) -> AwsError:
    return AwsError("InvalidArgument", text, 400, {"ArgumentName": name, "ArgumentValue": value})
