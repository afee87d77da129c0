"""What samebox adds to LocalStack: a key that each request from outside must have, and tables of DynamoDB without Java.

LocalStack answers every client that can reach it: other containers can, and a web page can by DNS rebinding. Requests
that LocalStack makes to itself come from no address, or from this container's own loopback.
"""

import hmac
import ipaddress
import os

from localstack.aws.api import RequestContext
from localstack.aws.api.dynamodb import DynamodbApi
from localstack.aws.chain import HandlerChain
from localstack.http import Response
from localstack.runtime import get_current_runtime, hooks
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service, aws_provider

KEY_HEADER = "x-samebox-key"
KEY_VARIABLE = "EMULATOR_KEY"


@hooks.on_infra_start()
def guard_requests() -> None:
    """Has every request pass `Guard` before anything else looks at it."""
    guard = Guard(os.environ[KEY_VARIABLE])
    get_current_runtime().components.gateway.request_handlers.insert(0, guard)


class Guard:
    """Refuses requests from other addresses that have not the key."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, chain: HandlerChain, context: RequestContext, response: Response) -> None:
        """LocalStack's interface of a handler."""
        request = context.request
        address = request.remote_addr
        if not address or ipaddress.ip_address(address).is_loopback:
            return
        if hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode(), self._key.encode()):
            # URLs of queues are made of it: a client of the forward proxy asked by https.
            request.scheme = request.headers.get("x-forwarded-proto", request.scheme)
            return
        response.status_code = 403
        chain.stop()


@aws_provider(api="dynamodb", name="moto")
def dynamodb() -> Service:
    """DynamoDB as Moto has it, in memory: LocalStack's own is a Java program of Amazon's, fetched when it starts."""
    return Service.for_provider(DynamodbApi(), dispatch_table_factory=MotoFallbackDispatcher)
