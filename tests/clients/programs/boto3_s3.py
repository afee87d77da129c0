"""The calls of S3 that nearly every program makes. Argument: a bucket."""

import io
import os
import sys
import urllib.request
from pathlib import Path

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

bucket = sys.argv[1]
s3 = boto3.client("s3")
data = os.urandom(20 << 20)


def error(call, **arguments):
    try:
        call(**arguments)
    except ClientError as refusal:
        return refusal.response["Error"]["Code"], refusal.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError(f"{call} succeeded")


# Files, in parts and whole
Path("data.bin").write_bytes(data)
s3.upload_file("data.bin", bucket, "in/data.bin", ExtraArgs={"Metadata": {"run": "7"}, "ContentType": "x/y"})
head = s3.head_object(Bucket=bucket, Key="in/data.bin")
assert (head["ContentLength"], head["Metadata"], head["ContentType"]) == (len(data), {"run": "7"}, "x/y"), head
assert head["ETag"].endswith('-3"'), head
s3.download_file(bucket, "in/data.bin", "again.bin")
assert Path("again.bin").read_bytes() == data
stream = io.BytesIO()
s3.download_fileobj(bucket, "in/data.bin", stream, Config=TransferConfig(multipart_threshold=1 << 20))
assert stream.getvalue() == data

# Copies, of more than 8 MiB too
s3.copy({"Bucket": bucket, "Key": "in/data.bin"}, bucket, "copy/data.bin")
assert s3.get_object(Bucket=bucket, Key="copy/data.bin")["Body"].read() == data
s3.copy_object(
    Bucket=bucket,
    Key="copy/one",
    CopySource=f"{bucket}/in/data.bin",
    MetadataDirective="REPLACE",
    Metadata={"a": "b"},
)
assert s3.head_object(Bucket=bucket, Key="copy/one")["Metadata"] == {"a": "b"}

# Ranges
got = s3.get_object(Bucket=bucket, Key="in/data.bin", Range="bytes=5-14")
assert (got["Body"].read(), got["ContentRange"]) == (data[5:15], f"bytes 5-14/{len(data)}")
assert s3.get_object(Bucket=bucket, Key="in/data.bin", Range="bytes=-3")["Body"].read() == data[-3:]

# Lists
for number in range(25):
    s3.put_object(Bucket=bucket, Key=f"many/{number:02}/ü +%.txt", Body=str(number))
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="many/", PaginationConfig={"PageSize": 10})
assert [one["Key"] for page in pages for one in page["Contents"]] == [f"many/{n:02}/ü +%.txt" for n in range(25)]
folders = s3.list_objects_v2(Bucket=bucket, Prefix="many/", Delimiter="/")["CommonPrefixes"]
assert [one["Prefix"] for one in folders] == [f"many/{n:02}/" for n in range(25)]
assert [one["Key"] for one in s3.list_objects(Bucket=bucket, Prefix="copy/")["Contents"]] == [
    "copy/data.bin",
    "copy/one",
]

# The resource interface
objects = boto3.resource("s3").Bucket(bucket)
assert [one.key for one in objects.objects.filter(Prefix="in/")] == ["in/data.bin"]
assert objects.Object("many/03/ü +%.txt").get()["Body"].read() == b"3"

# Addresses that others may use
address = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "many/03/ü +%.txt"})
with urllib.request.urlopen(address) as answer:
    assert answer.read() == b"3"
address = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "from/outside"})
with urllib.request.urlopen(urllib.request.Request(address, data=b"hello", method="PUT")) as answer:
    assert answer.status == 200
assert s3.get_object(Bucket=bucket, Key="from/outside")["Body"].read() == b"hello"

# Errors
assert error(s3.get_object, Bucket=bucket, Key="none") == ("NoSuchKey", 404)
assert error(s3.head_object, Bucket=bucket, Key="none") == ("404", 404)
assert error(s3.get_object, Bucket="there-is-no-such-bucket", Key="none") == ("NoSuchBucket", 404)
assert error(s3.head_bucket, Bucket="there-is-no-such-bucket") == ("404", 404)
assert error(s3.get_object, Bucket=bucket, Key="in/data.bin", Range="bytes=99999999-") == ("InvalidRange", 416)
assert error(s3.get_object, Bucket=bucket, Key="in/data.bin", IfMatch='"other"') == ("PreconditionFailed", 412)
assert error(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)

# Gone
gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"many/{n:02}/ü +%.txt"} for n in range(25)]})
assert len(gone["Deleted"]) == 25
assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="many/")
