"""What the members of requests about nouns that are only stored do, where that is more than to be kept and shown."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members, refused

MEMBERS: Mapping[str, Members] = {
    "CreateAlgorithm": members(
        acted_on("AlgorithmName", "AlgorithmDescription", "TrainingSpecification", "InferenceSpecification", "Tags"),
        acted_on("CertifyForMarketplace"),
        refused("ValidationSpecification"),  # jobs that would have to succeed
    ),
    "CreateModelPackage": members(
        acted_on(
            "ModelPackageName", "ModelPackageGroupName", "ModelPackageDescription", "ModelPackageRegistrationType"
        ),
        acted_on("InferenceSpecification", "AdditionalInferenceSpecifications", "CertifyForMarketplace", "Tags"),
        acted_on("ModelApprovalStatus", "MetadataProperties", "ModelMetrics", "Domain", "Task", "SamplePayloadUrl"),
        acted_on("CustomerMetadataProperties", "DriftCheckBaselines", "SkipModelValidation", "SourceUri"),
        acted_on("SecurityConfig", "ModelCard", "ModelLifeCycle", "ManagedStorageType"),
        accepted("ClientToken", "a request that is repeated makes no second package"),
        refused("ValidationSpecification"),
        refused("SourceAlgorithmSpecification"),
    ),
    "CreateImageVersion": members(
        acted_on("BaseImage", "ImageName", "Aliases", "VendorGuidance", "JobType", "MLFramework", "ProgrammingLang"),
        acted_on("Processor", "Horovod", "ReleaseNotes"),
        accepted("ClientToken", "a request that is repeated makes no second version"),
    ),
    "BatchDescribeModelPackage": acted_on("ModelPackageArnList"),
    "PutModelPackageGroupPolicy": acted_on("ModelPackageGroupName", "ResourcePolicy"),
    "GetModelPackageGroupPolicy": acted_on("ModelPackageGroupName"),
    "DeleteModelPackageGroupPolicy": acted_on("ModelPackageGroupName"),
    "AssociateTrialComponent": acted_on("TrialComponentName", "TrialName"),
    "DisassociateTrialComponent": acted_on("TrialComponentName", "TrialName"),
    "AddAssociation": acted_on("SourceArn", "DestinationArn", "AssociationType"),
    "DeleteAssociation": acted_on("SourceArn", "DestinationArn"),
    "ListAssociations": members(
        acted_on("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType"),
        acted_on("CreatedAfter", "CreatedBefore", "SortBy", "SortOrder", "NextToken", "MaxResults"),
    ),
    "ListModelCardVersions": acted_on(
        "ModelCardName",
        "ModelCardStatus",
        "CreationTimeAfter",
        "CreationTimeBefore",
        "SortBy",
        "SortOrder",
        "MaxResults",
        "NextToken",
    ),
    "ImportHubContent": members(
        acted_on("HubName", "HubContentName", "HubContentType", "HubContentVersion", "DocumentSchemaVersion"),
        acted_on("HubContentDocument", "HubContentDisplayName", "HubContentDescription", "HubContentMarkdown"),
        acted_on("HubContentSearchKeywords", "SupportStatus", "Tags"),
    ),
    "DescribeHubContent": acted_on("HubName", "HubContentName", "HubContentType", "HubContentVersion"),
    "UpdateHubContent": members(
        acted_on("HubName", "HubContentName", "HubContentType", "HubContentVersion", "HubContentDisplayName"),
        acted_on("HubContentDescription", "HubContentMarkdown", "HubContentSearchKeywords", "SupportStatus"),
    ),
    "DeleteHubContent": acted_on("HubName", "HubContentName", "HubContentType", "HubContentVersion"),
    "ListHubContents": members(
        acted_on("HubName", "HubContentType", "NameContains", "MaxSchemaVersion", "CreationTimeBefore"),
        acted_on("CreationTimeAfter", "SortBy", "SortOrder", "MaxResults", "NextToken"),
    ),
    "ListHubContentVersions": members(
        acted_on("HubName", "HubContentType", "HubContentName", "MinVersion", "MaxSchemaVersion"),
        acted_on("CreationTimeBefore", "CreationTimeAfter", "SortBy", "SortOrder", "MaxResults", "NextToken"),
    ),
    "RegisterDevices": acted_on("DeviceFleetName", "Devices", "Tags"),
    "DeregisterDevices": acted_on("DeviceFleetName", "DeviceNames"),
    "UpdateDevices": acted_on("DeviceFleetName", "Devices"),
    "DescribeDevice": members(
        acted_on("DeviceFleetName", "DeviceName"),
        accepted("NextToken", "a device has no models, and they would be listed"),
    ),
    "ListDevices": acted_on("DeviceFleetName", "ModelName", "LatestHeartbeatAfter", "MaxResults", "NextToken"),
    "GetDeviceFleetReport": acted_on("DeviceFleetName"),
    "ListAliases": acted_on("ImageName", "Alias", "Version", "MaxResults", "NextToken"),
}
