"""How the members of each operation are tried out: a request, what comes before and after it, and other values."""

import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from typing import Any

from samebox.containers.fake_process import ANY, FakeRequest, FakeResponse, Process
from samebox.resources.kinds import ENDPOINT, PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB
from samebox.resources.query import Query
from tests import samples
from tests.conftest import ACCOUNT, REGION
from tests.laws.probing import Call, Either, Params, Probe, ProbedEmulator
from tests.laws.whole_emulator import LIMIT_SECONDS, MANIFEST, s3_client
from tests.scenarios.emulator_process import until

NOW = int(time.time() * 1000)
OTHER_ACCOUNT = "999999999999"
OTHER_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/second:latest"
OTHER_DATA, OTHER_MODEL = "s3://samples/second/", "s3://samples/second/model.tar.gz"
LATE = 4_102_444_800.0
SECOND_MANIFEST = MANIFEST.replace("1" * 64, "2" * 64)
SECOND = ("ecr", "PutImage", {"repositoryName": "$", "imageManifest": SECOND_MANIFEST})
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


def programs(seen: dict[str, list[Any]]) -> dict[str, Any]:
    """Programs of an image that note what they find: arguments, environment, limits, and the files below /opt/ml."""

    def note(process: Process) -> None:
        spec = asdict(process.spec)
        for name in ("name", "labels", "mounts", "publish", "image"):
            spec.pop(name)
        if spec["hostname"].startswith("ip-10-"):
            spec.pop("hostname")  # a job's own
        if spec["network"].startswith("samebox-"):
            spec["network"] = "the job's own"
        spec["environment"] = {name: text for name, text in process.environment.items() if name != "HOSTNAME"}
        places, files = sorted(mount.target for mount in process.spec.mounts), {}
        for mount in process.spec.mounts:
            for path in sorted(process.path(mount.target).rglob("*")):
                if path.is_file():
                    files[f"{mount.target}/{path.relative_to(mount.source)}"] = path.read_text(errors="replace")
        seen.setdefault(_arn(process), []).append([process.argv, process.spec.image[-64:], spec, places, files])

    def train(process: Process) -> int:
        note(process)
        process.print("loss=0.5", "accuracy=0.9")
        process.path("/opt/ml/model/weights").write_text("weights")
        return 0

    def serve(process: Process) -> int:
        note(process)

        def answer(request: FakeRequest) -> FakeResponse:
            if request.body == b"fail":
                return FakeResponse(400, b"no such thing")
            known = {key.lower(): value for key, value in request.headers.items() if key.lower() != "host"}
            if "SAGEMAKER_BATCH" in process.environment and request.path == "/invocations":
                seen[_arn(process)].append([known, request.body.decode(errors="replace")])
            return FakeResponse(200, json.dumps([known, request.body.decode(errors="replace")]).encode())

        return process.serve(answer)

    def process_data(process: Process) -> int:
        note(process)
        outputs = [mount.target for mount in process.spec.mounts if mount.target.startswith("/opt/ml/processing/")]
        for output in outputs:
            (process.path(output) / "result").write_text("result")
        return 0

    def run(process: Process) -> int:
        trains = any(mount.target == "/opt/ml/model" for mount in process.spec.mounts)
        return train(process) if trains else process_data(process)

    return {"serve": serve, ANY: run}


def _arn(process: Process) -> str:
    return next(label for label in process.spec.labels.values() if label.startswith("arn:"))


# What there must be, and what is looked at

REPOSITORY: tuple[Call, ...] = (
    ("ecr", "CreateRepository", {"repositoryName": "$", "tags": [{"Key": "a", "Value": "b"}]}),
    ("ecr", "PutImage", {"repositoryName": "$", "imageManifest": MANIFEST, "imageTag": "latest"}),
    SECOND,
)
EVENTS = [{"timestamp": NOW + at, "message": f"{word} {at}"} for at, word in enumerate(("one", "two", "two"))]
GROUP: tuple[Call, ...] = (
    ("logs", "CreateLogGroup", {"logGroupName": "$", "tags": {"a": "b"}}),
    ("logs", "CreateLogStream", {"logGroupName": "$", "logStreamName": "one"}),
    ("logs", "CreateLogStream", {"logGroupName": "$", "logStreamName": "two"}),
    ("logs", "PutLogEvents", {"logGroupName": "$", "logStreamName": "two", "logEvents": EVENTS[:1]}),
    ("logs", "PutLogEvents", {"logGroupName": "$", "logStreamName": "one", "logEvents": EVENTS[1:]}),
)
MODEL: Call = ("sagemaker", "CreateModel", {**samples.MODEL, "ModelName": "$"})
VARIANT = samples.ENDPOINT_CONFIG["ProductionVariants"][0]
CONFIG: Call = ("sagemaker", "CreateEndpointConfig", {**samples.ENDPOINT_CONFIG, "EndpointConfigName": "$"})
CREATE_ENDPOINT: Call = ("sagemaker", "CreateEndpoint", {"EndpointName": "$", "EndpointConfigName": "$"})
GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:$"
REPOSITORY_ARN = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/$"
DESCRIBE_IMAGES: Call = ("ecr", "DescribeImages", {"repositoryName": "$"})


