"""Presigned URLs and forms, and requests of browsers."""

import json
import re
from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls, plain

VERSIONS = ["s3v4", "s3"]


def sent(s3: S3Calls, method: str, url: str, headers: Any = None, body: bytes | None = None) -> Any:
    return plain(s3.url, method, url.removeprefix(s3.url), headers or {}, body)


@each(VERSIONS)
def a_presigned_get(s3: S3Calls, version: str) -> Any:
    s3.put("a b+c/ü")
    return sent(s3, "GET", s3.presigned("get_object", version, Key="a b+c/ü")).pick("Body")


@each(VERSIONS)
def a_presigned_put(s3: S3Calls, version: str) -> Any:
    put = sent(s3, "PUT", s3.presigned("put_object", version, Key="k"), body=b"abc")
    return [put.status, s3.get_object(Key="k")["Body"]]


@each(VERSIONS)
def a_presigned_put_with_a_type(s3: S3Calls, version: str) -> Any:
    url = s3.presigned("put_object", version, Key="k", ContentType="text/csv")
    put = sent(s3, "PUT", url, {"Content-Type": "text/csv"}, b"1,2")
    return [put.status, s3.head_object(Key="k").pick("ContentType")]


@behaviour
def a_presigned_put_with_metadata(s3: S3Calls) -> Any:
    url = s3.presigned("put_object", Key="k", Metadata={"a": "1"})
    put = sent(s3, "PUT", url, {"x-amz-meta-a": "1"}, b"abc")
    return [put.status, s3.head_object(Key="k").pick("Metadata")]


@each(VERSIONS)
def a_presigned_head_and_delete(s3: S3Calls, version: str) -> Any:
    s3.put("k")
    head = sent(s3, "HEAD", s3.presigned("head_object", version, Key="k"))
    return [head.status, sent(s3, "DELETE", s3.presigned("delete_object", version, Key="k")).status, s3.keys()]


@each(VERSIONS)
def a_presigned_get_that_names_headers(s3: S3Calls, version: str) -> Any:
    s3.put("k")
    named: Any = {"ResponseContentType": "text/x", "ResponseContentDisposition": 'attachment; filename="a b"'}
    answer = sent(s3, "GET", s3.presigned("get_object", version, Key="k", **named))
    return answer.header("content-type", "content-disposition")


@behaviour
def a_presigned_list(s3: S3Calls) -> Any:
    s3.put("k")
    return sent(s3, "GET", s3.presigned("list_objects_v2", Prefix="k")).pick("KeyCount", "Prefix")


@behaviour
def a_presigned_upload(s3: S3Calls) -> Any:
    return sorted(sent(s3, "POST", s3.presigned("create_multipart_upload", Key="k")))


@behaviour
def a_presigned_part(s3: S3Calls) -> Any:
    upload, _ = s3.upload("k")
    part = sent(s3, "PUT", s3.presigned("upload_part", Key="k", UploadId=upload, PartNumber=1), body=b"abc")
    return part.header("etag")


def form(s3: S3Calls, key: str, fields: dict[str, str], conditions: list[Any], body: bytes = b"abc") -> Any:
    """A browser's form with a file."""
    made = s3.side.client().generate_presigned_post(s3.bucket, key, Fields=fields, Conditions=conditions)
    parts = [f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in made["fields"].items()]
    file = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
    whole = "".join([*parts, file]).encode() + body + b"\r\n--x--\r\n"
    return plain(s3.url, "POST", f"/{s3.bucket}", {"Content-Type": "multipart/form-data; boundary=x"}, whole)


@behaviour
def a_form(s3: S3Calls) -> Any:
    return [form(s3, "k", {}, []).status, s3.get_object(Key="k")["Body"]]


@behaviour
def a_form_that_wants_a_document(s3: S3Calls) -> Any:
    answer = form(s3, "k", {"success_action_status": "201"}, [{"success_action_status": "201"}])
    return answer.pick("Key", "ETag")


@behaviour
def a_form_with_the_name_of_its_file(s3: S3Calls) -> Any:
    return [form(s3, "up/${filename}", {}, []).status, s3.keys()]


@behaviour
def a_form_with_a_type_and_metadata(s3: S3Calls) -> Any:
    fields = {"Content-Type": "text/csv", "x-amz-meta-a": "1"}
    form(s3, "k", fields, [{"Content-Type": "text/csv"}, {"x-amz-meta-a": "1"}])
    return s3.head_object(Key="k").pick("ContentType", "Metadata")


