"""Versions and delete markers."""

from tests.s3.differential.known import KnownDifference
from tests.s3.differential.sources import RECORDED

DIFFERENCES = {
    "versions: versioning that cannot be": KnownDifference(RECORDED, {"[0]": 400, "[1]": "MalformedXML"}),
    "versions: versioning without a status": KnownDifference(
        RECORDED, {"[0]": 400, "[1]": "IllegalVersioningConfigurationException"}
    ),
    "versions: what was put before has the version null": KnownDifference(RECORDED, {"[0].VersionId": "null"}),
    "versions: a suspended bucket writes the version null": KnownDifference(
        RECORDED,
        {
            "[2].Versions": [
                {"Key": "k", "VersionId": "null", "IsLatest": True},
                {"Key": "k", "VersionId": "version 1", "IsLatest": False},
            ]
        },
    ),
    "versions: delete of nothing leaves a marker too": KnownDifference(
        RECORDED,
        {
            "[0].DeleteMarker": True,
            "[0].VersionId": "version 1",
            "[1].DeleteMarkers": [{"Key": "k", "VersionId": "version 1", "IsLatest": True}],
        },
    ),
    "versions: a deleted object is not there": KnownDifference(
        RECORDED, {"[1].x-amz-delete-marker": "true", "[1].x-amz-version-id": "version 1"}
    ),
    "versions: a marker is not read by its id": KnownDifference(
        RECORDED,
        {
            "[0].Code": "MethodNotAllowed",
            "[0].Message": "The specified method is not allowed against this resource.",
            "[0].Method": "GET",
            "[0].ResourceType": "DeleteMarker",
            "[0].status": 405,
            "[1].allow": "DELETE",
            "[1].x-amz-delete-marker": "true",
        },
    ),
    "versions: head of a marker by its id": KnownDifference(RECORDED, {"": 405}),
    "versions: a marker that is deleted brings the object back": KnownDifference(RECORDED, {"[0].DeleteMarker": True}),
    "versions: a version that cannot be": KnownDifference(
        RECORDED, {"Code": "InvalidArgument", "Message": "Invalid version id specified", "status": 400}
    ),
    "versions: a bucket with only markers is not empty": KnownDifference(
        RECORDED,
        {
            "[1].Code": "BucketNotEmpty",
            "[1].Message": "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
            "[1].status": 409,
        },
    ),
    "versions: a suspended delete leaves a marker null": KnownDifference(
        RECORDED,
        {
            "[0].DeleteMarker": True,
            "[0].VersionId": "null",
            "[1].DeleteMarkers": [{"Key": "k", "VersionId": "null", "IsLatest": True}],
        },
    ),
    "versions: a suspended delete keeps older versions": KnownDifference(
        RECORDED,
        {
            "DeleteMarkers": [{"Key": "k", "VersionId": "null", "IsLatest": True}],
            "Versions": [{"Key": "k", "VersionId": "version 1", "IsLatest": False}],
        },
    ),
    "versions: a version marker needs a key marker": KnownDifference(
        RECORDED,
        {
            "Code": "InvalidArgument",
            "Message": "A version-id marker cannot be specified without a key marker.",
            "status": 400,
        },
    ),
    "versions: an entry of a list of versions": KnownDifference(RECORDED, {"ChecksumAlgorithm": ["CRC32"]}),
    "versions: an entry of a marker": KnownDifference(
        RECORDED,
        {
            "": {
                "Owner": {"ID": "account 1"},
                "Key": "k",
                "VersionId": "version 1",
                "IsLatest": True,
                "LastModified": "a time",
            }
        },
    ),
    "versions: a page of no versions": KnownDifference(RECORDED, {"IsTruncated": False}),
}