def settled(world: ProbedEmulator, name: str) -> None:
    """Waits until nothing is being done for an endpoint."""
    busy = ("Creating", "Updating", "Deleting")

    def is_settled() -> bool:
        rows = world.whole.emulator.store.find(Query(ENDPOINT.noun))
        return not any(row.name == name and row.status in busy for row in rows)

    until(is_settled, LIMIT_SECONDS, f"endpoint {name} has settled")


def serving(world: ProbedEmulator, name: str) -> Any:
    """What an endpoint's containers saw, what it answers, and what it shows of itself. It is deleted then."""
    settled(world, name)
    invoke = {"EndpointName": name, "Body": b"1", "ContentType": "text/csv"}
    answers = [world.ask("sagemaker-runtime", "InvokeEndpoint", {**invoke, "Body": body}) for body in (b"1", b"fail")]
    shown = world.ask("sagemaker", "DescribeEndpoint", {"EndpointName": name}).parsed
    variants = [
        {key: variant[key] for key in ("VariantName", "CurrentWeight", "CurrentInstanceCount") if key in variant}
        for variant in shown.get("ProductionVariants", ())
    ]
    world.ask("sagemaker", "DeleteEndpoint", {"EndpointName": name})
    settled(world, name)
    status, reason = shown["EndpointStatus"], shown.get("FailureReason")
    headers = [(one.status, one.error, one.message.replace(name, "$"), one.body.decode()) for one in answers]
    invoked = [one.parsed.get("InvokedProductionVariant") for one in answers]
    return [status, reason, variants, headers, invoked, sorted(map(str, world.seen.pop(f"{ARN}:endpoint/{name}", [])))]


def processed(world: ProbedEmulator, name: str) -> Any:
    """What a processing job's containers saw, and what is shown of the job when it has ended."""

    def has_ended() -> bool:
        return not any(row.name == name for row in world.whole.emulator.resources.unfinished(PROCESSING_JOB))

    until(has_ended, LIMIT_SECONDS, f"job {name} has ended")
    shown = world.ask("sagemaker", "DescribeProcessingJob", {"ProcessingJobName": name}).parsed
    ended = {key: shown[key] for key in ("ProcessingJobStatus", "FailureReason", "ExitMessage") if key in shown}
    return [ended, sorted(map(str, world.seen.pop(f"{ARN}:processing-job/{name}", [])))]


def transformed(world: ProbedEmulator, name: str) -> Any:
    """What a transform job's containers saw and what they were asked, its data log, and how it ended."""

    def has_ended() -> bool:
        return not any(row.name == name for row in world.whole.emulator.resources.unfinished(TRANSFORM_JOB))

    until(has_ended, LIMIT_SECONDS, f"job {name} has ended")
    shown = world.ask("sagemaker", "DescribeTransformJob", {"TransformJobName": name}).parsed
    ended = {key: shown[key] for key in ("TransformJobStatus", "FailureReason") if key in shown}
    group = {"logGroupName": "/aws/sagemaker/TransformJobs", "logStreamNamePrefix": f"{name}/"}
    found = world.ask("logs", "FilterLogEvents", group).parsed.get("events", ())
    lines = [one["message"].partition("[sagemaker logs]: ")[2] for one in found]
    with closing(s3_client(world.whole.emulator.settings)) as s3:
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket="samples", Prefix="predictions/").get("Contents", [])]
        outputs = [(key, s3.get_object(Bucket="samples", Key=key)["Body"].read()) for key in keys]
        for key in keys:
            s3.delete_object(Bucket="samples", Key=key)
    return [ended, sorted(lines), outputs, sorted(map(str, world.seen.pop(f"{ARN}:transform-job/{name}", [])))]


