"""Probes of parameters and secrets."""

from collections.abc import Mapping

from tests.laws.probing import Call, Either, Params, Probe

_PARAMETER: Params = {"Name": "/$/a", "Value": "v", "Type": "SecureString"}
_PUT: Call = ("ssm", "PutParameter", _PARAMETER)
_PUT_AGAIN: Call = ("ssm", "PutParameter", {**_PARAMETER, "Value": "w", "Overwrite": True})
_OTHER: Call = ("ssm", "PutParameter", {"Name": "/$/b", "Value": "v", "Type": "String"})
_DEEPER: Call = ("ssm", "PutParameter", {"Name": "/$/b/c", "Value": "v", "Type": "String"})
_GET: Call = ("ssm", "GetParameter", {"Name": "/$/a", "WithDecryption": True})
_HISTORY: Call = ("ssm", "GetParameterHistory", {"Name": "/$/a", "WithDecryption": True})
_BELOW: Call = ("ssm", "GetParametersByPath", {"Path": "/$", "WithDecryption": True})
_LABELLED: Call = ("ssm", "LabelParameterVersion", {"Name": "/$/a", "ParameterVersion": 1, "Labels": ["old"]})
_TAGS: Call = ("ssm", "ListTagsForResource", {"ResourceType": "Parameter", "ResourceId": "/$/a"})
_TAG = [{"Key": "key", "Value": "value"}]
_PAGES = {"NextToken": "MQ==", "MaxResults": 1}
_OF_TAGS = {"ResourceType": "Document", "ResourceId": "nowhere"}
_TEST = "tests/services/test_ssm.py"

SSM: Mapping[str, Probe] = {
    "PutParameter": Probe(
        {"Name": "/$/a", "Value": "v", "Type": "String"},
        after=(_HISTORY, _TAGS),
        besides={"Tags": {"Tags": _TAG}},
        values={
            "Name": "no name",
            "Tier": Either("Standard", "Advanced"),
            "Type": Either("String", "StringList"),
            "KeyId": "key",
            "Description": Either("a", "b"),
            "AllowedPattern": "a",
            "DataType": "aws:ec2:image",
        },
        proven={
            "Overwrite": f"{_TEST}::test_a_parameter_has_versions",
            "Value": f"{_TEST}::test_a_parameter_has_versions",
            "Description": f"{_TEST}::test_a_parameter_has_versions",
            "Tier": f"{_TEST}::test_a_value_has_the_length_of_its_tier",
            "Type": f"{_TEST}::test_a_secure_string_is_encrypted_on_the_disk",
            "KeyId": f"{_TEST}::test_a_secure_string_is_encrypted_on_the_disk",
        },
    ),
    "GetParameter": Probe({"Name": "/$/a"}, (_PUT,), makes=False, values={"Name": "nowhere", "WithDecryption": True}),
    "GetParameters": Probe(
        {"Names": ["/$/a"]}, (_PUT,), makes=False, values={"Names[]": "nowhere", "WithDecryption": True}
    ),
    "GetParametersByPath": Probe(
        {"Path": "/$"},
        (_PUT, _OTHER, _DEEPER),
        makes=False,
        values={"Path": "/nowhere", "Recursive": True, "WithDecryption": True, **_PAGES},
    ),
    "DescribeParameters": Probe(
        {"ParameterFilters": [{"Key": "Path", "Values": ["/$"]}]},
        (_PUT, _OTHER, _DEEPER),
        makes=False,
        values={
            "ParameterFilters[].Key": "Name",
            "ParameterFilters[].Option": "Recursive",
            "ParameterFilters[].Values[]": "/nowhere",
            **_PAGES,
        },
    ),
    "GetParameterHistory": Probe(
        {"Name": "/$/a"},
        (_PUT, _PUT_AGAIN),
        makes=False,
        values={"Name": "nowhere", "WithDecryption": True, **_PAGES},
    ),
    "DeleteParameter": Probe({"Name": "/$/a"}, (_PUT,), after=(_BELOW,), values={"Name": "nowhere"}),
    "DeleteParameters": Probe({"Names": ["/$/a"]}, (_PUT,), after=(_BELOW,), values={"Names[]": "nowhere"}),
    "LabelParameterVersion": Probe(
        {"Name": "/$/a", "Labels": ["label"]},
        (_PUT, _PUT_AGAIN),
        after=(_HISTORY,),
        values={"Name": "nowhere", "ParameterVersion": 1},
        proven={"Labels[]": f"{_TEST}::test_versions_are_selected_by_number_and_label"},
    ),
    "UnlabelParameterVersion": Probe(
        {"Name": "/$/a", "ParameterVersion": 1, "Labels": ["old"]},
        (_PUT, _PUT_AGAIN, _LABELLED),
        after=(_HISTORY,),
        values={"Name": "nowhere", "ParameterVersion": 2, "Labels[]": "other"},
    ),
    "AddTagsToResource": Probe(
        {"ResourceType": "Parameter", "ResourceId": "/$/a", "Tags": _TAG}, (_PUT,), after=(_TAGS,), values=_OF_TAGS
    ),
    "RemoveTagsFromResource": Probe(
        {"ResourceType": "Parameter", "ResourceId": "/$/a", "TagKeys": ["key"]},
        (
            _PUT,
            ("ssm", "AddTagsToResource", {"ResourceType": "Parameter", "ResourceId": "/$/a", "Tags": _TAG}),
        ),
        after=(_TAGS,),
        values=_OF_TAGS,
    ),
    "ListTagsForResource": Probe(
        {"ResourceType": "Parameter", "ResourceId": "/$/a"}, (_PUT,), makes=False, values=_OF_TAGS
    ),
}

