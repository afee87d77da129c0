"""Roles of containers: whose credentials an id in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI stands for."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from samebox.resources.deployment import serving
from samebox.resources.kinds import CONTAINER_JOBS, ENDPOINT
from samebox.resources.resources import Resources
from samebox.resources.unique_id import credentials_id


@dataclass(frozen=True)
class Role:
    """Whose credentials a container may have."""

    arn: str
    region: str


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

    def _known(self) -> Iterator[tuple[str, Role]]:
        for kind in CONTAINER_JOBS:
            for row in self._resources.unfinished(kind):
                yield credentials_id(row, self._secret), Role(row.spec["RoleArn"], row.region)
        for row in self._resources.unfinished(ENDPOINT):
            facts = serving(row)
            # During an update a variant has the role of its new model from the beginning: no role is worth more here.
            for deployment in filter(None, (facts.wanted, facts.current)):
                for variant in deployment.variants:
                    if variant.execution_role_arn:
                        own = credentials_id(row, self._secret, variant.variant_name)
                        yield own, Role(variant.execution_role_arn, row.region)
