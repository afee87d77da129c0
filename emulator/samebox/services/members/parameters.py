"""What the members of requests to Systems Manager and Secrets Manager do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members, refused

_KEY = "which key of KMS encrypts the value; here the data folder's secret does"
_PAGE = acted_on("MaxResults", "NextToken")
_TAGGED = acted_on("ResourceType", "ResourceId")

SSM: Mapping[str, Members] = {
    "PutParameter": members(
        acted_on("Name", "Value", "Type", "Overwrite", "Description", "Tags", "Tier"),
        accepted("KeyId", _KEY),
        refused("AllowedPattern"),
        refused("Policies"),
        refused("DataType", "text"),
    ),
    "GetParameter": acted_on("Name", "WithDecryption"),
    "GetParameters": acted_on("Names", "WithDecryption"),
    "GetParametersByPath": members(
        acted_on("Path", "Recursive", "WithDecryption"), _PAGE, refused("ParameterFilters", [])
    ),
    "DescribeParameters": members(
        acted_on("ParameterFilters"),
        _PAGE,
        refused("Filters", []),  # the older form
        accepted("Shared", "parameters that other accounts share; here no account does"),
    ),
    "GetParameterHistory": members(acted_on("Name", "WithDecryption"), _PAGE),
    "DeleteParameter": acted_on("Name"),
    "DeleteParameters": acted_on("Names"),
    "LabelParameterVersion": acted_on("Name", "ParameterVersion", "Labels"),
    "UnlabelParameterVersion": acted_on("Name", "ParameterVersion", "Labels"),
    "AddTagsToResource": members(_TAGGED, acted_on("Tags")),
    "RemoveTagsFromResource": members(_TAGGED, acted_on("TagKeys")),
    "ListTagsForResource": _TAGGED,
}

SECRETS: Mapping[str, Members] = {
    "CreateSecret": members(
        acted_on("Name", "ClientRequestToken", "Description", "SecretBinary", "SecretString", "Tags"),
        accepted("KmsKeyId", _KEY),
        accepted("ForceOverwriteReplicaSecret", "replaces a secret of the same name in a replica's region"),
        refused("AddReplicaRegions", []),
        refused("Type"),
        refused("CrossAccountPrimaryARN"),
    ),
    "GetSecretValue": acted_on("SecretId", "VersionId", "VersionStage"),
    "PutSecretValue": members(
        acted_on("SecretId", "ClientRequestToken", "SecretBinary", "SecretString", "VersionStages"),
        refused("RotationToken"),
    ),
    "UpdateSecret": members(
        acted_on("SecretId", "ClientRequestToken", "Description", "SecretBinary", "SecretString"),
        accepted("KmsKeyId", _KEY),
        refused("Type"),
    ),
    "DescribeSecret": acted_on("SecretId"),
    "ListSecrets": members(acted_on("IncludePlannedDeletion", "Filters", "SortOrder", "SortBy"), _PAGE),
    "DeleteSecret": acted_on("SecretId", "RecoveryWindowInDays", "ForceDeleteWithoutRecovery"),
    "RestoreSecret": acted_on("SecretId"),
    "UpdateSecretVersionStage": acted_on("SecretId", "VersionStage", "RemoveFromVersionId", "MoveToVersionId"),
    "ListSecretVersionIds": members(acted_on("SecretId", "IncludeDeprecated"), _PAGE),
    "TagResource": acted_on("SecretId", "Tags"),
    "UntagResource": acted_on("SecretId", "TagKeys"),
}
