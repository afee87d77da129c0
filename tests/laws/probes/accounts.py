"""Probes of STS and IAM."""

from collections.abc import Mapping

from tests import samples
from tests.conftest import ACCOUNT
from tests.laws.probes.values import OTHER_ACCOUNT
from tests.laws.probing import Probe

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
