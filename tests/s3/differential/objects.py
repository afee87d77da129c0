"""Objects: put, read, described, deleted; their headers, metadata and storage classes."""

from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls

HEADERS = {
    "CacheControl": "max-age=60",
    "ContentDisposition": 'attachment; filename="a b.csv"',
    "ContentEncoding": "gzip",
    "ContentLanguage": "de",
    "ContentType": "text/csv",
    "WebsiteRedirectLocation": "/elsewhere",
    "StorageClass": "STANDARD_IA",
}


@behaviour
def an_object_is_read_as_it_was_put(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"abc")
    return s3.get_object(Key="k")


@behaviour
def head_answers_what_get_does_but_the_body(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"abc")
    return s3.head_object(Key="k")


@behaviour
def put_answers_the_etag(s3: S3Calls) -> Any:
    return s3.put_object(Key="k", Body=b"abc")


@behaviour
def a_put_replaces_an_object(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"abc", ContentType="text/plain", Metadata={"a": "1"})
    s3.put_object(Key="k", Body=b"defg")
    return s3.get_object(Key="k")


@behaviour
def an_empty_object(s3: S3Calls) -> Any:
    return [s3.put_object(Key="k", Body=b""), s3.get_object(Key="k"), s3.keys()]


@behaviour
def an_object_without_a_type_is_binary(s3: S3Calls) -> Any:
    s3.put("a.csv", "b.json")
    return [s3.head_object(Key=key)["ContentType"] for key in ("a.csv", "b.json")]


@each(HEADERS)
def a_header_is_kept(s3: S3Calls, value: str) -> Any:
    name = next(name for name, one in HEADERS.items() if one == value)
    s3.put_object(Key="k", Body=b"1", **{name: value})
    return [s3.head_object(Key="k").pick(name), s3.get_object(Key="k").pick(name)]