def trained(world: ProbedEmulator, name: str) -> Any:
    """What a job's container saw, and what is shown of the job when it has ended."""

    def has_ended() -> bool:
        return not any(row.name == name for row in world.whole.emulator.resources.unfinished(TRAINING_JOB))

    until(has_ended, LIMIT_SECONDS, f"job {name} has ended")
    shown = dict(world.ask("sagemaker", "DescribeTrainingJob", {"TrainingJobName": name}).parsed)
    kept = ("TrainingJobStatus", "FailureReason", "FinalMetricDataList", "ModelArtifacts")
    ended = {key: shown[key] for key in kept if key in shown}
    for metric in ended.get("FinalMetricDataList", ()):
        metric.pop("Timestamp")
    return [ended, world.seen.pop(f"{ARN}:training-job/{name}", [])]


def tags_of(noun: str) -> Call:
    return ("sagemaker", "ListTags", {"ResourceArn": f"{ARN}:{noun}/$"})


# SageMaker

_TAGS = [{"Key": "key", "Value": "value"}]
_JOB: Params = {**samples.TRAINING_JOB, "TrainingJobName": "$"}
_TRANSFORM: Params = {
    **samples.TRANSFORM_JOB,
    "TransformJobName": "$",
    "ModelClientConfig": {"InvocationsMaxRetries": 0},
}
_PROCESSING: Params = {**samples.PROCESSING_JOB, "ProcessingJobName": "$"}
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
        {**_JOB, "Tags": _TAGS},
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
            "DebugHookConfig.S3OutputPath": Either("s3://samples/a", "s3://samples/b"),
        },
        proven={
            "RoleArn": "tests/scenarios/test_credentials.py::test_a_container_gets_its_roles_credentials",
            "ResourceConfig.VolumeSizeInGB": (
                "tests/jobs/test_training.py::test_input_larger_than_the_volume_fails_for_disk_space"
            ),
            "StoppingCondition.MaxRuntimeInSeconds": (
                "tests/jobs/test_training.py::test_a_job_over_its_maximum_runtime_is_stopped_with_its_own_status"
            ),
        },
    ),
    "CreateProcessingJob": Probe(
        {**_PROCESSING, "Tags": _TAGS},
        after=(processed, tags_of("processing-job")),
        besides={
            "ProcessingResources.ClusterConfig.InstancePreferences": {
                "ProcessingResources": {"ClusterConfig": {"VolumeSizeInGB": 10}}
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
        {**_TRANSFORM, "Tags": _TAGS},
        after=(transformed, tags_of("transform-job")),
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
        {**samples.MODEL, "ModelName": "$", "Tags": _TAGS},
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
        {**CONFIG[2], "Tags": _TAGS},
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
        {**CREATE_ENDPOINT[2], "Tags": _TAGS},
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

# ECR

_TOKEN = "enp6eg=="
_SECOND_IMAGE = {"imageTag": "v2"}
_PUT_SECOND: Params = {"repositoryName": "$", "imageManifest": SECOND_MANIFEST, "imageTag": "latest"}
_EXISTING = {
    "repositoryName": "nowhere",
    "nextToken": _TOKEN,
    "filter.imageStatus": Either("ACTIVE", "ARCHIVED"),
    "filter.tagStatus": "TAGGED",
}
_ECR_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Sid": "a", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}
]})  # fmt: skip
_LIFECYCLE = json.dumps({"rules": [{
    "rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1},
    "action": {"type": "expire"},
}]})  # fmt: skip
_SET_POLICY: Call = ("ecr", "SetRepositoryPolicy", {"repositoryName": "$", "policyText": _ECR_POLICY})
_PUT_LIFECYCLE: Call = ("ecr", "PutLifecyclePolicy", {"repositoryName": "$", "lifecyclePolicyText": _LIFECYCLE})
_OF_REPOSITORY: Params = {"repositoryName": "$"}
_TAGGED: Params = {"repositoryName": "$", "imageIds": [{"imageTag": "latest"}]}
_DIGEST = f"sha256:{'0' * 64}"


def _of_repository(
    request: Params = _OF_REPOSITORY, *after: Call, before: tuple[Call, ...] = (), **values: Any
) -> Probe:
    return Probe(request, (*REPOSITORY, *before), after, values={**_EXISTING, **values})


