"""The messages of contract §6.4, word for word, and what they leave out."""

from typing import Any

import pytest

from samebox.errors import AwsError, ValidationException
from samebox.wire.constraints import validate, words_of
from samebox.wire.models import Models

MODELS = Models()
SAGEMAKER = MODELS.service("sagemaker")
RUNTIME = MODELS.service("sagemaker-runtime")


def message(operation: str, params: dict[str, Any]) -> str:
    shape = SAGEMAKER.operations[operation].input
    assert shape is not None
    with pytest.raises(ValidationException) as refused:
        validate(shape, params)
    return refused.value.message


def training_job(**members: Any) -> dict[str, Any]:
    job: dict[str, Any] = {
        "TrainingJobName": "digits-1",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::000000000000:role/samebox",
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    return job | members


def test_a_valid_request_is_left_alone() -> None:
    shape = SAGEMAKER.operations["CreateTrainingJob"].input
    assert shape is not None
    params = training_job()
    validate(shape, params)
    assert params == training_job()


def test_a_name_with_an_underscore() -> None:
    assert message("CreateTrainingJob", training_job(TrainingJobName="health_and_personal")) == (
        "1 validation error detected: Value 'health_and_personal' at 'trainingJobName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    )


def test_a_name_that_is_too_long_breaks_two_rules_in_one_message() -> None:
    name = "a" * 70
    assert message("CreateTrainingJob", training_job(TrainingJobName=name)) == (
        f"2 validation errors detected: Value '{name}' at 'trainingJobName' failed to satisfy constraint: Member must "
        f"satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){{0,62}}; Value '{name}' at 'trainingJobName' "
        "failed to satisfy constraint: Member must have length less than or equal to 63"
    )


def test_a_model_name_shows_the_pattern_that_the_live_service_prints() -> None:
    assert message("CreateModel", {"ModelName": "a_b"}).endswith(
        "Member must satisfy regular expression pattern: ^[a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?"
    )


def test_a_path_goes_through_lists_by_number() -> None:
    variants = [{"VariantName": "a", "ModelName": "fine"}, {"VariantName": "b", "ModelName": "not_fine"}]
    params = {"EndpointConfigName": "c", "ProductionVariants": variants}
    assert message("CreateEndpointConfig", params).startswith(
        "1 validation error detected: Value 'not_fine' at 'productionVariants.2.member.modelName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: ^"
    )


def test_an_enum_lists_its_values() -> None:
    resources = {"InstanceType": "ml.t2.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
    text = message("CreateTrainingJob", training_job(ResourceConfig=resources))
    assert text.startswith(
        "1 validation error detected: Value 'ml.t2.medium' at 'resourceConfig.instanceType' failed to satisfy "
        "constraint: Member must satisfy enum value set: [ml."
    )
    assert "ml.p2.xlarge, " in text
    assert text.endswith("]")


def test_a_map_value_that_is_too_long_shows_the_map_as_java_does() -> None:
    long = "x" * 2501
    text = message(
        "CreateTrainingJob", training_job(HyperParameters={"requirements": '""', "batch_size": "32", "c": long})
    )
    assert text == (
        f"1 validation error detected: Value '{{requirements=\"\", batch_size=32, c={long}}}' at 'hyperParameters' "
        "failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than "
        "or equal to 2500, "
        "Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: .*]"
    )


def test_a_map_key_that_is_too_long_is_a_violation_of_the_keys() -> None:
    text = message("CreateTrainingJob", training_job(HyperParameters={"k" * 257: "1"}))
    assert "Map keys must satisfy constraint: [Member must have length less than or equal to 256, " in text


def test_a_map_with_too_many_entries() -> None:
    many = {f"k{number}": "v" for number in range(101)}
    assert message("CreateTrainingJob", training_job(HyperParameters=many)).endswith(
        "at 'hyperParameters' failed to satisfy constraint: Member must have length less than or equal to 100"
    )


def test_the_elements_of_a_list_of_strings_are_judged_at_the_list() -> None:
    vpc = {"SecurityGroupIds": ["sg-1", "s g"], "Subnets": ["subnet-1"]}
    assert message("CreateTrainingJob", training_job(VpcConfig=vpc)) == (
        "1 validation error detected: Value '[sg-1, s g]' at 'vpcConfig.securityGroupIds' failed to satisfy "
        "constraint: Member must satisfy constraint: [Member must have length less than or equal to 32, "
        "Member must have length "
        "greater than or equal to 0, Member must satisfy regular expression pattern: [-0-9a-zA-Z]+]"
    )


def test_a_number_out_of_bounds_is_a_value_not_a_length() -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": -1, "VolumeSizeInGB": 10}
    assert message("CreateTrainingJob", training_job(ResourceConfig=resources)) == (
        "1 validation error detected: Value '-1' at 'resourceConfig.instanceCount' failed to satisfy constraint: "
        "Member must have value greater than or equal to 0"
    )


def test_all_missing_members_are_reported_at_once() -> None:
    text = message("CreateTrainingJob", {})
    assert text.startswith(
        "3 validation errors detected: Value null at 'trainingJobName' failed to satisfy constraint: "
    )
    assert text.count("Member must not be null") == 3


def test_a_null_in_a_list_is_refused() -> None:
    assert "Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null" in message(
        "CreateTrainingJob", training_job(Tags=[None])
    )


def test_hundreds_of_violations_are_counted_but_not_all_shown() -> None:
    text = message("CreateTrainingJob", training_job(Tags=[{"Key": "k" * 129, "Value": "v"}] * 500))
    assert text.startswith("501 validation errors detected: ")
    assert text.count("failed to satisfy constraint") == 100


def test_a_sensitive_value_is_not_repeated() -> None:
    shape = RUNTIME.operations["InvokeEndpoint"].input
    assert shape is not None
    secret = "s3cret" * 500
    with pytest.raises(ValidationException) as refused:
        validate(shape, {"EndpointName": "e", "Body": b"", "CustomAttributes": secret})
    assert "s3cret" not in refused.value.message
    assert "'customAttributes'" in refused.value.message


def test_a_blob_may_be_as_large_as_its_carrier_allows() -> None:
    shape = RUNTIME.operations["InvokeEndpoint"].input
    assert shape is not None
    body = b"\0" * (7 * 1024 * 1024)
    validate(shape, params := {"EndpointName": "e", "Body": body})
    assert params["Body"] is body


def violation(service: str, operation: str, params: dict[str, Any]) -> tuple[str, str]:
    found = MODELS.operation(service, operation)
    assert found.input is not None
    with pytest.raises(AwsError) as refused:
        validate(found.input, params, words_of(found))
    return refused.value.code, refused.value.message


REPOSITORY_NAME = (
    r"Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression "
    r"'[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*''"
)


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        # Captured from ECR in 2026, each of them (public sources).
        ("CreateRepository", {"repositoryName": "Bad_Name!"}, REPOSITORY_NAME),
        (
            "CreateRepository",
            {"repositoryName": "a"},
            "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must have length greater than or "
            "equal to 2'",
        ),
        (
            "CreateRepository",
            {"repositoryName": "ok", "tags": [{"Key": "env", "Value": ""}, {"Value": "prod"}]},
            "Invalid parameter at 'tags.2.member.key' failed to satisfy constraint: 'Member must not be null'",
        ),
        (
            "PutImageTagMutability",
            {"repositoryName": "ok", "imageTagMutability": "x"},
            "Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'Member must satisfy enum value "
            "set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]'",
        ),
        (
            "BatchGetImage",
            {"repositoryName": "ok", "imageIds": [{}] * 101},
            "Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must have length less than or equal "
            "to 100'",
        ),
        (
            "DescribeImages",
            {"repositoryName": "ok", "maxResults": 1001},
            "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or "
            "equal to 1000'",
        ),
        # Choice: of two violations the first is reported. What ECR does is not known.
        ("CreateRepository", {"repositoryName": "B"}, REPOSITORY_NAME),
    ],
)
def test_ecr_has_messages_of_its_own(operation: str, params: dict[str, Any], message: str) -> None:
    assert violation("ecr", operation, params) == ("InvalidParameterException", message)


def test_logs_has_a_code_of_its_own() -> None:
    # Seen in public logs of 2020 and 2021.
    assert violation("logs", "CreateLogStream", {"logGroupName": "g", "logStreamName": "a:b"}) == (
        "InvalidParameterException",
        "1 validation error detected: Value 'a:b' at 'logStreamName' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: [^:*]*",
    )
    code, message = violation("logs", "DescribeLogGroups", {"logGroupNamePrefix": ""})
    assert code == "InvalidParameterException"
    assert message.startswith("2 validation errors detected: Value '' at 'logGroupNamePrefix'")


def test_a_young_operation_of_logs_has_the_code_that_it_declares() -> None:
    assert words_of(MODELS.operation("logs", "CreateDelivery")).code == "ValidationException"
    assert words_of(MODELS.operation("logs", "UntagLogGroup")).code == "InvalidParameterException"


@pytest.mark.parametrize("service", ["ecr", "logs", "application-autoscaling"])
def test_an_operation_declares_the_code_of_its_violations(service: str) -> None:
    for operation in MODELS.service(service).operations.values():
        declared = {"ValidationException", "InvalidParameterException"} & set(operation.errors)
        assert not declared or words_of(operation).code in declared, operation.name
