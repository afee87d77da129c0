"""Ask a gateway over ASGI, in memory, one request at a time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samebox.wire.gateway import Gateway


@dataclass(frozen=True)
class RawResponse:
    """What came back; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    gateway: Gateway,
    method: str = "POST",
    target: str = "/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> RawResponse:
    answer = asyncio.run(_ask(gateway, method, target, headers or {}, [body]))
    assert answer is not None
    return answer


def ask_and_leave(gateway: Gateway, headers: Mapping[str, str], body: bytes) -> RawResponse | None:
    """Send some of a body, say that more comes, and hang up."""
    return asyncio.run(_ask(gateway, "POST", "/", headers, [body, None]))


def call_json(gateway: Gateway, operation: str, body: bytes = b"{}", target: str = "SageMaker") -> RawResponse:
    return ask(gateway, headers=json_headers(operation, target), body=body)


def json_headers(operation: str, target: str = "SageMaker") -> dict[str, str]:
    return {"X-Amz-Target": f"{target}.{operation}", "Content-Type": "application/x-amz-json-1.1"}


async def _ask(
    gateway: Gateway, method: str, target: str, headers: Mapping[str, str], chunks: list[bytes | None]
) -> RawResponse | None:
    path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
    }
    sent: list[Any] = []
    left = list(chunks)

    async def receive() -> dict[str, Any]:
        if not left:
            return {"type": "http.disconnect"}
        chunk = left.pop(0)
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    await gateway(scope, receive, send)
    if not sent:
        return None
    start, *bodies = sent
    answered = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return RawResponse(start["status"], answered, b"".join(message["body"] for message in bodies))
