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
TRUST = '{"Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:*"}}'
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
    for service, _, _, shows in NEIGHBOURS:
        for operation, params in shows:
            answer = getattr(aws.client(service), operation)(**params)
            answer.pop("ResponseMetadata")
            seen[f"{service} {operation}"] = answer
    ask("ListAssociations")
    ask("ListTrialComponents", TrialName="digits")
    return seen


# What other services keep: the call that makes it, and those that show it.
NEIGHBOURS: tuple[tuple[str, str, dict[str, Any], tuple[tuple[str, dict[str, Any]], ...]], ...] = (
    (
        "cloudwatch",
        "put_metric_alarm",
        {
            "AlarmName": "loss", "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "Threshold": 1,
            "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Tags": [{"Key": "a", "Value": "b"}],
        },
        (("describe_alarms", {}), ("describe_alarm_history", {})),
    ),
    (
        "events",
        "put_rule",
        {"Name": "r", "EventPattern": '{"source": ["s"]}', "Tags": [{"Key": "a", "Value": "b"}]},
        (("list_rules", {}), ("describe_rule", {"Name": "r"}), ("list_targets_by_rule", {"Rule": "r"})),
    ),
    (
        "ssm",
        "put_parameter",
        {"Name": "/a/b", "Value": "v", "Type": "SecureString", "Tags": [{"Key": "a", "Value": "b"}]},
        (
            ("get_parameter_history", {"Name": "/a/b", "WithDecryption": True}),
            ("list_tags_for_resource", {"ResourceType": "Parameter", "ResourceId": "/a/b"}),
        ),
    ),
    (
        "secretsmanager",
        "create_secret",
        {"Name": "s", "SecretString": "v", "Tags": [{"Key": "a", "Value": "b"}]},
        (("get_secret_value", {"SecretId": "s"}), ("describe_secret", {"SecretId": "s"}), ("list_secrets", {})),
    ),
    (
        "iam",
        "create_role",
        {"RoleName": "made", "AssumeRolePolicyDocument": TRUST, "Tags": [{"Key": "a", "Value": "b"}]},
        (("get_role", {"RoleName": "made"}), ("list_roles", {})),
    ),
    (
        "iam",
        "create_instance_profile",
        {"InstanceProfileName": "made", "Tags": [{"Key": "a", "Value": "b"}]},
        (("get_instance_profile", {"InstanceProfileName": "made"}), ("list_instance_profiles", {})),
    ),
)  # fmt: skip


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
    for service, operation, params, _ in NEIGHBOURS:
        getattr(aws.client(service), operation)(**params)
    target = {"Id": "1", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"}
    aws.client("events").put_targets(Rule="r", Targets=[target])
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
