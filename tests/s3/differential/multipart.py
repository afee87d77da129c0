"""Multipart uploads: parts sent, re-sent and copied, listed, completed and aborted."""

from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import PART, S3Calls

LARGE = b"a" * PART
UPLOAD_OF_OLD = "Vn1bG9hZCBvZiBvbGQuVn1bG9hZCBvZiBvbGQuVn1bG9hZCBvZiBvbGQ"


@behaviour
def an_upload_of_two_parts(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", LARGE, b"bc")
    done = s3.complete("k", upload, parts)
    return [
        done.pick("ETag", "Key"),
        done["Bucket"] == s3.bucket,
        s3.head_object(Key="k").pick("ETag", "ContentLength"),
    ]


@behaviour
def an_upload_answers_where_it_is(s3: S3Calls) -> Any:
    made = s3.create_multipart_upload(Key="k")
    return [made.pick("Key", "UploadId"), made["Bucket"] == s3.bucket]


@behaviour
def a_part_answers_its_etag(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k")
    return s3.upload_part(Key="k", UploadId=upload, PartNumber=1, Body=b"abc").pick("ETag", "ChecksumCRC32")


@behaviour
def the_etag_is_the_same_everywhere(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", LARGE, b"bc")
    done = s3.complete("k", upload, parts)["ETag"]
    return [done, s3.head_object(Key="k")["ETag"], s3.list_objects_v2()["Contents"][0]["ETag"]]


@behaviour
def an_upload_of_one_small_part(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"abc")
    s3.complete("k", upload, parts)
    return s3.get_object(Key="k").pick("Body", "ETag", "ContentLength")


@behaviour
def an_open_upload_is_no_object(s3: S3Calls) -> Any:
    s3.upload("k", b"abc")
    return [s3.get_object(Key="k").verdict, s3.keys()]


@behaviour
def numbers_may_have_gaps(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k")
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(Key="k", UploadId=upload, PartNumber=n, Body=body)["ETag"]}
        for n, body in ((3, LARGE), (10_000, b"end"))
    ]
    return [s3.complete("k", upload, parts)["ETag"], s3.get_object(Key="k")["Body"][-4:]]


@behaviour
def a_part_that_is_sent_again_replaces(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k", b"first")
    etag = s3.upload_part(Key="k", UploadId=upload, PartNumber=1, Body=b"second")["ETag"]
    s3.complete("k", upload, [{"PartNumber": 1, "ETag": etag}])
    return s3.get_object(Key="k")["Body"]


@behaviour
def the_etag_of_a_part_that_was_replaced(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"first")
    s3.upload_part(Key="k", UploadId=upload, PartNumber=1, Body=b"second")
    return s3.complete("k", upload, parts).verdict


@behaviour
def not_every_part_must_be_used(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"a", b"b", b"c")
    s3.complete("k", upload, parts[1:2])
    return s3.get_object(Key="k")["Body"]


@behaviour
def parts_out_of_order(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", LARGE, b"b")
    return s3.complete("k", upload, parts[::-1]).pick("Code", "Message")


@behaviour
def a_part_twice(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", LARGE)
    return s3.complete("k", upload, parts * 2).verdict


@behaviour
def a_part_that_was_not_sent(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", LARGE)
    return s3.complete("k", upload, [*parts, {"PartNumber": 2, "ETag": parts[0]["ETag"]}]).pick("Code", "Message")


@behaviour
def a_part_with_another_etag(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k", b"a")
    return s3.complete("k", upload, [{"PartNumber": 1, "ETag": f'"{"0" * 32}"'}]).verdict


@behaviour
def an_etag_without_quotation_marks(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"a")
    return s3.complete("k", upload, [{"PartNumber": 1, "ETag": parts[0]["ETag"].strip('"')}]).verdict


@behaviour
def no_parts_at_all(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k")
    return s3.complete("k", upload, []).pick("Code", "Message")


@behaviour
def a_small_part_that_is_not_the_last(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"a", b"b")
    return s3.complete("k", upload, parts).pick("Code", "Message")


@behaviour
def a_part_a_byte_too_small(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", LARGE[1:], b"b")
    return s3.complete("k", upload, parts).verdict


@behaviour
def an_upload_stays_open_after_a_completion_that_failed(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"a", b"b")
    s3.complete("k", upload, parts)
    return [s3.complete("k", upload, parts[:1]).verdict, s3.get_object(Key="k")["Body"]]


@behaviour
def a_second_completion(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"a")
    return [s3.complete("k", upload, parts)["ETag"], s3.complete("k", upload, parts).pick("ETag", "Code")]


@each([0, 10_001])
def a_part_number_that_cannot_be(s3: S3Calls, number: int) -> Any:
    upload, _ = s3.upload("k")
    return s3.upload_part(Key="k", UploadId=upload, PartNumber=number, Body=b"a").pick("Code", "Message")


@each(["upload_part", "list_parts", "abort_multipart_upload", "complete_multipart_upload"])
def an_upload_that_is_not_there(s3: S3Calls, operation: str) -> Any:
    every: dict[str, Any] = {
        "upload_part": {"PartNumber": 1, "Body": b"a"},
        "complete_multipart_upload": {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": '"a"'}]}},
    }
    return getattr(s3, operation)(Key="k", UploadId=UPLOAD_OF_OLD, **every.get(operation, {})).pick("Code", "Message")


@behaviour
def an_upload_of_another_key(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k")
    return s3.upload_part(Key="other", UploadId=upload, PartNumber=1, Body=b"a").verdict


@behaviour
def an_aborted_upload_is_gone(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"a")
    return [
        s3.abort_multipart_upload(Key="k", UploadId=upload),
        s3.complete("k", upload, parts).verdict,
        s3.list_multipart_uploads().get("Uploads"),
    ]


@behaviour
def an_upload_of_a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    return s3.create_multipart_upload(Bucket="no-such-bucket-at-all", Key="k").verdict


@behaviour
def what_an_upload_was_begun_with_is_the_objects(s3: S3Calls) -> Any:
    given = {"ContentType": "text/csv", "Metadata": {"a": "1"}, "CacheControl": "no-cache", "Tagging": "t=1"}
    upload, parts = s3.upload("k", b"a", **given)
    s3.complete("k", upload, parts)
    head = s3.head_object(Key="k").pick("ContentType", "Metadata", "CacheControl")
    return [head, s3.get_object_tagging(Key="k")["TagSet"]]


@behaviour
def a_storage_class_of_an_upload(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"a", StorageClass="STANDARD_IA")
    listed = s3.list_parts(Key="k", UploadId=upload)["StorageClass"]
    s3.complete("k", upload, parts)
    return [listed, s3.head_object(Key="k").pick("StorageClass")]


@behaviour
def parts_are_listed(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k", b"a", b"bc")
    answer = s3.list_parts(Key="k", UploadId=upload)
    parts = [[part[name] for name in ("PartNumber", "ETag", "Size")] for part in answer["Parts"]]
    return [answer.pick("IsTruncated", "MaxParts", "Key", "StorageClass"), parts]


@behaviour
def parts_are_listed_in_pages(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k", b"a", b"b", b"c")
    first = s3.list_parts(Key="k", UploadId=upload, MaxParts=2)
    after = first["NextPartNumberMarker"]
    second = s3.list_parts(Key="k", UploadId=upload, PartNumberMarker=after)
    return [
        [page.pick("IsTruncated", "PartNumberMarker"), [part["PartNumber"] for part in page["Parts"]]]
        for page in (first, second)
    ] + [after]


@behaviour
def parts_of_an_upload_that_has_none(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k")
    return s3.list_parts(Key="k", UploadId=upload).pick("IsTruncated", "NextPartNumberMarker", "Parts")


@behaviour
def a_page_of_no_parts(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k", b"a")
    return s3.list_parts(Key="k", UploadId=upload, MaxParts=0).pick("Parts", "MaxParts")


@behaviour
def uploads_are_listed_by_key(s3: S3Calls) -> Any:
    for key in ("b", "a", "c"):
        s3.upload(key)
    return [upload["Key"] for upload in s3.list_multipart_uploads()["Uploads"]]


@behaviour
def uploads_with_a_prefix(s3: S3Calls) -> Any:
    for key in ("a/1", "a/2", "b"):
        s3.upload(key)
    return [upload["Key"] for upload in s3.list_multipart_uploads(Prefix="a/")["Uploads"]]


@behaviour
def uploads_below_a_delimiter(s3: S3Calls) -> Any:
    for key in ("a/1", "a/2", "b"):
        s3.upload(key)
    answer = s3.list_multipart_uploads(Delimiter="/")
    return [answer.get("CommonPrefixes"), [upload["Key"] for upload in answer["Uploads"]]]


@behaviour
def uploads_in_pages(s3: S3Calls) -> Any:
    for key in ("a", "b", "c"):
        s3.upload(key)
    first = s3.list_multipart_uploads(MaxUploads=2)
    rest = s3.list_multipart_uploads(KeyMarker=first["NextKeyMarker"], UploadIdMarker=first["NextUploadIdMarker"])
    return [first["IsTruncated"], [[upload["Key"] for upload in page["Uploads"]] for page in (first, rest)]]


@behaviour
def uploads_after_a_key(s3: S3Calls) -> Any:
    for key in ("a", "b", "c"):
        s3.upload(key)
    return [upload["Key"] for upload in s3.list_multipart_uploads(KeyMarker="a")["Uploads"]]


@behaviour
def a_list_of_no_uploads(s3: S3Calls) -> Any:
    return s3.list_multipart_uploads().pick("IsTruncated", "MaxUploads", "KeyMarker", "UploadIdMarker", "Uploads")


@behaviour
def a_part_may_be_copied(s3: S3Calls) -> Any:
    s3.put_object(Key="source", Body=b"0123456789")
    upload, _ = s3.upload("k")
    copied = s3.upload_part_copy(Key="k", UploadId=upload, PartNumber=1, CopySource=f"{s3.bucket}/source")
    s3.complete("k", upload, [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}])
    return [copied, s3.get_object(Key="k")["Body"]]


@each({"middle": "bytes=2-5", "one byte": "bytes=9-9", "all": "bytes=0-9"})
def a_range_may_be_copied(s3: S3Calls, text: str) -> Any:
    s3.put_object(Key="source", Body=b"0123456789")
    upload, _ = s3.upload("k")
    source = {"CopySource": f"{s3.bucket}/source", "CopySourceRange": text}
    copied = s3.upload_part_copy(Key="k", UploadId=upload, PartNumber=1, **source)
    s3.complete("k", upload, [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}])
    return s3.get_object(Key="k")["Body"]


@each(
    {
        "beyond the end": "bytes=5-10",
        "turned around": "bytes=5-3",
        "open": "bytes=5-",
        "suffix": "bytes=-3",
        "no range": "5",
    }
)
def a_range_that_cannot_be_copied(s3: S3Calls, text: str) -> Any:
    s3.put_object(Key="source", Body=b"0123456789")
    upload, _ = s3.upload("k")
    source = {"CopySource": f"{s3.bucket}/source", "CopySourceRange": text}
    return s3.upload_part_copy(Key="k", UploadId=upload, PartNumber=1, **source).verdict


@behaviour
def a_part_copied_of_what_is_not_there(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k")
    return s3.upload_part_copy(Key="k", UploadId=upload, PartNumber=1, CopySource=f"{s3.bucket}/none").verdict


@each({"right": '"c4ca4238a0b923820dcc509a6f75849b"', "wrong": f'"{"0" * 32}"'})
def a_part_copied_if_its_source_is_the(s3: S3Calls, etag: str) -> Any:
    s3.put("source")
    upload, _ = s3.upload("k")
    source = {"CopySource": f"{s3.bucket}/source", "CopySourceIfMatch": etag}
    return s3.upload_part_copy(Key="k", UploadId=upload, PartNumber=1, **source).verdict


@behaviour
def a_bucket_with_an_open_upload_can_be_deleted(s3: S3Calls) -> Any:
    s3.upload("k", b"a")
    return s3.delete_bucket().verdict


@behaviour
def attributes_of_an_object_in_parts(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", LARGE, b"bc")
    s3.complete("k", upload, parts)
    answer = s3.get_object_attributes(Key="k", ObjectAttributes=["ETag", "ObjectParts", "ObjectSize"])
    return [answer.pick("ETag", "ObjectSize"), answer.get("ObjectParts", {}).get("TotalPartsCount")]


@behaviour
def a_completion_whose_document_is_none(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k", b"a")
    return s3.send("POST", "/k", body=b"nothing", query=f"uploadId={upload}").verdict


@behaviour
def the_element_of_a_new_upload(s3: S3Calls) -> Any:
    return sorted(s3.send("POST", "/k", query="uploads"))


@behaviour
def a_completion_with_a_wrong_size(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"abc")
    return s3.complete("k", upload, parts, MpuObjectSize=4).verdict


@behaviour
def an_upload_in_a_versioned_bucket(s3: S3Calls) -> Any:
    s3.versioned()
    upload, parts = s3.upload("k", b"abc")
    done = s3.complete("k", upload, parts)
    return [done.pick("VersionId"), s3.head_object(Key="k").pick("VersionId")]


@behaviour
def uploads_of_one_key_do_not_meet(s3: S3Calls) -> Any:
    first, parts = s3.upload("k", b"first")
    second, others = s3.upload("k", b"second")
    s3.complete("k", first, parts)
    s3.complete("k", second, others)
    return s3.get_object(Key="k")["Body"]
