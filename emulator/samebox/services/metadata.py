"""What containers ask of 169.254.170.2: their role's credentials, as ECS serves them and every AWS SDK fetches them."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread

from samebox import asgi
from samebox.asgi import Receive, Scope, Send
from samebox.errors import AwsError
from samebox.resources.call import Call
from samebox.services.container_roles import Role
from samebox.wire.caller import Caller

log = logging.getLogger(__name__)

CREDENTIALS_PATH = "/v2/credentials/"


class Metadata:
    """The ASGI callable. `role_of` knows which role an id in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI stands for.

    Credentials are those that AssumeRole gives, which it asks for by `call`.
    """

    def __init__(self, call: Call, role_of: Callable[[str], Role | None]) -> None:
        self._call = call
        self._role_of = role_of

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answer one request."""
        status, body = await anyio.to_thread.run_sync(self.answer, scope["method"], scope["path"])
        await asgi.respond_json(send, status, body)

    def answer(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body. The form is the one that SDKs read: botocore/credentials.py, ContainerProvider."""
        if method != "GET" or not path.startswith(CREDENTIALS_PATH):
            return 404, {"code": "NotFound", "message": f"Nothing is served at {path}."}
        role = self._role_of(path.removeprefix(CREDENTIALS_PATH))
        if role is None:
            return 404, {"code": "NoSuchCredentials", "message": "No running container has these credentials."}
        request = {"RoleArn": role.arn, "RoleSessionName": "SageMaker"}
        try:
            given = self._call("sts", "AssumeRole", request, Caller(region=role.region))["Credentials"]
        except AwsError as error:
            return 400, {"code": error.code, "message": error.message}
        expires = datetime.fromtimestamp(given["Expiration"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return 200, {
            "RoleArn": role.arn,
            "AccessKeyId": given["AccessKeyId"],
            "SecretAccessKey": given["SecretAccessKey"],
            "Token": given["SessionToken"],
            "Expiration": expires,
        }
