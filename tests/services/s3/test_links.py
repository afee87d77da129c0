"""Links in answers lead to the object, whatever its key has in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.s3_server import S3Server, serving

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

KEYS = [
    "plain", "a/b c/", "a%41b#c?d/ e+f", "한 글/é~", "a;b&c=d@e:f,$!'()*", "a/../b", "a//b", "/a", "./a",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with serving(tmp_path_factory.mktemp("objects"), gateway=True) as running:
        yield running


def post(url: str, key: str, **headers: str) -> httpx.Response:
    fields = {"key": key, "success_action_status": "201"}
    return httpx.post(url, data=fields, files={"file": ("a", b"formed")}, headers=headers)


def link_of_parts(s3: "S3Client", bucket: str, key: str) -> str:
    named: Any = {"Bucket": bucket, "Key": key}
    named["UploadId"] = s3.create_multipart_upload(**named)["UploadId"]
    part = s3.upload_part(**named, PartNumber=1, Body=b"parts")
    parts: Any = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    return s3.complete_multipart_upload(**named, MultipartUpload=parts)["Location"]


@pytest.mark.parametrize("key", KEYS)
def test_the_link_of_a_form_leads_to_the_object(server: S3Server, bucket: str, key: str) -> None:
    answer = post(f"{server.url}/{bucket}", key)

    assert httpx.get(answer.headers["location"]).content == b"formed"
    assert f"<Location>{answer.headers['location']}</Location>" in answer.text


@pytest.mark.parametrize("key", KEYS)
def test_the_link_of_an_upload_in_parts_is_that_of_a_form(
    s3: "S3Client", server: S3Server, bucket: str, key: str
) -> None:
    found = link_of_parts(s3, bucket, key)

    assert httpx.get(found).content == b"parts"
    assert found == post(f"{server.url}/{bucket}", key).headers["location"]


def test_a_slash_stays_where_each_client_keeps_it(s3: "S3Client", server: S3Server, bucket: str) -> None:
    assert link_of_parts(s3, bucket, "a/b c") == f"{server.url}/{bucket}/a/b%20c"
    assert link_of_parts(s3, bucket, "a/../b") == f"{server.url}/{bucket}/a%2F..%2Fb"


@pytest.mark.parametrize("domain", ["localhost", "s3.us-east-1.amazonaws.com"])
def test_a_link_has_the_bucket_where_the_request_had_it(server: S3Server, bucket: str, domain: str) -> None:
    host = f"{bucket}.{domain}:{urlsplit(server.url).port}"
    answer = post(server.url, "a/b c", Host=host)

    assert (answer.status_code, answer.headers["location"]) == (201, f"http://{host}/a/b%20c")
    assert httpx.get(f"{server.url}/a/b%20c", headers={"Host": host}).content == b"formed"


def test_an_upload_in_parts_to_a_host_with_the_bucket_has_its_link(server: S3Server, bucket: str) -> None:
    place = f"{bucket}.localhost:{urlsplit(server.url).port}"

    def send(method: str, query: str, body: bytes = b"") -> str:
        return httpx.request(method, f"{server.url}/a/b%20c?{query}", content=body, headers={"Host": place}).text

    upload = send("POST", "uploads").partition("<UploadId>")[2].partition("<")[0]
    send("PUT", f"partNumber=1&uploadId={upload}", b"parts")
    etag = send("GET", f"uploadId={upload}").partition("<ETag>")[2].partition("<")[0]
    parts = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    made = send("POST", f"uploadId={upload}", f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode())

    assert f"<Location>http://{place}/a/b%20c</Location>" in made
