"""The one import of boto3 in commands: clients of the emulator, or of the endpoint that the environment sets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from samebox.commands import where
from samebox.commands.outcome import Stop
from samebox.settings import NO_SECRET, Settings
from samebox.wire.caller import account_of
from samebox.wire.partitions import partition_of

__all__ = ["BotoCoreError", "ClientError"]


class Session:
    """Clients for one account, region and endpoint, made at their first use."""

    def __init__(self, session: Any, endpoint_url: str | None) -> None:
        self._session = session
        self._endpoint_url = endpoint_url
        self._clients: dict[tuple[str, int], Any] = {}

    def client(self, service: str, attempts: int = 5) -> Any:
        """A client of a service; the same one each time. With one attempt an error is not tried to be got around."""
        if (service, attempts) not in self._clients:
            config = Config(
                connect_timeout=10,
                read_timeout=90,  # an invocation may take 60 s
                retries={"total_max_attempts": attempts, "mode": "standard"},
                # The emulator's host is an address: a bucket cannot stand in front of it as a name.
                s3={"addressing_style": "path"} if self._endpoint_url else {},
            )
            made = self._session.client(service, endpoint_url=self._endpoint_url, config=config)
            self._clients[service, attempts] = made
        return self._clients[service, attempts]

    @property
    def region(self) -> str:
        return str(self._session.region_name)

    @property
    def account(self) -> str:
        """The account, from STS."""
        return str(self.client("sts").get_caller_identity()["Account"])

    def role(self, name: str) -> str:
        """The ARN of a role of the account."""
        return f"arn:{partition_of(self.region).name}:iam::{self.account}:role/{name}"

    @property
    def endpoint(self) -> str:
        """The URL that SageMaker is called at."""
        return str(self.client("sagemaker").meta.endpoint_url)


def identity(settings: Settings) -> dict[str, str]:
    """Access key id, secret and region with which clients reach an emulator: the caller's own account and region."""
    return {
        "AWS_ACCESS_KEY_ID": account_of(os.environ.get("AWS_ACCESS_KEY_ID", ""), settings.account),
        "AWS_SECRET_ACCESS_KEY": settings.token or NO_SECRET,
        "AWS_REGION": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or settings.region,
    }


def signature(url: str, settings: Settings, method: str = "GET", body: bytes = b"") -> dict[str, str]:
    """The headers that sign a request to a path that is an emulator's own, not AWS's."""
    who = identity(settings)
    request = AWSRequest(method, url, data=body)
    credentials = Credentials(who["AWS_ACCESS_KEY_ID"], who["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(credentials, "samebox", who["AWS_REGION"]).add_auth(request)
    return dict(request.headers)


def of_emulator(url: str, settings: Settings) -> Session:
    """Clients of an emulator. The person's own AWS keys are never sent there."""
    who = identity(settings)
    return Session(
        boto3.Session(who["AWS_ACCESS_KEY_ID"], who["AWS_SECRET_ACCESS_KEY"], region_name=who["AWS_REGION"]), url
    )


def of_running(data_dir: Path | None) -> Session:
    """Clients of the emulator that a command means. Raises Stop when it is not running."""
    url, said = where.running(data_dir)
    return of_emulator(url, where.settings_of(said, data_dir))


def of_environment(region: str | None = None) -> Session:
    """Clients for the environment's endpoint: AWS, or an emulator if AWS_ENDPOINT_URL is set to one."""
    # AWS_REGION is what the AWS CLI and every other SDK read; boto3 reads AWS_DEFAULT_REGION alone.
    session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
    if session.region_name is None:
        raise Stop("no region: give --region, or set AWS_REGION.", status=2)
    # With an endpoint variable boto3 reads it itself; it is named here only for S3's addressing.
    return Session(session, os.environ.get("AWS_ENDPOINT_URL") or None)


def code(error: ClientError) -> str:
    """AWS's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def words(error: ClientError | BotoCoreError) -> str:
    """AWS's message, with its code."""
    if isinstance(error, ClientError):
        return f"{code(error)}: {error.response.get('Error', {}).get('Message', '')}"
    return str(error)


@contextmanager
def spoken() -> Iterator[None]:
    """Turns errors of AWS, or of the connection to it, into a Stop with AWS's message."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise Stop(words(error)) from error
