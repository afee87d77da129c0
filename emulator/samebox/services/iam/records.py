"""Roles, policies and instance profiles as they are stored. IAM is one for all regions."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from samebox.errors import AwsError
from samebox.resources.facts import from_json, to_json
from samebox.resources.query import Scope
from samebox.resources.shelf import Shelf
from samebox.resources.store import Resource
from samebox.services.context import Services
from samebox.services.iam import evaluation
from samebox.wire.caller import Caller
from samebox.wire.partitions import partition_of

ROLE, POLICY, PROFILE = "IamRole", "IamPolicy", "IamInstanceProfile"
# What AWS's own policies come to, in short, where they are evaluated; the real ones are longer.
_MANAGED: Mapping[str, tuple[str, ...]] = {
    "AdministratorAccess": ("*",),
    "AmazonS3FullAccess": ("s3:*", "s3-object-lambda:*"),
    "AmazonS3ReadOnlyAccess": ("s3:Get*", "s3:List*", "s3:Describe*"),
    "AmazonSageMakerFullAccess": (
        *("sagemaker:*", "s3:*", "ecr:*", "logs:*", "cloudwatch:*", "application-autoscaling:*", "iam:PassRole"),
        *("iam:GetRole", "iam:ListRoles", "events:*", "sns:ListTopics", "kms:DescribeKey", "kms:ListAliases"),
    ),
    "CloudWatchLogsFullAccess": ("logs:*", "cloudwatch:GenerateQuery"),
    "AmazonEC2ContainerRegistryFullAccess": ("ecr:*",),
    "AmazonSSMReadOnlyAccess": ("ssm:Describe*", "ssm:Get*", "ssm:List*"),
    "SecretsManagerReadWrite": ("secretsmanager:*",),
}


@dataclass(frozen=True)
class RoleFacts:
    """The policies of a role: documents by name, and ARNs of those that are attached."""

    inline: Mapping[str, str] = field(default_factory=dict)
    attached: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProfileFacts:
    """The name of the role that an instance profile holds, as it was given when the role was created."""

    role: str | None = None


def roles(services: Services) -> Shelf:
    """Every role that was created."""
    return Shelf(services.resources.store, ROLE, services.clock)


def policies(services: Services) -> Shelf:
    """Every policy that was created."""
    return Shelf(services.resources.store, POLICY, services.clock)


def profiles(services: Services) -> Shelf:
    """Every instance profile."""
    return Shelf(services.resources.store, PROFILE, services.clock)


def profile_facts(row: Resource) -> ProfileFacts:
    """What an instance profile holds."""
    return from_json(ProfileFacts, row.facts)


def profiles_of(services: Services, role_name: str, caller: Caller) -> list[Resource]:
    """The instance profiles that hold a role, by name."""
    rows = profiles(services).all(scope(caller))
    return [row for row in rows if (profile_facts(row).role or "").lower() == role_name.lower()]


def held_by_profiles() -> AwsError:
    """Of a role, and of an instance profile, that cannot be deleted while one holds the other."""
    return AwsError("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")


def scope(caller: Caller) -> Scope:
    """An account; regions share its roles."""
    return Scope(caller.account, "global")


def arn(caller: Caller, noun: str, path: str, name: str) -> str:
    """The ARN of a role, a policy or an instance profile."""
    return f"arn:{partition_of(caller.region).name}:iam::{caller.account}:{noun}{path}{name}"


def id_of(prefix: str, of: str) -> str:
    """The id of what has this ARN."""
    return f"{prefix}{base64.b32encode(hashlib.sha256(of.encode()).digest()).decode()[:17]}"


def facts_of(row: Resource) -> RoleFacts:
    """The policies of a role."""
    return from_json(RoleFacts, row.facts)


def columns(facts: RoleFacts) -> dict[str, Any]:
    """The columns of a role with these policies."""
    return {"facts": to_json(facts)}


def find_role(services: Services, name: str, caller: Caller) -> Resource | None:
    """The role of this name, in whatever case, if it was created."""
    return roles(services).find(scope(caller), name.lower())


def role(services: Services, params: Mapping[str, Any], caller: Caller) -> Resource:
    """The role that a request names. AwsError where it was not created."""
    found = find_role(services, params["RoleName"], caller)
    if found is None:
        raise no_such_role(params["RoleName"])
    return found


def no_such_role(name: str) -> AwsError:
    """Observed in public logs of 2016-25, as the others of IAM."""
    return AwsError("NoSuchEntity", f"The role with name {name} cannot be found.")


def managed_document(policy_arn: str) -> str | None:
    """What a policy of AWS's own allows; None where nothing is known of it."""
    name = policy_arn.rpartition("/")[2]
    if ":iam::aws:policy/" not in policy_arn or name not in _MANAGED:
        return None
    statement = {"Effect": "Allow", "Action": list(_MANAGED[name]), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def documents(services: Services, row: Resource) -> list[str]:
    """The documents of all policies of a role; of AWS's own those that are known."""
    facts = facts_of(row)
    found = list(facts.inline.values())
    for one in facts.attached:
        policy = policies(services).by_arn(one)
        document = managed_document(one) if policy is None else str(policy.spec["PolicyDocument"])
        found += [] if document is None else [document]
    return found


def checked(check: Any, text: str) -> None:
    """AwsError where a document is not a policy."""
    try:
        check(text)
    except evaluation.MalformedPolicy as error:
        raise AwsError("MalformedPolicyDocument", str(error)) from None
