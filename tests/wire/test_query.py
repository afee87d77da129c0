"""Forms and XML, where they are not as a client of AWS would write them."""

from typing import Any
from xml.etree import ElementTree

import pytest

from samebox.errors import AwsError, SerializationException, ValidationException
from samebox.wire import query
from samebox.wire.http import Request
from samebox.wire.models import Models

STS = Models().service("sts")
IAM = Models().service("iam")


def decoded(body: str, operation: str = "AssumeRole") -> dict[str, Any]:
    return query.decode(STS.operations[operation], Request("POST", "/", body=body.encode()))


def test_elements_come_in_the_order_of_their_numbers() -> None:
    form = "Tags.member.10.Key=c&Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.1.Value=1"
    assert decoded(form)["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b"}, {"Key": "c"}]


def test_an_empty_field_is_an_empty_list() -> None:
    assert decoded("Tags=") == {"Tags": []}


def test_of_a_field_given_twice_the_first_counts() -> None:
    assert decoded("RoleArn=a&RoleArn=b") == {"RoleArn": "a"}


@pytest.mark.parametrize(
    "form",
    [
        "Tags.member.x.Key=a",
        "Tags.member.9999999999999.Key=a",
        "RoleArn.member.1=a",
        "DurationSeconds=soon",
        "DurationSeconds=" + "9" * 5000,
        "A." * 60 + "b=1",
        "&".join(f"f{number}=1" for number in range(10_001)),
    ],
)
def test_a_form_that_cannot_be_decoded_is_a_serialization_exception(form: str) -> None:
    with pytest.raises(SerializationException):
        decoded(form)


def test_a_body_that_is_not_utf_8_is_a_serialization_exception() -> None:
    with pytest.raises(SerializationException):
        query.fields(Request("POST", "/", body=b"RoleArn=\xff"))


def test_xml_cannot_be_broken_by_what_it_holds() -> None:
    user = {"UserName": "a<b>&\"'\r\n\x00é\U0001f600", "Path": "/", "UserId": "u", "Arn": "a", "CreateDate": 0.5}
    response = query.encode(IAM, IAM.operations["GetUser"], {"User": user}, "id")
    namespace = "{https://iam.amazonaws.com/doc/2010-05-08/}"
    found = ElementTree.fromstring(response.body).find(f".//{namespace}UserName")
    assert found is not None
    assert found.text == "a<b>&\"'\r\n\ufffdé\U0001f600"
    assert b"<CreateDate>1970-01-01T00:00:00.500Z</CreateDate>" in response.body


def test_the_query_protocol_has_error_codes_of_its_own() -> None:
    response = query.encode_error(STS, None, ValidationException("1 validation error detected: …"), "id")
    assert b"<Type>Sender</Type><Code>ValidationError</Code>" in response.body


def test_a_server_fault_is_the_receivers() -> None:
    response = query.encode_error(STS, None, AwsError("InternalFailure", "ours", 500), "id")
    assert (response.status, b"<Type>Receiver</Type>" in response.body) == (500, True)
