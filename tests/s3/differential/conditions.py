"""Conditional reads, writes and deletes."""

from datetime import UTC, datetime
from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls

PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
RIGHT = '"c4ca4238a0b923820dcc509a6f75849b"'  # of the body b"1"
WRONG = '"00000000000000000000000000000000"'
READS: dict[str, Any] = {
    "If-Match, right": {"IfMatch": RIGHT},
    "If-Match, wrong": {"IfMatch": WRONG},
    "If-Match, without quotation marks": {"IfMatch": RIGHT.strip('"')},
    "If-Match, any": {"IfMatch": "*"},
    "If-None-Match, the same": {"IfNoneMatch": RIGHT},
    "If-None-Match, another": {"IfNoneMatch": WRONG},
    "If-None-Match, any": {"IfNoneMatch": "*"},
    "If-Modified-Since, before": {"IfModifiedSince": PAST},
    "If-Modified-Since, after": {"IfModifiedSince": FUTURE},
    "If-Unmodified-Since, before": {"IfUnmodifiedSince": PAST},
    "If-Unmodified-Since, after": {"IfUnmodifiedSince": FUTURE},
    "If-Match right outweighs If-Unmodified-Since": {"IfMatch": RIGHT, "IfUnmodifiedSince": PAST},
    "If-None-Match the same outweighs If-Modified-Since": {"IfNoneMatch": RIGHT, "IfModifiedSince": PAST},
    "If-None-Match another outweighs If-Modified-Since": {"IfNoneMatch": WRONG, "IfModifiedSince": FUTURE},
}


@each(READS)
def a_get(s3: S3Calls, conditions: Any) -> Any:
    s3.put("k")
    return s3.get_object(Key="k", **conditions).pick("Body", "Code")


@each(READS)
def a_head(s3: S3Calls, conditions: Any) -> Any:
    s3.put("k")
    return s3.head_object(Key="k", **conditions).pick("ETag", "Code")


@behaviour
def a_read_that_fails_names_its_condition(s3: S3Calls) -> Any:
    s3.put("k")
    return s3.get_object(Key="k", IfMatch=WRONG).pick("Code", "Message", "Condition")


@behaviour
def a_read_of_what_has_not_changed_has_its_etag(s3: S3Calls) -> Any:
    s3.put("k")
    return s3.get_object(Key="k", IfNoneMatch=RIGHT).header("etag")


@behaviour
def one_of_several_etags(s3: S3Calls) -> Any:
    s3.put("k")
    several = f"{WRONG}, {RIGHT}"
    return [s3.get_object(Key="k", IfMatch=several).status, s3.get_object(Key="k", IfNoneMatch=several).status]


@behaviour
def a_condition_on_what_is_not_there(s3: S3Calls) -> Any:
    return [s3.get_object(Key="k", IfMatch=RIGHT).verdict, s3.get_object(Key="k", IfNoneMatch=RIGHT).verdict]


@behaviour
def a_put_that_must_be_the_first(s3: S3Calls) -> Any:
    first = s3.put_object(Key="k", Body=b"1", IfNoneMatch="*")
    second = s3.put_object(Key="k", Body=b"2", IfNoneMatch="*")
    return [first.verdict, second.pick("Code", "Message", "Condition"), s3.get_object(Key="k")["Body"]]


@behaviour
def a_put_over_what_was_seen(s3: S3Calls) -> Any:
    s3.put("k")
    return [s3.put_object(Key="k", Body=b"2", IfMatch=RIGHT).verdict, s3.get_object(Key="k")["Body"]]


@behaviour
def a_put_over_what_has_changed(s3: S3Calls) -> Any:
    s3.put("k")
    return [s3.put_object(Key="k", Body=b"2", IfMatch=WRONG).verdict, s3.get_object(Key="k")["Body"]]


@behaviour
def a_put_over_what_is_not_there(s3: S3Calls) -> Any:
    return s3.put_object(Key="k", Body=b"2", IfMatch=RIGHT).verdict


@behaviour
def a_put_over_what_was_deleted_in_a_versioned_bucket(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("k")
    s3.delete_object(Key="k")
    return [
        s3.put_object(Key="k", Body=b"2", IfMatch=RIGHT).verdict,
        s3.put_object(Key="k", Body=b"2", IfNoneMatch="*").verdict,
    ]


@behaviour
def if_none_match_of_a_put_takes_only_a_star(s3: S3Calls) -> Any:
    return s3.put_object(Key="k", Body=b"2", IfNoneMatch=WRONG).verdict


@behaviour
def a_delete_of_what_was_seen(s3: S3Calls) -> Any:
    s3.put("k")
    return [s3.delete_object(Key="k", IfMatch=RIGHT).verdict, s3.keys()]


@behaviour
def a_delete_of_what_has_changed(s3: S3Calls) -> Any:
    s3.put("k")
    return [s3.delete_object(Key="k", IfMatch=WRONG).verdict, s3.keys()]


@behaviour
def a_delete_of_anything_that_is_there(s3: S3Calls) -> Any:
    s3.put("k")
    return [s3.delete_object(Key="k", IfMatch="*").verdict, s3.keys()]


@behaviour
def a_delete_that_needs_an_object_finds_none(s3: S3Calls) -> Any:
    return s3.delete_object(Key="k", IfMatch="*").verdict


@behaviour
def deletes_of_several_with_etags(s3: S3Calls) -> Any:
    s3.put("a", "b")
    wanted = {"Objects": [{"Key": "a", "ETag": RIGHT}, {"Key": "b", "ETag": WRONG}]}
    answer = s3.delete_objects(Delete=wanted)
    return [answer.get("Deleted"), [one["Code"] for one in answer.get("Errors", [])], s3.keys()]


@behaviour
def a_completion_that_must_be_the_first(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"abc")
    s3.put("k")
    return [s3.complete("k", upload, parts, IfNoneMatch="*").verdict, s3.get_object(Key="k")["Body"]]


@behaviour
def a_completion_over_what_was_seen(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"abc")
    s3.put("k")
    return [
        s3.complete("k", upload, parts, IfMatch=WRONG).verdict,
        s3.complete("k", upload, parts, IfMatch=RIGHT).verdict,
    ]


@behaviour
def a_copy_over_what_is_there(s3: S3Calls) -> Any:
    s3.put("a", "b")
    copy = {"Key": "b", "CopySource": f"{s3.bucket}/a"}
    return [s3.copy_object(**copy, IfNoneMatch="*").verdict, s3.copy_object(**copy, IfMatch=RIGHT).verdict]
