"""The page that a person's browser shows of an emulator."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3

from samebox.settings import Settings
from tests.browser import assert_fits_a_phone, dumped
from tests.edge.asking import BUCKET, TOKEN, ask

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_a_browser_sees_what_this_is_and_how_to_use_it(unlocked: Settings, tmp_path: Path) -> None:
    shown = dumped(f"http://localhost:{unlocked.port}/", tmp_path)
    assert "<h1>samebox: a local SageMaker</h1>" in shown
    assert f"Version {version('samebox')}." in shown
    assert f"export AWS_ENDPOINT_URL=http://localhost:{unlocked.port}\n" in shown
    assert "export AWS_SECRET_ACCESS_KEY=samebox\n" in shown


def test_the_page_fits_a_phone(unlocked: Settings, tmp_path: Path) -> None:
    status, headers, body = ask(unlocked, "GET", "/", Accept=BROWSER)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert_fits_a_phone(body.decode(), tmp_path)


def test_the_variables_on_the_page_are_right(unlocked: Settings, s3: Any) -> None:
    page = ask(unlocked, "GET", "/", Accept=BROWSER)[2].decode()
    said = dict(re.findall(r"export (\w+)=([^\s<]+)", page))
    session: Any = boto3.session.Session(said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"])
    there = session.client("s3", endpoint_url=said["AWS_ENDPOINT_URL"], region_name=said["AWS_DEFAULT_REGION"])
    assert BUCKET in [one["Name"] for one in there.list_buckets()["Buckets"]]
    there.close()


def test_the_page_reveals_neither_token_nor_folder(locked: Settings) -> None:
    page = ask(locked, "GET", "/", Accept=BROWSER)[2].decode()
    assert "AWS_SECRET_ACCESS_KEY=&lt;the emulator&#x27;s token&gt;" in page
    for fact in (TOKEN, str(locked.data_dir), locked.account, locked.region):
        assert fact not in page
    assert "/_samebox/status" not in page


def test_the_page_is_for_browsers_alone(unlocked: Settings, s3: Any) -> None:
    assert BUCKET in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert ask(unlocked, "GET", "/", Accept="*/*")[0] == 501
    assert ask(unlocked, "HEAD", "/", Accept=BROWSER)[2] == b""
    assert b"GetCallerIdentityResponse" in ask(
        unlocked, "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", Accept=BROWSER
    )[2]  # fmt: skip
