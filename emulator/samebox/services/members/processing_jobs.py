"""What the members of CreateProcessingJob and StopProcessingJob do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, below, members, refused

_INPUT = members(
    acted_on("InputName", "AppManaged"),
    acted_on("S3Input.S3Uri", "S3Input.LocalPath", "S3Input.S3DataType", "S3Input.S3DataDistributionType"),
    acted_on("S3Input.S3InputMode", "S3Input.S3CompressionType"),
    refused("DatasetDefinition"),
)

_OUTPUT = members(
    acted_on("OutputName", "AppManaged"),
    acted_on("S3Output.S3Uri", "S3Output.LocalPath", "S3Output.S3UploadMode"),
    refused("FeatureStoreOutput"),
)

_CLUSTER = members(
    acted_on("InstanceType", "InstanceCount", "VolumeSizeInGB"),
    acted_on("VolumeKmsKeyId", but="encryption of the volume; here it is only written for the container"),
    refused("InstancePreferences", []),
    accepted("SelectedInstanceType", "which of several instance types was used"),
    accepted("SelectedInstanceCount", "how many instances of that type"),
)

_CREATE = members(
    acted_on("ProcessingJobName", "Environment", "Tags"),
    acted_on("AppSpecification.ImageUri"),
    acted_on("AppSpecification.ContainerEntrypoint", "AppSpecification.ContainerArguments"),
    below("ProcessingInputs[]", _INPUT),
    below("ProcessingOutputConfig.Outputs[]", _OUTPUT),
    acted_on(
        "ProcessingOutputConfig.KmsKeyId",
        but="encryption of what is uploaded; here it is only written for the container",
    ),
    below("ProcessingResources.ClusterConfig", _CLUSTER),
    acted_on("StoppingCondition.MaxRuntimeInSeconds"),
    acted_on("NetworkConfig.EnableNetworkIsolation"),
    accepted(
        "NetworkConfig.EnableInterContainerTrafficEncryption",
        "encryption between hosts; here they are on one machine",
    ),
    accepted("NetworkConfig.VpcConfig", "the job's network"),
    acted_on("RoleArn", but="the permissions of the job; here the role whose credentials its container gets"),
    accepted("ExperimentConfig", "the trial and the run that the job is noted in"),
)

MEMBERS: Mapping[str, Members] = {
    "CreateProcessingJob": _CREATE,
    "StopProcessingJob": acted_on("ProcessingJobName"),
}
