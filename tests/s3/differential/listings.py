"""Lists of keys in both versions: prefixes, delimiters, pages, encoding."""

from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls

KEYS = ("a", "a/1", "a/2", "a/b/3", "b", "b/1", "c", "ü")


def names(answer: Any) -> Any:
    """Keys and common prefixes of a page, and whether there is another."""
    return {
        "keys": [one["Key"] for one in answer.get("Contents", [])],
        "prefixes": [one["Prefix"] for one in answer.get("CommonPrefixes", [])],
        "more": answer.get("IsTruncated"),
    }


def pages(s3: S3Calls, **query: Any) -> Any:
    """All pages, one key each at least: there are no more than keys."""
    token: dict[str, Any] = {}
    found = []
    for _ in KEYS:
        answer = s3.list_objects_v2(**query, **token)
        found.append(names(answer))
        if not answer["IsTruncated"]:
            break
        token = {"ContinuationToken": answer["NextContinuationToken"]}
    return found


QUERIES: dict[str, Any] = {
    "everything": {},
    "a prefix": {"Prefix": "a/"},
    "a prefix in the middle of a name": {"Prefix": "a/b"},
    "a prefix that is a key": {"Prefix": "a"},
    "a prefix of nothing": {"Prefix": "z"},
    "a delimiter": {"Delimiter": "/"},
    "a prefix and a delimiter": {"Prefix": "a/", "Delimiter": "/"},
    "a delimiter of several characters": {"Delimiter": "/b"},
    "a letter as delimiter": {"Delimiter": "b"},
    "a delimiter that is nowhere": {"Delimiter": "|"},
    "an empty prefix": {"Prefix": ""},
    "an empty delimiter": {"Delimiter": ""},
    "two keys": {"MaxKeys": 2},
    "two keys and prefixes": {"MaxKeys": 2, "Delimiter": "/"},
    "no keys": {"MaxKeys": 0},
    "no keys, with a delimiter": {"MaxKeys": 0, "Delimiter": "/"},
    "more keys than a page has": {"MaxKeys": 5000},
}


@each(QUERIES)
def keys_of_list_objects(s3: S3Calls, query: Any) -> Any:
    s3.put(*KEYS)
    answer = s3.list_objects(**query)
    return {**names(answer), **answer.pick("MaxKeys", "Prefix", "Delimiter", "Marker", "NextMarker")}


@each(QUERIES)
def keys_of_list_objects_v2(s3: S3Calls, query: Any) -> Any:
    s3.put(*KEYS)
    answer = s3.list_objects_v2(**query)
    return {**names(answer), **answer.pick("MaxKeys", "Prefix", "Delimiter", "KeyCount", "StartAfter")}


@each({"a key": "a/1", "between keys": "a/11", "the last": "ü", "the first": "", "a prefix": "a/"})
def keys_after(s3: S3Calls, start: str) -> Any:
    s3.put(*KEYS)
    return names(s3.list_objects_v2(StartAfter=start))


@each({"a key": "a/1", "between keys": "a/11", "the last": "ü", "a prefix": "a/"})
def keys_after_a_marker(s3: S3Calls, marker: str) -> Any:
    s3.put(*KEYS)
    return names(s3.list_objects(Marker=marker))


@behaviour
def prefixes_after_one_of_their_keys(s3: S3Calls) -> Any:
    s3.put(*KEYS)
    return names(s3.list_objects_v2(StartAfter="a/1", Delimiter="/"))


@behaviour
def prefixes_after_a_marker_that_is_one(s3: S3Calls) -> Any:
    s3.put(*KEYS)
    return names(s3.list_objects(Marker="a/", Delimiter="/"))


@behaviour
def prefixes_after_a_marker_in_one(s3: S3Calls) -> Any:
    s3.put(*KEYS)
    return names(s3.list_objects(Marker="a/1", Delimiter="/"))


@each([1, 2, 3, 7, 8, 9])
def all_pages_of_a_size(s3: S3Calls, size: int) -> Any:
    s3.put(*KEYS)
    return pages(s3, MaxKeys=size)


@each([1, 2, 3, 4])
def all_pages_of_prefixes_of_a_size(s3: S3Calls, size: int) -> Any:
    s3.put(*KEYS)
    return pages(s3, MaxKeys=size, Delimiter="/")


@each([1, 2, 3])
def all_pages_by_marker_of_a_size(s3: S3Calls, size: int) -> Any:
    s3.put(*KEYS)
    found, marker = [], ""
    for _ in KEYS:
        answer = s3.list_objects(MaxKeys=size, Delimiter="/", Marker=marker)
        found.append(names(answer))
        if not answer["IsTruncated"]:
            break
        marker = answer["NextMarker"]
    return found


