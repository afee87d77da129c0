"""Versions and delete markers."""

from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls


def listed(s3: S3Calls, **members: Any) -> Any:
    answer = s3.list_object_versions(**members)
    return {
        name: [{key: one[key] for key in ("Key", "VersionId", "IsLatest")} for one in answer.get(name, [])]
        for name in ("Versions", "DeleteMarkers")
    }


@behaviour
def a_new_bucket_has_no_versions(s3: S3Calls) -> Any:
    return s3.get_bucket_versioning()


@each(["Enabled", "Suspended"])
def versioning_is_shown(s3: S3Calls, status: str) -> Any:
    s3.versioned(status)
    return s3.get_bucket_versioning().pick("Status")


@behaviour
def versioning_that_cannot_be(s3: S3Calls) -> Any:
    return s3.put_bucket_versioning(VersioningConfiguration={"Status": "On"}).verdict


@behaviour
def versioning_without_a_status(s3: S3Calls) -> Any:
    return s3.put_bucket_versioning(VersioningConfiguration={}).verdict


@behaviour
def each_put_is_a_version(s3: S3Calls) -> Any:
    s3.versioned()
    return [
        s3.put_object(Key="k", Body=b"1").pick("VersionId"),
        s3.put_object(Key="k", Body=b"2").pick("VersionId"),
        listed(s3),
    ]


@behaviour
def a_version_is_read_by_its_id(s3: S3Calls) -> Any:
    s3.versioned()
    ids = [s3.put_object(Key="k", Body=body)["VersionId"] for body in (b"1", b"2")]
    return [s3.get_object(Key="k", VersionId=one).pick("Body", "VersionId") for one in ids] + [
        s3.get_object(Key="k")["Body"]
    ]


@behaviour
def an_unversioned_object_has_no_version(s3: S3Calls) -> Any:
    s3.put("k")
    return [s3.head_object(Key="k").pick("VersionId"), listed(s3)]


@behaviour
def what_was_put_before_has_the_version_null(s3: S3Calls) -> Any:
    s3.put("k")
    s3.versioned()
    return [
        s3.head_object(Key="k").pick("VersionId"),
        s3.get_object(Key="k", VersionId="null").pick("Body"),
        listed(s3),
    ]


@behaviour
def a_null_version_stays_below_a_new_one(s3: S3Calls) -> Any:
    s3.put("k")
    s3.versioned()
    s3.put_object(Key="k", Body=b"2")
    return [listed(s3), s3.get_object(Key="k", VersionId="null")["Body"]]


