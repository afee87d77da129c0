"""Lookups: what operations ask of S3, answered by the real server."""

import pytest

from samebox.data.lookups import Lookups
from samebox.data.objects import Objects
from samebox.data.remote_objects import RemoteObjects
from samebox.errors import AwsError


def test_what_is_there_is_found_by_its_address(store: Objects) -> None:
    store.create_bucket("digits")
    store.put("s3://digits/in/a.csv", b"1")
    lookups = Lookups(store)
    assert lookups.exists("s3://digits/in/a.csv")
    assert lookups.exists("https://s3.us-east-1.amazonaws.com/digits/in/a.csv")
    assert not lookups.exists("s3://digits/in/a")
    assert lookups.exists_under("s3://digits/in/a")
    assert not lookups.exists_under("s3://digits/out")
    assert lookups.bucket_exists("s3://digits/anything")
    assert not lookups.bucket_exists("s3://letters/in")


@pytest.mark.parametrize(
    "uri", ["https://example.com/x", "https://[/x", "s3://no bucket/x", "s3://../x", "s3:///x", "http://s3.aws/x"]
)
def test_what_is_no_address_of_s3_leads_to_nothing(store: Objects, uri: str) -> None:
    lookups = Lookups(store)
    assert lookups.place(uri) is None
    for ask in (lookups.exists, lookups.exists_under, lookups.bucket_exists):
        assert not ask(uri)


def test_a_bucket_alone_is_an_address_and_no_object(store: Objects) -> None:
    store.create_bucket("digits")
    lookups = Lookups(store)
    assert lookups.place("s3://digits") == ("digits", "")
    assert not lookups.exists("s3://digits")
    assert not lookups.exists_under("s3://digits")
    store.put("s3://digits/a", b"1")
    assert lookups.exists_under("s3://digits")
    assert not lookups.exists("s3://digits//")
    assert not lookups.exists_under("s3://digits//")


def test_an_s3_that_does_not_answer_is_a_fault_of_ours() -> None:
    nobody = RemoteObjects("http://127.0.0.1:1", "access", "secret", connect_timeout=1, attempts=1)
    for ask in (Lookups(nobody).exists, Lookups(nobody).exists_under, Lookups(nobody).bucket_exists):
        with pytest.raises(AwsError, match="S3 could not be asked") as raised:
            ask("s3://digits/a")
        assert raised.value.status == 500
    nobody.close()