ECR: Mapping[str, Probe] = {
    "CreateRepository": Probe(
        {"repositoryName": "$", "tags": _TAGS},
        after=(
            *REPOSITORY[1:],
            ("ecr", "PutImage", _PUT_SECOND),
            DESCRIBE_IMAGES,
            ("ecr", "ListTagsForResource", {"resourceArn": REPOSITORY_ARN}),
        ),
        values={"repositoryName": "digits"},
    ),
    "DescribeRepositories": Probe({}, REPOSITORY, makes=False, values={**_EXISTING, "repositoryNames[]": "digits"}),
    "DeleteRepository": _of_repository(),
    "GetAuthorizationToken": Probe({}, makes=False, values={"registryIds": [ACCOUNT, OTHER_ACCOUNT]}),
    "PutImageScanningConfiguration": _of_repository(
        {"repositoryName": "$", "imageScanningConfiguration": {"scanOnPush": False}}, DESCRIBE_IMAGES
    ),
    "PutImageTagMutability": _of_repository(
        {"repositoryName": "$", "imageTagMutability": "MUTABLE"}, ("ecr", "PutImage", _PUT_SECOND), DESCRIBE_IMAGES
    ),
    "TagResource": Probe(
        {"resourceArn": REPOSITORY_ARN, "tags": [{"Key": "c", "Value": "d"}]},
        REPOSITORY,
        (("ecr", "ListTagsForResource", {"resourceArn": REPOSITORY_ARN}),),
        values={"resourceArn": REPOSITORY_ARN.replace("$", "nowhere")},
    ),
    "UntagResource": Probe(
        {"resourceArn": REPOSITORY_ARN, "tagKeys": ["a"]},
        REPOSITORY,
        (("ecr", "ListTagsForResource", {"resourceArn": REPOSITORY_ARN}),),
        values={"resourceArn": REPOSITORY_ARN.replace("$", "nowhere"), "tagKeys[]": "other"},
    ),
    "ListTagsForResource": Probe(
        {"resourceArn": REPOSITORY_ARN},
        REPOSITORY,
        makes=False,
        values={"resourceArn": REPOSITORY_ARN.replace("$", "nowhere")},
    ),
    "DescribeImages": _of_repository(),
    "ListImages": _of_repository(),
    "BatchGetImage": _of_repository(_TAGGED),
    "BatchDeleteImage": _of_repository(_TAGGED, DESCRIBE_IMAGES),
    "PutImage": _of_repository(
        {"repositoryName": "$", "imageManifest": SECOND_MANIFEST, "imageTag": "v2"},
        ("ecr", "BatchGetImage", {"repositoryName": "$", "imageIds": [_SECOND_IMAGE]}),
        imageManifest=MANIFEST,
        imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
        imageTag="v3",
        imageDigest=_DIGEST,
    ),
    "DescribeImageScanFindings": _of_repository(
        {"repositoryName": "$", "imageId": {"imageTag": "latest"}}, nextToken="x", maxResults=1
    ),
    "SetRepositoryPolicy": _of_repository(
        _SET_POLICY[2], DESCRIBE_IMAGES, policyText=_ECR_POLICY.replace("Allow", "Deny")
    ),
    "GetRepositoryPolicy": _of_repository(before=(_SET_POLICY,)),
    "DeleteRepositoryPolicy": _of_repository(before=(_SET_POLICY,)),
    "PutLifecyclePolicy": _of_repository(
        _PUT_LIFECYCLE[2],
        DESCRIBE_IMAGES,
        lifecyclePolicyText=_LIFECYCLE.replace('"countNumber": 1', '"countNumber": 2'),
    ),
    "GetLifecyclePolicy": _of_repository(before=(_PUT_LIFECYCLE,)),
    "DeleteLifecyclePolicy": _of_repository(before=(_PUT_LIFECYCLE,)),
}

# CloudWatch Logs, STS, IAM

_NO_GROUP = {
    "logGroupName": "nowhere",
    "logGroupIdentifier": "nowhere",
    "logStreamName": "nowhere",
    "resourceArn": GROUP_ARN.replace("$", "nowhere"),
}
_STREAMS: Call = ("logs", "DescribeLogStreams", {"logGroupName": "$"})
_FOUND: Call = ("logs", "FilterLogEvents", {"logGroupName": "$"})
_GROUP_TAGS: Call = ("logs", "ListTagsForResource", {"resourceArn": GROUP_ARN})
_OF_GROUP: Mapping[str, Params] = {
    "logGroupIdentifier": {"logGroupName": None, "logGroupIdentifier": "$"},
    "startFromHead": {"limit": 1},
}


def _of_group(request: Params, *after: Call, **values: Any) -> Probe:
    return Probe(request, GROUP, after, bool(after), _OF_GROUP, {**_NO_GROUP, **values})


