"""The service and the operation of a request, by its headers, host, path and query.

A client that was given one URL for everything names the service in its signature; one that reaches us through a proxy
names it in the host; a JSON or CBOR client also in a target. S3 is what is left: nothing in such a request identifies
S3.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from samebox.wire import query, s3_address, uris
from samebox.wire.http import Request
from samebox.wire.models import Models, Operation, Service

Protocol = Literal["json", "rest-json", "query", "cbor", "s3"]

_CBOR_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)")
_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class RoutedOperation:
    """`service` is botocore's name, "s3", or None where we do not speak what is asked for. `operation` is as the client
    named it, whether the model has it or not; `wanted` is the best name for the service that the request gives.
    """

    service: str | None
    operation: str | None
    protocol: Protocol
    wanted: str = ""


class Router:
    """Routes for the services of `models`; the index of their prefixes is made on the first miss, once."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def is_s3(self, request: Request) -> bool:
        """Whether the request is S3's, without its body, which may be gigabytes."""
        signed = request.credential_scope
        if signed is not None:
            return signed.service in {"s3", "s3express"}
        if any(label == "s3" or label.startswith(("s3-", "s3.")) for label in request.host.split(".")):
            return True
        return self._is_anonymous_s3(request)

    def unspoken(self, request: Request) -> str:
        """The service that a request is for, by its head, where it is one of AWS's that is not spoken; '' otherwise.

        Models are read for it. The name is that of the signature, else what the target, the path or the host has.
        """
        signed = request.credential_scope
        if signed is not None and signed.service:
            return "" if self._signed(signed.service) is not None else signed.service
        target = request.headers.get("x-amz-target")
        if target is not None:
            prefix = target.rpartition(".")[0]
            return "" if self._by_target(prefix) is not None else prefix
        cbor = _CBOR_PATH.fullmatch(request.path)
        if cbor is not None:
            return "" if self._by_target(cbor[1]) is not None else cbor[1]
        return self._unspoken_host(request.host)

    def _unspoken_host(self, host: str) -> str:
        if not host.endswith(_AWS):
            return ""
        labels = set(host.split("."))
        # api.sagemaker.us-east-1.amazonaws.com, sts.amazonaws.com, 000000000000.dkr.ecr.us-east-1.amazonaws.com
        known = {part for one in self._services for part in (one.endpoint_prefix, one.signing_name)}
        is_known = bool(labels & known) or any(name in host for name in known if "." in name)
        return "" if is_known else host.partition(".")[0]

    def _is_anonymous_s3(self, request: Request) -> bool:
        """Unsigned, and nothing that another protocol would send: a path-style GET of a public object, say."""
        if "x-amz-target" in request.headers or "smithy-protocol" in request.headers or "Action" in request.query:
            return False
        if request.host.endswith(_AWS):
            return False  # of another service: S3's names have been looked for
        if request.path in {"", "/"}:
            # A browser, a health check, or a form of the query protocol; of S3, an upload form to `bucket.localhost`.
            is_form = request.method == "POST" and request.content_type == "multipart/form-data"
            return is_form and bool(s3_address.bucket_in(request.host))
        # The rest services' POSTs have paths that no S3 client posts to; their GETs could name a bucket.
        return request.method != "POST" or self._rest(request, None) is None

    def route(self, request: Request) -> RoutedOperation:
        """The route of a request that was read whole."""
        if self.is_s3(request):
            return RoutedOperation("s3", None, "s3", "s3")
        signed = request.credential_scope
        signing_name = signed.service if signed is not None else None
        target = request.headers.get("x-amz-target")
        if target is not None:
            return self._json(target, signing_name)
        cbor = _CBOR_PATH.fullmatch(request.path)
        if cbor is not None:
            service = self._by_target(cbor[1])
            return RoutedOperation(service, cbor[2], "cbor", cbor[1])
        if request.content_type == _FORM or "Action" in request.query:
            form = query.fields(request)
            if "Action" in form:
                return self._query(form["Action"], form.get("Version", ""), signing_name, request.host)
        found = self._rest(request, signing_name)
        if found is not None:
            return RoutedOperation(found.service, found.name, "rest-json", found.service)
        known = self._signed(signing_name)
        return RoutedOperation(None if known is None else known.name, None, "rest-json", signing_name or request.host)

    def _json(self, target: str, signing_name: str | None) -> RoutedOperation:
        prefix, _, operation = target.rpartition(".")
        service = self._by_target(prefix)
        if service is None:
            # SageMaker itself is asked, with a target it does not know: its own error, not ours.
            asked = self._signed(signing_name)
            return RoutedOperation(None if asked is None else asked.name, operation, "json", signing_name or prefix)
        return RoutedOperation(service, operation, "json", service)

    def _query(self, action: str, version: str, signing_name: str | None, host: str) -> RoutedOperation:
        speakers = [service for service in self._services if "query" in service.protocols]
        named = signing_name or host.partition(".")[0]
        by_name = [service for service in speakers if named in (service.signing_name, service.endpoint_prefix)]
        for service in by_name or [service for service in speakers if service.api_version == version]:
            return RoutedOperation(service.name, action, "query", service.name)
        if signing_name is None:
            for service in speakers:
                if action in service.operations:
                    return RoutedOperation(service.name, action, "query", service.name)
        return RoutedOperation(None, action, "query", named)

    def _rest(self, request: Request, signing_name: str | None) -> Operation | None:
        """The rest operation whose method and URI fit best, among the services that the signature allows."""
        found: Operation | None = None
        for service in self._rest_services:
            if signing_name is not None and service.signing_name != signing_name:
                continue
            for operation in service.operations.values():
                if operation.http_method != request.method or uris.labels(operation.http_uri, request.path) is None:
                    continue
                if found is None or uris.literals(operation.http_uri) > uris.literals(found.http_uri):
                    found = operation
        return found

    def _signed(self, signing_name: str | None) -> Service | None:
        if not signing_name:
            return None
        return next((service for service in self._services if service.signing_name == signing_name), None)

    def _by_target(self, prefix: str) -> str | None:
        first = self._models.service(self._models.names[0])
        if first.target_prefix == prefix:  # SageMaker, nearly always; the others need not be read for that
            return first.name
        return self._prefixes.get(prefix)

    @cached_property
    def _services(self) -> tuple[Service, ...]:
        return tuple(self._models.service(name) for name in self._models.names)

    @cached_property
    def _prefixes(self) -> dict[str, str]:
        return dict(self._named_prefixes())

    def _named_prefixes(self) -> Iterator[tuple[str, str]]:
        for service in self._services:
            if service.target_prefix is not None:
                yield service.target_prefix, service.name

    @cached_property
    def _rest_services(self) -> tuple[Service, ...]:
        return tuple(service for service in self._services if service.protocol == "rest-json")
