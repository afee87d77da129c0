"""Tags of objects."""

from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls

WRONG: dict[str, Any] = {
    "eleven": [{"Key": str(number), "Value": "1"} for number in range(11)],
    "the same key twice": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
    "a key of 129 characters": [{"Key": "k" * 129, "Value": "1"}],
    "a value of 257 characters": [{"Key": "k", "Value": "v" * 257}],
    "a character that cannot be": [{"Key": "k<", "Value": "1"}],
    "aws's own": [{"Key": "aws:k", "Value": "1"}],
}


def tagged(s3: S3Calls, tags: Any) -> Any:
    return s3.put_object_tagging(Key="k", Tagging={"TagSet": tags})


@behaviour
def an_object_has_no_tags(s3: S3Calls) -> Any:
    s3.put("k")
    return [s3.get_object_tagging(Key="k"), s3.head_object(Key="k").pick("TagCount")]


@behaviour
def tags_that_a_put_names(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", Tagging="team=ml&empty=&with%20space=a%2Bb")
    return sorted(s3.get_object_tagging(Key="k")["TagSet"], key=lambda tag: str(tag["Key"]))


@behaviour
def the_number_of_tags_is_a_header(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", Tagging="a=1&b=2")
    return [s3.get_object(Key="k").pick("TagCount"), s3.head_object(Key="k").pick("TagCount")]


@behaviour
def tags_are_replaced(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", Tagging="a=1")
    return [tagged(s3, [{"Key": "b", "Value": "2"}]), s3.get_object_tagging(Key="k")["TagSet"]]


@behaviour
def tags_are_removed(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", Tagging="a=1")
    return [s3.delete_object_tagging(Key="k"), s3.get_object_tagging(Key="k")["TagSet"]]


@behaviour
def a_put_without_tags_removes_them(s3: S3Calls) -> Any:
    s3.put_object(Key="k", Body=b"1", Tagging="a=1")
    s3.put("k")
    return s3.get_object_tagging(Key="k")["TagSet"]


@behaviour
def new_tags_do_not_change_the_object(s3: S3Calls) -> Any:
    s3.put("k")
    before = s3.head_object(Key="k")
    tagged(s3, [{"Key": "a", "Value": "1"}])
    after = s3.head_object(Key="k")
    return [before["ETag"] == after["ETag"], before["LastModified"] == after["LastModified"]]


@each(WRONG)
def tags_that_cannot_be(s3: S3Calls, tags: Any) -> Any:
    s3.put("k")
    return [tagged(s3, tags).pick("Code", "Message"), s3.get_object_tagging(Key="k")["TagSet"]]


@behaviour
def ten_tags(s3: S3Calls) -> Any:
    s3.put("k")
    tagged(s3, WRONG["eleven"][:10])
    return len(s3.get_object_tagging(Key="k")["TagSet"])


@behaviour
def tags_of_what_is_not_there(s3: S3Calls) -> Any:
    return [
        s3.get_object_tagging(Key="none").verdict,
        s3.delete_object_tagging(Key="none").verdict,
        s3.put_object_tagging(Key="none", Tagging={"TagSet": []}).verdict,
    ]


@each({"the same key twice": "a=1&a=2", "eleven": "&".join(f"{number}=1" for number in range(11))})
def tags_that_a_put_cannot_name(s3: S3Calls, text: str) -> Any:
    return [s3.put_object(Key="k", Body=b"1", Tagging=text).verdict, s3.keys()]


@behaviour
def tags_in_utf_8(s3: S3Calls) -> Any:
    s3.put("k")
    tagged(s3, [{"Key": "größe", "Value": "값"}])
    return s3.get_object_tagging(Key="k")["TagSet"]
