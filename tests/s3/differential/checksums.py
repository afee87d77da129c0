"""Checksums of every algorithm, Content-MD5, and bodies in chunks."""

import base64
import hashlib
from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import PART, S3Calls

ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
RIGHT = {
    "CRC32": "NSRBwg==",
    "CRC32C": "Nks/tw==",
    "CRC64NVME": "BeXKuz/B+us=",
    "SHA1": "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
    "SHA256": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
}  # of b"abc"
WRONG = {name: base64.b64encode(bytes(len(base64.b64decode(value)))).decode() for name, value in RIGHT.items()}
MD5 = base64.b64encode(hashlib.md5(b"abc").digest()).decode()
CHUNKED = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": "3"}
TRAILER = {**CHUNKED, "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}


@each(ALGORITHMS)
def a_checksum_that_the_client_computes(s3: S3Calls, algorithm: str) -> Any:
    put = s3.put_object(Key="k", Body=b"abc", ChecksumAlgorithm=algorithm)
    read = s3.get_object(Key="k", ChecksumMode="ENABLED")
    return [one.pick(f"Checksum{algorithm}") for one in (put, read, s3.head_object(Key="k", ChecksumMode="ENABLED"))]


@each(ALGORITHMS)
def a_right_checksum(s3: S3Calls, algorithm: str) -> Any:
    return s3.put_object(Key="k", Body=b"abc", **{f"Checksum{algorithm}": RIGHT[algorithm]}).pick(
        f"Checksum{algorithm}"
    )


@each(ALGORITHMS)
def a_wrong_checksum(s3: S3Calls, algorithm: str) -> Any:
    put = s3.put_object(Key="k", Body=b"abc", **{f"Checksum{algorithm}": WRONG[algorithm]})
    return [put.pick("Code", "Message"), s3.keys()]


@each(ALGORITHMS)
def a_checksum_that_is_none(s3: S3Calls, algorithm: str) -> Any:
    return s3.put_object(Key="k", Body=b"abc", **{f"Checksum{algorithm}": "!"}).pick("Code", "Message")


@each(ALGORITHMS)
def a_list_names_the_algorithm(s3: S3Calls, algorithm: str) -> Any:
    s3.put_object(Key="k", Body=b"abc", ChecksumAlgorithm=algorithm)
    return s3.list_objects_v2()["Contents"][0].get("ChecksumAlgorithm")


@each(ALGORITHMS)
def a_checksum_of_parts(s3: S3Calls, algorithm: str) -> Any:
    name = f"Checksum{algorithm}"
    upload = s3.create_multipart_upload(Key="k", ChecksumAlgorithm=algorithm)["UploadId"]
    sent = [
        s3.upload_part(Key="k", UploadId=upload, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
        for number, body in ((1, bytes(PART)), (2, b"end"))
    ]
    parts = [{"PartNumber": n, "ETag": one["ETag"], name: one.get(name, "")} for n, one in enumerate(sent, 1)]
    return [[one.pick(name) for one in sent], s3.complete("k", upload, parts).pick(name, "ChecksumType")]


@behaviour
def two_checksums_at_once(s3: S3Calls) -> Any:
    both = {"ChecksumCRC32": RIGHT["CRC32"], "ChecksumSHA1": RIGHT["SHA1"]}
    return s3.put_object(Key="k", Body=b"abc", **both).verdict


@behaviour
def without_the_mode_no_checksum_is_answered(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"abc", ChecksumAlgorithm="SHA256")
    return s3.send("GET", "/k").header("x-amz-checksum-sha256")


@behaviour
def a_range_has_no_checksum(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"abc", ChecksumAlgorithm="SHA256")
    return s3.get_object(Key="k", Range="bytes=0-0", ChecksumMode="ENABLED").pick("ChecksumSHA256", "Body")


@behaviour
def a_right_md5(s3: S3Calls) -> Any:
    return s3.put_object(Key="k", Body=b"abc", ContentMD5=MD5).verdict


@behaviour
def a_wrong_md5(s3: S3Calls) -> Any:
    put = s3.put_object(Key="k", Body=b"abd", ContentMD5=MD5)
    return [put.pick("Code", "Message"), s3.keys()]


@behaviour
def an_md5_that_is_none(s3: S3Calls) -> Any:
    return s3.put_object(Key="k", Body=b"abc", ContentMD5="no").pick("Code", "Message")


@behaviour
def a_wrong_checksum_of_a_part(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k")
    part = s3.upload_part(Key="k", UploadId=upload, PartNumber=1, Body=b"abc", ChecksumSHA1=WRONG["SHA1"])
    return [part.verdict, s3.list_parts(Key="k", UploadId=upload).get("Parts")]


@each(["SHA256", "CRC32"])
def a_part_without_the_checksum_of_its_upload(s3: S3Calls, algorithm: str) -> Any:
    upload = s3.create_multipart_upload(Key="k", ChecksumAlgorithm=algorithm)["UploadId"]
    part = s3.send("PUT", "/k", query=f"partNumber=1&uploadId={upload}", body=b"abc")
    return part.pick("Code", "Message")


@behaviour
def a_part_without_the_checksum_of_an_upload_that_wants_one_of_the_whole(s3: S3Calls) -> Any:
    upload = s3.create_multipart_upload(Key="k", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")["UploadId"]
    return s3.send("PUT", "/k", query=f"partNumber=1&uploadId={upload}", body=b"abc").status


@behaviour
def a_wrong_md5_of_a_part(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k")
    return s3.upload_part(Key="k", UploadId=upload, PartNumber=1, Body=b"abd", ContentMD5=MD5).verdict


@behaviour
def a_body_in_chunks(s3: S3Calls) -> Any:
    put = s3.send("PUT", "/k", TRAILER, b"3\r\nabc\r\n0\r\n\r\n")
    return [put.status, s3.get_object(Key="k").pick("Body", "ContentLength", "ContentEncoding", "ETag")]


@behaviour
def a_body_in_several_chunks(s3: S3Calls) -> Any:
    s3.send("PUT", "/k", TRAILER, b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")
    return s3.get_object(Key="k")["Body"]


@behaviour
def a_checksum_behind_the_chunks(s3: S3Calls) -> Any:
    body = b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:" + RIGHT["CRC32"].encode() + b"\r\n\r\n"
    put = s3.send("PUT", "/k", {**TRAILER, "x-amz-trailer": "x-amz-checksum-crc32"}, body)
    return [put.status, put.header("x-amz-checksum-crc32"), s3.get_object(Key="k")["Body"]]


@behaviour
def a_wrong_checksum_behind_the_chunks(s3: S3Calls) -> Any:
    body = b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    put = s3.send("PUT", "/k", {**TRAILER, "x-amz-trailer": "x-amz-checksum-crc32"}, body)
    return [put.verdict, s3.keys()]


@behaviour
def an_announced_checksum_that_does_not_come(s3: S3Calls) -> Any:
    put = s3.send("PUT", "/k", {**TRAILER, "x-amz-trailer": "x-amz-checksum-crc32"}, b"3\r\nabc\r\n0\r\n\r\n")
    return [put.verdict, s3.keys()]


@behaviour
def another_checksum_than_the_announced_one(s3: S3Calls) -> Any:
    body = b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:" + RIGHT["CRC32"].encode() + b"\r\n\r\n"
    put = s3.send("PUT", "/k", {**TRAILER, "x-amz-trailer": "x-amz-checksum-sha1"}, body)
    return [put.verdict, s3.keys()]


@behaviour
def a_checksum_behind_the_chunks_that_was_not_announced(s3: S3Calls) -> Any:
    body = b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:" + RIGHT["CRC32"].encode() + b"\r\n\r\n"
    return [s3.send("PUT", "/k", TRAILER, body).verdict, s3.keys()]


@behaviour
def what_is_no_checksum_behind_the_chunks(s3: S3Calls) -> Any:
    named = {**TRAILER, "x-amz-trailer": "x-amz-checksum-crc32"}
    garbled = s3.send("PUT", "/k", named, b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32\r\n\r\n")
    unreadable = s3.send("PUT", "/k", named, b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:?\r\n\r\n")
    return [garbled.verdict, unreadable.verdict, s3.keys()]


@behaviour
def a_content_encoding_beside_the_chunks(s3: S3Calls) -> Any:
    s3.send("PUT", "/k", {**TRAILER, "content-encoding": "gzip,aws-chunked"}, b"3\r\nabc\r\n0\r\n\r\n")
    return s3.head_object(Key="k").pick("ContentEncoding")


@behaviour
def chunks_of_another_length_than_announced(s3: S3Calls) -> Any:
    put = s3.send("PUT", "/k", {**TRAILER, "x-amz-decoded-content-length": "5"}, b"3\r\nabc\r\n0\r\n\r\n")
    return [put.verdict, s3.keys()]


@behaviour
def a_body_that_is_not_the_signed_one(s3: S3Calls) -> Any:
    put = s3.send("PUT", "/k", {"x-amz-content-sha256": hashlib.sha256(b"abd").hexdigest()}, b"abc")
    return [put.pick("Code", "Message"), s3.keys()]


@behaviour
def a_delete_of_several_needs_a_digest(s3: S3Calls) -> Any:
    document = b"<Delete><Object><Key>k</Key></Object></Delete>"
    return s3.send("POST", body=document, query="delete").verdict


@behaviour
def an_object_without_a_checksum_has_one(s3: S3Calls) -> Any:
    s3.send("PUT", "/k", body=b"abc")
    return s3.head_object(Key="k", ChecksumMode="ENABLED").pick("ChecksumCRC64NVME", "ChecksumType")


@behaviour
def an_upload_may_want_a_checksum_of_the_whole(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"abc", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    done = s3.complete("k", upload, parts)
    return done.pick("ChecksumCRC32", "ChecksumType")


@behaviour
def a_digest_is_never_of_a_whole_in_parts(s3: S3Calls) -> Any:
    return s3.create_multipart_upload(Key="k", ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT").verdict