_FIRST, _SECOND = "1" * 32, "2" * 32
_SECRET: Params = {"Name": "$", "SecretString": "v", "ClientRequestToken": _FIRST}
_MADE: Call = ("secretsmanager", "CreateSecret", _SECRET)
_MADE_AGAIN: Call = (
    "secretsmanager",
    "PutSecretValue",
    {"SecretId": "$", "SecretString": "w", "ClientRequestToken": _SECOND},
)
_VALUE: Call = ("secretsmanager", "GetSecretValue", {"SecretId": "$"})
_DESCRIBED: Call = ("secretsmanager", "DescribeSecret", {"SecretId": "$"})
_LISTED: Call = (
    "secretsmanager",
    "ListSecrets",
    {"Filters": [{"Key": "name", "Values": ["$"]}], "IncludePlannedDeletion": True},
)
_DELETED: Call = ("secretsmanager", "DeleteSecret", {"SecretId": "$"})
_NOT = {"SecretId": "nowhere"}
_TEST_SECRETS = "tests/services/test_secretsmanager.py"

_VALUES = {
    "SecretString": f"{_TEST_SECRETS}::test_a_secret_has_a_value_and_versions",
    "SecretBinary": f"{_TEST_SECRETS}::test_bytes_are_a_value",
}

SECRETS: Mapping[str, Probe] = {
    "CreateSecret": Probe(
        {"Name": "$", "ClientRequestToken": _FIRST, "SecretString": "v"},
        after=(_VALUE, _DESCRIBED),
        besides={
            "Tags": {"Tags": _TAG},
            "ClientRequestToken": {"ClientRequestToken": None},
        },
        values={
            "Name": "digits",
            "ClientRequestToken": Either(_FIRST, _SECOND),
            "KmsKeyId": "key",
        },
        proven={
            **_VALUES,
            "Description": f"{_TEST_SECRETS}::test_secrets_are_listed_by_what_they_are",
            "Name": f"{_TEST_SECRETS}::test_a_secret_has_a_value_and_versions",
            "Tags[].Key": f"{_TEST_SECRETS}::test_tags",
            "Tags[].Value": f"{_TEST_SECRETS}::test_tags",
            "KmsKeyId": f"{_TEST_SECRETS}::test_a_secret_has_a_value_and_versions",
        },
    ),
    "GetSecretValue": Probe(
        {"SecretId": "$"},
        (_MADE, _MADE_AGAIN),
        makes=False,
        values={**_NOT, "VersionId": _FIRST, "VersionStage": "AWSPREVIOUS"},
    ),
    "PutSecretValue": Probe(
        {"SecretId": "$", "SecretString": "w", "ClientRequestToken": _SECOND},
        (_MADE,),
        after=(_VALUE, _DESCRIBED),
        values={
            **_NOT,
            "ClientRequestToken": Either(_FIRST, _SECOND),
            "VersionStages": ["AWSPENDING"],
        },
        proven={**_VALUES, "VersionStages[]": f"{_TEST_SECRETS}::test_a_rotation_moves_the_stages"},
    ),
    "UpdateSecret": Probe(
        {"SecretId": "$", "SecretString": "w", "ClientRequestToken": _SECOND},
        (_MADE,),
        after=(_VALUE, _DESCRIBED),
        values={
            **_NOT,
            "ClientRequestToken": Either(_FIRST, _SECOND),
            "KmsKeyId": "k",
        },
        proven={
            **_VALUES,
            "Description": f"{_TEST_SECRETS}::test_secrets_are_listed_by_what_they_are",
            "KmsKeyId": f"{_TEST_SECRETS}::test_secrets_are_listed_by_what_they_are",
        },
    ),
    "DescribeSecret": Probe({"SecretId": "$"}, (_MADE,), makes=False, values=_NOT),
    "ListSecrets": Probe(
        {"Filters": [{"Key": "name", "Values": ["$"]}]},
        (
            _MADE,
            ("secretsmanager", "CreateSecret", {"Name": "$-2"}),
            ("secretsmanager", "CreateSecret", {"Name": "$-3"}),
            ("secretsmanager", "DeleteSecret", {"SecretId": "$-3"}),
        ),
        makes=False,
        values={
            "IncludePlannedDeletion": True,
            "Filters[].Key": "tag-key",
            "Filters[].Values[]": "nowhere",
            "SortOrder": "asc",
            **_PAGES,
        },
        proven={"SortBy": f"{_TEST_SECRETS}::test_secrets_are_listed_by_what_they_are"},
    ),
    "DeleteSecret": Probe(
        {"SecretId": "$"},
        (_MADE,),
        after=(_LISTED,),
        values={**_NOT, "RecoveryWindowInDays": Either(7, 1), "ForceDeleteWithoutRecovery": True},
    ),
    "RestoreSecret": Probe({"SecretId": "$"}, (_MADE, _DELETED), after=(_LISTED,), values=_NOT),
    "UpdateSecretVersionStage": Probe(
        {"SecretId": "$", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": _SECOND, "MoveToVersionId": _FIRST},
        (_MADE, _MADE_AGAIN),
        after=(_DESCRIBED,),
        values={**_NOT, "VersionStage": "other", "RemoveFromVersionId": "3" * 32, "MoveToVersionId": "3" * 32},
    ),
    "ListSecretVersionIds": Probe(
        {"SecretId": "$"},
        (_MADE, _MADE_AGAIN, ("secretsmanager", "PutSecretValue", {"SecretId": "$", "SecretString": "x"})),
        makes=False,
        values={**_NOT, "IncludeDeprecated": True, **_PAGES},
        proven={"IncludeDeprecated": f"{_TEST_SECRETS}::test_versions_without_a_stage_are_deprecated"},
    ),
    "TagResource": Probe({"SecretId": "$", "Tags": _TAG}, (_MADE,), after=(_DESCRIBED,), values=_NOT),
    "UntagResource": Probe(
        {"SecretId": "$", "TagKeys": ["key"]},
        (("secretsmanager", "CreateSecret", {"Name": "$", "Tags": _TAG}),),
        after=(_DESCRIBED,),
        values=_NOT,
    ),
}
