"""One codec per protocol, all with the same three functions."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from samebox.errors import AwsError
from samebox.wire import cbor, json11, query, restjson, restxml
from samebox.wire.http import Request, Response
from samebox.wire.models import Operation, Service


class Codec(Protocol):
    """A module that reads requests and writes responses of one protocol."""

    def decode(self, operation: Operation, request: Request) -> dict[str, Any]:
        """The operation's input. SerializationException where the request is not one."""

    def encode(self, service: Service, operation: Operation, result: dict[str, Any], request_id: str) -> Response:
        """The operation's output."""

    def encode_error(
        self, service: Service | None, operation: Operation | None, error: AwsError, request_id: str
    ) -> Response:
        """An error; service and operation are None where the request did not get so far."""


CODECS: Mapping[str, Codec] = MappingProxyType(
    {"json": json11, "rest-json": restjson, "query": query, "cbor": cbor, "s3": restxml}
)
