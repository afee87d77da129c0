"""What ECR's operations share: the owner, repository or image that a request names, and pages of an answer."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from samebox.errors import AwsError
from samebox.resources.kinds import REPOSITORY
from samebox.resources.store import Resource
from samebox.services import repositories
from samebox.services.context import Services
from samebox.services.repositories import Pushed
from samebox.wire.caller import Caller

# ECRM: what maxResults is when it is not given.
_PAGE = 100


def owner_of(params: Mapping[str, Any], caller: Caller) -> Caller:
    """Whose registry is meant: `registryId`'s, else the caller's own."""
    # No policies here forbid one account another's registry.
    return Caller(params.get("registryId") or caller.account, caller.region)


def repository_of(services: Services, params: Mapping[str, Any], caller: Caller) -> Resource:
    """The repository called `repositoryName`. Raises RepositoryNotFoundException."""
    return services.resources.get(REPOSITORY, owner_of(params, caller), params["repositoryName"])


def repository_by_arn(services: Services, params: Mapping[str, Any], caller: Caller) -> Resource:
    """The repository with the ARN `resourceArn`. Raises RepositoryNotFoundException."""
    arn: str = params["resourceArn"]
    found = services.resources.by_arn(arn)
    if found is not None and found.kind == REPOSITORY.noun and found.region == caller.region:
        return found
    if arn.count(":") < 5:
        raise invalid(f"Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN {arn}'")
    raise REPOSITORY.missing(arn)


def image_of(services: Services, repository: Resource, identifier: Mapping[str, str]) -> Pushed:
    """The image of an `imageId`. Raises ImageNotFoundException."""
    digest, tag = identifier.get("imageDigest"), identifier.get("imageTag")
    if digest is None and tag is None:
        raise invalid("Invalid request parameters: an image identifier needs imageDigest or imageTag")
    found = services.pushed.find(repository, tag, digest)
    if found is None:
        # Observed 2026, with the word null where no digest, or no tag, was given.
        raise AwsError(
            "ImageNotFoundException",
            f"The image with imageId {{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}} does not exist "
            f"within the repository with name '{repository.name}' in the registry with id '{repository.account}'",
        )
    return found


def invalid(message: str) -> AwsError:
    """InvalidParameterException."""
    return AwsError("InvalidParameterException", message)


def paged(
    member: str, rows: list[Any], params: Mapping[str, Any], key: Callable[[Any], str], show: Callable[[Any], Any]
) -> dict[str, Any]:
    """One page of rows that are sorted by `key`; the token is the key of the last row seen."""
    after = None
    if params.get("nextToken"):
        try:
            after = base64.urlsafe_b64decode(params["nextToken"].encode()).decode()
        except ValueError:
            raise invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'") from None
    left = [row for row in rows if after is None or key(row) > after]
    page = left[: params.get("maxResults", _PAGE)]
    answer: dict[str, Any] = {member: [show(row) for row in page]}
    if len(left) > len(page):
        answer["nextToken"] = base64.urlsafe_b64encode(key(page[-1]).encode()).decode()
    return answer


def forget(services: Services, repository: Resource, digests: list[str]) -> None:
    """Have the registry forget manifests that ECR has no more."""
    for digest in digests:
        services.registry.delete(repositories.name_in_registry(repository), digest)
