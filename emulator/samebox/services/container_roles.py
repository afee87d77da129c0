"""Roles of containers: whose credentials an id in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI stands for."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from samebox.resources.deployment import serving
from samebox.resources.kinds import CONTAINER_JOBS, ENDPOINT
from samebox.resources.resources import Resources
from samebox.resources.run_facts import job_facts
from samebox.resources.unique_id import credentials_id
from samebox.services import session_tokens
from samebox.wire.signature import temporary_secret

SESSION_NAME = "SageMaker"  # of the role's sessions that containers have, as observed on AWS


@dataclass(frozen=True)
class Role:
    """Whose credentials a container may have, and what it runs for."""

    arn: str
    region: str
    resource_arn: str


def role_keys(secret: bytes, token: str, role_arn: str, credentials: str) -> Mapping[str, str]:
    """Keys of a role as variables, for containers that cannot ask for them. The same each time, and kept nowhere.

    They are as good as long as the container may run, so they do not expire: an endpoint's would have to be renewed.
    """
    access_key = _key(role_arn, credentials)
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": temporary_secret(token, access_key),
        "AWS_SESSION_TOKEN": session_tokens.issue(secret, access_key, _NEVER),
    }


def _key(role_arn: str, credentials: str) -> str:
    letters = base64.b32encode(hashlib.sha256(credentials.encode()).digest()).decode()[:16]
    return session_tokens.access_key(role_arn.split(":")[4], letters)


# The year 9999: dates beyond it are none to Python.
_NEVER = 253_370_764_800.0


class ContainerRoles:
    """Finds the role of a job that has not ended, or of a variant of an endpoint."""

    def __init__(self, resources: Resources, secret: bytes) -> None:
        self._resources = resources
        self._secret = secret

    def find(self, credentials: str) -> Role | None:
        """The role of these credentials, if something that runs has them."""
        given = credentials.encode()
        for own, role in self._known():
            if hmac.compare_digest(own.encode(), given):
                return role
        return None

    def of_key(self, access_key: str) -> Role | None:
        """The role whose keys a running container has in its environment."""
        return next((role for own, role in self._known() if _key(role.arn, own) == access_key), None)

    def _known(self) -> Iterator[tuple[str, Role]]:
        for kind in CONTAINER_JOBS:
            for row in self._resources.unfinished(kind):
                model = job_facts(row).model
                if role := model.execution_role_arn if model else row.spec["RoleArn"]:
                    yield credentials_id(row, self._secret), Role(role, row.region, row.arn)
        for row in self._resources.unfinished(ENDPOINT):
            facts = serving(row)
            # During an update a variant has the role of its new model from the beginning: no role is worth more here.
            for deployment in filter(None, (facts.wanted, facts.current)):
                for variant in deployment.variants:
                    if variant.execution_role_arn:
                        own = credentials_id(row, self._secret, variant.variant_name)
                        yield own, Role(variant.execution_role_arn, row.region, row.arn)
