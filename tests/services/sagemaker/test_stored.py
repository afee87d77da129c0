"""What some nouns that are only stored do beyond what every noun does."""

import hashlib

import pytest
from botocore.exceptions import ClientError

from tests import samples
from tests.conftest import Aws


def test_a_work_team_belongs_to_its_workforce_which_cannot_be_deleted_before_it(aws: Aws) -> None:
    aws.create("Workteam")
    team = aws.sagemaker.describe_workteam(WorkteamName="digits")["Workteam"]
    force = aws.sagemaker.describe_workforce(WorkforceName="digits")["Workforce"]
    assert team["WorkforceArn"] == force["WorkforceArn"]
    assert force["Status"] == "Active"
    assert "ClientSecret" not in force["OidcConfig"]
    with pytest.raises(aws.sagemaker.exceptions.ResourceInUse):
        aws.sagemaker.delete_workforce(WorkforceName="digits")
    assert aws.sagemaker.delete_workteam(WorkteamName="digits")["Success"]
    aws.sagemaker.delete_workforce(WorkforceName="digits")


def test_an_algorithm_that_would_be_validated_is_refused(aws: Aws) -> None:
    with pytest.raises(ClientError, match="does not implement sagemaker:CreateAlgorithm with ValidationSpecification"):
        aws.create("Algorithm", **{
            name: value for name, value in samples.everything("Algorithm").items() if name == "ValidationSpecification"
        })  # fmt: skip


def test_a_template_is_shown_by_its_digest(aws: Aws) -> None:
    aws.sagemaker.create_human_task_ui(HumanTaskUiName="digits", UiTemplate={"Content": "<p>"})
    shown = aws.sagemaker.describe_human_task_ui(HumanTaskUiName="digits")
    assert shown["UiTemplate"] == {"ContentSha256": hashlib.sha256(b"<p>").hexdigest()}
    assert shown["HumanTaskUiStatus"] == "Active"


def test_a_page_of_less_than_nothing_is_refused_where_the_model_has_no_least(aws: Aws) -> None:
    with pytest.raises(ClientError, match="Value '-1' at 'maxResults' failed to satisfy constraint"):
        aws.sagemaker.list_device_fleets(MaxResults=-1)