@behaviour
def a_suspended_bucket_writes_the_version_null(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put_object(Key="k", Body=b"1")
    s3.versioned("Suspended")
    return [s3.put_object(Key="k", Body=body).pick("VersionId") for body in (b"2", b"3")] + [listed(s3)]


@behaviour
def delete_leaves_a_marker(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    return [s3.delete_object(Key="k"), listed(s3)]


@behaviour
def delete_of_nothing_leaves_a_marker_too(s3: S3Calls) -> Any:
    s3.versioned()
    return [s3.delete_object(Key="k"), listed(s3)]


@behaviour
def a_deleted_object_is_not_there(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    s3.delete_object(Key="k")
    answer = s3.get_object(Key="k")
    return [answer.pick("Code", "Message"), answer.header("x-amz-delete-marker", "x-amz-version-id")]


@behaviour
def head_of_a_deleted_object(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    s3.delete_object(Key="k")
    return s3.head_object(Key="k").header("x-amz-delete-marker", "x-amz-version-id")


@behaviour
def a_marker_is_not_read_by_its_id(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    marker = s3.delete_object(Key="k")["VersionId"]
    answer = s3.get_object(Key="k", VersionId=marker)
    return [answer.pick("Code", "Message", "Method", "ResourceType"), answer.header("x-amz-delete-marker", "allow")]


@behaviour
def head_of_a_marker_by_its_id(s3: S3Calls) -> Any:
    s3.versioned()
    marker = s3.delete_object(Key="k")["VersionId"]
    return s3.head_object(Key="k", VersionId=marker).status


@behaviour
def a_marker_that_is_deleted_brings_the_object_back(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    marker = s3.delete_object(Key="k")["VersionId"]
    return [s3.delete_object(Key="k", VersionId=marker), s3.get_object(Key="k")["Body"], listed(s3)]


@behaviour
def a_version_that_is_deleted_is_gone(s3: S3Calls) -> Any:
    s3.versioned()
    ids = [s3.put_object(Key="k", Body=body)["VersionId"] for body in (b"1", b"2")]
    return [
        s3.delete_object(Key="k", VersionId=ids[1]),
        s3.get_object(Key="k")["Body"],
        s3.get_object(Key="k", VersionId=ids[1]).verdict,
    ]


@behaviour
def an_older_version_that_is_deleted(s3: S3Calls) -> Any:
    s3.versioned()
    ids = [s3.put_object(Key="k", Body=body)["VersionId"] for body in (b"1", b"2")]
    s3.delete_object(Key="k", VersionId=ids[0])
    return [s3.get_object(Key="k")["Body"], len(s3.list_object_versions()["Versions"])]


@behaviour
def a_version_that_is_not_there(s3: S3Calls) -> Any:
    s3.versioned()
    version = s3.put_object(Key="k", Body=b"1")["VersionId"]
    s3.delete_object(Key="k", VersionId=version)
    s3.put_object(Key="k", Body=b"2")
    return s3.get_object(Key="k", VersionId=version).pick("Code", "Message")


@behaviour
def a_version_that_cannot_be(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    return s3.get_object(Key="k", VersionId="no").pick("Code", "Message")


@behaviour
def several_versions_are_deleted_at_once(s3: S3Calls) -> Any:
    s3.versioned()
    version = s3.put_object(Key="a", Body=b"1")["VersionId"]
    s3.put("b")
    answer = s3.delete_objects(Delete={"Objects": [{"Key": "a", "VersionId": version}, {"Key": "b"}]})
    return [{"VersionId": version}, answer, listed(s3)]


@behaviour
def a_bucket_with_only_markers_is_not_empty(s3: S3Calls) -> Any:
    s3.versioned()
    s3.delete_object(Key="k")
    return [s3.keys(), s3.delete_bucket().pick("Code", "Message")]


@behaviour
def a_suspended_delete_leaves_a_marker_null(s3: S3Calls) -> Any:
    s3.put("k")
    s3.versioned("Suspended")
    return [s3.delete_object(Key="k"), listed(s3)]


@behaviour
def a_suspended_delete_keeps_older_versions(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    s3.versioned("Suspended")
    s3.delete_object(Key="k")
    return listed(s3)


@behaviour
def versions_are_listed_newest_first(s3: S3Calls) -> Any:
    s3.versioned()
    made = [s3.put_object(Key=key, Body=b"1").pick("VersionId") for key in ("b", "a", "b")]
    return [made, listed(s3)]


@behaviour
def versions_with_a_prefix(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("a/1", "b/1", "a/2")
    return listed(s3, Prefix="a/")


@behaviour
def versions_below_a_delimiter(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("a/1", "a/2", "b")
    answer = s3.list_object_versions(Delimiter="/")
    return [answer["CommonPrefixes"], [one["Key"] for one in answer["Versions"]]]


@each([1, 2, 3])
def all_pages_of_versions_of_a_size(s3: S3Calls, size: int) -> Any:
    s3.versioned()
    s3.put("a", "b", "b", "c")
    s3.delete_object(Key="a")
    markers: dict[str, Any] = {}
    seen = []
    for _ in range(5):  # versions and markers
        page = s3.list_object_versions(MaxKeys=size, **markers)
        seen += [(one["Key"], one["IsLatest"]) for one in page.get("Versions", []) + page.get("DeleteMarkers", [])]
        if not page["IsTruncated"]:
            break
        markers = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}
    return sorted(seen)


@behaviour
def versions_after_a_key(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("a", "b", "c")
    return listed(s3, KeyMarker="a")


@behaviour
def a_version_marker_needs_a_key_marker(s3: S3Calls) -> Any:
    return s3.list_object_versions(VersionIdMarker="x").pick("Code", "Message")


@behaviour
def an_entry_of_a_list_of_versions(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    return s3.list_object_versions()["Versions"][0]


@behaviour
def an_entry_of_a_marker(s3: S3Calls) -> Any:
    s3.versioned()
    s3.delete_object(Key="k")
    return s3.list_object_versions()["DeleteMarkers"][0]


@behaviour
def a_page_of_no_versions(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    return s3.list_object_versions(MaxKeys=0).pick("IsTruncated", "MaxKeys", "Versions")


@behaviour
def tags_are_of_a_version(s3: S3Calls) -> Any:
    s3.versioned()
    first = s3.put_object(Key="k", Body=b"1", Tagging="a=1")["VersionId"]
    s3.put_object(Key="k", Body=b"2", Tagging="a=2")
    return [s3.get_object_tagging(Key="k", VersionId=first)["TagSet"], s3.get_object_tagging(Key="k")["TagSet"]]


@behaviour
def a_null_version_is_deleted_by_its_name(s3: S3Calls) -> Any:
    s3.put("k")
    s3.versioned()
    return [s3.delete_object(Key="k", VersionId="null"), listed(s3)]
