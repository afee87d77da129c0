"""What the members of CreateTrainingJob and StopTrainingJob do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, below, members, refused

_SOURCE = members(
    acted_on("S3Uri"),
    acted_on("S3DataDistributionType"),
    refused("S3DataType", "S3Prefix", "ManifestFile", "AugmentedManifestFile"),
    acted_on("AttributeNames"),
    acted_on("InstanceGroupNames"),
    refused("ModelAccessConfig"),
    refused("HubAccessConfig"),
)

_CHANNEL = members(
    acted_on("ChannelName", "ContentType"),
    below("DataSource.S3DataSource", _SOURCE),
    acted_on("DataSource.FileSystemDataSource", but="mounts a file system; here a folder that a setting names"),
    refused("DataSource.DatasetSource"),
    acted_on("InputMode"),
    acted_on("CompressionType", "RecordWrapperType"),
    acted_on("ShuffleConfig"),
)

_ALGORITHM = members(
    acted_on("TrainingImage", "MetricDefinitions", "ContainerEntrypoint", "ContainerArguments"),
    acted_on("AlgorithmName"),
    acted_on("TrainingInputMode"),
    refused("TrainingImageConfig.TrainingRepositoryAccessMode", "Platform"),
    refused("TrainingImageConfig.TrainingRepositoryAuthConfig"),
    accepted("EnableSageMakerMetricsTimeSeries", "metrics as a time series"),
)

_RESOURCES = members(
    acted_on("InstanceType", "InstanceCount", "VolumeSizeInGB"),
    acted_on("InstanceGroups"),
    refused("InstancePreferences", []),
    refused("InstancePlacementConfig"),
    acted_on("KeepAlivePeriodInSeconds"),
    refused("TrainingPlanArn"),
    accepted("VolumeKmsKeyId", "encryption of the volume"),
    accepted("SelectedInstanceType", "which of several instance types was used"),
    accepted("SelectedInstanceCount", "how many instances of that type"),
)

_CREATE = members(
    acted_on("TrainingJobName", "HyperParameters", "Environment", "Tags", "EnableNetworkIsolation"),
    below("AlgorithmSpecification", _ALGORITHM),
    below("InputDataConfig[]", _CHANNEL),
    acted_on("OutputDataConfig.S3OutputPath", "OutputDataConfig.CompressionType"),
    accepted("OutputDataConfig.KmsKeyId", "encryption of what is uploaded"),
    below("ResourceConfig", _RESOURCES),
    acted_on("StoppingCondition.MaxRuntimeInSeconds", "StoppingCondition.MaxWaitTimeInSeconds"),
    accepted("StoppingCondition.MaxPendingTimeInSeconds", "how long a job may wait for capacity"),
    acted_on("RoleArn", but="the permissions of the job; here the role whose credentials its container gets"),
    accepted("VpcConfig", "the job's network"),
    accepted("EnableInterContainerTrafficEncryption", "encryption between hosts; here they are on one machine"),
    acted_on("DebugHookConfig", "TensorBoardOutputConfig"),
    acted_on("ProfilerConfig", but="measures the instance itself, too; here what the container writes is uploaded"),
    acted_on("RetryStrategy.MaximumRetryAttempts"),
    accepted("InfraCheckConfig", "a check of the hardware"),
    acted_on("EnableManagedSpotTraining", "CheckpointConfig.S3Uri", "CheckpointConfig.LocalPath"),
    refused("DebugRuleConfigurations", []),
    refused("ProfilerRuleConfigurations", []),
    accepted("ExperimentConfig", "the trial and the run that the job is noted in"),
    accepted("RemoteDebugConfig.EnableRemoteDebug", "remote debugging; samebox shell needs no agent"),
    refused("ServerlessJobConfig"),
    refused("MlflowConfig"),
    refused("ModelPackageConfig"),
    refused("SessionChainingConfig"),
)

MEMBERS: Mapping[str, Members] = {
    "CreateTrainingJob": _CREATE,
    "StopTrainingJob": acted_on("TrainingJobName"),
    "UpdateTrainingJob": members(
        acted_on("TrainingJobName"),
        acted_on("ResourceConfig.KeepAlivePeriodInSeconds"),
        acted_on("RemoteDebugConfig.EnableRemoteDebug", but="starts or ends an agent; here Describe alone shows it"),
        acted_on("ProfilerConfig", but="profiles the job while it runs; here Describe alone shows it"),
        refused("ProfilerRuleConfigurations", []),
    ),
}
