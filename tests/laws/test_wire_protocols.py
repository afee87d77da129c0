"""botocore is the oracle, both ways, over every operation: what it writes we read, what we write it reads."""

from typing import Any
from urllib.parse import urlsplit

import botocore.awsrequest
import botocore.parsers
import botocore.serialize
import botocore.session
import pytest

from samebox.errors import AwsError
from samebox.wire.codecs import CODECS
from samebox.wire.constraints import validate
from samebox.wire.http import Request, Response
from samebox.wire.models import Models, Operation, Service
from samebox.wire.routing import Router
from samebox.wire.shapes import accept
from tests.wire.generate import as_botocore, value_of

MODELS = Models()
# What botocore calls a protocol, where we have another name.
OURS = {"smithy-rpc-v2-cbor": "cbor"}
SPOKEN = [
    (name, protocol)
    for name in MODELS.names
    for protocol in MODELS.service(name).protocols
    if protocol in {"json", "query", "rest-json", *OURS}
]


def requests(service: Service, protocol: str, full: bool) -> Any:
    """Every operation with made-up params, and the request that botocore makes of them."""
    model = botocore.session.get_session().get_service_model(service.name)
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    for operation in service.operations.values():
        params = {} if operation.input is None else value_of(operation.input, full)
        theirs = {} if operation.input is None else as_botocore(operation.input, params)
        if operation.input is not None and any(m.shape.is_event_stream for m in operation.input.members.values()):
            continue
        raw = serializer.serialize_to_request(theirs, model.operation_model(operation.name))
        botocore.awsrequest.prepare_request_dict(raw, "http://localhost:4566", context={})
        yield operation, params, as_request(botocore.awsrequest.create_request_object(raw).prepare(), service)


def without_empty(params: Any) -> Any:
    """A form cannot say that a structure is there and empty."""
    if isinstance(params, dict):
        return {name: without_empty(item) for name, item in params.items() if item != {}}
    return params


def as_request(prepared: Any, service: Service) -> Request:
    url = urlsplit(prepared.url)
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    credential = f"AKID/20261122/us-east-1/{service.signing_name}/aws4_request"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
    body = prepared.body or b""
    return Request(prepared.method, url.path, url.query, headers, body.encode() if isinstance(body, str) else body)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize("full", [True, False], ids=["every-member", "required-members"])
@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_what_botocore_serialises_we_route_and_parse(name: str, protocol: str, full: bool) -> None:
    service = MODELS.service(name)
    router, codec = Router(MODELS), CODECS[OURS.get(protocol, protocol)]
    wrong: dict[str, Any] = {}
    for operation, params, request in requests(service, protocol, full):
        route = router.route(request)
        if (route.service, route.operation, route.protocol) != (name, operation.name, OURS.get(protocol, protocol)):
            wrong[operation.name] = route
            continue
        parsed = codec.decode(operation, request)
        if parsed != (without_empty(params) if protocol == "query" else params):
            wrong[operation.name] = (parsed, params)
    assert wrong == {}


@pytest.mark.parametrize("name", MODELS.names)
def test_what_the_model_allows_breaks_no_constraint(name: str) -> None:
    wrong = {}
    for operation in MODELS.service(name).operations.values():
        if operation.input is not None:
            for full in (True, False):
                try:
                    validate(operation.input, accept(operation.input, value_of(operation.input, full)))
                except AwsError as error:
                    wrong[operation.name] = str(error)
    assert wrong == {}


@pytest.mark.parametrize("full", [True, False], ids=["every-member", "required-members"])
@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_what_we_encode_botocore_parses(name: str, protocol: str, full: bool) -> None:
    service = MODELS.service(name)
    model = botocore.session.get_session().get_service_model(name)
    parser: Any = botocore.parsers.create_parser(protocol)
    wrong = {}
    for operation in service.operations.values():
        shape = operation.output
        if shape is not None and (
            shape.is_event_stream or any(m.shape.is_event_stream for m in shape.members.values())
        ):
            continue
        result = {} if shape is None else value_of(shape, full)
        response = CODECS[OURS.get(protocol, protocol)].encode(service, operation, result, "an-id")
        parsed = parser.parse(as_dict(response), model.operation_model(operation.name).output_shape)
        metadata = parsed.pop("ResponseMetadata")
        expected = {} if shape is None else as_botocore(shape, result)
        if shape is not None and shape.payload is not None and shape.payload.shape.type == "blob":
            expected[shape.payload.name] = expected.get(shape.payload.name, b"").decode()  # a stream, in real life
        # Of what has no output, botocore's reader of CBOR reads no header either.
        reads_no_header = shape is None and protocol == "smithy-rpc-v2-cbor"
        if (
            parsed != expected
            or metadata.get("RequestId") != (None if reads_no_header else "an-id")
            or metadata["HTTPStatusCode"] != operation.http_status
        ):
            wrong[operation.name] = (parsed, expected, metadata)
    assert wrong == {}


@pytest.mark.parametrize(("name", "protocol"), SPOKEN)
def test_every_error_that_an_operation_declares_is_parsed_with_its_members(name: str, protocol: str) -> None:
    service = MODELS.service(name)
    model = botocore.session.get_session().get_service_model(name)
    parser: Any = botocore.parsers.create_parser(protocol)
    wrong = {}
    for operation in service.operations.values():
        for error, shape in operation.errors.items():
            fields = {key: item for key, item in value_of(shape).items() if key.lower() != "message"}
            response = CODECS[OURS.get(protocol, protocol)].encode_error(
                service, operation, AwsError(error, "words", fields=fields), "an-id"
            )
            general = parser.parse(as_dict(response), model.operation_model(operation.name).output_shape)
            modelled = parser.parse(as_dict(response), model.shape_for(error))
            code = shape.error_code if protocol == "query" or service.is_query_compatible else error
            told = {key: item for key, item in modelled.items() if key.lower() != "message" and key != "Type"}
            expected = {key: item for key, item in as_botocore(shape, fields).items() if key != "Type"}
            if general["Error"]["Code"] != code or general["Error"]["Message"] != "words" or told != expected:
                wrong[f"{operation.name}.{error}"] = (general, modelled)
            assert response.status == shape.error_status
    assert wrong == {}


def as_dict(response: Response) -> dict[str, Any]:
    headers = botocore.awsrequest.HeadersDict(response.headers)
    return {"status_code": response.status, "headers": headers, "body": response.body}


def operations_of(name: str) -> list[Operation]:
    return list(MODELS.service(name).operations.values())


def test_there_are_as_many_operations_as_botocore_has() -> None:
    for name in MODELS.names:
        theirs = botocore.session.get_session().get_service_model(name).operation_names
        assert [operation.name for operation in operations_of(name)] == list(theirs)
