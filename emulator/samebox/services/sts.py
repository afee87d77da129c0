"""STS: who calls, and temporary credentials that say the same account and verify without being kept."""

import base64
import json
import re
import secrets
from typing import Any

from samebox.errors import AwsError
from samebox.resources.kinds import SESSION
from samebox.resources.query import Column, Compare, Query
from samebox.services import session_tokens
from samebox.services.container_roles import SESSION_NAME, ContainerRoles
from samebox.services.context import Operation, Services
from samebox.wire.caller import Caller, account_of
from samebox.wire.partitions import partition_of
from samebox.wire.signature import temporary_secret

# STS:AssumeRole.DurationSeconds, STS:GetSessionToken.DurationSeconds
_ROLE_SECONDS = 3600
_SESSION_SECONDS = 12 * 3600
_LONGEST_SECONDS = 36 * 3600

# Whose permanent keys all are; `samebox env` gives the SDKs the same role (commands/sdk_defaults.py).
_ROLE = "samebox"
_ROLE_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):role/(?:.*/)?(?P<name>[\w+=,.@-]+)")


def get_caller_identity(services: Services, _: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """GetCallerIdentity: the assumed role of a temporary key that we gave out, else the role of every other key.

    That is a role and no user, because the SageMaker SDK takes the role of who calls for the execution role of jobs.
    """
    session = services.resources.find(SESSION, _everywhere(caller.account), caller.access_key)
    if session is None and caller.access_key.startswith("ASIA"):
        role = ContainerRoles(services.resources, services.secret).of_key(caller.access_key)
        if role is not None and (found := _ROLE_ARN.fullmatch(role.arn)):
            user = _assumed(found["partition"], found["account"], found["name"], SESSION_NAME)
            return {"UserId": user["AssumedRoleId"], "Account": found["account"], "Arn": user["Arn"]}
    if session is None or "AssumedRoleArn" not in session.spec:
        user = _assumed(partition_of(caller.region).name, caller.account, _ROLE, _ROLE)
        return {"UserId": user["AssumedRoleId"], "Account": caller.account, "Arn": user["Arn"]}
    return {
        "UserId": session.spec["AssumedRoleId"],
        "Account": caller.account,
        "Arn": session.spec["AssumedRoleArn"],
    }


def assume_role(services: Services, params: dict[str, Any], _: Caller) -> dict[str, Any]:
    """AssumeRole: any role of the right form; its account is the account of the credentials."""
    found = _ROLE_ARN.fullmatch(params["RoleArn"])
    if found is None:
        raise AwsError("ValidationError", f"{params['RoleArn']} is invalid")
    account, session = found["account"], params["RoleSessionName"]
    user = _assumed(found["partition"], account, found["name"], session)
    facts = {"AssumedRoleId": user["AssumedRoleId"], "AssumedRoleArn": user["Arn"]}
    credentials = _credentials(services, account, params.get("DurationSeconds", _ROLE_SECONDS), facts)
    return {"Credentials": credentials, "AssumedRoleUser": user, "PackedPolicySize": 0}


def _assumed(partition: str, account: str, role: str, session: str) -> dict[str, str]:
    """An AssumedRoleUser."""
    return {
        "AssumedRoleId": f"AROA{account}{role.upper()[:4]:X<5}:{session}",
        "Arn": f"arn:{partition}:sts::{account}:assumed-role/{role}/{session}",
    }


def assume_role_with_web_identity(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """AssumeRoleWithWebIdentity: AssumeRole for who has a JSON web token. Its signature is not checked."""
    claims = _claims(params["WebIdentityToken"])
    answer = assume_role(services, params, caller)
    audience = claims.get("aud", "")
    return {
        **answer,
        "SubjectFromWebIdentityToken": str(claims.get("sub", "")),
        "Audience": str(audience[0] if isinstance(audience, list) and audience else audience),
        "Provider": params.get("ProviderId") or str(claims.get("iss", "")),
    }


def _claims(token: str) -> dict[str, Any]:
    try:
        _, payload, _ = token.split(".")
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        # Choice: AWS's words are not known.
        raise AwsError("InvalidIdentityToken", "The web identity token is not a JSON web token.")
    return found


def get_federation_token(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """GetFederationToken: temporary credentials of the caller's own account, under a name."""
    arn = f"arn:{partition_of(caller.region).name}:sts::{caller.account}:federated-user/{params['Name']}"
    user = {"FederatedUserId": f"{caller.account}:{params['Name']}", "Arn": arn}
    facts = {"AssumedRoleId": user["FederatedUserId"], "AssumedRoleArn": arn}
    seconds = params.get("DurationSeconds", _SESSION_SECONDS)
    credentials = _credentials(services, caller.account, seconds, facts)
    return {"Credentials": credentials, "FederatedUser": user, "PackedPolicySize": 0}


def get_access_key_info(services: Services, params: dict[str, Any], _: Caller) -> dict[str, Any]:
    """GetAccessKeyInfo: the account that a key stands for."""
    return {"Account": account_of(params["AccessKeyId"], services.settings.account)}


def get_session_token(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """GetSessionToken: temporary credentials of the caller's own account."""
    seconds = params.get("DurationSeconds", _SESSION_SECONDS)
    return {"Credentials": _credentials(services, caller.account, seconds, {})}


def _credentials(services: Services, account: str, seconds: int, facts: dict[str, str]) -> dict[str, Any]:
    access_key = session_tokens.access_key(account, base64.b32encode(secrets.token_bytes(10)).decode())
    expires = services.clock() + seconds
    _forget_old(services)
    services.resources.create(
        SESSION, _everywhere(account), {"SessionName": access_key, "Expiration": expires, **facts}
    )
    return {
        "AccessKeyId": access_key,
        "SecretAccessKey": temporary_secret(services.settings.signing_secret, access_key),
        "SessionToken": session_tokens.issue(services.secret, access_key, expires),
        "Expiration": expires,
    }


def _everywhere(account: str) -> Caller:
    # A key is good in every region.
    return Caller(account, "global")


def _forget_old(services: Services) -> None:
    oldest = services.clock() - _LONGEST_SECONDS
    for row in services.resources.store.find(Query(SESSION.noun, where=Compare(Column("created"), "<", oldest))):
        services.resources.delete(row)


OPERATIONS: dict[str, Operation] = {
    "GetCallerIdentity": get_caller_identity,
    "AssumeRole": assume_role,
    "AssumeRoleWithWebIdentity": assume_role_with_web_identity,
    "GetFederationToken": get_federation_token,
    "GetAccessKeyInfo": get_access_key_info,
    "GetSessionToken": get_session_token,
}
