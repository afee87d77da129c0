"""Probes of SageMaker and its runtime."""

from collections.abc import Mapping

from tests import samples
from tests.laws.probes.programs import processed, serving, settled, trained, transformed
from tests.laws.probes.values import (
    ARN,
    CONFIG,
    CREATE_ENDPOINT,
    LATE,
    MODEL,
    OTHER_DATA,
    OTHER_IMAGE,
    OTHER_MODEL,
    TAGS,
    VARIANT,
    tags_of,
)
from tests.laws.probing import Either, Params, Probe

_JOB: Params = {**samples.TRAINING_JOB, "TrainingJobName": "$"}
_TRANSFORM: Params = {
    **samples.TRANSFORM_JOB,
    "TransformJobName": "$",
    "ModelClientConfig": {"InvocationsMaxRetries": 0},
}
_PROCESSING: Params = {**samples.PROCESSING_JOB, "ProcessingJobName": "$"}
_PROCESSED = samples.PROCESSING_JOB["ProcessingInputs"][0]
_IMAGE = samples.TRAINING_JOB["AlgorithmSpecification"]
_LOSS = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
_S3_SOURCE = {"S3Uri": samples.MODEL_DATA, "S3DataType": "S3Object", "CompressionType": "Gzip"}
_CONTAINER = {"Image": samples.IMAGE}
_CONTAINER_VALUES = {
    "Image": OTHER_IMAGE,
    "ModelDataUrl": OTHER_MODEL,
    "ModelDataSource.S3DataSource.S3Uri": OTHER_MODEL,
    "Environment": {"OTHER": "x"},
}
_SOURCE = "ModelDataSource"
_GROUP = {"InstanceGroupName": "one", "InstanceType": "ml.m5.large", "InstanceCount": 1}
_OTHER_GROUP = {**_GROUP, "InstanceGroupName": "two"}
_CHANNEL = samples.TRAINING_JOB["InputDataConfig"][0]
_LISTS = {
    "CreationTimeAfter": LATE,
    "LastModifiedTimeAfter": LATE,
    "NextToken": "e30=",
    "NameContains": "nowhere",
    "SortBy": Either("Name", "CreationTime"),
    "SortOrder": Either("Ascending", "Descending"),
}
_POLICY = "DeploymentConfig.BlueGreenUpdatePolicy"

