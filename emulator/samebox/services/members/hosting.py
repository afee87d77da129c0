"""What the members of requests about models, endpoint configurations and endpoints do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, below, members, refused

_CONTAINER = members(
    acted_on("Image", "ModelDataUrl", "Environment", "ContainerHostname"),
    acted_on("ModelDataSource.S3DataSource.S3Uri"),
    refused("ModelDataSource.S3DataSource.S3DataType", "S3Object"),
    refused("ModelDataSource.S3DataSource.CompressionType", "Gzip"),
    refused("ModelDataSource.S3DataSource.ETag"),
    refused("ModelDataSource.S3DataSource.ManifestS3Uri"),
    refused("ModelDataSource.S3DataSource.HubAccessConfig"),
    accepted("ModelDataSource.S3DataSource.ManifestEtag", "which version of a manifest"),
    accepted("ModelDataSource.S3DataSource.ModelAccessConfig", "consent to a model's licence"),
    refused("AdditionalModelDataSources", []),
    refused("Mode", "SingleModel"),
    refused("MultiModelConfig"),
    refused("ModelPackageName"),
    refused("InferenceSpecificationName"),
    refused("ImageConfig.RepositoryAccessMode", "Platform"),
    accepted("ImageConfig.RepositoryAuthConfig", "credentials of a private registry"),
    accepted("ContainerMetricsConfig", "where the container's metrics are read from"),
)

_MODEL = members(
    acted_on("ModelName", "Tags", "EnableNetworkIsolation"),
    below("PrimaryContainer", _CONTAINER),
    below("Containers[]", _CONTAINER),
    refused("InferenceExecutionConfig.Mode", "Serial"),
    accepted("ExecutionRoleArn", "the permissions of the container; here only its form is checked"),
    accepted("VpcConfig", "the container's network"),
)

_VARIANT = members(
    acted_on("VariantName", "ModelName", "InstanceType", "InitialInstanceCount", "InitialVariantWeight"),
    acted_on("ContainerStartupHealthCheckTimeoutInSeconds"),
    refused("AcceleratorPartitionLayouts", []),
    refused("AcceleratorType"),
    refused("CapacityReservationConfig"),
    refused("CoreDumpConfig"),
    refused("EnableSSMAccess", False),
    refused("InstancePools", []),
    refused("ManagedInstanceScaling.Status", "DISABLED"),
    accepted("ManagedInstanceScaling", "with `Status` DISABLED: how it would scale"),
    refused("RoutingConfig.RoutingStrategy", "RANDOM", "LEAST_OUTSTANDING_REQUESTS"),
    accepted("RoutingConfig", "how requests are distributed among instances"),
    refused("ServerlessConfig"),
    accepted("InferenceAmiVersion", "the drivers of the host"),
    accepted("ModelDataDownloadTimeoutInSeconds", "how long the model may take to download"),
    accepted("VariantInstanceProvisionTimeoutInSeconds", "how long instances may take to start"),
    accepted("VolumeSizeInGB", "the size of the volume"),
)

_ENDPOINT_CONFIG = members(
    acted_on("EndpointConfigName", "Tags"),
    below("ProductionVariants[]", _VARIANT),
    refused("AsyncInferenceConfig"),
    refused("CrossRegionTrafficConfig"),
    refused("DataCaptureConfig.EnableCapture", False),
    accepted("DataCaptureConfig", "with `EnableCapture` false: what would be captured"),
    refused("ExecutionRoleArn"),  # of endpoints that inference components are deployed to
    refused("ExplainerConfig"),
    refused("MetricsConfig.EnableEnhancedMetrics", False),
    accepted("MetricsConfig", "how often metrics are published"),
    refused("ShadowProductionVariants", []),
    accepted("EnableNetworkIsolation", "isolation of containers; here the model's own member decides"),
    accepted("KmsKeyId", "encryption of the volume"),
    accepted("VpcConfig", "the containers' network"),
)

# All at once is the one way we replace containers (contract.md §2.10).
_DEPLOYMENT = members(
    refused("DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.Type", "ALL_AT_ONCE"),
    accepted("DeploymentConfig.BlueGreenUpdatePolicy", "pauses and limits of a blue/green update"),
    refused("DeploymentConfig.RollingUpdatePolicy"),
    refused("DeploymentConfig.AutoRollbackConfiguration.Alarms", []),
)

MEMBERS: Mapping[str, Members] = {
    "CreateModel": _MODEL,
    "CreateEndpointConfig": _ENDPOINT_CONFIG,
    "CreateEndpoint": members(acted_on("EndpointName", "EndpointConfigName", "Tags"), _DEPLOYMENT),
    "UpdateEndpoint": members(
        acted_on("EndpointName", "EndpointConfigName"),
        acted_on("RetainAllVariantProperties", "ExcludeRetainedVariantProperties"),
        _DEPLOYMENT,
        accepted("RetainDeploymentConfig", "whether the last update's policy is kept"),
    ),
    "UpdateEndpointWeightsAndCapacities": members(
        acted_on("EndpointName"),
        acted_on("DesiredWeightsAndCapacities"),
        refused("DesiredWeightsAndCapacities[].ServerlessUpdateConfig"),
    ),
}