@behaviour
def a_form_with_a_canned_acl(s3: S3Calls) -> Any:
    status = form(s3, "k", {"acl": "public-read"}, [{"acl": "public-read"}]).status
    return [status, [one["Permission"] for one in s3.get_object_acl(Key="k")["Grants"]]]


@each(
    {
        "a document": "<Tagging><TagSet><Tag><Key>a</Key><Value>1 2</Value></Tag></TagSet></Tagging>",
        "a query": "a=1",
    }
)
def a_form_with_tags(s3: S3Calls, document: str) -> Any:
    answer = form(s3, "k", {"tagging": document}, [{"tagging": document}])
    return [answer.verdict, s3.keys(), s3.get_object_tagging(Key="k").get("TagSet")]


@behaviour
def a_form_with_other_headers(s3: S3Calls) -> Any:
    fields = {"Content-Language": "ko", "x-amz-website-redirect-location": "/other", "Cache-Control": "no-cache"}
    form(s3, "k", fields, [{name: value} for name, value in fields.items()])
    return s3.head_object(Key="k").pick("ContentLanguage", "WebsiteRedirectLocation", "CacheControl")


@each({"right": "kAFQmDzST7DWlj99KOF/cg==", "wrong": "AAAAAAAAAAAAAAAAAAAAAA==", "no digest": "no"})
def a_form_with_an_md5(s3: S3Calls, digest: str) -> Any:
    return [form(s3, "k", {"Content-MD5": digest}, [{"Content-MD5": digest}]).verdict, s3.keys()]


@behaviour
def a_form_of_a_bucket_with_versions(s3: S3Calls) -> Any:
    s3.versioned()
    answer = form(s3, "k", {}, [])
    return [answer.status, answer.header("x-amz-version-id"), s3.head_object(Key="k").pick("VersionId")]


@behaviour
def a_form_whose_file_is_too_large(s3: S3Calls) -> Any:
    return [form(s3, "k", {}, [["content-length-range", 0, 2]]).verdict, s3.keys()]


@behaviour
def a_form_whose_file_is_too_small(s3: S3Calls) -> Any:
    return [form(s3, "k", {}, [["content-length-range", 5, 20]]).verdict, s3.keys()]


@behaviour
def a_form_that_redirects(s3: S3Calls) -> Any:
    to = "http://page.example/done"
    answer = form(s3, "k", {"success_action_redirect": to}, [{"success_action_redirect": to}])
    return [answer.status, (answer.headers.get("location") or "").partition("?")[0]]


def preflight(s3: S3Calls, origin: str, method: str, asked: str = "") -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    if asked:
        headers["Access-Control-Request-Headers"] = asked
    answer = plain(s3.url, "OPTIONS", f"/{s3.bucket}/k", headers)
    return [answer.status, answer.header("access-control-allow-origin")]


@each(
    {
        "allowed": ("https://page.example", "GET"),
        "another origin": ("https://evil.example", "GET"),
        "another method": ("https://page.example", "DELETE"),
    }
)
def a_preflight_of_an_origin(s3: S3Calls, origin: str, method: str) -> Any:
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://page.example"]}
    s3.put_bucket_cors(CORSConfiguration={"CORSRules": [rule]})
    return preflight(s3, origin, method)


@behaviour
def a_preflight_of_a_bucket_without_rules(s3: S3Calls) -> Any:
    return preflight(s3, "https://page.example", "GET")


@behaviour
def a_url_that_has_expired(s3: S3Calls) -> Any:
    s3.put("k")
    url = re.sub(r"(X-Amz-Date=|Credential=[^&]*?%2F)20(\d{6})", r"\g<1>19\2", s3.presigned("get_object", Key="k"))
    return sent(s3, "GET", url).verdict


@behaviour
def a_url_whose_credential_is_of_another_date(s3: S3Calls) -> Any:
    url = s3.presigned("get_object", Key="k").replace("X-Amz-Date=20", "X-Amz-Date=19")
    return sent(s3, "GET", url).verdict


@behaviour
def json_is_no_form(s3: S3Calls) -> Any:
    return s3.send("POST", "", {"Content-Type": "application/json"}, json.dumps({}).encode()).status >= 400
