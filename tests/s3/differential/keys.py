"""Keys that are no paths: any UTF-8 of 1 to 1,024 bytes."""

from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls

KEYS = {
    "two slashes": "a//b",
    "three slashes": "a///b",
    "a dot": "a/./b",
    "two dots": "a/../b",
    "two dots at the end": "a/..",
    "a slash at the beginning": "/a",
    "two slashes at the beginning": "//a",
    "a slash at the end": "a/",
    "two slashes at the end": "a//",
    "only a slash": "/",
    "only a dot": ".",
    "a space": "a b",
    "a space at the end": "a ",
    "a plus": "a+b",
    "a percent sign": "100%",
    "an escape": "a%2Fb",
    "a tab": "t\tb",
    "a line end": "a\nb",
    "a backslash": "a\\b",
    "a question mark": "a?b=c",
    "a hash": "a#b",
    "an ampersand": "a&b=c;d",
    "quotation marks": "\"a\"'b'",
    "a colon and an at": "a:b@c",
    "braces": "{a}[b](c)<d>",
    "letters of another alphabet": "données/한글/日本",
    "a combined letter": "u\u0308",
    "an emoji": "\U0001f600",
    "1,024 bytes": "k" * 1024,
    "1,024 bytes in UTF-8": "ü" * 512,
    "a part of 300 bytes": f"{'p' * 300}/x",
    "a tilde and stars": "~a*b!",
    "an equals sign": "year=2024/month=1",
    "a comma": "a,b",
    "a dollar": "$a^b|c`d",
    "a name like a parameter": "uploads",
}


@each(KEYS)
def a_key_with(s3: S3Calls, key: str) -> Any:
    put = s3.put_object(Key=key, Body=b"1").verdict
    read = s3.get_object(Key=key).pick("Body", "Code")
    return [
        put,
        read,
        s3.keys() == [key],
        s3.get_object(Key=f"{key[:1000]}-no").verdict,
        s3.delete_object(Key=key).status,
        s3.keys(),
    ]


@each({"1,025 bytes": "k" * 1025, "1,026 bytes in UTF-8": "ü" * 513})
def a_key_of(s3: S3Calls, key: str) -> Any:
    return [s3.put_object(Key=key, Body=b"1").pick("Code", "Message"), s3.get_object(Key=key).verdict]


@behaviour
def a_key_and_a_prefix(s3: S3Calls) -> Any:
    s3.put("a", "a/b", "c/d", "c")
    return s3.keys()


@behaviour
def a_key_and_its_folder(s3: S3Calls) -> Any:
    s3.put("a", "a/")
    return [s3.keys(), s3.delete_object(Key="a/").status, s3.keys()]


@behaviour
def upper_and_lower_case(s3: S3Calls) -> Any:
    s3.put("K", "k")
    return s3.keys()


@behaviour
def the_two_forms_of_a_letter(s3: S3Calls) -> Any:
    s3.put("\u00fc", "u\u0308")
    return s3.keys()


@behaviour
def the_resource_of_an_error(s3: S3Calls) -> Any:
    answer = s3.send("GET", "/no such key")
    return answer.pick("Code", "Message", "Key")


@each(["a b", "a+b", "ü", "a//b", "a%2Fb"])
def an_upload_under_the_key(s3: S3Calls, key: str) -> Any:
    upload, parts = s3.upload(key, b"abc")
    return [s3.complete(key, upload, parts).pick("Key"), s3.keys()]
