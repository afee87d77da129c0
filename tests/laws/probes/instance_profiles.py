"""Probes of IAM's instance profiles."""

from collections.abc import Mapping

from tests.laws.probes.values import TAGS
from tests.laws.probing import Call, Probe

_TRUST = '{"Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:*"}}'
_NAMED = {"InstanceProfileName": "$"}
_NOT = {"InstanceProfileName": "nowhere", "RoleName": "nowhere"}
_PAGES = {"MaxItems": 1, "Marker": "MQ=="}
_MADE: Call = ("iam", "CreateInstanceProfile", {**_NAMED, "Path": "/$/", "Tags": TAGS})
_SECOND: Call = ("iam", "CreateInstanceProfile", {"InstanceProfileName": "$-2", "Path": "/$/"})
_ROLE: Call = ("iam", "CreateRole", {"RoleName": "$", "AssumeRolePolicyDocument": _TRUST})
_ADDED = tuple(
    ("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": name, "RoleName": "$"}) for name in ("$", "$-2")
)
_GET: Call = ("iam", "GetInstanceProfile", _NAMED)
_GET_TAGS: Call = ("iam", "ListInstanceProfileTags", _NAMED)

INSTANCE_PROFILES: Mapping[str, Probe] = {
    "CreateInstanceProfile": Probe(
        {**_NAMED, "Tags": TAGS},
        after=(_GET,),
        values={"InstanceProfileName": "$-2", "Path": "/a/", "Tags[].Key": "other", "Tags[].Value": "other"},
    ),
    "GetInstanceProfile": Probe(_NAMED, (_MADE,), makes=False, values=_NOT),
    "ListInstanceProfiles": Probe(
        {"PathPrefix": "/$/"}, (_MADE, _SECOND), makes=False, values={"PathPrefix": "/nowhere/", **_PAGES}
    ),
    "ListInstanceProfilesForRole": Probe(
        {"RoleName": "$"}, (_MADE, _SECOND, _ROLE, *_ADDED), makes=False, values={**_NOT, **_PAGES}
    ),
    "AddRoleToInstanceProfile": Probe({**_NAMED, "RoleName": "$"}, (_MADE, _ROLE), after=(_GET,), values=_NOT),
    "RemoveRoleFromInstanceProfile": Probe(
        {**_NAMED, "RoleName": "$"}, (_MADE, _SECOND, _ROLE, *_ADDED), after=(_GET,), values=_NOT
    ),
    "DeleteInstanceProfile": Probe(_NAMED, (_MADE,), after=(_GET,), values=_NOT),
    "TagInstanceProfile": Probe(
        {**_NAMED, "Tags": TAGS},
        (_MADE,),
        after=(_GET_TAGS,),
        values={**_NOT, "Tags[].Key": "other", "Tags[].Value": "other"},
    ),
    "UntagInstanceProfile": Probe(
        {**_NAMED, "TagKeys": ["key"]}, (_MADE,), after=(_GET_TAGS,), values={**_NOT, "TagKeys[]": "other"}
    ),
    "ListInstanceProfileTags": Probe(
        _NAMED,
        (_MADE, ("iam", "TagInstanceProfile", {**_NAMED, "Tags": [{"Key": "more", "Value": "more"}]})),
        makes=False,
        values={**_NOT, **_PAGES},
    ),
}