LOGS: Mapping[str, Probe] = {
    "DescribeLogGroups": _of_group(
        {"logGroupNamePrefix": "probe-"},
        logGroupNamePrefix="nowhere",
        logGroupNamePattern="nowhere",
        logGroupIdentifiers=["$"],
        nextToken="ZGlnaXRz",
        logGroupClass=Either("STANDARD", "INFREQUENT_ACCESS"),
    ),
    "DescribeLogStreams": _of_group(
        {"logGroupName": "$"},
        logStreamNamePrefix="tw",
        nextToken="b25l",
        orderBy=Either("LogStreamName", "LastEventTime"),
    ),
    "GetLogEvents": _of_group(
        {"logGroupName": "$", "logStreamName": "one"},
        startTime=NOW + 2,
        endTime=NOW + 2,
        nextToken=f"b/{'0' * 56}/s",
        limit=1,
        startFromHead=Either(False, True),
    ),
    "FilterLogEvents": _of_group(
        {"logGroupName": "$"},
        logStreamNamePrefix="tw",
        filterPattern="one",
        startTime=NOW + 2,
        endTime=NOW + 2,
        limit=1,
        startFromHead=Either(True, False),
        **{"logStreamNames[]": "two"},
    ),
    "CreateLogGroup": Probe(
        {"logGroupName": "$"},
        after=(
            _GROUP_TAGS,
            ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "$", "logGroupClass": "STANDARD"}),
        ),
        values={"logGroupName": "digits", "logGroupClass": "INFREQUENT_ACCESS"},
    ),
    "CreateLogStream": _of_group({"logGroupName": "$", "logStreamName": "new"}, _STREAMS, logStreamName="one"),
    "PutLogEvents": _of_group(
        {"logGroupName": "$", "logStreamName": "one", "logEvents": [{"timestamp": NOW + 5, "message": "new"}]},
        _FOUND,
        **{"logEvents[].timestamp": NOW + 6},
    ),
    "DeleteLogGroup": _of_group({"logGroupName": "$"}, _STREAMS),
    "DeleteLogStream": _of_group({"logGroupName": "$", "logStreamName": "one"}, _STREAMS),
    "ListTagsForResource": _of_group({"resourceArn": GROUP_ARN}),
    "TagResource": _of_group({"resourceArn": GROUP_ARN, "tags": {"c": "d"}}, _GROUP_TAGS),
    "UntagResource": _of_group({"resourceArn": GROUP_ARN, "tagKeys": ["a"]}, _GROUP_TAGS, **{"tagKeys[]": "other"}),
}

_ACTIONS = {"PolicySourceArn": samples.ROLE, "ActionNames": ["s3:GetObject"]}

STS: Mapping[str, Probe] = {
    "AssumeRole": Probe(
        {"RoleArn": samples.ROLE, "RoleSessionName": "me"},
        values={"RoleArn": samples.ROLE.replace(ACCOUNT, OTHER_ACCOUNT), "DurationSeconds": 7200},
    ),
    "GetSessionToken": Probe({}, values={"DurationSeconds": 7200}),
}
IAM: Mapping[str, Probe] = {
    "GetRole": Probe({"RoleName": "a"}, makes=False, values={"RoleName": "b"}),
    "SimulatePrincipalPolicy": Probe(
        _ACTIONS,
        makes=False,
        besides={"MaxItems": {"ActionNames": ["s3:GetObject", "s3:PutObject"]}},
        values={"PolicySourceArn": "arn:aws:sts::123456789012:assumed-role/a/b", "Marker": "1", "MaxItems": 1},
    ),
}

# CloudWatch

