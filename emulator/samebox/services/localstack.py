"""Passes requests to services that are not spoken here on to LocalStack, in the account and region of the caller.

Bodies stream both ways. LocalStack is waited for while it starts, for as long as clients wait.
"""

import re
import time
import uuid
from collections.abc import Callable

import anyio

from samebox import asgi
from samebox.asgi import Header, Receive, RequestHead, Scope, Send
from samebox.errors import AwsError
from samebox.traffic.forward import Failure, Forward, ProxyResponse
from samebox.wire import unspoken
from samebox.wire.caller import Caller
from samebox.wire.caller import scope as scope_of
from samebox.wire.http import Request, request_of, respond

WAIT_SECONDS = 50.0  # clients of AWS wait for a minute
# A queue may be asked to wait twenty seconds for a message, a function to run for fifteen minutes.
_IDLE_SECONDS = 900.0
_THREADS = 32
_ACCESS_KEY = re.compile(r"(?<=Credential=)[^,\s]*(?=(?:/[^/,\s]*){4}(?:,|\s|$))")
_CALLER = "samebox.caller"


class LocalStackEndpoint:
    """`url` gives LocalStack's base URL, waited for so many seconds, or AwsError; `forget` has it looked for again.

    `key_header` is what LocalStack knows the emulator by.
    """

    def __init__(
        self, url: Callable[[float], str], forget: Callable[[], None], key_header: Header, clock: Callable[[], float]
    ) -> None:
        self._url, self._forget = url, forget
        self._key_header = key_header
        self._clock = clock
        self._forwards: dict[str, Forward] = {}
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def __call__(self, service: str, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """One request to the service of a signing name."""
        try:
            url = await asgi.in_thread(self._url, WAIT_SECONDS, limiter=self._threads)
        except AwsError as error:
            response = unspoken.encode_error(service, request_of(scope), error, str(uuid.uuid4()))
            await respond(send, response)
            return
        scope[_CALLER] = service, caller
        await self._forward(url)(scope, receive, send)

    async def close(self) -> None:
        """Close the connections that are kept for later."""
        for forward in self._forwards.values():
            await forward.close()

    def _forward(self, url: str) -> Forward:
        if url not in self._forwards:
            self._forwards[url] = Forward(
                url, on_request=self._signed, on_failure=self._unreachable, idle_timeout=_IDLE_SECONDS
            )
        return self._forwards[url]

    async def _signed(self, head: RequestHead, scope: Scope) -> RequestHead:
        """LocalStack takes account, region and service from the signature, and verifies none."""
        service, caller = scope[_CALLER]
        replaced = (b"authorization", b"x-forwarded-proto", self._key_header[0])
        headers = [header for header in head.headers if header[0] not in replaced]
        headers.append((b"x-forwarded-proto", scope.get("scheme", "http").encode()))
        given = (head.header(b"authorization") or b"").decode("latin-1")
        if given:
            signed = _ACCESS_KEY.sub(caller.account, given)
        else:
            day = time.strftime("%Y%m%d", time.gmtime(self._clock()))
            place = f"{caller.account}/{day}/{caller.region}/{service}/aws4_request"
            signed = f"AWS4-HMAC-SHA256 Credential={place}, SignedHeaders=host, Signature=none"
        if given or b"X-Amz-Credential=" not in head.target:
            headers.append((b"authorization", signed.encode("latin-1")))
        return RequestHead(head.method, head.target, (*headers, self._key_header))

    def _unreachable(self, head: RequestHead, failure: Failure) -> ProxyResponse:
        self._forget()
        error = AwsError("ServiceUnavailable", f"LocalStack did not answer: {failure.message}", 503)
        named = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        path, _, query = head.target.decode("latin-1").partition("?")
        signed = scope_of(named, {})
        service = "" if signed is None else signed.service
        answer = unspoken.encode_error(service, Request(head.method, path, query, named), error, str(uuid.uuid4()))
        headers = tuple((name.lower().encode(), value.encode()) for name, value in answer.headers.items())
        return ProxyResponse(answer.status, headers, answer.body)
