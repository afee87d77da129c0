"""S3 elsewhere: an emulator whose S3 is another emulator's, seen through boto3 and through jobs' eyes."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from samebox import server
from samebox.containers.fake import FakeEngine
from samebox.settings import Settings
from tests import samples
from tests.ports import free_port

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_sagemaker.client import SageMakerClient

ACCOUNT, THEIRS = "111122223333", "444455556666"
TOKEN, THEIR_TOKEN = "ours-" + "a" * 20, "theirs-" + "b" * 20
MIB = 1024 * 1024
IMAGE = "digits:local"
JOB = {
    **samples.TRAINING_JOB,
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/samebox",
}


@dataclass(frozen=True)
class TwoEmulators:
    """`here` passes S3's requests on to `there`; each has a token of its own, so every signature is checked."""

    here: str
    there: str

    def s3(self, url: str = "", **config: object) -> "S3Client":
        ours = url != self.there
        return boto3.client(
            "s3", endpoint_url=url or self.here, region_name="eu-west-1" if ours else "us-east-1",
            aws_access_key_id=ACCOUNT if ours else THEIRS, aws_secret_access_key=TOKEN if ours else THEIR_TOKEN,
            config=Config(retries={"total_max_attempts": 1}, **config),  # type: ignore[arg-type]
        )  # fmt: skip

    @property
    def sagemaker(self) -> "SageMakerClient":
        return boto3.client(
            "sagemaker", endpoint_url=self.here, region_name="us-east-1", aws_access_key_id=ACCOUNT,
            aws_secret_access_key=TOKEN, config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip


def elsewhere(folder: Path, url: str) -> Settings:
    return Settings(
        port=free_port(), data_dir=folder, token=TOKEN, container_credentials=False, s3_url=url,
        s3_credentials=f"{THEIRS}:{THEIR_TOKEN}", allow_local_images=True,
    )  # fmt: skip


def engine_of(folder: Path) -> FakeEngine:
    engine = FakeEngine(folder)
    engine.add_image(IMAGE, {})
    return engine


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoEmulators]:
    there = Settings(
        port=free_port(), data_dir=tmp_path_factory.mktemp("there"), token=THEIR_TOKEN, container_credentials=False
    )
    here = elsewhere(tmp_path_factory.mktemp("here"), there.url)
    with server.running(there), server.running(here, engine_of(tmp_path_factory.mktemp("engine"))):
        yield TwoEmulators(here.url, there.url)


def test_what_is_put_here_is_an_object_there(both: TwoEmulators) -> None:
    both.s3().create_bucket(Bucket="put")
    both.s3().put_object(Bucket="put", Key="a b/ä?&+%2F", Body=b"x", Metadata={"who": "me"}, Tagging="a=b")
    there = both.s3(both.there).get_object(Bucket="put", Key="a b/ä?&+%2F")
    assert (there["Body"].read(), there["Metadata"], there["TagCount"]) == (b"x", {"who": "me"}, 1)
    assert both.s3(both.there).get_bucket_acl(Bucket="put")["Owner"]["ID"]
    assert both.s3().list_objects_v2(Bucket="put", Prefix="a b/")["KeyCount"] == 1