_BEGIN, _END = NOW // 60_000 * 60 - 600, NOW // 60_000 * 60 + 600
_DIMENSIONS = [{"Name": "a", "Value": "b"}]
_DATUM: Params = {
    "MetricName": "orders",
    "Dimensions": _DIMENSIONS,
    "Timestamp": float(_BEGIN),
    "Values": [1.0, 5.0],
    "Counts": [1.0, 1.0],
}
_SUMS = {"SampleCount": 2.0, "Sum": 3.0, "Minimum": 1.0, "Maximum": 2.0}
_METRIC = {"Namespace": "$", "MetricName": "orders", "Dimensions": _DIMENSIONS}
_STATISTICS: Params = {
    **_METRIC,
    "StartTime": float(_BEGIN),
    "EndTime": float(_END),
    "Period": 60,
    "Statistics": ["Sum"],
}
_QUERIED: Params = {
    "MetricDataQueries": [{"Id": "a", "MetricStat": {"Metric": _METRIC, "Period": 60, "Stat": "Sum"}}],
    "StartTime": float(_BEGIN),
    "EndTime": float(_END),
}
_WITHOUT_VALUES = {name: value for name, value in _DATUM.items() if name not in ("Values", "Counts")}
_LATER = {"Timestamp": _BEGIN + 60.0, "Values": [2.0, 6.0]}
_ALL_STATISTICS = ("SampleCount", "Sum", "Minimum", "Maximum")
_PUBLISHED: tuple[Call, ...] = (
    ("cloudwatch", "PutMetricData", {"Namespace": "$", "MetricData": [_DATUM]}),
    ("cloudwatch", "PutMetricData", {"Namespace": "$", "MetricData": [{**_DATUM, **_LATER}]}),
)
_PLACE = "MetricDataQueries[].MetricStat"
_OTHER_METRIC = {"Namespace": "nowhere", "MetricName": "nowhere", "Dimensions[].Name": "n", "Dimensions[].Value": "v"}

CLOUDWATCH: Mapping[str, Probe] = {
    "PutMetricData": Probe(
        {"Namespace": "$", "MetricData": [_DATUM]},
        after=(
            ("cloudwatch", "ListMetrics", {"Namespace": "$"}),
            (
                "cloudwatch",
                "GetMetricStatistics",
                {**_STATISTICS, "Statistics": list(_ALL_STATISTICS), "ExtendedStatistics": ["p50"]},
            ),
            ("cloudwatch", "GetMetricStatistics", {**_STATISTICS, "Period": 1}),
        ),
        besides={
            "MetricData[].Value": {"MetricData": [{**_WITHOUT_VALUES, "Value": 1.0}]},
            "MetricData[].StatisticValues": {"MetricData": [{**_WITHOUT_VALUES, "StatisticValues": _SUMS}]},
            "MetricData[].Values": {"MetricData": [{**_WITHOUT_VALUES, "Values": [1.0]}]},
            "MetricData[].Counts": {"MetricData": [{**_WITHOUT_VALUES, "Values": [1.0], "Counts": [1.0]}]},
        },
        values={
            "Namespace": "AWS/SageMaker",
            "MetricData[].Timestamp": _BEGIN - 3600.0,
            "MetricData[].Unit": "Bytes",
            "MetricData[].StorageResolution": 1,
        },
    ),
    "GetMetricStatistics": Probe(
        _STATISTICS,
        _PUBLISHED,
        makes=False,
        besides={"ExtendedStatistics": {"Statistics": None}},
        values={
            **_OTHER_METRIC,
            "Unit": "Bytes",
            "StartTime": _BEGIN + 60.0,
            "EndTime": _BEGIN + 60.0,
            "Period": 120,
            "Statistics[]": "Maximum",
            "ExtendedStatistics[]": "p90",
        },
    ),
    "GetMetricData": Probe(
        _QUERIED,
        _PUBLISHED,
        makes=False,
        values={
            **{f"{_PLACE}.Metric.{name}": value for name, value in _OTHER_METRIC.items()},
            f"{_PLACE}.Period": 120,
            f"{_PLACE}.Unit": "Bytes",
            f"{_PLACE}.Stat": "Maximum",
            "MetricDataQueries[].Id": "b",
            "MetricDataQueries[].ReturnData": False,
            "StartTime": _BEGIN + 60.0,
            "EndTime": _BEGIN + 60.0,
            "NextToken": "MQ==",
            "MaxDatapoints": 1,
        },
    ),
    "ListMetrics": Probe(
        {"Namespace": "$"},
        (
            *_PUBLISHED,
            (
                "cloudwatch",
                "PutMetricData",
                {"Namespace": "$", "MetricData": [{"MetricName": "old", "Value": 1.0, "Timestamp": _BEGIN - 86_400.0}]},
            ),
        ),
        makes=False,
        besides={"Dimensions": {"Dimensions": _DIMENSIONS}},
        values={**_OTHER_METRIC, "NextToken": "MQ=="},
    ),
}

PROBES: Mapping[str, Mapping[str, Probe]] = {
    "cloudwatch": CLOUDWATCH,
    "sagemaker": SAGEMAKER,
    "sagemaker-runtime": RUNTIME,
    "ecr": ECR,
    "logs": LOGS,
    "sts": STS,
    "iam": IAM,
}
