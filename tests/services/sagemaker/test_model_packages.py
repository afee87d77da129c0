"""Model packages: versions of a group, their approval, and the group's policy."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, REGION, Aws

GROUP = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/digits"
PACKAGE = GROUP.replace("-group", "")


@pytest.fixture
def group(aws: Aws) -> Aws:
    aws.sagemaker.create_model_package_group(ModelPackageGroupName="digits")
    return aws


def create(aws: Aws, **params: Any) -> str:
    return aws.sagemaker.create_model_package(**{"ModelPackageGroupName": "digits", **params})["ModelPackageArn"]


def test_versions_count_up_whether_the_group_is_named_or_its_arn_is_given(group: Aws) -> None:
    assert create(group) == f"{PACKAGE}/1"
    assert create(group, ModelPackageGroupName=GROUP) == f"{PACKAGE}/2"
    assert create(group) == f"{PACKAGE}/3"
    shown = group.sagemaker.describe_model_package(ModelPackageName=f"{PACKAGE}/2")
    assert (shown["ModelPackageGroupName"], shown["ModelPackageVersion"]) == ("digits", 2)
    assert "ModelPackageName" not in shown


def test_a_version_waits_for_approval_and_is_complete(group: Aws) -> None:
    arn = create(group)
    shown = group.sagemaker.describe_model_package(ModelPackageName=arn)
    assert (shown["ModelApprovalStatus"], shown["ModelPackageStatus"]) == ("PendingManualApproval", "Completed")
    assert shown["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    group.sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", CustomerMetadataProperties={"a": "1", "b": "2"}
    )
    group.sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=["a"])
    shown = group.sagemaker.describe_model_package(ModelPackageName=arn)
    assert (shown["ModelApprovalStatus"], shown["CustomerMetadataProperties"]) == ("Approved", {"b": "2"})


def test_packages_are_listed_by_group_and_approval(group: Aws) -> None:
    first, second = create(group), create(group, ModelApprovalStatus="Approved")
    group.sagemaker.create_model_package_group(ModelPackageGroupName="other")

    def listed(**asked: Any) -> list[str]:
        return [
            one["ModelPackageArn"] for one in group.sagemaker.list_model_packages(**asked)["ModelPackageSummaryList"]
        ]

    assert listed(ModelPackageGroupName=GROUP, SortOrder="Ascending") == [first, second]
    assert listed(ModelPackageGroupName="other") == []
    assert listed(ModelApprovalStatus="Approved") == [second]
    with pytest.raises(ClientError, match=r"ModelPackageGroup arn:.*/none does not exist."):
        listed(ModelPackageGroupName="none")


def test_a_package_has_a_group_or_a_name(aws: Aws) -> None:
    with pytest.raises(ClientError, match="Both ModelPackageName and ModelPackageGroupName are provided"):
        create(aws, ModelPackageName="digits")
    with pytest.raises(ClientError, match="Missing ARN"):
        aws.sagemaker.create_model_package()
    with pytest.raises(ClientError, match=r"ModelPackageGroup arn:.*/digits does not exist."):
        create(aws)


def test_a_package_that_would_be_validated_by_jobs_is_refused(group: Aws) -> None:
    profile = {
        "ProfileName": "one",
        "TransformJobDefinition": {
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://samples/x"}}},
            "TransformOutput": {"S3OutputPath": "s3://samples/y"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
    }
    validation = {"ValidationRole": "arn:aws:iam::123456789012:role/a", "ValidationProfiles": [profile]}
    with pytest.raises(
        ClientError, match="does not implement sagemaker:CreateModelPackage with ValidationSpecification"
    ):
        create(group, ValidationSpecification=validation)


def test_a_group_with_packages_cannot_be_deleted(group: Aws) -> None:
    arn = create(group)
    with pytest.raises(group.sagemaker.exceptions.ConflictException, match="contains Model Packages"):
        group.sagemaker.delete_model_package_group(ModelPackageGroupName="digits")
    group.sagemaker.delete_model_package(ModelPackageName=arn)
    group.sagemaker.delete_model_package_group(ModelPackageGroupName="digits")


def test_many_packages_are_described_at_once(group: Aws) -> None:
    arn, absent = create(group), f"{PACKAGE}/9"
    answer = group.sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, absent])
    assert answer["ModelPackageSummaries"][arn]["ModelPackageVersion"] == 1
    assert answer["BatchDescribeModelPackageErrorMap"][absent]["ErrorCode"] == "ValidationException"


def test_the_policy_of_a_group_is_kept_shown_and_removed(group: Aws) -> None:
    sagemaker, name = group.sagemaker, {"ModelPackageGroupName": "digits"}
    with pytest.raises(ClientError, match="Cannot find resource policy"):
        sagemaker.get_model_package_group_policy(**name)
    for policy_text in ("{", "[" * 20_000):
        with pytest.raises(ClientError, match="Invalid resource policy"):
            sagemaker.put_model_package_group_policy(**name, ResourcePolicy=policy_text)
    sagemaker.put_model_package_group_policy(**name, ResourcePolicy='{"Version": "2012-10-17"}')
    assert sagemaker.get_model_package_group_policy(**name)["ResourcePolicy"] == '{"Version": "2012-10-17"}'
    sagemaker.delete_model_package_group_policy(**name)
    for policy in (sagemaker.get_model_package_group_policy, sagemaker.delete_model_package_group_policy):
        with pytest.raises(ClientError, match="Cannot find resource policy"):
            policy(**name)
        with pytest.raises(ClientError, match="Cannot find Model Package Group"):
            policy(ModelPackageGroupName="none")


def test_specifications_are_added_to_those_of_other_names(group: Aws) -> None:
    container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/digits:1"}
    arn = create(group, AdditionalInferenceSpecifications=[{"Name": "a", "Containers": [container]}])
    more: list[Any] = [
        {"Name": "b", "Containers": [container]},
        {"Name": "a", "Description": "x", "Containers": [container]},
    ]
    group.sagemaker.update_model_package(ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=more)
    shown = group.sagemaker.describe_model_package(ModelPackageName=arn)["AdditionalInferenceSpecifications"]
    assert [(one["Name"], one.get("Description")) for one in shown] == [("a", "x"), ("b", None)]
