"""Secrets as they are stored: one row each, with its versions and when it is to be deleted."""

import base64
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from samebox.errors import AwsError
from samebox.resources.facts import from_json, to_json
from samebox.resources.query import Scope
from samebox.resources.shelf import Shelf
from samebox.resources.store import Resource
from samebox.services.context import Services
from samebox.services.sealing import Seal
from samebox.wire.caller import Caller
from samebox.wire.partitions import partition_of

NOUN = "Secret"
CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
# SM:PutSecretValue: versions without a stage are deprecated, and go when there are more than 100.
_MOST_VERSIONS = 100
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class SecretVersion:
    """A version: its sealed text, or its sealed bytes as base64, and the stages that are at it."""

    id: str
    sealed: str
    is_binary: bool
    at: float
    stages: tuple[str, ...] = ()


@dataclass(frozen=True)
class SecretFacts:
    """The versions, the oldest first, and from when on the secret is gone; times are epoch seconds."""

    versions: tuple[SecretVersion, ...] = ()
    deleted_at: float | None = None
    gone_at: float | None = None

    def find(self, version_id: str) -> SecretVersion | None:
        """The version of this id."""
        return next((one for one in self.versions if one.id == version_id), None)

    def at_stage(self, stage: str) -> SecretVersion | None:
        """The version that a stage is at."""
        return next((one for one in self.versions if stage in one.stages), None)

    def moved(self, stage: str, to: str) -> "SecretFacts":
        """The facts after a stage moved to a version; of AWSCURRENT, AWSPREVIOUS follows it. '': it is at none."""
        before = self.at_stage(stage)
        moved = replace(
            self,
            versions=tuple(
                replace(one, stages=tuple(sorted({*one.stages} - {stage} | ({stage} if one.id == to else set()))))
                for one in self.versions
            ),
        )
        if stage == CURRENT and before is not None and before.id != to:
            return moved.moved(PREVIOUS, before.id)
        return moved

    def with_version(self, one: SecretVersion, stages: list[str]) -> "SecretFacts":
        """The facts with a new version that these stages are at."""
        found = replace(self, versions=(*self.versions, one))
        for stage in stages:
            found = found.moved(stage, one.id)
        staged = [old for old in found.versions if old.stages]
        deprecated = [old for old in found.versions if not old.stages][-_MOST_VERSIONS:]
        return replace(found, versions=tuple(sorted((*deprecated, *staged), key=lambda old: old.at)))


def shelf(services: Services) -> Shelf:
    """Every secret."""
    return Shelf(services.resources.store, NOUN, services.clock)


def scope(caller: Caller) -> Scope:
    """Whose secrets a caller sees."""
    return Scope(caller.account, caller.region)


def new_arn(caller: Caller, name: str) -> str:
    """The ARN of a new secret: six characters behind its name tell it from a deleted one of the same name."""
    suffix = "".join(secrets.choice(_LETTERS) for _ in range(6))
    partition = partition_of(caller.region).name
    return f"arn:{partition}:secretsmanager:{caller.region}:{caller.account}:secret:{name}-{suffix}"


def facts_of(row: Resource) -> SecretFacts:
    """The facts of a secret's row."""
    return from_json(SecretFacts, row.facts)


def columns(facts: SecretFacts) -> dict[str, Any]:
    """The columns of a row with these facts."""
    return {"facts": to_json(facts)}


def is_gone(row: Resource, now: float) -> bool:
    """Whether the recovery window of a deleted secret is over."""
    gone_at = facts_of(row).gone_at
    return gone_at is not None and gone_at <= now


def find(services: Services, text: str, caller: Caller) -> Resource | None:
    """The secret of a name, an ARN, or an ARN without its last six characters."""
    prefix = f":secretsmanager:{caller.region}:{caller.account}:secret:"
    if prefix in text:
        name = text.partition(prefix)[2]
        rows = [shelf(services).by_arn(text), shelf(services).find(scope(caller), name)]
    else:
        rows = [shelf(services).find(scope(caller), text)]
    row = next((one for one in rows if one is not None), None)
    return None if row is None or is_gone(row, services.clock()) else row


def named(services: Services, params: Mapping[str, Any], caller: Caller, deleted: bool = False) -> Resource:
    """The secret that a request names. AwsError where there is none, or it is deleted and may not be."""
    row = find(services, params["SecretId"], caller)
    if row is None:
        # Observed in public logs of 2018-25, as the others here.
        raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    if not deleted and facts_of(row).deleted_at is not None:
        raise AwsError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    return row


def sealed(seal: Seal, params: Mapping[str, Any], version_id: str, at: float) -> SecretVersion | None:
    """The version that a request gives the value of; None where it gives none."""
    if "SecretString" in params and "SecretBinary" in params:
        raise AwsError(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )
    if "SecretString" in params:
        return SecretVersion(version_id, seal.close(params["SecretString"]), False, at)
    if "SecretBinary" in params:
        return SecretVersion(version_id, seal.close(base64.b64encode(params["SecretBinary"]).decode()), True, at)
    return None


def value(seal: Seal, version: SecretVersion) -> dict[str, Any]:
    """The value of a version, as answers have it."""
    text = seal.open(version.sealed)
    return {"SecretBinary": base64.b64decode(text)} if version.is_binary else {"SecretString": text}
