"""Policies of repositories, as ECR takes them: an IAM policy document whose statements are of ECR's actions.

Nothing enforces them here. They are looked at so that a document which ECR refuses is refused here, too.
"""

import json
import re
from typing import Any

_VERSIONS = ("2008-10-17", "2012-10-17")
_DOCUMENT = {"Version", "Id", "Statement"}
# ECR takes no Resource: the repository is the one that has the policy (AWS CDK warns of it in every template).
_STATEMENT = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"}
_ACTION = re.compile(r"\*|ecr:[A-Za-z*?]+", re.IGNORECASE)
# An account, an identity of one, or what is left of an identity that was deleted.
_AWS_PRINCIPAL = re.compile(r"\*|[0-9]{12}|arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:\S+|A[A-Z0-9]{15,}")
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def is_valid(text: str) -> bool:
    """Whether ECR would take the document; that the principals exist is not looked at."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict) or not set(document) <= _DOCUMENT:
        return False
    statements = document.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    return (
        document.get("Version", _VERSIONS[0]) in _VERSIONS
        and isinstance(document.get("Id", ""), str)
        and isinstance(statements, list)
        and all(_is_statement(statement) for statement in statements)
    )


def _is_statement(statement: Any) -> bool:
    if not isinstance(statement, dict) or not set(statement) <= _STATEMENT:
        return False
    if ("Principal" in statement) == ("NotPrincipal" in statement) or ("Action" in statement) == (
        "NotAction" in statement
    ):
        return False
    actions = _texts(statement.get("Action", statement.get("NotAction")))
    return (
        isinstance(statement.get("Sid", ""), str)
        and statement.get("Effect") in ("Allow", "Deny")
        and bool(actions)
        and all(_ACTION.fullmatch(action) for action in actions)
        and _is_principal(statement.get("Principal", statement.get("NotPrincipal")))
        and _is_condition(statement.get("Condition", {}))
    )


def _is_principal(principal: Any) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, dict) or not principal or not set(principal) <= {"AWS", "Service", "Federated"}:
        return False
    patterns = {"AWS": _AWS_PRINCIPAL, "Service": _SERVICE}
    for kind, names in principal.items():
        found = _texts(names)
        if not found or not all(patterns.get(kind, re.compile(r"\S+")).fullmatch(name) for name in found):
            return False
    return True


def _is_condition(condition: Any) -> bool:
    return isinstance(condition, dict) and all(isinstance(test, dict) for test in condition.values())


def _texts(value: Any) -> list[str]:
    """One text or a list of texts, as IAM's documents have them; nothing where it is neither."""
    texts = value if isinstance(value, list) else [value]
    return texts if all(isinstance(text, str) for text in texts) else []
