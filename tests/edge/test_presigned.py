"""Presigned URLs and forms, which need no client of AWS's, and temporary keys, where no gateway reads the body."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from samebox.settings import Settings
from tests.edge.asking import BUCKET, ask, client, keys, post

# Presigned URLs, which need no client of AWS's: boto3 makes Version 2 by default where the region is us-east-1.


@pytest.mark.parametrize("version", [None, "s3v4"])
def test_a_presigned_url_reads_and_writes_where_there_is_a_token(locked: Settings, version: str | None) -> None:
    more = {"signature_version": version} if version else {}
    s3, forged = client("s3", locked, **more), client("s3", replace(locked, token="forged"), **more)
    s3.create_bucket(Bucket=BUCKET)

    def use(presigning: Any, method: str, seconds: int = 60, **params: str) -> tuple[int, bytes]:
        operation = {"GET": "get_object", "PUT": "put_object"}[method]
        named = {"Bucket": BUCKET, "Key": "a key/é.csv", **params}
        url = presigning.generate_presigned_url(operation, Params=named, ExpiresIn=seconds, HttpMethod=method)
        assert ("AWSAccessKeyId" in url) == (version is None)
        place = urlsplit(url)
        kind = {"Content_Type": params["ContentType"]} if "ContentType" in params else {}
        status, _, body = ask(locked, method, f"{place.path}?{place.query}", b"1,2" if method == "PUT" else b"", kind)
        return status, body

    assert use(s3, "PUT") == (200, b"")
    assert use(s3, "PUT", ContentType="text/csv") == (200, b"")
    assert use(s3, "GET") == (200, b"1,2")
    assert use(s3, "GET", ResponseContentType="text/plain") == (200, b"1,2")
    for method in ("GET", "PUT"):
        assert use(forged, method)[0] == 403
        if version is None:  # boto3's signer of Version 4 makes no URL that has expired: tests/services/s3 has one
            assert use(s3, method, seconds=-1)[0] == 403
    assert ask(locked, "GET", f"/{BUCKET}/a%20key/%C3%A9.csv")[0] == 403
    s3.close()
    forged.close()


@pytest.mark.parametrize("version", [None, "s3v4"])
@pytest.mark.parametrize("where_", ["unlocked", "locked"])
def test_a_presigned_form_makes_the_object_that_its_policy_allows(
    where_: str, version: str | None, request: pytest.FixtureRequest
) -> None:
    settings: Settings = request.getfixturevalue(where_)
    more = {"signature_version": version} if version else {}
    s3, forged = client("s3", settings, **more), client("s3", replace(settings, token="forged"), **more)
    s3.create_bucket(Bucket=BUCKET)
    key = f"user/{where_}-{version}.csv"
    conditions = [["starts-with", "$Content-Type", "text/"], ["content-length-range", 1, 10], {"x-amz-meta-who": "me"}]

    def made(by: Any, **options: Any) -> Any:
        return by.generate_presigned_post(
            BUCKET, key, {"Content-Type": "text/csv", "x-amz-meta-who": "me"}, conditions, **options
        )

    form = made(s3)
    status, headers, body = post(settings, form["url"], form["fields"])
    assert (status, body) == (204, b"")
    found = s3.get_object(Bucket=BUCKET, Key=key)
    assert found["Body"].read() == b"1,2"
    assert (found["ContentType"], found["Metadata"]) == ("text/csv", {"who": "me"})
    assert headers["etag"] == found["ETag"]
    assert headers["location"] == f"{settings.url}/{BUCKET}/{key}"

    def refusal(form: Any, content: bytes = b"1,2", **changes: str) -> tuple[int, str]:
        status, _, body = post(settings, form["url"], {**form["fields"], **changes}, content)
        return status, re.sub(r".*<Code>(\w+)</Code>.*", r"\1", body.decode(), flags=re.DOTALL)

    assert refusal(form, b"1" * 11) == (400, "EntityTooLarge")
    assert refusal(form, b"") == (400, "EntityTooSmall")
    assert refusal(form, key="another") == (403, "AccessDenied")
    assert refusal(form, acl="public-read") == (403, "AccessDenied")
    assert refusal(made(s3, ExpiresIn=-10)) == (403, "AccessDenied")
    if settings.token:
        assert refusal(made(forged)) == (403, "SignatureDoesNotMatch")
        assert refusal({"url": form["url"], "fields": {"key": "k"}}) == (403, "AccessDenied")
    s3.delete_object(Bucket=BUCKET, Key=key)
    s3.close()
    forged.close()


def test_a_form_sets_the_response_to_success(unlocked: Settings, s3: Any) -> None:
    key = {"key": "up/${filename}"}
    status, _, body = post(unlocked, f"/{BUCKET}", {**key, "success_action_status": "201"})
    assert status == 201
    assert b"<PostResponse>" in body
    assert b"<Key>up/x.csv</Key>" in body
    assert post(unlocked, f"/{BUCKET}/", {**key, "success_action_status": "200"})[0] == 200
    status, headers, _ = post(unlocked, f"/{BUCKET}", {**key, "success_action_redirect": "http://a.example/done?x=1"})
    assert (status, headers["location"].partition("&etag=")[0]) == (
        303,
        "http://a.example/done?x=1&bucket=objects&key=up%2Fx.csv",
    )
    assert keys(s3) == ["up/x.csv", "victim"]


def test_what_is_no_form_of_s3_is_refused(unlocked: Settings, s3: Any) -> None:
    large = {"key": "k", "x-amz-meta-large": "a" * 21_000}
    assert b"MaxPostPreDataLengthExceededError" in post(unlocked, f"/{BUCKET}", large)[2]
    assert b"field named &apos;key&apos;" in post(unlocked, f"/{BUCKET}", {})[2].replace(b"'", b"&apos;")
    kind = "multipart/form-data; boundary=B"
    assert b"MalformedPOSTRequest" in ask(unlocked, "POST", f"/{BUCKET}", b"--B\r\n", Content_Type=kind)[2]
    assert b"MalformedPOSTRequest" in ask(unlocked, "POST", f"/{BUCKET}", b"", Content_Type="multipart/form-data")[2]
    odd = "multipart/form-data; boundary*=utf-8''%E2%82%AC"
    assert b"MalformedPOSTRequest" in ask(unlocked, "POST", f"/{BUCKET}", b"--B\r\n", Content_Type=odd)[2]
    assert b"exactly one file" in ask(unlocked, "POST", f"/{BUCKET}", b"--B--\r\n", Content_Type=kind)[2]
    assert b"NoSuchBucket" in post(unlocked, "/missing", {"key": "k"})[2]
    assert (
        post(unlocked, f"/{BUCKET}", {"key": "odd", "x-amz-meta-\r\n x: y": "1\r\nx: 2", "x-amz-meta-": "3"})[0] == 204
    )
    assert s3.get_object(Bucket=BUCKET, Key="odd")["Metadata"] == {}
    s3.delete_object(Bucket=BUCKET, Key="odd")
    assert keys(s3) == ["victim"]
    assert not [one for one in unlocked.data_dir.iterdir() if one.name.startswith("tmp")]


def test_a_large_form_comes_through(unlocked: Settings, s3: Any) -> None:
    content = bytes(range(256)) * 40_000
    assert post(unlocked, f"/{BUCKET}", {"key": "large"}, content)[0] == 204
    assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == content


# Temporary keys, where no gateway reads the body: tests/services/test_sts.py has the others.


@pytest.mark.parametrize("where_", ["unlocked", "locked"])
def test_temporary_keys_are_good_for_objects_and_invocations_with_their_session_token(
    where_: str, request: pytest.FixtureRequest
) -> None:
    settings: Settings = request.getfixturevalue(where_)
    sts = client("sts", settings)
    given = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/me", RoleSessionName="me")["Credentials"]
    sts.close()

    def refusal(service: str, session: str | None) -> tuple[str, int]:
        keys = (given["AccessKeyId"], given["SecretAccessKey"], session)
        one: Any = boto3.session.Session(*keys, region_name="us-east-1")
        made = one.client(service, endpoint_url=settings.url, config=Config(retries={"total_max_attempts": 1}))
        with pytest.raises(ClientError) as refused:
            made.list_objects(Bucket="missing") if service == "s3" else made.invoke_endpoint(EndpointName="e", Body=b"")
        made.close()
        answer = refused.value.response
        return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]

    assert refusal("s3", None) == ("InvalidAccessKeyId", 403)
    assert refusal("s3", "made up") == ("InvalidToken", 400)
    assert refusal("s3", given["SessionToken"]) == ("NoSuchBucket", 404)
    assert refusal("sagemaker-runtime", None) == ("UnrecognizedClientException", 403)
    assert refusal("sagemaker-runtime", given["SessionToken"]) == ("ValidationError", 400)
