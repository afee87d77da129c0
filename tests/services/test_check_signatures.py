"""Signatures that are checked by the setting: each protocol refuses a bad one in its own words."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from samebox import server
from samebox.containers.fake import FakeEngine
from samebox.settings import NO_SECRET, Settings
from tests.ports import free_port
from tests.proxy.test_tunnel import session


class ShiftedClock:
    """The emulator's clock, off by some seconds from that of its clients."""

    offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


@dataclass
class Strict:
    """An emulator that checks signatures, and clients of it."""

    url: str
    clock: ShiftedClock
    clients: ExitStack

    def client(self, service: str, secret: str = NO_SECRET, key: str = "123456789012", token: str = "") -> Any:
        """A client with these keys, closed with the emulator."""
        made = session().client(
            service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=key,
            aws_secret_access_key=secret, aws_session_token=token or None,
            config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        self.clients.callback(made.close)
        return made


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    folder = tmp_path_factory.mktemp("strict") / "data"
    folder.mkdir()
    settings = Settings(data_dir=folder, port=free_port(), container_credentials=False, check_signatures=True)
    clock = ShiftedClock()
    with server.running(settings, FakeEngine(folder / "engine"), clock), ExitStack() as clients:
        yield Strict(settings.url, clock, clients)


CALLS = {
    "sagemaker": lambda one: one.list_models(),
    "sts": lambda one: one.get_caller_identity(),
    "cloudwatch": lambda one: one.list_metrics(),
    "sagemaker-runtime": lambda one: one.invoke_endpoint(EndpointName="none", Body=b"x"),
    "s3": lambda one: one.list_buckets(),
}
MISMATCH = {
    "sagemaker": ("InvalidSignatureException", 400),
    "sts": ("SignatureDoesNotMatch", 403),
    "cloudwatch": ("InvalidSignatureException", 400),
    "sagemaker-runtime": ("InvalidSignatureException", 403),
    "s3": ("SignatureDoesNotMatch", 403),
}


def refusal(service: str, one: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as refused:
        CALLS[service](one)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


@pytest.mark.parametrize("service", CALLS)
def test_another_secret_is_refused_as_the_protocol_says(service: str, strict: Strict) -> None:
    code, status, message = refusal(service, strict.client(service, "another"))
    assert (code, status) == MISMATCH[service]
    assert message.startswith("The request signature we calculated does not match the signature you provided")


@pytest.mark.parametrize("service", [name for name in CALLS if name != "sagemaker-runtime"])
def test_the_secret_of_samebox_env_is_let_in(service: str, strict: Strict) -> None:
    CALLS[service](strict.client(service))


@pytest.mark.parametrize("minutes", [-16, 16])
@pytest.mark.parametrize("service", CALLS)
def test_a_clock_that_is_off_by_more_than_a_quarter_of_an_hour_is_found(
    service: str, minutes: int, strict: Strict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strict.clock, "offset", minutes * 60.0)
    code, status, message = refusal(service, strict.client(service))
    if service == "s3":
        assert (code, status) == ("RequestTimeTooSkewed", 403)
    else:
        assert (code, status) == MISMATCH[service]
        assert message.startswith("Signature expired: " if minutes > 0 else "Signature not yet current: ")


def test_a_clock_that_is_off_by_less_is_not(strict: Strict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict.clock, "offset", 840.0)
    for service in ("sts", "sagemaker", "s3"):
        CALLS[service](strict.client(service))


def test_temporary_credentials_are_let_in_too(strict: Strict) -> None:
    role = {"RoleArn": "arn:aws:iam::123456789012:role/me", "RoleSessionName": "me"}
    given = strict.client("sts").assume_role(**role)["Credentials"]
    sts = strict.client("sts", given["SecretAccessKey"], given["AccessKeyId"], given["SessionToken"])
    assert sts.get_caller_identity()["Arn"].endswith("assumed-role/me/me")


def test_a_presigned_url_is_followed_and_one_that_was_changed_is_not(strict: Strict) -> None:
    s3 = strict.client("s3")
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key="k", Body=b"hi")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "signed", "Key": "k"})
    with requests.Session() as plain:
        plain.trust_env = False
        assert plain.get(url, timeout=60).content == b"hi"
        assert plain.get(url.replace("/k?", "/other?"), timeout=60).status_code == 403