@behaviour
def without_a_delimiter_there_is_no_next_marker(s3: S3Calls) -> Any:
    s3.put(*KEYS)
    return s3.list_objects(MaxKeys=2).pick("IsTruncated", "NextMarker")


@behaviour
def keys_are_in_the_order_of_their_bytes(s3: S3Calls) -> Any:
    s3.put("B", "a", "Z", "_", "ä", "é", "10", "9", "\U0001f600", "\uff5e")
    return s3.keys()


@behaviour
def an_entry_of_a_list(s3: S3Calls) -> Any:
    s3.put("k")
    return s3.list_objects_v2()["Contents"][0]


@behaviour
def an_entry_of_an_older_list(s3: S3Calls) -> Any:
    s3.put("k")
    return s3.list_objects()["Contents"][0]


@behaviour
def the_owner_is_listed_where_it_is_asked_for(s3: S3Calls) -> Any:
    s3.put("k")
    return [
        "Owner" in s3.list_objects_v2(FetchOwner=True)["Contents"][0],
        "Owner" in s3.list_objects_v2()["Contents"][0],
    ]


@behaviour
def an_empty_bucket(s3: S3Calls) -> Any:
    both = [s3.list_objects_v2(), s3.list_objects()]
    return [[page.pop("Name") == s3.bucket, page] for page in both]


@behaviour
def a_list_of_a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    return [one(Bucket="no-such-bucket-at-all") for one in (s3.list_objects, s3.list_objects_v2)]


@each(["%%", "!!!", "YQ"])
def a_token_that_is_none(s3: S3Calls, token: str) -> Any:
    return s3.list_objects_v2(ContinuationToken=token).pick("Code", "Message")


@behaviour
def an_empty_token(s3: S3Calls) -> Any:
    return s3.list_objects_v2(ContinuationToken="").pick("Code", "Message")


@each(["-1", "abc", "2147483648"])
def a_number_of_keys_that_cannot_be(s3: S3Calls, text: str) -> Any:
    return s3.send("GET", query=f"list-type=2&max-keys={text}").pick("Code", "Message", "ArgumentName")


@behaviour
def keys_are_encoded_where_the_client_asks(s3: S3Calls) -> Any:
    s3.put("a b+c", "ü/x", "t\tb", "(*)'!~,;=&")
    answer = s3.send("GET", query="list-type=2&encoding-type=url&delimiter=%2F")
    return answer.pick("EncodingType", "Delimiter", "KeyCount")


@behaviour
def an_unknown_encoding(s3: S3Calls) -> Any:
    return s3.send("GET", query="list-type=2&encoding-type=base64").pick("Code", "Message", "ArgumentValue")


@behaviour
def encoded_keys_come_back_as_they_were(s3: S3Calls) -> Any:
    s3.put("a b+c", "ü/x", "t\tb", "%41", "(*)'!~,;=&")
    return [names(s3.list_objects_v2()), names(s3.list_objects(Delimiter="/")), names(s3.list_objects_v2(Prefix="ü"))]


@behaviour
def a_token_goes_on_with_the_same_query(s3: S3Calls) -> Any:
    s3.put(*KEYS)
    first = s3.list_objects_v2(Prefix="a", MaxKeys=2)
    return names(s3.list_objects_v2(Prefix="a", ContinuationToken=first["NextContinuationToken"]))


@behaviour
def a_token_outweighs_start_after(s3: S3Calls) -> Any:
    s3.put(*KEYS)
    token = s3.list_objects_v2(MaxKeys=2)["NextContinuationToken"]
    return names(s3.list_objects_v2(StartAfter="c", ContinuationToken=token))


@behaviour
def a_folder_marker_is_a_key(s3: S3Calls) -> Any:
    s3.put("d/", "d/x")
    return [
        s3.keys(Prefix="d/"),
        names(s3.list_objects_v2(Prefix="d/", Delimiter="/")),
        names(s3.list_objects_v2(Delimiter="/")),
    ]


@behaviour
def a_delimiter_at_the_beginning(s3: S3Calls) -> Any:
    s3.put("/a", "/b/c", "d")
    return names(s3.list_objects_v2(Delimiter="/"))


@behaviour
def a_doubled_delimiter(s3: S3Calls) -> Any:
    s3.put("a//b", "a/b")
    return [names(s3.list_objects_v2(Delimiter="/", Prefix=prefix)) for prefix in ("", "a/", "a//")]


@behaviour
def a_deleted_object_is_not_listed(s3: S3Calls) -> Any:
    s3.versioned()
    s3.put("a", "b")
    s3.delete_object(Key="a")
    return names(s3.list_objects_v2())


@behaviour
def list_says_the_class_of_parts(s3: S3Calls) -> Any:
    upload, parts = s3.upload("k", b"abc")
    s3.complete("k", upload, parts)
    return {name: s3.list_objects_v2()["Contents"][0][name] for name in ("ETag", "Size", "StorageClass")}
