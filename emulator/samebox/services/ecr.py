"""ECR: repositories, their tags, and the token of `docker login`. Bytes come and go through services/registry.py."""

from collections.abc import Mapping
from typing import Any

from samebox.errors import AwsError
from samebox.resources.kinds import REPOSITORY
from samebox.resources.query import Column, Query, Scope
from samebox.resources.store import Resource
from samebox.services import ecr_images, ecr_policies, registry_tokens
from samebox.services.context import Operation, Services
from samebox.services.ecr_requests import forget, owner_of, paged, repository_by_arn, repository_of
from samebox.services.images import ecr_host, registry_host
from samebox.services.members.tables import refuse
from samebox.wire.caller import Caller

_Params = dict[str, Any]


def create_repository(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """CreateRepository."""
    refuse("ecr", "CreateRepository", params)
    spec = {**params, "Tags": params.get("tags", [])}
    return {"repository": _shown(services, services.resources.create(REPOSITORY, owner_of(params, caller), spec))}


def describe_repositories(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DescribeRepositories: those named, in the order asked for, or all, by name."""
    owner = owner_of(params, caller)
    if params.get("repositoryNames"):
        rows = [services.resources.get(REPOSITORY, owner, name) for name in params["repositoryNames"]]
        return {"repositories": [_shown(services, row) for row in rows]}
    scope = Scope(owner.account, owner.region)
    found = services.resources.store.find(Query(REPOSITORY.noun, scope, order_by=Column("name")))
    return paged("repositories", found, params, lambda row: row.name, lambda row: _shown(services, row))


def delete_repository(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DeleteRepository; `force` deletes the images with it."""
    repository = repository_of(services, params, caller)
    images = services.pushed.all(repository)
    if images and not params.get("force"):
        # Observed in public logs.
        raise AwsError(
            "RepositoryNotEmptyException",
            f"The repository with name '{repository.name}' in registry with id '{repository.account}' cannot be "
            "deleted because it still contains images",
        )
    services.pushed.clear(repository)
    services.resources.delete(repository)
    forget(services, repository, [image.digest for image in images])
    return {"repository": _shown(services, repository)}


def get_authorization_token(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetAuthorizationToken: what `docker login` wants. The region of the request is the region of the token."""
    data = []
    for account in params.get("registryIds") or [caller.account]:
        token = registry_tokens.issue(services.secret, account, caller.region, services.clock())
        host = _host(services, account, caller.region)
        endpoint = f"https://{host}" if host != registry_host(services.settings) else f"http://{host}"
        data.append({"authorizationToken": token.basic, "expiresAt": token.expires, "proxyEndpoint": endpoint})
    return {"authorizationData": data}


def put_image_tag_mutability(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutImageTagMutability; the registry obeys it at the next push."""
    refuse("ecr", "PutImageTagMutability", params)
    repository = repository_of(services, params, caller)
    mutability = params["imageTagMutability"]
    return _changed(services, repository, {"imageTagMutability": mutability})


def put_image_scanning_configuration(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutImageScanningConfiguration: kept and shown. Nothing scans (docs/fidelity.md)."""
    repository = repository_of(services, params, caller)
    configuration = {"scanOnPush": False, **params["imageScanningConfiguration"]}
    return _changed(services, repository, {"imageScanningConfiguration": configuration})


def tag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """TagResource."""
    repository = repository_by_arn(services, params, caller)
    services.resources.tag(repository, {tag["Key"]: tag["Value"] for tag in params["tags"]})


def untag_resource(services: Services, params: _Params, caller: Caller) -> None:
    """UntagResource."""
    services.resources.tag(repository_by_arn(services, params, caller), {}, remove=tuple(params["tagKeys"]))


def list_tags_for_resource(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """ListTagsForResource."""
    tags = repository_by_arn(services, params, caller).tags
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _shown(services: Services, repository: Resource) -> dict[str, Any]:
    return {
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
        **repository.spec,
        "repositoryArn": repository.arn,
        "registryId": repository.account,
        "repositoryName": repository.name,
        "repositoryUri": f"{_host(services, repository.account, repository.region)}/{repository.name}",
        "createdAt": repository.created,
    }


def _host(services: Services, account: str, region: str) -> str:
    """The registry part of an account's repository URIs."""
    name, wanted = ecr_host(account, region), services.settings.repository_uris
    if wanted == "aws" or (wanted == "auto" and name in services.docker_names):
        return name
    return registry_host(services.settings)


def _changed(services: Services, repository: Resource, members: Mapping[str, Any]) -> dict[str, Any]:
    services.resources.replace_spec(repository, lambda row: {**row.spec, **members})
    return {"registryId": repository.account, "repositoryName": repository.name, **members}


OPERATIONS: dict[str, Operation] = {
    "CreateRepository": create_repository,
    "DescribeRepositories": describe_repositories,
    "DeleteRepository": delete_repository,
    "GetAuthorizationToken": get_authorization_token,
    "PutImageScanningConfiguration": put_image_scanning_configuration,
    "PutImageTagMutability": put_image_tag_mutability,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
    **ecr_images.OPERATIONS,
    **ecr_policies.OPERATIONS,
}
