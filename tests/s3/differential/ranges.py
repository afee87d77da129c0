"""Ranges of every form, and reads of parts."""

from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import PART, S3Calls

BODY = b"0123456789"
FORMS = {
    "first byte": "bytes=0-0",
    "first three": "bytes=0-2",
    "middle": "bytes=3-5",
    "to the end": "bytes=7-",
    "last three": "bytes=-3",
    "last byte": "bytes=9-9",
    "whole": "bytes=0-9",
    "whole, open": "bytes=0-",
    "beyond the end": "bytes=5-100",
    "more than all of the end": "bytes=-100",
    "none of the end": "bytes=-0",
    "behind the end": "bytes=10-12",
    "behind the end, open": "bytes=10-",
    "turned around": "bytes=5-3",
    "two ranges": "bytes=0-1,4-5",
    "another unit": "items=0-1",
    "no numbers": "bytes=a-b",
    "only a dash": "bytes=-",
    "no unit": "0-1",
    "nothing": "bytes=",
    "negative": "bytes=--3",
    "large numbers": "bytes=0-99999999999999999999",
    "leading zeros": "bytes=0003-0005",
}


@each(FORMS)
def a_range_of_ten_bytes(s3: S3Calls, text: str) -> Any:
    s3.put_object(Key="k", Body=BODY)
    return s3.get_object(Key="k", Range=text).pick("Body", "ContentLength", "ContentRange", "Code", "Message")


@each(
    {name: FORMS[name] for name in ("first three", "last three", "behind the end", "beyond the end", "turned around")}
)
def head_with_a_range(s3: S3Calls, text: str) -> Any:
    s3.put_object(Key="k", Body=BODY)
    return s3.head_object(Key="k", Range=text).pick("ContentLength", "ContentRange", "Code")


@each({"first byte": "bytes=0-0", "last byte": "bytes=-1", "open": "bytes=0-", "none of the end": "bytes=-0"})
def a_range_of_an_empty_object(s3: S3Calls, text: str) -> Any:
    s3.put_object(Key="k", Body=b"")
    return s3.get_object(Key="k", Range=text).pick("Body", "ContentLength", "ContentRange", "Code")


@behaviour
def a_range_that_cannot_be_says_so_in_its_members(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=BODY)
    return s3.get_object(Key="k", Range="bytes=20-30").pick("Code", "Message", "ActualObjectSize", "RangeRequested")


@behaviour
def a_range_has_the_etag_of_the_whole(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=BODY)
    return s3.get_object(Key="k", Range="bytes=0-1").pick("ETag", "AcceptRanges", "ContentType")


@behaviour
def a_part_of_an_object_that_has_none_is_all_of_it(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=BODY)
    return s3.get_object(Key="k", PartNumber=1).pick("Body", "ContentLength", "ContentRange", "PartsCount")


@behaviour
def the_first_part_of_an_empty_object(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"")
    return s3.get_object(Key="k", PartNumber=1).pick("status", "Body", "ContentLength", "ContentRange")


@behaviour
def a_second_part_of_an_object_that_has_none(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=BODY)
    return s3.get_object(Key="k", PartNumber=2).verdict


@each([1, 2, 3])
def a_part_is_read_by_its_number(s3: S3Calls, number: int) -> Any:
    upload, parts = s3.upload("k", b"a" * PART, b"bc")
    s3.complete("k", upload, parts)
    return s3.get_object(Key="k", PartNumber=number).pick("ContentLength", "ContentRange", "PartsCount", "Code")


@behaviour
def head_of_a_part(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"a" * PART, b"bc")
    s3.complete("k", upload, parts)
    return s3.head_object(Key="k", PartNumber=2).pick("ContentLength", "PartsCount", "ETag")


@behaviour
def a_range_across_parts(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"a" * PART, b"bc")
    s3.complete("k", upload, parts)
    return s3.get_object(Key="k", Range=f"bytes={PART - 2}-{PART}").pick("Body", "ContentRange")


@each({"right": '"781e5e245d69b566979b86e28d23f2c7"', "weak": 'W/"781e5e245d69b566979b86e28d23f2c7"', "another": '"0"'})
def a_range_if_the_object_is_still_the_same(s3: S3Calls, validator: str) -> Any:
    s3.put_object(Key="k", Body=BODY)
    answer = s3.send("GET", "/k", {"Range": "bytes=3-5", "If-Range": validator})
    return [answer.status, answer["Body"], answer.header("content-range")]


@behaviour
def a_range_and_a_part_at_once(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=BODY)
    return s3.get_object(Key="k", PartNumber=1, Range="bytes=0-1").pick("Code", "Message")


@behaviour
def part_zero(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=BODY)
    return s3.get_object(Key="k", PartNumber=0).verdict