def test_large_objects_stream_both_ways_in_parts_and_ranges(both: TwoEmulators) -> None:
    s3, body = both.s3(), bytes(range(256)) * (20 * MIB // 256)
    s3.create_bucket(Bucket="large")
    s3.upload_fileobj(BytesIO(body), "large", "o")
    got = BytesIO()
    s3.download_fileobj("large", "o", got)
    assert got.getvalue() == body
    assert s3.get_object(Bucket="large", Key="o", Range="bytes=5-9")["Body"].read() == body[5:10]
    s3.copy({"Bucket": "large", "Key": "o"}, "large", "copy")
    assert s3.head_object(Bucket="large", Key="copy")["ContentLength"] == len(body)


def test_its_errors_are_those_of_the_other_s3(both: TwoEmulators) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket") as caught:
        both.s3().list_objects_v2(Bucket="not-there")
    assert caught.value.response["Error"]["BucketName"] == "not-there"  # type: ignore[typeddict-item]
    with pytest.raises(ClientError) as none:
        both.s3().head_object(Bucket="not-there", Key="a")
    assert none.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_a_request_with_another_key_than_ours_is_refused_here(both: TwoEmulators) -> None:
    wrong = boto3.client(
        "s3", endpoint_url=both.here, region_name="us-east-1", aws_access_key_id=ACCOUNT, aws_secret_access_key="no"
    )
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        wrong.list_buckets()


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls_are_signed_anew(both: TwoEmulators, version: str) -> None:
    s3 = both.s3(signature_version=version)
    both.s3().create_bucket(Bucket=f"signed-{version}")
    named = {"Bucket": f"signed-{version}", "Key": "k"}
    assert httpx.put(s3.generate_presigned_url("put_object", named), content=b"body").status_code == 200
    assert httpx.get(s3.generate_presigned_url("get_object", named)).content == b"body"


def test_a_form_of_a_browser_makes_an_object_there(both: TwoEmulators) -> None:
    both.s3().create_bucket(Bucket="forms")
    fields = {"tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>1 2</Value></Tag></TagSet></Tagging>"}
    form = both.s3().generate_presigned_post("forms", "from-a-form", {**fields}, [fields])
    answer = httpx.post(form["url"], data=form["fields"], files={"file": ("a.txt", b"typed")})
    assert answer.status_code == 204
    assert both.s3(both.there).get_object(Bucket="forms", Key="from-a-form")["Body"].read() == b"typed"
    tags = both.s3(both.there).get_object_tagging(Bucket="forms", Key="from-a-form")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1 2"}]


def test_the_bucket_may_be_in_the_host(both: TwoEmulators) -> None:
    both.s3().create_bucket(Bucket="in-the-host")
    local = f"http://localhost:{both.here.rpartition(':')[2]}"
    s3 = both.s3(local, s3={"addressing_style": "virtual"}, signature_version="s3v4")
    url = urlsplit(s3.generate_presigned_url("put_object", {"Bucket": "in-the-host", "Key": "k"}))
    assert url.netloc.startswith("in-the-host.localhost:")
    answer = httpx.put(f"{both.here}{url.path}?{url.query}", headers={"host": url.netloc}, content=b"x")
    assert answer.status_code == 200
    assert both.s3(both.there).get_object(Bucket="in-the-host", Key="k")["Body"].read() == b"x"


@pytest.mark.parametrize("trailer", [False, True])
def test_signed_chunks_go_on_without_their_signatures(both: TwoEmulators, trailer: bool) -> None:
    both.s3().create_bucket(Bucket=f"chunks-{trailer}".lower())
    url = f"{both.here}/chunks-{trailer}/k".lower()
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    headers = {
        "x-amz-content-sha256": kind, "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "11",
        **({"x-amz-trailer": "x-amz-checksum-crc32"} if trailer else {}),
    }  # fmt: skip
    signature = b";chunk-signature=" + b"0" * 64
    body = b"5" + signature + b"\r\nhello\r\n6" + signature + b"\r\n world\r\n0" + signature + b"\r\n"
    body += (
        b"x-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:" + b"0" * 64 + b"\r\n\r\n" if trailer else b"\r\n"
    )
    request = AWSRequest("PUT", url, headers, body)
    signer = S3SigV4Auth(Credentials(ACCOUNT, TOKEN), "s3", "us-east-1")
    signer.payload = lambda _: kind  # type: ignore[assignment,method-assign]
    signer.add_auth(request)
    answer = httpx.put(url, content=body, headers=dict(request.headers))
    assert (answer.status_code, answer.text) == (200, "")
    there = both.s3(both.there).get_object(Bucket=f"chunks-{trailer}".lower(), Key="k", ChecksumMode="ENABLED")
    assert there["Body"].read() == b"hello world"
    assert ("ContentEncoding" in there, there.get("ChecksumCRC32")) == (False, "DUoRhQ==" if trailer else None)


def test_addresses_in_requests_are_looked_up_there(both: TwoEmulators) -> None:
    both.s3(both.there).create_bucket(Bucket="samples")
    with pytest.raises(ClientError, match="No S3 objects found under S3 URL"):
        both.sagemaker.create_training_job(**JOB)


def test_an_s3_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    settings = elsewhere(tmp_path, url)
    with server.running(settings, engine_of(tmp_path)):
        one = TwoEmulators(settings.url, url)
        with pytest.raises(ClientError, match=rf"S3 at {url}, which SAMEBOX_S3_URL names, could not be reached"):
            one.s3().list_buckets()
        with pytest.raises(ClientError, match="S3 could not be asked"):
            one.sagemaker.create_training_job(**JOB)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SAMEBOX_S3_URL": "minio:9000", "SAMEBOX_S3_CREDENTIALS": "a:b"}, "an http or https URL of a host is wanted"),
        ({"SAMEBOX_S3_URL": "http://minio:9000"}, "an access key and a secret key"),
        ({"SAMEBOX_S3_CREDENTIALS": "a:b"}, "is given without SAMEBOX_S3_URL"),
    ],
)
def test_half_a_setting_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings.read(given)


def test_no_answer_shows_its_keys(both: TwoEmulators) -> None:
    request = AWSRequest("GET", f"{both.here}/_samebox/status")
    SigV4Auth(Credentials(ACCOUNT, TOKEN), "sagemaker", "us-east-1").add_auth(request)
    answer = httpx.get(str(request.url), headers=dict(request.headers))
    assert answer.status_code == 200
    assert both.there in answer.text
    assert THEIR_TOKEN not in answer.text
