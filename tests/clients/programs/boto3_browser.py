"""What programs that show S3 as folders ask for: folder markers, delimiters, versions. Argument: a bucket."""

import sys

import boto3

bucket = sys.argv[1]
s3 = boto3.client("s3")
for key in ("top.txt", "a/", "a/one.txt", "a/b/", "a/b/two.txt", "empty/"):
    s3.put_object(Bucket=bucket, Key=key, Body=b"" if key.endswith("/") else key.encode())


def folder(prefix, **more):
    page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", EncodingType="url", **more)
    return [one["Key"] for one in page.get("Contents", [])], [one["Prefix"] for one in page.get("CommonPrefixes", [])]


assert folder("") == (["top.txt"], ["a/", "empty/"])
assert folder("a/") == (["a/", "a/one.txt"], ["a/b/"])
assert folder("empty/") == (["empty/"], [])
assert folder("a/", StartAfter="a/") == (["a/one.txt"], ["a/b/"])

# Is there such a folder? One key, and no more.
assert s3.list_objects_v2(Bucket=bucket, Prefix="a/b/", MaxKeys=1)["KeyCount"] == 1
assert s3.list_objects_v2(Bucket=bucket, Prefix="none/", MaxKeys=1)["KeyCount"] == 0

# The marker goes, what is in the folder stays.
s3.delete_object(Bucket=bucket, Key="a/")
assert folder("a/") == (["a/one.txt"], ["a/b/"])

# Versions, a page at a time
s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
for text in (b"1", b"2", b"3"):
    s3.put_object(Bucket=bucket, Key="a/one.txt", Body=text)
s3.delete_object(Bucket=bucket, Key="a/one.txt")
pages = list(
    s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix="a/", Delimiter="/", PaginationConfig={"PageSize": 2}
    )
)
versions = [one for page in pages for one in page.get("Versions", [])]
markers = [one for page in pages for one in page.get("DeleteMarkers", [])]
assert [(one["Key"], one["IsLatest"]) for one in versions] == [("a/one.txt", False)] * 4, versions
assert [(one["Key"], one["IsLatest"]) for one in markers] == [("a/one.txt", True)], markers
assert {one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])} == {"a/b/"}
bodies = [s3.get_object(Bucket=bucket, Key="a/one.txt", VersionId=one["VersionId"])["Body"] for one in versions]
assert [body.read() for body in bodies] == [b"3", b"2", b"1", b"a/one.txt"]
# Undeleted by removing the marker
s3.delete_object(Bucket=bucket, Key="a/one.txt", VersionId=markers[0]["VersionId"])
assert s3.get_object(Bucket=bucket, Key="a/one.txt")["Body"].read() == b"3"

# A folder is renamed: each object is copied and deleted.
for one in s3.list_objects_v2(Bucket=bucket, Prefix="a/")["Contents"]:
    key = "moved/" + one["Key"].removeprefix("a/")
    s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": one["Key"]})
    s3.delete_object(Bucket=bucket, Key=one["Key"])
assert folder("a/") == ([], [])
assert folder("moved/") == (["moved/one.txt"], ["moved/b/"])
