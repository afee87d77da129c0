"""The fixture `endpoint`: servers of an image as endpoints start them, and what they answer."""

from __future__ import annotations

import subprocess
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.check.fixtures.recipes import build
from tests.testing.images import BOX

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.testing import Endpoint, TrainRun

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def samebox_image() -> str:
    return build(BOX)


def test_the_plain_server_answers(endpoint: Endpoint) -> None:
    assert endpoint.ping().status == 200
    answer = endpoint.invoke("4", "text/csv")
    assert (answer.status, answer.body, answer.text) == (200, b"4.0", "4.0")
    assert answer.content_type == "text/csv"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.json() == 4.0
    assert repr(endpoint) == f"<Endpoint {endpoint.url}>"


def test_whatever_status_it_answers_is_given(endpoint: Endpoint) -> None:
    answer = endpoint.invoke(b"{}", "application/json")
    assert (answer.status, answer.text) == (415, "application/json")


def test_its_url_is_for_any_client(endpoint: Endpoint) -> None:
    with urllib.request.urlopen(f"{endpoint.url}/ping", timeout=60) as answer:
        assert answer.status == 200


def test_its_log_is_there_to_be_read(endpoint: Endpoint) -> None:
    endpoint.invoke("1", "text/csv")
    assert "asked POST /invocations" in endpoint.logs()


def test_what_was_trained_is_served(endpoint: Endpoint, train_run: TrainRun, tmp_path: Path) -> None:
    run = train_run(hyperparameters={"slope": "5"})
    assert endpoint(model=run).invoke("2", "text/csv").body == b"10.0"
    folder = run.extract(tmp_path / "model")
    (folder / "weights" / "slope.txt").write_text("7")
    assert endpoint(model=folder).invoke("2", "text/csv").body == b"14.0"
    with pytest.raises(FileNotFoundError):
        endpoint(model=tmp_path / "gone.tar.gz")


def test_a_server_has_the_environment_that_it_is_given(endpoint: Endpoint) -> None:
    assert "word mine" in endpoint(environment={"WORD": "mine"}).logs()


def test_a_server_that_does_not_become_ready_is_a_failure_with_its_log(endpoint: Endpoint) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"never became ready: it ended with exit code 1.*no such word"):
        endpoint(environment={"WORD": "end"})


def test_a_server_that_does_not_respond_is_a_failure_with_its_log(endpoint: Endpoint) -> None:
    other = endpoint()
    with pytest.raises(pytest.fail.Exception, match=r"POST /invocations: .*; the server's log: .*word"):
        other.invoke("end", "text/csv")


def test_what_was_started_goes_whole_when_it_is_closed(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    other = endpoint()
    name = other._context.scratch.name if other._context.scratch else ""
    assert name in networks()
    endpoint.close_others()
    assert name not in networks()
    assert caplog.records == []


def networks() -> str:
    command = ["docker", "network", "ls", "--format", "{{.Name}}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
