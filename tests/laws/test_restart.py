"""A restart in the middle changes nothing of what Describe, List and ListTags answer, nor of a token that was given."""

from pathlib import Path
from typing import Any

import boto3

from samebox.resources import nouns
from samebox.resources.identity import ByName, PartOf
from samebox.resources.kinds import KINDS
from samebox.resources.query import Query
from samebox.settings import Settings
from samebox.wire.models import Models
from tests.conftest import Aws, running_aws, snake
from tests.ports import free_port

SERVICE = Models().service("sagemaker")
SAGEMAKER = [kind for kind in KINDS if kind.service == "sagemaker"]


def answers(aws: Aws) -> dict[str, Any]:
    """What clients see of all resources, by operation and ARN."""
    seen: dict[str, Any] = {}

    def ask(operation: str, **params: Any) -> None:
        answer = getattr(aws.sagemaker, snake(operation))(**params)
        answer.pop("ResponseMetadata")
        seen[f"{operation} {params}"] = answer

    for row in aws.resources.store.find(Query(tuple(kind.noun for kind in SAGEMAKER))):
        identity, names = nouns.identity(row.kind, SERVICE), nouns.operations(row.kind, SERVICE)
        ask("ListTags", ResourceArn=row.arn)
        ask(names.list, **({"ImageName": "digits"} if row.kind == "ImageVersion" else {}))
        assert not isinstance(identity, PartOf)
        by_name = isinstance(identity, ByName) or row.kind == "ImageVersion"
        ask(names.describe, **{identity.asks[0]: row.name if by_name else row.arn})
    ask("ListAssociations")
    ask("ListTrialComponents", TrialName="digits")
    return seen


def make(aws: Aws) -> str:
    """One of each Kind with a tag, and relations; gives the token of a list's second page."""
    for kind in SAGEMAKER:
        made = aws.resources.store.find(Query(kind.noun))  # what another noun needed
        arn = made[0].arn if made else aws.create(kind.noun)
        aws.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": kind.noun}])
    artifact = aws.sagemaker.list_artifacts()["ArtifactSummaries"][0]["ArtifactArn"]
    action = aws.sagemaker.describe_action(ActionName="digits")["ActionArn"]
    aws.sagemaker.add_association(SourceArn=artifact, DestinationArn=action, AssociationType="ContributedTo")
    aws.sagemaker.associate_trial_component(TrialName="digits", TrialComponentName="digits")
    for name in ("second", "third"):
        aws.sagemaker.create_experiment(ExperimentName=name)
    return aws.sagemaker.list_experiments(MaxResults=1)["NextToken"]


def test_what_was_stored_is_answered_after_a_restart_as_before(
    tmp_path: Path, models: Models, boto: boto3.session.Session
) -> None:
    def settings() -> Settings:
        return Settings(data_dir=tmp_path / "data", port=free_port())

    with running_aws(settings(), models, boto) as aws:
        token = make(aws)
        before = answers(aws)
    with running_aws(settings(), models, boto) as aws:
        assert answers(aws) == before
        rest = aws.sagemaker.list_experiments(NextToken=token)["ExperimentSummaries"]
        assert [one["ExperimentName"] for one in rest] == ["second", "digits"]
    assert len(before) > 3 * len(SAGEMAKER)
