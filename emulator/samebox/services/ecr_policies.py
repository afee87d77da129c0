"""Policies of ECR's repositories: who may pull, and which images expire. Both are looked at, kept and given back.

Nothing here enforces either (docs/fidelity.md): every account may do everything, and no image expires.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from samebox.errors import AwsError
from samebox.resources.store import Resource
from samebox.services import lifecycle_policy, repositories, repository_policy
from samebox.services.context import Operation, Services
from samebox.services.ecr_requests import invalid, repository_of
from samebox.wire.caller import Caller

_Params = dict[str, Any]


@dataclass(frozen=True)
class Policy:
    """One of the two: where its text stands in requests and in our facts, and what a missing one is called."""

    member: str
    fact: Literal["policy", "lifecycle_policy"]
    missing: str
    noun: str


_REPOSITORY = Policy("policyText", "policy", "RepositoryPolicyNotFoundException", "Repository policy")
_LIFECYCLE = Policy("lifecyclePolicyText", "lifecycle_policy", "LifecyclePolicyNotFoundException", "Lifecycle policy")


def set_repository_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """SetRepositoryPolicy."""
    repository = repository_of(services, params, caller)
    if not repository_policy.is_valid(params["policyText"]):
        # Observed in public logs of 2019-26, which show one sentence for every fault.
        raise invalid(
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
        )
    return _put(services, repository, _REPOSITORY, params)


def get_repository_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetRepositoryPolicy."""
    return _shown(repository_of(services, params, caller), _REPOSITORY)


def delete_repository_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DeleteRepositoryPolicy; answers with what it was."""
    return _delete(services, repository_of(services, params, caller), _REPOSITORY)


def put_lifecycle_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """PutLifecyclePolicy."""
    repository = repository_of(services, params, caller)
    problem = lifecycle_policy.problem(params["lifecyclePolicyText"])
    if problem:
        raise invalid(
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
            f"'Lifecycle policy validation failure: {problem}'"
        )
    return _put(services, repository, _LIFECYCLE, params)


def get_lifecycle_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """GetLifecyclePolicy. It was never evaluated, so there is no lastEvaluatedAt."""
    return _shown(repository_of(services, params, caller), _LIFECYCLE)


def delete_lifecycle_policy(services: Services, params: _Params, caller: Caller) -> dict[str, Any]:
    """DeleteLifecyclePolicy; answers with what it was."""
    return _delete(services, repository_of(services, params, caller), _LIFECYCLE)


def _put(services: Services, repository: Resource, policy: Policy, params: _Params) -> dict[str, Any]:
    return _shown(_write(services, repository, policy, params[policy.member]), policy)


def _delete(services: Services, repository: Resource, policy: Policy) -> dict[str, Any]:
    shown = _shown(repository, policy)
    _write(services, repository, policy, None)
    return shown


def _write(services: Services, repository: Resource, policy: Policy, text: str | None) -> Resource:
    def written(row: Resource) -> repositories.RepositoryFacts:
        facts = repositories.facts_of(row)
        return replace(facts, policy=text) if policy.fact == "policy" else replace(facts, lifecycle_policy=text)

    return services.resources.change(repository, facts=written)


def _shown(repository: Resource, policy: Policy) -> dict[str, Any]:
    facts = repositories.facts_of(repository)
    text = facts.policy if policy.fact == "policy" else facts.lifecycle_policy
    if text is None:
        # Observed in public logs.
        raise AwsError(
            policy.missing,
            f"{policy.noun} does not exist for the repository with name '{repository.name}' in the registry with id "
            f"'{repository.account}'",
        )
    return {"registryId": repository.account, "repositoryName": repository.name, policy.member: text}


OPERATIONS: dict[str, Operation] = {
    "SetRepositoryPolicy": set_repository_policy,
    "GetRepositoryPolicy": get_repository_policy,
    "DeleteRepositoryPolicy": delete_repository_policy,
    "PutLifecyclePolicy": put_lifecycle_policy,
    "GetLifecyclePolicy": get_lifecycle_policy,
    "DeleteLifecyclePolicy": delete_lifecycle_policy,
}