SAGEMAKER: Mapping[str, Probe] = {
    "CreateTrainingJob": Probe(
        {**_JOB, "Tags": TAGS},
        after=(trained, tags_of("training-job")),
        besides={
            "ResourceConfig.InstanceGroups": {"ResourceConfig": {"InstanceGroups": [_GROUP], "VolumeSizeInGB": 10}},
            "InputDataConfig[].DataSource.S3DataSource.InstanceGroupNames": {
                "ResourceConfig": {"InstanceGroups": [_GROUP, _OTHER_GROUP], "VolumeSizeInGB": 10}
            },
            "AlgorithmSpecification.AlgorithmName": {"AlgorithmSpecification": {"TrainingInputMode": "File"}},
            "AlgorithmSpecification.MetricDefinitions": {
                "AlgorithmSpecification": {**_IMAGE, "MetricDefinitions": _LOSS}
            },
            "CheckpointConfig": {"CheckpointConfig": {"S3Uri": "s3://samples/checkpoints"}},
            **{
                member: {member: {"S3OutputPath": f"s3://samples/{member}"}}
                for member in ("DebugHookConfig", "ProfilerConfig", "TensorBoardOutputConfig")
            },
        },
        values={
            "TrainingJobName": "digits",
            "AlgorithmSpecification.TrainingImage": OTHER_IMAGE,
            "AlgorithmSpecification.MetricDefinitions[].Name": "other",
            "AlgorithmSpecification.MetricDefinitions[].Regex": "accuracy=([0-9.]+)",
            "InputDataConfig[].DataSource.S3DataSource.S3Uri": OTHER_DATA,
            "OutputDataConfig.S3OutputPath": "s3://samples/elsewhere",
            "ResourceConfig.InstanceType": "ml.m5.4xlarge",
            "ResourceConfig.InstanceCount": 2,
            "ResourceConfig.InstanceGroups[].InstanceType": "ml.m5.4xlarge",
            "ResourceConfig.InstanceGroups[].InstanceCount": 2,
            "ResourceConfig.InstanceGroups[].InstanceGroupName": "second",
            "InputDataConfig[].DataSource.S3DataSource.InstanceGroupNames": Either(["one"], ["two"]),
            "InputDataConfig[].ShuffleConfig.Seed": Either(1, 2),
            "CheckpointConfig.S3Uri": Either("s3://samples/a", "s3://samples/b"),
            "CheckpointConfig.LocalPath": "/opt/ml/elsewhere",
            **{
                f"{member}.S3OutputPath": Either("s3://samples/a", "s3://samples/b")
                for member in ("DebugHookConfig", "ProfilerConfig", "TensorBoardOutputConfig")
            },
            "DebugHookConfig.LocalPath": "/opt/ml/output/hook",
            "TensorBoardOutputConfig.LocalPath": "/opt/ml/output/board",
        },
        proven={
            "RoleArn": "tests/scenarios/test_credentials.py::test_a_container_gets_its_roles_credentials",
            "EnableManagedSpotTraining": "tests/jobs/test_spot.py::test_an_interrupted_job_resumes_from_its_checkpoint",
            "StoppingCondition.MaxWaitTimeInSeconds": (
                "tests/jobs/test_spot.py::test_a_job_that_waits_too_long_for_instances_is_stopped"
            ),
            "ResourceConfig.KeepAlivePeriodInSeconds": (
                "tests/jobs/test_warm_pools.py::test_a_matching_job_runs_on_the_hosts_of_the_one_before"
            ),
            "RetryStrategy.MaximumRetryAttempts": (
                "tests/jobs/test_retries.py::test_a_job_that_fails_inside_of_us_is_tried_again_as_often_as_it_may"
            ),
            **{
                f"InputDataConfig[].DataSource.FileSystemDataSource.{member}": (
                    "tests/scenarios/test_channels.py::test_file_systems_are_folders_of_this_machine"
                )
                for member in ("FileSystemId", "FileSystemType", "DirectoryPath", "FileSystemAccessMode")
            },
            "ResourceConfig.VolumeSizeInGB": (
                "tests/jobs/test_training.py::test_input_larger_than_the_volume_fails_for_disk_space"
            ),
            "StoppingCondition.MaxRuntimeInSeconds": (
                "tests/jobs/test_training_ends.py::test_a_job_over_its_maximum_runtime_is_stopped_with_its_own_status"
            ),
        },
    ),
    "UpdateTrainingJob": Probe(
        {"TrainingJobName": "$"},
        before=(("sagemaker", "CreateTrainingJob", _JOB), trained),
        values={"TrainingJobName": "nowhere"},
        proven={
            "ResourceConfig.KeepAlivePeriodInSeconds": (
                "tests/services/sagemaker/test_training_updates.py::test_the_period_of_an_available_pool_is_changed"
            ),
            "RemoteDebugConfig.EnableRemoteDebug": (
                "tests/services/sagemaker/test_training_updates.py"
                "::test_remote_debugging_is_switched_while_data_is_fetched_and_while_it_trains"
            ),
            **{
                f"ProfilerConfig.{member}": (
                    "tests/services/sagemaker/test_training_updates.py::test_profiling_is_changed_until_the_job_ends"
                )
                for member in (
                    "S3OutputPath",
                    "ProfilingIntervalInMilliseconds",
                    "ProfilingParameters",
                    "DisableProfiler",
                )
            },
        },
    ),
    "CreateProcessingJob": Probe(
        {**_PROCESSING, "Tags": TAGS},
        after=(processed, tags_of("processing-job")),
        besides={
            "ProcessingResources.ClusterConfig.InstancePreferences": {
                "ProcessingResources": {"ClusterConfig": {"VolumeSizeInGB": 10}}
            },
            "ProcessingInputs[].S3Input.S3CompressionType": {
                "ProcessingInputs": [
                    {**_PROCESSED, "S3Input": {**_PROCESSED["S3Input"], "S3InputMode": "Pipe"}},
                ]
            },
        },
        values={
            "ProcessingJobName": "digits",
            "AppSpecification.ImageUri": OTHER_IMAGE,
            "ProcessingInputs[].S3Input.S3Uri": OTHER_DATA,
            "ProcessingInputs[].S3Input.LocalPath": "/opt/ml/processing/other",
            "ProcessingOutputConfig.Outputs[].S3Output.S3Uri": "s3://samples/elsewhere",
            "ProcessingOutputConfig.Outputs[].S3Output.LocalPath": "/opt/ml/processing/other",
            "ProcessingResources.ClusterConfig.InstanceType": "ml.m5.4xlarge",
            "ProcessingResources.ClusterConfig.InstanceCount": 2,
        },
    ),
    "CreateTransformJob": Probe(
        {**_TRANSFORM, "Tags": TAGS},
        after=(transformed, tags_of("transform-job")),
        besides={"DataCaptureConfig": {"DataCaptureConfig": {"DestinationS3Uri": "s3://samples/captured"}}},
        values={
            "TransformJobName": "digits",
            "ModelName": "second",
            "TransformInput.DataSource.S3DataSource.S3Uri": OTHER_DATA,
            "TransformInput.CompressionType": "Gzip",
            "TransformOutput.S3OutputPath": "s3://no-such-bucket-here/out",
            "TransformResources.InstanceType": "ml.m5.4xlarge",
            "TransformResources.InstanceCount": 2,
            "MaxConcurrentTransforms": 2,
            "MaxPayloadInMB": 5,
            "BatchStrategy": "SingleRecord",
            "DataProcessing.InputFilter": "$[0]",
            "DataProcessing.OutputFilter": "$[7]",
            "DataProcessing.JoinSource": "Input",
        },
        proven={
            "DataCaptureConfig.DestinationS3Uri": (
                "tests/jobs/test_transform.py::test_what_a_job_has_read_and_stored_is_captured_as_two_manifests"
            ),
            "DataCaptureConfig.GenerateInferenceId": (
                "tests/jobs/test_transform.py::test_each_row_of_the_output_has_an_inference_id_and_the_start_of_the_job"
            ),
            "ModelClientConfig.InvocationsTimeoutInSeconds": (
                "tests/jobs/test_invoker.py::test_a_response_that_takes_too_long_is_none"
            ),
            "ModelClientConfig.InvocationsMaxRetries": "tests/jobs/test_invoker.py::test_errors_are_retried_so_often",
        },
    ),
    "StopTransformJob": Probe({"TransformJobName": "digits"}, makes=False, values={"TransformJobName": "nowhere"}),
    "StopProcessingJob": Probe({"ProcessingJobName": "digits"}, makes=False, values={"ProcessingJobName": "nowhere"}),
    "StopTrainingJob": Probe({"TrainingJobName": "digits"}, makes=False, values={"TrainingJobName": "nowhere"}),
    "CreateModel": Probe(
        {**samples.MODEL, "ModelName": "$", "Tags": TAGS},
        after=(
            (*CONFIG[:2], {**CONFIG[2], "ProductionVariants": [{**VARIANT, "ModelName": "$"}]}),
            CREATE_ENDPOINT,
            serving,
            tags_of("model"),
        ),
        besides={
            f"PrimaryContainer.{_SOURCE}": {"PrimaryContainer": {**_CONTAINER, _SOURCE: {"S3DataSource": _S3_SOURCE}}},
            "Containers": {"PrimaryContainer": None, "Containers": [samples.MODEL["PrimaryContainer"]]},
            f"Containers[].{_SOURCE}": {"Containers": [{**_CONTAINER, _SOURCE: {"S3DataSource": _S3_SOURCE}}]},
        },
        values={
            "ModelName": "digits",
            **{f"PrimaryContainer.{path}": value for path, value in _CONTAINER_VALUES.items()},
            **{f"Containers[].{path}": value for path, value in _CONTAINER_VALUES.items()},
        },
    ),
    "CreateEndpointConfig": Probe(
        {**CONFIG[2], "Tags": TAGS},
        before=(MODEL,),
        after=(CREATE_ENDPOINT, serving, tags_of("endpoint-config")),
        values={
            "EndpointConfigName": "digits",
            "ProductionVariants[].ModelName": "second",
            "ProductionVariants[].InstanceType": "ml.m5.4xlarge",
            "DataCaptureConfig": {
                "EnableCapture": False,
                "InitialSamplingPercentage": 50,
                "DestinationS3Uri": "s3://samples/capture",
                "CaptureOptions": [{"CaptureMode": "Input"}],
                "KmsKeyId": "key",
                "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
            },
        },
        proven={
            "ProductionVariants[].ContainerStartupHealthCheckTimeoutInSeconds": (
                "tests/services/sagemaker/test_endpoints.py::"
                "test_the_start_window_is_the_configurations_or_is_left_to_the_settings_of_the_day"
            )
        },
    ),
    "CreateEndpoint": Probe(
        {**CREATE_ENDPOINT[2], "Tags": TAGS},
        before=(CONFIG,),
        after=(tags_of("endpoint"), serving),
        values={"EndpointName": "digits", "EndpointConfigName": "second"},
    ),
    "UpdateEndpoint": Probe(
        CREATE_ENDPOINT[2],
        before=(
            CONFIG,
            CREATE_ENDPOINT,
            settled,
            (
                "sagemaker",
                "UpdateEndpointWeightsAndCapacities",
                {
                    "EndpointName": "$",
                    "DesiredWeightsAndCapacities": [{"VariantName": VARIANT["VariantName"], "DesiredWeight": 3.0}],
                },
            ),
            settled,
        ),
        after=(serving,),
        besides={"ExcludeRetainedVariantProperties": {"RetainAllVariantProperties": True}},
        values={
            "EndpointName": "nowhere",
            "EndpointConfigName": "second",
            "ExcludeRetainedVariantProperties[].VariantPropertyType": Either("DesiredWeight", "DesiredInstanceCount"),
        },
    ),
    "UpdateEndpointWeightsAndCapacities": Probe(
        {
            "EndpointName": "$",
            "DesiredWeightsAndCapacities": [
                {"VariantName": VARIANT["VariantName"], "DesiredWeight": 1.0, "DesiredInstanceCount": 1}
            ],
        },
        before=(CONFIG, CREATE_ENDPOINT, settled),
        after=(serving,),
        values={
            "EndpointName": "nowhere",
            "DesiredWeightsAndCapacities[].VariantName": "nowhere",
            "DesiredWeightsAndCapacities[].DesiredInstanceCount": 2,
        },
    ),
    "AddTags": Probe(
        {"ResourceArn": f"{ARN}:model/$", "Tags": [{"Key": "key", "Value": "value"}]},
        before=(MODEL,),
        after=(tags_of("model"),),
        values={"ResourceArn": f"{ARN}:model/nowhere"},
    ),
    "ListTags": Probe(
        {"ResourceArn": f"{ARN}:model/$"},
        before=(MODEL,),
        makes=False,
        values={"ResourceArn": f"{ARN}:model/nowhere"},
    ),
    "DeleteTags": Probe(
        {"ResourceArn": f"{ARN}:model/$", "TagKeys": ["key"]},
        before=((*MODEL[:2], {**MODEL[2], "Tags": [{"Key": "key", "Value": "value"}]}),),
        after=(tags_of("model"),),
        values={"ResourceArn": f"{ARN}:model/nowhere", "TagKeys[]": "other"},
    ),
    "DescribeTransformJob": Probe(
        {"TransformJobName": "$"},
        before=(("sagemaker", "CreateTransformJob", _TRANSFORM), transformed),
        values={"TransformJobName": "nowhere"},
    ),
    "ListMonitoringSchedules": Probe({}, makes=False),
    **{
        f"{verb}{noun}": Probe({f"{noun}Name": "$"}, before=before, values={f"{noun}Name": "nowhere"})
        for verb in ("Describe", "Delete")
        for noun, before in (
            ("TrainingJob", (("sagemaker", "CreateTrainingJob", _JOB), trained)),
            ("ProcessingJob", (("sagemaker", "CreateProcessingJob", _PROCESSING), processed)),
            ("Model", (MODEL,)),
            ("EndpointConfig", (CONFIG,)),
            ("Endpoint", (CONFIG, CREATE_ENDPOINT, settled)),
        )
    },
    **{
        f"List{noun}s": Probe(
            {},
            before=(*before, (service, operation, {**params, f"{noun}Name": "alpha-$"}), settled),
            makes=False,
            values=_LISTS,
        )
        for noun, before, (service, operation, params) in (
            ("TrainingJob", (), ("sagemaker", "CreateTrainingJob", _JOB)),
            ("ProcessingJob", (), ("sagemaker", "CreateProcessingJob", _PROCESSING)),
            ("TransformJob", (), ("sagemaker", "CreateTransformJob", _TRANSFORM)),
            ("Model", (), MODEL),
            ("EndpointConfig", (), CONFIG),
            ("Endpoint", (CONFIG,), CREATE_ENDPOINT),
        )
    },
}

RUNTIME: Mapping[str, Probe] = {
    "InvokeEndpoint": Probe(
        {"EndpointName": "digits", "Body": b"1", "ContentType": "text/csv"},
        makes=False,
        values={"EndpointName": "nowhere", "Body": b"2"},
    )
}
