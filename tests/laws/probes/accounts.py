"""Probes of STS and IAM."""

from collections.abc import Mapping

from tests import samples
from tests.conftest import ACCOUNT
from tests.laws.probes.instance_profiles import INSTANCE_PROFILES
from tests.laws.probes.values import OTHER_ACCOUNT, TAGS
from tests.laws.probing import Call, Either, Params, Probe

_ACTIONS = {"PolicySourceArn": samples.ROLE, "ActionNames": ["s3:GetObject"]}

# {"sub": "somebody", "aud": "samebox", "iss": "https://id.example"}, which is not signed.
_TOKEN = "x.eyJzdWIiOiAic29tZWJvZHkiLCAiYXVkIjogInNhbWVib3giLCAiaXNzIjogImh0dHBzOi8vaWQuZXhhbXBsZSJ9.y"
_TRUST = '{"Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:*"}}'
_ALLOW = '{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
_ROLE: Params = {"RoleName": "$", "AssumeRolePolicyDocument": _TRUST, "Tags": TAGS}
_MADE: Call = ("iam", "CreateRole", _ROLE)
_GET: Call = ("iam", "GetRole", {"RoleName": "$"})
_MANAGED = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
_POLICY_ARN = f"arn:aws:iam::{ACCOUNT}:policy/$"
_POLICY: Call = ("iam", "CreatePolicy", {"PolicyName": "$", "PolicyDocument": _ALLOW})
_ATTACHED: tuple[Call, ...] = (
    ("iam", "AttachRolePolicy", {"RoleName": "$", "PolicyArn": _MANAGED}),
    ("iam", "AttachRolePolicy", {"RoleName": "$", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
)
_OF_ROLE: Call = ("iam", "ListAttachedRolePolicies", {"RoleName": "$"})
_PUT: tuple[Call, ...] = tuple(
    ("iam", "PutRolePolicy", {"RoleName": "$", "PolicyName": name, "PolicyDocument": _ALLOW}) for name in ("one", "two")
)
_NAMES: Call = ("iam", "ListRolePolicies", {"RoleName": "$"})
_ONE: Call = ("iam", "GetRolePolicy", {"RoleName": "$", "PolicyName": "one"})
_PAGES = {"MaxItems": 1, "Marker": "MQ=="}
_PATH = "/$/"
_NOT = {"RoleName": "nowhere"}

STS: Mapping[str, Probe] = {
    "AssumeRole": Probe(
        {"RoleArn": samples.ROLE, "RoleSessionName": "me"},
        values={"RoleArn": samples.ROLE.replace(ACCOUNT, OTHER_ACCOUNT), "DurationSeconds": 7200},
    ),
    "AssumeRoleWithWebIdentity": Probe(
        {"RoleArn": samples.ROLE, "RoleSessionName": "me", "WebIdentityToken": _TOKEN},
        values={
            "RoleArn": samples.ROLE.replace(ACCOUNT, OTHER_ACCOUNT),
            "WebIdentityToken": "x.e30.y",
            "ProviderId": "www.amazon.com",
            "DurationSeconds": 7200,
        },
    ),
    "GetFederationToken": Probe({"Name": "me"}, values={"Name": "other", "DurationSeconds": 7200}),
    "GetAccessKeyInfo": Probe(
        {"AccessKeyId": f"ASIA{ACCOUNT}ABCD"}, makes=False, values={"AccessKeyId": f"ASIA{OTHER_ACCOUNT}ABCD"}
    ),
    "GetSessionToken": Probe({}, values={"DurationSeconds": 7200}),
}
IAM: Mapping[str, Probe] = {
    **INSTANCE_PROFILES,
    "GetRole": Probe({"RoleName": "a"}, makes=False, values={"RoleName": "b"}),
    "SimulatePrincipalPolicy": Probe(
        _ACTIONS,
        makes=False,
        besides={"MaxItems": {"ActionNames": ["s3:GetObject", "s3:PutObject"]}},
        values={"PolicySourceArn": "arn:aws:sts::123456789012:assumed-role/a/b", "Marker": "1", "MaxItems": 1},
    ),
    "CreateRole": Probe(
        _ROLE,
        after=(_GET,),
        values={
            "Path": Either("/a/", "/b/"),
            "RoleName": Either("$", "$-2"),
            "AssumeRolePolicyDocument": _ALLOW,
            "MaxSessionDuration": 7200,
            "Tags[].Key": "other",
            "Tags[].Value": "other",
        },
        proven={
            "RoleName": "tests/services/iam/test_roles.py::test_a_role_is_made_shown_and_changed",
            "Description": "tests/services/iam/test_roles.py::test_a_role_is_made_shown_and_changed",
            "MaxSessionDuration": "tests/services/iam/test_roles.py::test_a_role_is_made_shown_and_changed",
        },
    ),
    "UpdateRole": Probe(
        {"RoleName": "$"},
        (_MADE,),
        after=(_GET,),
        values=_NOT,
        proven={
            "Description": "tests/services/iam/test_roles.py::test_a_role_is_made_shown_and_changed",
            "MaxSessionDuration": "tests/services/iam/test_roles.py::test_a_role_is_made_shown_and_changed",
        },
    ),
    "UpdateAssumeRolePolicy": Probe(
        {"RoleName": "$", "PolicyDocument": _TRUST},
        (_MADE,),
        after=(_GET,),
        values={**_NOT, "PolicyDocument": _TRUST.replace("sagemaker", "lambda")},
    ),
    "ListRoles": Probe(
        {"PathPrefix": _PATH},
        (
            ("iam", "CreateRole", {**_ROLE, "Path": _PATH}),
            ("iam", "CreateRole", {**_ROLE, "RoleName": "$-2", "Path": _PATH}),
        ),
        makes=False,
        values={"PathPrefix": "/nowhere/", **_PAGES},
    ),
    "DeleteRole": Probe({"RoleName": "$"}, (_MADE,), after=(_GET,), values=_NOT),
    "AttachRolePolicy": Probe(
        {"RoleName": "$", "PolicyArn": _MANAGED}, (_MADE,), after=(_OF_ROLE,), values={**_NOT, "PolicyArn": _POLICY_ARN}
    ),
    "DetachRolePolicy": Probe(
        {"RoleName": "$", "PolicyArn": _MANAGED},
        (_MADE, *_ATTACHED),
        after=(_OF_ROLE,),
        values={**_NOT, "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
    ),
    "ListAttachedRolePolicies": Probe({"RoleName": "$"}, (_MADE, *_ATTACHED), makes=False, values={**_NOT, **_PAGES}),
    "PutRolePolicy": Probe(
        {"RoleName": "$", "PolicyName": "one", "PolicyDocument": _ALLOW},
        (_MADE,),
        after=(_NAMES,),
        values={**_NOT, "PolicyName": "two", "PolicyDocument": Either(_ALLOW, "{}")},
    ),
    "GetRolePolicy": Probe(
        {"RoleName": "$", "PolicyName": "one"}, (_MADE, *_PUT), makes=False, values={**_NOT, "PolicyName": "three"}
    ),
    "DeleteRolePolicy": Probe(
        {"RoleName": "$", "PolicyName": "one"}, (_MADE, *_PUT), after=(_NAMES,), values={**_NOT, "PolicyName": "two"}
    ),
    "ListRolePolicies": Probe({"RoleName": "$"}, (_MADE, *_PUT), makes=False, values={**_NOT, **_PAGES}),
    "TagRole": Probe(
        {"RoleName": "$", "Tags": TAGS},
        (_MADE,),
        after=(("iam", "ListRoleTags", {"RoleName": "$"}),),
        values={**_NOT, "Tags[].Key": "other", "Tags[].Value": "other"},
    ),
    "UntagRole": Probe(
        {"RoleName": "$", "TagKeys": ["key"]},
        (_MADE,),
        after=(("iam", "ListRoleTags", {"RoleName": "$"}),),
        values={**_NOT, "TagKeys[]": "other"},
    ),
    "ListRoleTags": Probe(
        {"RoleName": "$"},
        (_MADE, ("iam", "TagRole", {"RoleName": "$", "Tags": [{"Key": "more", "Value": "more"}]})),
        makes=False,
        values={**_NOT, **_PAGES},
    ),
    "CreatePolicy": Probe(
        {"PolicyName": "$", "PolicyDocument": _ALLOW, "Tags": TAGS},
        after=(("iam", "GetPolicy", {"PolicyArn": _POLICY_ARN}),),
        values={
            "PolicyName": "other",
            "Path": "/a/",
            "PolicyDocument": Either(_ALLOW, "{}"),
            "Tags[].Key": "other",
            "Tags[].Value": "other",
        },
        proven={"Description": "tests/services/iam/test_roles.py::test_a_policy_of_the_account"},
    ),
    "GetPolicy": Probe({"PolicyArn": _POLICY_ARN}, (_POLICY,), makes=False, values={"PolicyArn": _MANAGED}),
    "GetPolicyVersion": Probe(
        {"PolicyArn": _POLICY_ARN, "VersionId": "v1"},
        (_POLICY,),
        makes=False,
        values={"PolicyArn": _MANAGED, "VersionId": "v2"},
    ),
    "ListPolicies": Probe(
        {"PathPrefix": _PATH},
        (
            ("iam", "CreatePolicy", {"PolicyName": "$", "PolicyDocument": _ALLOW, "Path": _PATH}),
            ("iam", "CreatePolicy", {"PolicyName": "$-2", "PolicyDocument": _ALLOW, "Path": _PATH}),
        ),
        makes=False,
        values={"Scope": "AWS", "OnlyAttached": True, "PathPrefix": "/nowhere/", **_PAGES},
    ),
    "DeletePolicy": Probe(
        {"PolicyArn": _POLICY_ARN},
        (_POLICY,),
        after=(("iam", "GetPolicy", {"PolicyArn": _POLICY_ARN}),),
        values={"PolicyArn": "arn:aws:iam::123456789012:policy/nowhere"},
    ),
}