@behaviour
def a_date_of_expiry_is_answered_as_it_came(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", Expires="Thu, 01 Jan 2032 00:00:00 GMT")
    return s3.send("GET", "/k").header("expires")


@behaviour
def metadata_are_kept_with_names_in_lower_case(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", Metadata={"Team": "ML", "two-words": "a b"})
    return s3.head_object(Key="k")["Metadata"]


@behaviour
def an_empty_value_of_metadata(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", Metadata={"empty": ""})
    return s3.head_object(Key="k")["Metadata"]


@behaviour
def metadata_of_2048_bytes(s3: S3Calls) -> Any:
    return s3.put_object(Key="k", Body=b"1", Metadata={"n": "v" * 2047}).verdict


@behaviour
def metadata_of_2049_bytes_are_too_many(s3: S3Calls) -> Any:
    return s3.put_object(Key="k", Body=b"1", Metadata={"n": "v" * 2048})


@behaviour
def a_read_may_override_headers(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1")
    return s3.get_object(
        Key="k",
        ResponseContentType="text/x",
        ResponseContentDisposition="inline",
        ResponseCacheControl="no-cache",
        ResponseContentEncoding="br",
        ResponseContentLanguage="fr",
    ).pick("ContentType", "ContentDisposition", "CacheControl", "ContentEncoding", "ContentLanguage")


@behaviour
def head_may_override_headers_too(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1")
    return s3.head_object(Key="k", ResponseContentType="text/x").pick("ContentType")


@behaviour
def a_standard_storage_class_is_not_answered(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", StorageClass="STANDARD")
    return [s3.head_object(Key="k").pick("StorageClass"), s3.list_objects_v2()["Contents"][0]["StorageClass"]]


@each(["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"])
def a_storage_class_is_listed(s3: S3Calls, storage_class: str) -> Any:
    s3.put_object(Key="k", Body=b"1", StorageClass=storage_class)
    return s3.list_objects_v2()["Contents"][0]["StorageClass"]


@behaviour
def an_unknown_storage_class(s3: S3Calls) -> Any:
    return s3.put_object(Key="k", Body=b"1", StorageClass="FAST").verdict


@behaviour
def an_archived_object_is_not_read(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", StorageClass="GLACIER")
    return s3.get_object(Key="k")


@behaviour
def a_key_that_is_not_there(s3: S3Calls) -> Any:
    return s3.get_object(Key="none")


@behaviour
def head_of_a_key_that_is_not_there(s3: S3Calls) -> Any:
    return s3.head_object(Key="none")


@behaviour
def a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    return s3.get_object(Bucket="no-such-bucket-at-all", Key="k")


@behaviour
def a_put_into_a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    return s3.put_object(Bucket="no-such-bucket-at-all", Key="k", Body=b"1")


@behaviour
def head_in_a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    return s3.head_object(Bucket="no-such-bucket-at-all", Key="k")


@behaviour
def delete_answers_nothing(s3: S3Calls) -> Any:
    s3.put("k")
    return [s3.delete_object(Key="k"), s3.get_object(Key="k").verdict]


@behaviour
def delete_of_what_is_not_there_succeeds(s3: S3Calls) -> Any:
    return s3.delete_object(Key="never")


@behaviour
def delete_in_a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    return s3.delete_object(Bucket="no-such-bucket-at-all", Key="k")


@behaviour
def a_slash_at_the_end_names_another_key(s3: S3Calls) -> Any:
    s3.put("n/d/x")
    return [s3.delete_object(Key="n/d/x/").verdict, s3.delete_object(Key="n/d/x//").verdict, s3.keys()]


@behaviour
def several_are_deleted_at_once(s3: S3Calls) -> Any:
    s3.put("a", "b", "c")
    return [s3.delete_objects(Delete={"Objects": [{"Key": "a"}, {"Key": "c"}]}), s3.keys()]


@behaviour
def a_quiet_delete_names_no_keys(s3: S3Calls) -> Any:
    s3.put("a")
    return [s3.delete_objects(Delete={"Objects": [{"Key": "a"}], "Quiet": True}), s3.keys()]


@behaviour
def several_are_deleted_whether_there_or_not(s3: S3Calls) -> Any:
    return s3.delete_objects(Delete={"Objects": [{"Key": "never"}]})


@behaviour
def a_delete_of_no_objects(s3: S3Calls) -> Any:
    return s3.delete_objects(Delete={"Objects": []}).verdict


@behaviour
def a_delete_of_1001_objects(s3: S3Calls) -> Any:
    return s3.delete_objects(Delete={"Objects": [{"Key": str(number)} for number in range(1001)]}).verdict


@behaviour
def the_same_key_twice_in_a_delete(s3: S3Calls) -> Any:
    s3.put("a")
    return s3.delete_objects(Delete={"Objects": [{"Key": "a"}, {"Key": "a"}]})


@behaviour
def an_object_of_a_megabyte(s3: S3Calls) -> Any:
    body = bytes(range(256)) * 4096
    s3.put_object(Key="k", Body=body)
    return [s3.get_object(Key="k")["Body"] == body, s3.head_object(Key="k").pick("ContentLength", "ETag")]


@behaviour
def attributes_of_an_object(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"abc")
    return s3.get_object_attributes(Key="k", ObjectAttributes=["ETag", "ObjectSize", "StorageClass"])


@behaviour
def attributes_are_those_that_were_asked_for(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"abc")
    return s3.get_object_attributes(Key="k", ObjectAttributes=["ObjectSize"])


@behaviour
def attributes_with_a_checksum(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"abc", ChecksumAlgorithm="SHA256")
    return s3.get_object_attributes(Key="k", ObjectAttributes=["Checksum"])


@behaviour
def attributes_of_what_is_not_there(s3: S3Calls) -> Any:
    return s3.get_object_attributes(Key="none", ObjectAttributes=["ETag"])


@behaviour
def an_unknown_attribute(s3: S3Calls) -> Any:
    s3.put("k")
    return s3.send("GET", "/k", {"x-amz-object-attributes": "Colour"}, query="attributes").pick("Code", "Message")


@behaviour
def an_etag_of_an_encrypted_object(s3: S3Calls) -> Any:
    return s3.put_object(Key="k", Body=b"abc", ServerSideEncryption="AES256").pick("ETag", "ServerSideEncryption")


@behaviour
def a_rename_is_for_directory_buckets(s3: S3Calls) -> Any:
    s3.put("a")
    return s3.rename_object(Key="b", RenameSource=f"/{s3.bucket}/a").status < 500


@behaviour
def a_content_encoding_of_two(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", ContentEncoding="gzip, br")
    return s3.head_object(Key="k").pick("ContentEncoding")


@behaviour
def utf_8_in_a_header(s3: S3Calls) -> Any:
    headers = {"content-disposition": "attachment; filename=x.csv", "x-amz-meta-a": "=?UTF-8?B?7ZWc?="}
    s3.send("PUT", "/k", headers, b"1")
    return s3.head_object(Key="k").pick("ContentDisposition", "Metadata")


@behaviour
def a_put_without_a_length(s3: S3Calls) -> Any:
    return s3.send("PUT", "/k", {"content-length": "0"}).status
