"""Parameters as they are stored: one row each, with its versions."""

import re
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

NOUN = "Parameter"
SECURE = "SecureString"
# SSM:PutParameter keeps 100 versions of a parameter.
MOST_VERSIONS = 100


@dataclass(frozen=True)
class ParameterVersion:
    """One version; of a SecureString, `value` is sealed. `at` is epoch seconds."""

    version: int
    value: str
    type: str
    at: float
    user: str
    description: str = ""
    key_id: str = ""
    tier: str = "Standard"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParameterFacts:
    """All versions that are kept, the oldest first."""

    versions: tuple[ParameterVersion, ...]

    def with_version(self, one: ParameterVersion) -> "ParameterFacts":
        """The facts with this version in place of the one of its number, or after the others."""
        others = [old for old in self.versions if old.version != one.version]
        return ParameterFacts((*others, one)[-MOST_VERSIONS:] if others else (one,))


def parameters(services: Services) -> Shelf:
    """Every parameter."""
    return Shelf(services.resources.store, NOUN, services.clock)


def scope(caller: Caller) -> Scope:
    """Whose parameters a caller sees."""
    return Scope(caller.account, caller.region)


def arn(caller: Caller, name: str) -> str:
    """The ARN of a parameter; a slash at the beginning of its name is not twice."""
    path = name if name.startswith("/") else f"/{name}"
    return f"arn:{partition_of(caller.region).name}:ssm:{caller.region}:{caller.account}:parameter{path}"


def versions(row: Resource) -> tuple[ParameterVersion, ...]:
    """The versions of a parameter, the oldest first."""
    return tuple(sorted(from_json(ParameterFacts, row.facts).versions, key=lambda one: one.version))


def with_versions(several: tuple[ParameterVersion, ...]) -> Any:
    """The facts of a row with these versions."""
    return to_json(ParameterFacts(several))


def named(services: Services, name: str, caller: Caller) -> Resource:
    """The parameter of a name or an ARN. AwsError where there is none."""
    if name.startswith("arn:"):
        found = parameters(services).by_arn(name)
        if found is not None and (found.account, found.region) != (caller.account, caller.region):
            found = None
    else:
        found = parameters(services).find(scope(caller), name)
    if found is None:
        # On AWS the message is empty.
        raise AwsError("ParameterNotFound", f"Parameter {name} not found.")
    return found


def selected(services: Services, text: str, caller: Caller) -> tuple[Resource, ParameterVersion, str]:
    """Parameter, version and selector of `name`, `name:3` or `name:label`. AwsError where there is none."""
    selector = ""
    if found := re.fullmatch(r"((?:arn:[^:]*:ssm:[^:]*:[^:]*:)?[^:]+):([^:]+)", text):
        text, selector = found[1], found[2]
    row = named(services, text, caller)
    several = versions(row)
    if not selector:
        return row, several[-1], ""
    wanted = [
        one for one in several if selector in one.labels or (selector.isdecimal() and one.version == int(selector[:18]))
    ]
    if not wanted:
        kind = "version" if selector.isdecimal() else "label"
        raise AwsError(
            "ParameterVersionNotFound",
            f"Systems Manager could not find {kind} {selector} of {row.name}. Verify the {kind} and try again.",
        )
    return row, wanted[-1], f":{selector}"


def shown(row: Resource, version: ParameterVersion, seal: Seal, params: Mapping[str, Any]) -> dict[str, Any]:
    """A version as Get operations answer it; a SecureString as it lies on the disk, unless it is to be decrypted."""
    is_sealed = version.type == SECURE and params.get("WithDecryption")
    return {
        "Name": row.name,
        "Type": version.type,
        "Value": seal.open(version.value) if is_sealed else version.value,
        "Version": version.version,
        "LastModifiedDate": version.at,
        "ARN": row.arn,
        "DataType": "text",
    }


def described(row: Resource, version: ParameterVersion) -> dict[str, Any]:
    """A version without its value."""
    found: dict[str, Any] = {
        "Name": row.name,
        "ARN": row.arn,
        "Type": version.type,
        "KeyId": version.key_id or None,
        "LastModifiedDate": version.at,
        "LastModifiedUser": version.user,
        "Description": version.description or None,
        "Version": version.version,
        "Tier": version.tier,
        "Policies": [],
        "DataType": "text",
    }
    return {name: value for name, value in found.items() if value is not None}


def relabelled(several: tuple[ParameterVersion, ...], number: int, labels: list[str]) -> tuple[ParameterVersion, ...]:
    """The versions after labels were moved to one of them."""
    return tuple(
        replace(one, labels=(*kept, *labels) if one.version == number else kept)
        for one in several
        for kept in (tuple(label for label in one.labels if label not in labels),)
    )
