"""Which type the server answers with."""

from __future__ import annotations

import pytest

from samebox_serve import accept
from samebox_serve.errors import NotAcceptable

PRODUCIBLE = ("application/json", "text/csv", "application/jsonlines", "application/x-npy")


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv; charset=utf-8", "text/csv"),
        ("application/json;q=0.5, text/csv;q=0.9", "text/csv"),
        ("text/csv;q=0.5, */*;q=0.1", "text/csv"),
        ("image/png, application/x-npy;q=0.1", "application/x-npy"),
        ("text/csv, application/json", "text/csv"),
        ("application/json;q=0, */*", "text/csv"),
        ("application/*;q=0.2, application/x-npy;q=0.3", "application/x-npy"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("text/csv;q=nonsense", "text/csv"),
        (",,text/csv,,", "text/csv"),
    ],
)
def test_the_client_gets_what_it_likes_best(header: str | None, chosen: str) -> None:
    assert accept.choose(header, PRODUCIBLE, "application/json") == chosen


def test_the_default_is_for_clients_that_leave_the_choice() -> None:
    assert accept.choose("*/*", PRODUCIBLE, "text/csv") == "text/csv"
    assert accept.choose("application/json", PRODUCIBLE, "text/csv") == "application/json"


@pytest.mark.parametrize("header", ["image/png", "text/csv;q=0", "image/*"])
def test_what_cannot_be_produced_is_refused_with_what_can(header: str) -> None:
    with pytest.raises(NotAcceptable, match="application/x-npy") as refused:
        accept.choose(header, PRODUCIBLE, "application/json")
    assert refused.value.status == 406


@pytest.mark.parametrize(
    ("header", "first"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("image/png", "image/png"),
        ("image/png;q=0.1, text/html", "text/html"),
        ("image/png;q=0", "application/json"),
    ],
)
def test_handlers_of_the_models_own_are_asked_for_the_first_wish(header: str | None, first: str) -> None:
    assert accept.first_concrete(header, "application/json") == first
