"""Endpoint configurations and endpoints through boto3: what is refused, and the wish that is written down."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.resources.deployment import EndpointDeployment, ServedContainer, Variant, serving
from samebox.resources.kinds import REPOSITORY
from samebox.resources.store import Resource
from samebox.settings import Settings
from samebox.wire.caller import Caller
from tests import samples
from tests.conftest import Aws

ARN = "arn:aws:sagemaker:us-east-1:123456789012:{}"


def variant(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(samples.ENDPOINT_CONFIG["ProductionVariants"][0]), **members}


def error_of(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def serve_wanted(aws: Aws, row: Resource) -> None:
    """Have the endpoint serve what it shall run, as jobs would."""
    aws.resources.advance(row, "InService", facts=lambda row: replace(serving(row), current=serving(row).wanted))


def in_service(aws: Aws) -> str:
    """An endpoint that serves what it was created for, as jobs would leave it."""
    arn = aws.create("Endpoint")
    row = aws.row(arn)
    serve_wanted(aws, row)
    return arn


def test_a_configuration_of_a_model_that_is_not_there_is_refused(aws: Aws) -> None:
    assert error_of(aws.sagemaker.create_endpoint_config, **samples.ENDPOINT_CONFIG) == (
        "ValidationException",
        f'Could not find model "{ARN.format("model/digits")}".',
    )


def test_variant_names_are_unique(aws: Aws) -> None:
    aws.create("Model")
    code, message = error_of(
        aws.sagemaker.create_endpoint_config, EndpointConfigName="c", ProductionVariants=[variant(), variant()]
    )
    assert (code, message) == ("ValidationException", "Variant names must be unique; given more than once: AllTraffic.")


@pytest.mark.parametrize(
    ("members", "named"),
    [
        (
            {"ProductionVariants": [variant(ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 1})]},
            "ProductionVariants[0].ServerlessConfig",
        ),
        ({"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://samples/async"}}}, "AsyncInferenceConfig"),
        ({"ShadowProductionVariants": [variant(VariantName="shadow")]}, "ShadowProductionVariants"),
        (
            {
                "DataCaptureConfig": {
                    "EnableCapture": True,
                    "InitialSamplingPercentage": 100,
                    "DestinationS3Uri": "s3://samples/capture",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            "DataCaptureConfig.EnableCapture=True",
        ),
    ],
    ids=["serverless", "async", "shadow", "capture"],
)
def test_what_is_not_run_yet_is_refused_by_name(aws: Aws, members: dict[str, Any], named: str) -> None:
    aws.create("Model")
    code, message = error_of(aws.sagemaker.create_endpoint_config, **{**samples.ENDPOINT_CONFIG, **members})
    assert (code, message) == (
        "NotImplemented",
        f"samebox does not implement sagemaker:CreateEndpointConfig with {named}.",
    )


def test_an_endpoint_writes_down_all_that_it_needs(aws: Aws) -> None:
    row = aws.row(aws.create("Endpoint"))
    port = aws.services.settings.port
    assert row.status == "Creating"
    deployment = serving(row).wanted
    container = ServedContainer(
        image=samples.IMAGE,
        resolved_image=f"localhost:{port}/digits@sha256:{'d' * 64}",
        environment={"LEVEL": "info"},
        model_data_url=samples.MODEL_DATA,
    )
    variant = Variant("AllTraffic", "digits", "ml.m5.large", (container,), execution_role_arn=samples.ROLE)
    assert deployment == EndpointDeployment("digits", (variant,), deployment.deployed_at)


def test_an_image_that_was_deleted_since_is_left_for_the_deployment_to_miss(aws: Aws) -> None:
    aws.create("EndpointConfig")
    aws.resources.delete(aws.resources.get(REPOSITORY, Caller("123456789012"), "digits"))
    (container,) = serving(aws.row(aws.create("Endpoint"))).wanted.variants[0].containers
    assert container.resolved_image == f"localhost:{aws.services.settings.port}/digits:latest"


def test_an_endpoint_of_a_configuration_that_is_not_there_is_refused(aws: Aws) -> None:
    assert error_of(aws.sagemaker.create_endpoint, EndpointName="e", EndpointConfigName="never") == (
        "ValidationException",
        f'Could not find endpoint configuration "{ARN.format("endpoint-config/never")}".',
    )


def test_an_endpoint_in_progress_can_neither_be_updated_nor_deleted(aws: Aws) -> None:
    arn = aws.create("Endpoint")
    message = f'Cannot update in-progress endpoint "{arn}".'
    desired = [{"VariantName": "AllTraffic", "DesiredWeight": 2.0}]
    client = aws.sagemaker
    for call, params in (
        (client.update_endpoint, {"EndpointConfigName": "digits"}),
        (client.update_endpoint_weights_and_capacities, {"DesiredWeightsAndCapacities": desired}),
        (client.delete_endpoint, {}),
    ):
        assert error_of(call, EndpointName="digits", **params) == ("ValidationException", message)


class TestDeleteInProgress:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, delete_in_progress=True)

    def test_with_the_setting_an_endpoint_in_progress_can_be_deleted_and_still_not_updated(self, aws: Aws) -> None:
        arn = aws.create("Endpoint")
        code, _ = error_of(aws.sagemaker.update_endpoint, EndpointName="digits", EndpointConfigName="digits")
        assert code == "ValidationException"
        aws.sagemaker.delete_endpoint(EndpointName="digits")
        assert aws.row(arn).status == "Deleting"


def test_the_start_window_is_the_configurations_or_is_left_to_the_settings_of_the_day(aws: Aws) -> None:
    aws.create("Model")
    one: Any = variant(ContainerStartupHealthCheckTimeoutInSeconds=90)
    aws.sagemaker.create_endpoint_config(EndpointConfigName="digits", ProductionVariants=[one])
    arn = aws.sagemaker.create_endpoint(**samples.ENDPOINT)["EndpointArn"]
    assert serving(aws.row(arn)).wanted.variants[0].startup_seconds == 90
    (shown,) = aws.sagemaker.describe_endpoint_config(EndpointConfigName="digits")["ProductionVariants"]
    assert shown["ContainerStartupHealthCheckTimeoutInSeconds"] == 90


def test_a_failed_endpoint_can_only_be_deleted(aws: Aws) -> None:
    arn = aws.create("Endpoint")
    aws.resources.advance(aws.row(arn), "Failed", FailureReason="why")
    assert error_of(aws.sagemaker.update_endpoint, EndpointName="digits", EndpointConfigName="digits") == (
        "ValidationException",
        f'Cannot update failed endpoint "{arn}".',
    )
    assert aws.sagemaker.describe_endpoint(EndpointName="digits")["FailureReason"] == "why"
    aws.sagemaker.delete_endpoint(EndpointName="digits")
    assert aws.row(arn).status == "Deleting"


def test_an_update_is_pending_until_it_serves(aws: Aws) -> None:
    arn = in_service(aws)
    aws.create("EndpointConfig", EndpointConfigName="second", ProductionVariants=[variant(VariantName="other")])
    aws.sagemaker.update_endpoint(EndpointName="digits", EndpointConfigName="second")
    shown = aws.sagemaker.describe_endpoint(EndpointName="digits")
    assert (shown["EndpointStatus"], shown["EndpointConfigName"]) == ("Updating", "digits")
    assert shown["PendingDeploymentSummary"]["EndpointConfigName"] == "second"
    row = aws.row(arn)
    serve_wanted(aws, row)
    assert aws.sagemaker.describe_endpoint(EndpointName="digits")["EndpointConfigName"] == "second"


def test_weights_and_counts_are_a_new_wish_for_the_same_variants(aws: Aws) -> None:
    arn = in_service(aws)
    desired: list[Any] = [{"VariantName": "AllTraffic", "DesiredWeight": 0.5, "DesiredInstanceCount": 2}]
    aws.sagemaker.update_endpoint_weights_and_capacities(EndpointName="digits", DesiredWeightsAndCapacities=desired)
    row = aws.row(arn)
    (wanted,) = serving(row).wanted.variants
    assert (row.status, wanted.initial_variant_weight, wanted.initial_instance_count) == ("Updating", 0.5, 2)


def test_an_update_may_keep_what_was_changed_since(aws: Aws) -> None:
    arn = in_service(aws)
    desired: list[Any] = [{"VariantName": "AllTraffic", "DesiredWeight": 0.5, "DesiredInstanceCount": 2}]
    aws.sagemaker.update_endpoint_weights_and_capacities(EndpointName="digits", DesiredWeightsAndCapacities=desired)
    row = aws.row(arn)
    serve_wanted(aws, row)
    aws.sagemaker.update_endpoint(
        EndpointName="digits",
        EndpointConfigName="digits",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredInstanceCount"}],
    )
    (wanted,) = serving(aws.row(arn)).wanted.variants
    assert (wanted.initial_variant_weight, wanted.initial_instance_count) == (0.5, 1)


def test_a_variant_that_is_not_there_has_no_weight(aws: Aws) -> None:
    arn = in_service(aws)
    desired: list[Any] = [{"VariantName": "never", "DesiredWeight": 1.0}]
    code, message = error_of(
        aws.sagemaker.update_endpoint_weights_and_capacities,
        EndpointName="digits",
        DesiredWeightsAndCapacities=desired,
    )
    assert (code, message) == ("ValidationException", f'Could not find variant "never" of endpoint "{arn}".')
    assert aws.row(arn).status == "InService"


def test_names_that_differ_in_case_are_one_endpoint(aws: Aws) -> None:
    aws.create("Endpoint", EndpointName="Mixed")
    assert aws.sagemaker.describe_endpoint(EndpointName="mixed")["EndpointName"] == "Mixed"
