"""Copies: directives, conditions on the source, and what a copy keeps."""

from datetime import UTC, datetime
from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import OTHER_ACCOUNT, S3Calls

PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
RIGHT = '"c4ca4238a0b923820dcc509a6f75849b"'  # of the body b"1"
WRONG = '"00000000000000000000000000000000"'


def rich(s3: S3Calls) -> str:
    """A source with what an object can have; its name for CopySource."""
    s3.put_object(
        Key="source", Body=b"1", ContentType="text/csv", CacheControl="no-cache", Metadata={"a": "1"}, Tagging="t=1"
    )
    return f"{s3.bucket}/source"


@behaviour
def a_copy_keeps_headers_and_metadata(s3: S3Calls) -> Any:
    s3.copy_object(Key="copy", CopySource=rich(s3))
    return s3.head_object(Key="copy").pick("ContentType", "CacheControl", "Metadata", "ETag", "ContentLength")


@behaviour
def a_copy_answers_etag_and_time(s3: S3Calls) -> Any:
    return s3.copy_object(Key="copy", CopySource=rich(s3))


@behaviour
def a_copy_with_new_metadata_keeps_none(s3: S3Calls) -> Any:
    source = rich(s3)
    s3.copy_object(Key="copy", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"})
    return s3.head_object(Key="copy").pick("ContentType", "CacheControl", "Metadata")


@behaviour
def a_new_type_without_the_directive_is_ignored(s3: S3Calls) -> Any:
    s3.copy_object(Key="copy", CopySource=rich(s3), ContentType="text/plain", Metadata={"b": "2"})
    return s3.head_object(Key="copy").pick("ContentType", "Metadata")


@behaviour
def a_copy_keeps_tags(s3: S3Calls) -> Any:
    s3.copy_object(Key="copy", CopySource=rich(s3))
    return s3.get_object_tagging(Key="copy")["TagSet"]


@behaviour
def a_copy_with_new_tags(s3: S3Calls) -> Any:
    s3.copy_object(Key="copy", CopySource=rich(s3), TaggingDirective="REPLACE", Tagging="u=2")
    return s3.get_object_tagging(Key="copy")["TagSet"]


@behaviour
def a_copy_with_new_metadata_keeps_the_tags(s3: S3Calls) -> Any:
    s3.copy_object(Key="copy", CopySource=rich(s3), MetadataDirective="REPLACE")
    return s3.get_object_tagging(Key="copy")["TagSet"]


@behaviour
def a_copy_is_of_the_standard_class(s3: S3Calls) -> Any:
    s3.put_object(Key="source", Body=b"1", StorageClass="STANDARD_IA")
    s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/source")
    return s3.head_object(Key="copy").pick("StorageClass")


@behaviour
def a_copy_of_another_class(s3: S3Calls) -> Any:
    s3.copy_object(Key="copy", CopySource=rich(s3), StorageClass="STANDARD_IA")
    return s3.head_object(Key="copy").pick("StorageClass", "ContentType")


@behaviour
def a_copy_to_itself_must_change_something(s3: S3Calls) -> Any:
    return s3.copy_object(Key="source", CopySource=rich(s3))


@behaviour
def a_copy_to_itself_with_new_metadata(s3: S3Calls) -> Any:
    s3.copy_object(Key="source", CopySource=rich(s3), MetadataDirective="REPLACE", Metadata={"b": "2"})
    return s3.head_object(Key="source").pick("Metadata")


@behaviour
def a_copy_to_itself_of_another_class(s3: S3Calls) -> Any:
    s3.copy_object(Key="source", CopySource=rich(s3), StorageClass="STANDARD_IA")
    return s3.head_object(Key="source").pick("Metadata", "StorageClass")


@each(
    {
        "right etag": {"CopySourceIfMatch": RIGHT},
        "wrong etag": {"CopySourceIfMatch": WRONG},
        "none match, the same": {"CopySourceIfNoneMatch": RIGHT},
        "none match, another": {"CopySourceIfNoneMatch": WRONG},
        "modified since": {"CopySourceIfModifiedSince": PAST},
        "modified since a day to come": {"CopySourceIfModifiedSince": FUTURE},
        "unmodified since, before": {"CopySourceIfUnmodifiedSince": PAST},
        "unmodified since, after": {"CopySourceIfUnmodifiedSince": FUTURE},
    }
)
def a_copy_if_its_source(s3: S3Calls, conditions: Any) -> Any:
    s3.put("source")
    return [s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/source", **conditions).verdict, s3.keys()]


@behaviour
def a_copy_whose_condition_fails_names_it(s3: S3Calls) -> Any:
    s3.put("source")
    answer = s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/source", CopySourceIfNoneMatch=RIGHT)
    return answer.pick("Code", "Condition")


@behaviour
def a_copy_of_what_is_not_there(s3: S3Calls) -> Any:
    return s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/none").pick("Code", "Message")


@behaviour
def a_copy_from_a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    return s3.copy_object(Key="copy", CopySource="no-such-bucket-at-all/k").pick("Code", "Message")


@behaviour
def a_copy_into_a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    return s3.copy_object(Bucket="no-such-bucket-at-all", Key="copy", CopySource=rich(s3)).verdict


@behaviour
def a_source_with_odd_characters(s3: S3Calls) -> Any:
    key = "a b+c/ü%41.txt"
    s3.put(key)
    s3.copy_object(Key="copy", CopySource={"Bucket": s3.bucket, "Key": key})
    return s3.keys()


@behaviour
def a_source_named_in_plain_text(s3: S3Calls) -> Any:
    s3.put("a+b")
    return [s3.copy_object(Key="copy", CopySource=f"/{s3.bucket}/a%2Bb").status, s3.keys()]


@behaviour
def a_copy_between_buckets(s3: S3Calls) -> Any:
    s3.create_bucket(Bucket=f"{s3.bucket}-b")
    s3.put("k")
    s3.copy_object(Bucket=f"{s3.bucket}-b", Key="k", CopySource=f"{s3.bucket}/k")
    return s3.get_object(Bucket=f"{s3.bucket}-b", Key="k")["Body"]


@behaviour
def a_copy_of_an_older_version(s3: S3Calls) -> Any:
    s3.versioned()
    old = s3.put_object(Key="k", Body=b"1")["VersionId"]
    s3.put_object(Key="k", Body=b"2")
    answer = s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/k?versionId={old}")
    return [{"VersionId": old}, answer, s3.get_object(Key="copy")["Body"]]


@behaviour
def a_copy_back_of_an_older_version(s3: S3Calls) -> Any:
    s3.versioned()
    old = s3.put_object(Key="k", Body=b"1")["VersionId"]
    s3.put_object(Key="k", Body=b"2")
    s3.copy_object(Key="k", CopySource=f"{s3.bucket}/k?versionId={old}")
    return [s3.get_object(Key="k")["Body"], len(s3.list_object_versions()["Versions"])]


@behaviour
def a_copy_of_a_deleted_object(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    marker = s3.delete_object(Key="k")["VersionId"]
    return [
        s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/k").verdict,
        s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/k?versionId={marker}").verdict,
    ]


@behaviour
def a_copy_of_a_version_that_is_not_there(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    return s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/k?versionId=nothing").status


@behaviour
def a_copy_whose_source_is_anothers(s3: S3Calls) -> Any:
    return s3.copy_object(Key="c", CopySource=rich(s3), ExpectedSourceBucketOwner=OTHER_ACCOUNT).verdict


@behaviour
def a_copy_with_a_checksum(s3: S3Calls) -> Any:
    s3.copy_object(Key="copy", CopySource=rich(s3), ChecksumAlgorithm="SHA256")
    return s3.head_object(Key="copy", ChecksumMode="ENABLED").pick("ChecksumSHA256")


@behaviour
def a_copy_keeps_its_sources_checksum(s3: S3Calls) -> Any:
    s3.put_object(Key="source", Body=b"1", ChecksumAlgorithm="SHA1")
    s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/source")
    return s3.head_object(Key="copy", ChecksumMode="ENABLED").pick("ChecksumSHA1")


@behaviour
def a_copy_of_an_archived_object(s3: S3Calls) -> Any:
    s3.put_object(Key="source", Body=b"1", StorageClass="GLACIER")
    return s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/source").pick("Code", "Message")


@behaviour
def a_source_without_a_key(s3: S3Calls) -> Any:
    return s3.send("PUT", "/copy", {"x-amz-copy-source": f"/{s3.bucket}"}).verdict


@behaviour
def an_unknown_directive(s3: S3Calls) -> Any:
    headers = {"x-amz-copy-source": rich(s3), "x-amz-metadata-directive": "KEEP"}
    return s3.send("PUT", "/copy", headers).pick("Code", "Message")


@behaviour
def a_copy_does_not_keep_the_acl(s3: S3Calls) -> Any:
    s3.put_bucket_ownership_controls(OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.delete_public_access_block()
    s3.put_object(Key="source", Body=b"1", ACL="public-read")
    s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/source")
    return [grant["Permission"] for grant in s3.get_object_acl(Key="copy")["Grants"]]


@behaviour
def a_copy_does_not_keep_a_redirect(s3: S3Calls) -> Any:
    s3.put_object(Key="source", Body=b"1", WebsiteRedirectLocation="/x")
    s3.copy_object(Key="copy", CopySource=f"{s3.bucket}/source")
    return s3.head_object(Key="copy").pick("WebsiteRedirectLocation")
