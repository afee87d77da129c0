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
    "ListAliases": acted_on("ImageName", "Alias", "Version", "MaxResults", "NextToken"),
}
