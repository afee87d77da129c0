"""What containers ask of 169.254.170.2: their role's credentials, as ECS serves them and every AWS SDK fetches them.

The address has ECS's document of the container, too, which SageMaker's training jobs have variables for (contract.md
§1.4.1). Its members that SageMaker's are not known to have are left out.
"""

import hashlib
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread

from samebox import asgi
from samebox.asgi import Receive, Scope, Send
from samebox.errors import AwsError
from samebox.resources.call import Call
from samebox.services.container_roles import SESSION_NAME, Role
from samebox.wire.caller import Caller

log = logging.getLogger(__name__)

CREDENTIALS_PATH = "/v2/credentials/"
_DOCUMENT = re.compile(r"/v[34]/([0-9a-f-]{36})(/task)?/?")


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
        document = _DOCUMENT.fullmatch(path)
        if method == "GET" and document is not None and (known := self._role_of(document[1])) is not None:
            return 200, _task(known) if document[2] else _container(known)
        if method != "GET" or not path.startswith(CREDENTIALS_PATH):
            return 404, {"code": "NotFound", "message": f"Nothing is served at {path}."}
        role = self._role_of(path.removeprefix(CREDENTIALS_PATH))
        if role is None:
            return 404, {"code": "NoSuchCredentials", "message": "No running container has these credentials."}
        request = {"RoleArn": role.arn, "RoleSessionName": SESSION_NAME}
        try:
            credentials = self._call("sts", "AssumeRole", request, Caller(region=role.region))["Credentials"]
        except AwsError as error:
            return 400, {"code": error.code, "message": error.message}
        expires = datetime.fromtimestamp(credentials["Expiration"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return 200, {
            "RoleArn": role.arn,
            "AccessKeyId": credentials["AccessKeyId"],
            "SecretAccessKey": credentials["SecretAccessKey"],
            "Token": credentials["SessionToken"],
            "Expiration": expires,
        }


def _container(role: Role) -> dict[str, Any]:
    """ECS's document of a container, as its "task metadata endpoint version 4" describes it."""
    digest = hashlib.sha256(role.resource_arn.encode()).hexdigest()
    return {
        "DockerId": digest,
        "Name": role.resource_arn.rpartition("/")[2],
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Type": "NORMAL",
        "Labels": {"com.amazonaws.ecs.task-arn": _task_arn(role)},
    }


def _task(role: Role) -> dict[str, Any]:
    return {
        "TaskARN": _task_arn(role),
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Containers": [_container(role)],
    }


def _task_arn(role: Role) -> str:
    partition, _, region, account = role.resource_arn.split(":")[1:5]
    digest = hashlib.sha256(role.resource_arn.encode()).hexdigest()
    return f"arn:{partition}:ecs:{region}:{account}:task/sagemaker/{digest[:32]}"
