"""The edge in front of a whole emulator, asked by real browsers and as programs ask."""

import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from urllib3 import encode_multipart_formdata

from samebox import cli, server
from samebox.commands import consent, up, where
from samebox.commands.outcome import Stop
from samebox.containers.fake import FakeEngine
from samebox.settings import Settings
from tests.browser import WebSite, assert_fits_a_phone, dumped, opened
from tests.ports import free_port

BUCKET = "objects"


def settings_of(folder: Path, **more: Any) -> Settings:
    return Settings(data_dir=folder / "data", port=free_port(), container_credentials=False, **more)


@contextmanager
def emulator(settings: Settings) -> Iterator[Settings]:
    settings.data_dir.mkdir(parents=True)
    with server.running(settings, FakeEngine(settings.data_dir / "engine")):
        yield settings


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with emulator(settings_of(tmp_path_factory.mktemp("house"))) as settings:
        yield settings


def client(service: str, settings: Settings, url: str | None = None, **more: Any) -> Any:
    config = Config(retries={"total_max_attempts": 1}, **more)
    session: Any = boto3.session.Session("000000000000", settings.token or "any", region_name="us-east-1")
    return session.client(service, endpoint_url=url or settings.url, config=config)


@pytest.fixture
def s3(house: Settings) -> Iterator[Any]:
    found = client("s3", house)
    found.create_bucket(Bucket=BUCKET)
    found.put_object(Bucket=BUCKET, Key="victim", Body=b"precious")
    yield found
    for one in found.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        found.delete_object(Bucket=BUCKET, Key=one["Key"])
    found.close()


def keys(s3: Any) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def ask(
    settings: Settings,
    method: str,
    path: str,
    body: bytes = b"",
    named: Mapping[str, str] = MappingProxyType({}),
    **headers: str,
) -> tuple[int, Any, bytes]:
    headers = {**named, **headers}
    with closing(http.client.HTTPConnection("127.0.0.1", settings.port, timeout=60)) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


# Pages of other origins. What takes no preflight is sent, whatever the answer says; so it must not be carried out.

CROSS_ORIGIN = """
const quiet = {method: "POST", mode: "no-cors"};
const form = new FormData(); form.append("key", "planted"); form.append("file", new Blob(["owned"]));
return {
  erase: await attempt("%(url)s/objects?delete", {...quiet, headers: {"content-type": "text/plain"},
    body: "<Delete><Object><Key>victim</Key></Object></Delete>"}),
  plant: await attempt("%(url)s/objects", {...quiet, body: form}),
  upload: await attempt("%(url)s/objects/planted?uploads", quiet),
  invoke: await attempt("%(url)s/endpoints/digits/invocations", {...quiet, body: "1,2"}),
  assume: await attempt("%(url)s/?Action=AssumeRole&Version=2011-06-15&RoleSessionName=me"
    + "&RoleArn=arn:aws:iam::123456789012:role/me", {mode: "no-cors"}),
  read: await attempt("%(url)s/objects/victim"),
  write: await attempt("%(url)s/objects/planted", {method: "PUT", body: "owned"}),
  call: await attempt("%(url)s/", {method: "POST", body: "{}",
    headers: {"x-amz-target": "SageMaker.ListModels", "content-type": "application/x-amz-json-1.1"}}),
};
"""


def test_a_page_of_another_origin_changes_nothing_and_reads_nothing(house: Settings, s3: Any, tmp_path: Path) -> None:
    before = sessions(house)
    with WebSite(CROSS_ORIGIN % {"url": house.url}) as site, opened(site.url, tmp_path):
        report = site.report()
    # What asks first is refused; what does not gets an answer that the page cannot see.
    assert {name: seen for name, seen in report.items() if seen != [0, ""]} == {
        "read": "TypeError", "write": "TypeError", "call": "TypeError",
    }  # fmt: skip
    assert keys(s3) == ["victim"]
    assert sessions(house) == before


def sessions(settings: Settings) -> int:
    import sqlite3

    with closing(sqlite3.connect(settings.data_dir / "state.sqlite")) as store:
        (count,) = store.execute("select count(*) from resources where kind = 'Session'").fetchone()
        return int(count)


REBOUND = """
return {
  status: await attempt("/_samebox/status"),
  read: await attempt("/objects/victim"),
  write: await attempt("/objects/planted", {method: "PUT", body: "owned"}),
  call: await attempt("/", {method: "POST", body: "{}",
    headers: {"x-amz-target": "SageMaker.ListTrainingJobs", "content-type": "application/x-amz-json-1.1"}}),
};
"""


def test_a_page_whose_name_was_given_our_address_is_refused(house: Settings, s3: Any, tmp_path: Path) -> None:
    with WebSite(REBOUND) as site, Rebound(site, house) as name:
        site.reports_to = site.url
        with opened(name.url, tmp_path, f"--host-resolver-rules=MAP {name.host} 127.0.0.1"):
            report = site.report()
    assert {step: seen[0] for step, seen in report.items()} == {"status": 403, "read": 403, "write": 403, "call": 403}
    assert all("precious" not in seen[1] and str(house.data_dir) not in seen[1] for seen in report.values())
    assert keys(s3) == ["victim"]


class Rebound:
    """A name whose address changes under a page: the page is the site's, all that it asks for is the emulator's."""

    host = "rebound.example"

    def __init__(self, site: WebSite, settings: Settings) -> None:
        self._ports = (site.server_address[1], settings.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept)
        self.url = f"http://{self.host}:{self._listener.getsockname()[1]}/"

    def _accept(self) -> None:
        while True:
            try:
                incoming, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(incoming,), daemon=True).start()

    def _join(self, incoming: socket.socket) -> None:
        with incoming:
            is_page = incoming.recv(10, socket.MSG_PEEK) == b"GET / HTTP"
            with socket.create_connection(("127.0.0.1", self._ports[not is_page])) as outgoing:
                back = threading.Thread(target=_copy, args=(outgoing, incoming), daemon=True)
                back.start()
                _copy(incoming, outgoing)
                back.join(60)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(30)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the other side has closed it


def test_a_page_cannot_open_us_by_a_name_of_its_own(house: Settings, tmp_path: Path) -> None:
    url = f"http://evil.example:{house.port}/_samebox/status"
    shown = dumped(url, tmp_path, "--host-resolver-rules=MAP evil.example 127.0.0.1")
    assert "SAMEBOX_ALLOWED_HOSTS" in shown
    assert str(house.data_dir) not in shown


def test_an_object_that_a_browser_shows_cannot_use_the_emulator(house: Settings, s3: Any, tmp_path: Path) -> None:
    with WebSite("return null") as site:
        program = """(async () => {
          const seen = [];
          for (const options of [{method: "PUT", body: "owned"}, {method: "POST", mode: "no-cors", body: "1"}])
            seen.push(await fetch("/objects/planted", options).then(answer => answer.status, error => error.name));
          await fetch("%s/report", {method: "POST", mode: "no-cors", body: JSON.stringify(seen)});
        })()"""
        page = f"<!doctype html><script>{program % site.url}</script>".encode()
        s3.put_object(Bucket=BUCKET, Key="report.html", Body=page, ContentType="text/html")
        url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "report.html"})
        with opened(url, tmp_path):
            assert site.report() == ["TypeError", 0]
    assert keys(s3) == ["report.html", "victim"]


def test_a_page_of_an_allowed_origin_reads_and_writes(tmp_path: Path) -> None:
    script = """
    const written = await attempt("%(url)s/objects/mine", {method: "PUT", body: "1", headers: {"x-amz-meta-a": "b"}});
    const read = await fetch("%(url)s/objects/mine");
    return [written[0], await read.text(), read.headers.get("etag")];
    """
    site = WebSite("")
    settings = settings_of(tmp_path, allowed_origins=f"http://other.example, {site.url}")
    site.script = script % {"url": settings.url}
    with site, emulator(settings):
        s3 = client("s3", settings)
        s3.create_bucket(Bucket=BUCKET)
        with opened(site.url, tmp_path):
            assert site.report() == [200, "1", s3.head_object(Bucket=BUCKET, Key="mine")["ETag"]]
        s3.close()


def test_a_page_uses_the_bucket_whose_rules_name_its_origin_and_no_other(
    house: Settings, s3: Any, tmp_path: Path
) -> None:
    script = """
    const at = "%(url)s/", copy = {"x-amz-copy-source": "/objects/victim"};
    return {
      write: await status(at + "shared/mine", {method: "PUT", body: "1", headers: {"x-amz-meta-a": "b"}}),
      read: await fetch(at + "shared/mine").then(async answer => [await answer.text(), answer.headers.get("etag")]),
      form: await status(at + "shared", {method: "POST", body: form()}),
      forbidden: await status(at + "shared/mine", {method: "DELETE"}),
      other: await status(at + "objects/victim"),
      copy: await status(at + "shared/stolen", {method: "PUT", headers: copy}),
      hoisted: await status(at + "shared/stolen?x-amz-copy-source=/objects/victim", {method: "PUT"}),
      call: await status(at + "shared", {method: "POST", body: "{}",
        headers: {"x-amz-target": "SageMaker.ListTrainingJobs", "content-type": "application/x-amz-json-1.1"}}),
      invoke: await status(at + "endpoints/x/invocations", {method: "POST", body: "1"}),
      status: await status(at + "_samebox/status"),
    };
    async function status(...given) {
      const seen = await attempt(...given);
      return typeof seen === "string" ? seen : seen[0];
    }
    function form() {
      const fields = new FormData();
      fields.append("key", "posted");
      fields.append("file", new Blob(["typed"]), "a.txt");
      return fields;
    }
    """
    with WebSite(script % {"url": house.url}) as site:
        rule = {"AllowedOrigins": [site.url], "AllowedMethods": ["GET", "PUT", "POST"], "AllowedHeaders": ["*"]}
        for bucket in ("shared", "endpoints"):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [{**rule, "ExposeHeaders": ["ETag"]}]})
        with opened(site.url, tmp_path):
            report = site.report()
    etag = s3.head_object(Bucket="shared", Key="mine")["ETag"]
    names = [one["Key"] for one in s3.list_objects_v2(Bucket="shared")["Contents"]]
    for name in names:
        s3.delete_object(Bucket="shared", Key=name)
    for bucket in ("shared", "endpoints"):
        s3.delete_bucket(Bucket=bucket)
    refused = {name: report.pop(name) for name in ("forbidden", "other", "copy", "hoisted", "status")}
    assert set(refused.values()) == {"TypeError"}
    # S3 answers these, whatever they look like: the bucket's rules let no page call or invoke anything else.
    assert (report.pop("call"), report.pop("invoke")) == (405, 405)
    assert report == {"write": 200, "read": ["1", etag], "form": 204}
    assert names == ["mine", "posted"]


# With a token


TOKEN = "a token that nobody guesses"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with emulator(settings_of(tmp_path_factory.mktemp("locked"), token=TOKEN)) as settings:
        yield settings


@pytest.fixture
def shell(locked: Settings, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A shell that means the emulator with the token, and does not know the token."""
    for name in ("SAMEBOX_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAMEBOX_DATA_DIR", str(locked.data_dir))
    monkeypatch.setenv("SAMEBOX_PORT", str(locked.port))
    return monkeypatch


def test_an_unsigned_status_reveals_nothing(locked: Settings) -> None:
    status, _, body = ask(locked, "GET", "/_samebox/status")
    assert (status, json.loads(body)) == (
        403,
        {"__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"},
    )


UNSIGNED: dict[str, dict[str, str]] = {
    "nothing": {},
    "a JSON service": {"X_Amz_Target": "SageMaker.ListTrainingJobs", "Content_Type": "application/x-amz-json-1.1"},
    "a query service": {"Content_Type": "application/x-www-form-urlencoded"},
    "CBOR": {"Smithy_Protocol": "rpc-v2-cbor", "Content_Type": "application/cbor"},
    "a made-up key": {"Authorization": "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"},
    "an old made-up key": {"Authorization": "AWS 000000000000:c2lnbmF0dXJl"},
    "a password": {"Authorization": "Basic QVdTOnBhc3N3b3Jk"},
}  # fmt: skip


@pytest.mark.parametrize("kind", UNSIGNED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_else_is_answered_without_the_token(locked: Settings, method: str, kind: str) -> None:
    paths = [
        *("/", "/?Action=GetCallerIdentity&Version=2011-06-15", "/objects", "/objects/k?uploads", "/objects?delete"),
        *("/objects/k?AWSAccessKeyId=1&Signature=x&Expires=9999999999", "/v2/", "/v2/a/manifests/latest", "/v2"),
        *("/v2/credentials/0a1b2c3d-0000-4000-8000-000000000000", "/v3/x", "/v4/x", "/_samebox/status", "/_samebox/"),
        *("/endpoints/e/invocations", "/endpoints/e/async-invocations", "/service/SageMaker/operation/ListModels"),
    ]
    body = b"Action=GetCallerIdentity&Version=2011-06-15" if method in ("POST", "PUT", "PATCH") else b""
    for path in paths:
        status, _, answer = ask(locked, method, path, body, UNSIGNED[kind])
        assert status in (400, 401, 403), (path, status, answer)
        assert str(locked.data_dir).encode() not in answer


def test_a_probe_that_does_not_sign_learns_only_whether_it_is_ready(locked: Settings) -> None:
    status, _, body = ask(locked, "GET", "/_samebox/ready")
    assert (status, json.loads(body)) == (200, {"ready": True, "version": version("samebox")})


def test_a_shell_with_the_token_sees_the_status(locked: Settings, shell: pytest.MonkeyPatch) -> None:
    shell.setenv("SAMEBOX_TOKEN", TOKEN)
    said = where.ask(locked.url, seconds=60)
    assert said is not None
    assert said["data_dir"] == str(locked.data_dir)


@pytest.mark.parametrize("token", ["", "another token"])
def test_a_shell_without_the_token_is_asked_for_it(locked: Settings, shell: pytest.MonkeyPatch, token: str) -> None:
    shell.setenv("SAMEBOX_TOKEN", token)
    with pytest.raises(Stop, match="set SAMEBOX_TOKEN to the emulator's"):
        where.ask(locked.url, seconds=60)


def test_no_wrong_secret_is_printed_for_a_shell_without_the_token(
    locked: Settings, shell: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["env"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "set SAMEBOX_TOKEN to the emulator's" in printed.err
    shell.setenv("SAMEBOX_TOKEN", TOKEN)
    assert cli.main(["env"]) == 0
    assert f"AWS_SECRET_ACCESS_KEY='{TOKEN}'" in capsys.readouterr().out


def test_a_port_of_an_emulator_with_a_token_is_reported_as_an_emulators(
    locked: Settings, shell: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Stop, match=f"port {locked.port} is taken by another samebox\\."):
        up.check_port(locked)


def test_it_is_no_bill_of_aws_where_an_emulator_has_a_token(locked: Settings, shell: pytest.MonkeyPatch) -> None:
    assert not consent.place(locked.url, "000000000000", "us-east-1").costs


# Presigned URLs, which need no client of AWS's: boto3 makes Version 2 by default where the region is us-east-1.


@pytest.mark.parametrize("version", [None, "s3v4"])
def test_a_presigned_url_reads_and_writes_where_there_is_a_token(locked: Settings, version: str | None) -> None:
    more = {"signature_version": version} if version else {}
    s3, forged = client("s3", locked, **more), client("s3", replace(locked, token="forged"), **more)
    s3.create_bucket(Bucket=BUCKET)

    def use(presigning: Any, method: str, seconds: int = 60, **params: str) -> tuple[int, bytes]:
        operation = {"GET": "get_object", "PUT": "put_object"}[method]
        named = {"Bucket": BUCKET, "Key": "a key/é.csv", **params}
        url = presigning.generate_presigned_url(operation, Params=named, ExpiresIn=seconds, HttpMethod=method)
        assert ("AWSAccessKeyId" in url) == (version is None)
        place = urlsplit(url)
        kind = {"Content_Type": params["ContentType"]} if "ContentType" in params else {}
        status, _, body = ask(locked, method, f"{place.path}?{place.query}", b"1,2" if method == "PUT" else b"", kind)
        return status, body

    assert use(s3, "PUT") == (200, b"")
    assert use(s3, "PUT", ContentType="text/csv") == (200, b"")
    assert use(s3, "GET") == (200, b"1,2")
    assert use(s3, "GET", ResponseContentType="text/plain") == (200, b"1,2")
    for method in ("GET", "PUT"):
        assert use(forged, method)[0] == 403
        if version is None:  # boto3's signer of Version 4 makes no URL that has expired: tests/services/s3 has one
            assert use(s3, method, seconds=-1)[0] == 403
    assert ask(locked, "GET", f"/{BUCKET}/a%20key/%C3%A9.csv")[0] == 403
    s3.close()
    forged.close()


def post(settings: Settings, url: str, fields: dict[str, str], content: bytes = b"1,2", **headers: str) -> Any:
    """Send a form as a browser does; gives status, headers and body."""
    body, kind = encode_multipart_formdata([*fields.items(), ("file", ("x.csv", content, "text/csv"))])
    return ask(settings, "POST", urlsplit(url).path, body, {"Content-Type": kind, **headers})


@pytest.mark.parametrize("version", [None, "s3v4"])
@pytest.mark.parametrize("where_", ["house", "locked"])
def test_a_presigned_form_makes_the_object_that_its_policy_allows(
    where_: str, version: str | None, request: pytest.FixtureRequest
) -> None:
    settings: Settings = request.getfixturevalue(where_)
    more = {"signature_version": version} if version else {}
    s3, forged = client("s3", settings, **more), client("s3", replace(settings, token="forged"), **more)
    s3.create_bucket(Bucket=BUCKET)
    key = f"user/{where_}-{version}.csv"
    conditions = [["starts-with", "$Content-Type", "text/"], ["content-length-range", 1, 10], {"x-amz-meta-who": "me"}]

    def made(by: Any, **options: Any) -> Any:
        return by.generate_presigned_post(
            BUCKET, key, {"Content-Type": "text/csv", "x-amz-meta-who": "me"}, conditions, **options
        )

    form = made(s3)
    status, headers, body = post(settings, form["url"], form["fields"])
    assert (status, body) == (204, b"")
    found = s3.get_object(Bucket=BUCKET, Key=key)
    assert found["Body"].read() == b"1,2"
    assert (found["ContentType"], found["Metadata"]) == ("text/csv", {"who": "me"})
    assert headers["etag"] == found["ETag"]
    assert headers["location"] == f"{settings.url}/{BUCKET}/{key}"

    def refusal(form: Any, content: bytes = b"1,2", **changes: str) -> tuple[int, str]:
        status, _, body = post(settings, form["url"], {**form["fields"], **changes}, content)
        return status, re.sub(r".*<Code>(\w+)</Code>.*", r"\1", body.decode(), flags=re.DOTALL)

    assert refusal(form, b"1" * 11) == (400, "EntityTooLarge")
    assert refusal(form, b"") == (400, "EntityTooSmall")
    assert refusal(form, key="another") == (403, "AccessDenied")
    assert refusal(form, acl="public-read") == (403, "AccessDenied")
    assert refusal(made(s3, ExpiresIn=-10)) == (403, "AccessDenied")
    if settings.token:
        assert refusal(made(forged)) == (403, "SignatureDoesNotMatch")
        assert refusal({"url": form["url"], "fields": {"key": "k"}}) == (403, "AccessDenied")
    s3.delete_object(Bucket=BUCKET, Key=key)
    s3.close()
    forged.close()


def test_a_form_sets_the_response_to_success(house: Settings, s3: Any) -> None:
    key = {"key": "up/${filename}"}
    status, _, body = post(house, f"/{BUCKET}", {**key, "success_action_status": "201"})
    assert status == 201
    assert b"<PostResponse>" in body
    assert b"<Key>up/x.csv</Key>" in body
    assert post(house, f"/{BUCKET}/", {**key, "success_action_status": "200"})[0] == 200
    status, headers, _ = post(house, f"/{BUCKET}", {**key, "success_action_redirect": "http://a.example/done?x=1"})
    assert (status, headers["location"].partition("&etag=")[0]) == (
        303,
        "http://a.example/done?x=1&bucket=objects&key=up%2Fx.csv",
    )
    assert keys(s3) == ["up/x.csv", "victim"]


def test_what_is_no_form_of_s3_is_refused(house: Settings, s3: Any) -> None:
    large = {"key": "k", "x-amz-meta-large": "a" * 21_000}
    assert b"MaxPostPreDataLengthExceededError" in post(house, f"/{BUCKET}", large)[2]
    assert b"field named &apos;key&apos;" in post(house, f"/{BUCKET}", {})[2].replace(b"'", b"&apos;")
    kind = "multipart/form-data; boundary=B"
    assert b"MalformedPOSTRequest" in ask(house, "POST", f"/{BUCKET}", b"--B\r\n", Content_Type=kind)[2]
    assert b"MalformedPOSTRequest" in ask(house, "POST", f"/{BUCKET}", b"", Content_Type="multipart/form-data")[2]
    odd = "multipart/form-data; boundary*=utf-8''%E2%82%AC"
    assert b"MalformedPOSTRequest" in ask(house, "POST", f"/{BUCKET}", b"--B\r\n", Content_Type=odd)[2]
    assert b"exactly one file" in ask(house, "POST", f"/{BUCKET}", b"--B--\r\n", Content_Type=kind)[2]
    assert b"NoSuchBucket" in post(house, "/missing", {"key": "k"})[2]
    assert post(house, f"/{BUCKET}", {"key": "odd", "x-amz-meta-\r\n x: y": "1\r\nx: 2", "x-amz-meta-": "3"})[0] == 204
    assert s3.get_object(Bucket=BUCKET, Key="odd")["Metadata"] == {}
    s3.delete_object(Bucket=BUCKET, Key="odd")
    assert keys(s3) == ["victim"]
    assert not [one for one in house.data_dir.iterdir() if one.name.startswith("tmp")]


def test_a_large_form_comes_through(house: Settings, s3: Any) -> None:
    content = bytes(range(256)) * 40_000
    assert post(house, f"/{BUCKET}", {"key": "large"}, content)[0] == 204
    assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == content


# Temporary keys, where no gateway reads the body: tests/services/test_sts.py has the others.


@pytest.mark.parametrize("where_", ["house", "locked"])
def test_temporary_keys_are_good_for_objects_and_invocations_with_their_session_token(
    where_: str, request: pytest.FixtureRequest
) -> None:
    settings: Settings = request.getfixturevalue(where_)
    sts = client("sts", settings)
    given = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/me", RoleSessionName="me")["Credentials"]
    sts.close()

    def refusal(service: str, session: str | None) -> tuple[str, int]:
        keys = (given["AccessKeyId"], given["SecretAccessKey"], session)
        one: Any = boto3.session.Session(*keys, region_name="us-east-1")
        made = one.client(service, endpoint_url=settings.url, config=Config(retries={"total_max_attempts": 1}))
        with pytest.raises(ClientError) as refused:
            made.list_objects(Bucket="missing") if service == "s3" else made.invoke_endpoint(EndpointName="e", Body=b"")
        made.close()
        answer = refused.value.response
        return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]

    assert refusal("s3", None) == ("InvalidAccessKeyId", 403)
    assert refusal("s3", "made up") == ("InvalidToken", 400)
    assert refusal("s3", given["SessionToken"]) == ("NoSuchBucket", 404)
    assert refusal("sagemaker-runtime", None) == ("UnrecognizedClientException", 403)
    assert refusal("sagemaker-runtime", given["SessionToken"]) == ("ValidationError", 400)


# What a person's browser sees

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_a_browser_sees_what_this_is_and_how_to_use_it(house: Settings, tmp_path: Path) -> None:
    shown = dumped(f"http://localhost:{house.port}/", tmp_path)
    assert "<h1>samebox: a local SageMaker</h1>" in shown
    assert f"Version {version('samebox')}." in shown
    assert f"export AWS_ENDPOINT_URL=http://localhost:{house.port}\n" in shown
    assert "export AWS_SECRET_ACCESS_KEY=samebox\n" in shown


def test_the_page_fits_a_phone(house: Settings, tmp_path: Path) -> None:
    status, headers, body = ask(house, "GET", "/", Accept=BROWSER)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert_fits_a_phone(body.decode(), tmp_path)


def test_the_variables_on_the_page_are_right(house: Settings, s3: Any) -> None:
    page = ask(house, "GET", "/", Accept=BROWSER)[2].decode()
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


def test_the_page_is_for_browsers_alone(house: Settings, s3: Any) -> None:
    assert BUCKET in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert ask(house, "GET", "/", Accept="*/*")[0] == 501
    assert ask(house, "HEAD", "/", Accept=BROWSER)[2] == b""
    assert b"GetCallerIdentityResponse" in ask(
        house, "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", Accept=BROWSER
    )[2]  # fmt: skip


# Who is refused reads why, in what its protocol calls an error.


def test_an_s3_client_that_uses_a_strange_name_reads_why(house: Settings) -> None:
    status, _, body = ask(house, "GET", "/objects/victim", Host="evil.example")
    assert status == 403
    assert b"<Code>AccessDenied</Code>" in body
    assert b"SAMEBOX_ALLOWED_HOSTS" in body


def test_docker_reads_why(house: Settings) -> None:
    status, _, body = ask(house, "GET", "/v2/", Host="evil.example:4566")
    assert status == 403
    assert "SAMEBOX_ALLOWED_HOSTS" in json.loads(body)["errors"][0]["message"]


def test_a_sagemaker_client_reads_why(house: Settings) -> None:
    status, _, body = ask(
        house, "POST", "/", b"{}", Host="evil.example", X_Amz_Target="SageMaker.ListModels",
        Content_Type="application/x-amz-json-1.1",
    )  # fmt: skip
    assert status == 403
    assert json.loads(body)["__type"] == "AccessDeniedException"


def test_headers_have_a_bound_and_a_client_reads_it(house: Settings) -> None:
    large = "a" * 70_000
    for status, _, body in (
        ask(house, "POST", "/", b"{}", X_Amz_Target="SageMaker.ListModels", X_Large=large),
        ask(house, "GET", "/objects/victim", X_Large=large),
    ):
        assert status == 431
        assert b"RequestHeaderSectionTooLarge" in body
        assert b"65536" in body
    assert ask(house, "GET", "/_samebox/ready", X_Large="a" * 60_000)[0] == 200


@pytest.mark.parametrize(
    "header", [b"X-Large: " + b"a" * 5_000_000, b"a: b\r\n" * 800_000, b"GET /" + b"a" * 5_000_000]
)
def test_a_head_without_an_end_is_not_held(house: Settings, header: bytes) -> None:
    start = b"" if header.startswith(b"GET") else b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    with socket.create_connection(("127.0.0.1", house.port), timeout=60) as connection:
        connection.sendall(start + header)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 431
        assert json.loads(answer.read())["__type"] == "RequestHeaderSectionTooLarge"
    assert ask(house, "GET", "/_samebox/ready")[0] == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/objects/victim", "/v2/", "/_samebox/status", "/endpoints/e/invocations"])
def test_nothing_is_behind_the_check(house: Settings, method: str, path: str) -> None:
    assert ask(house, method, path, Host="evil.example")[0] == 403
    assert ask(house, method, path, Origin="http://evil.example")[0] == 403
    assert ask(house, method, path, Sec_Fetch_Site="cross-site")[0] == 403


def test_a_preflight_of_an_origin_that_is_not_allowed_gets_no_permission(house: Settings) -> None:
    status, headers, _ = ask(
        house, "OPTIONS", "/objects/k", Origin="http://evil.example", Access_Control_Request_Method="PUT"
    )
    assert status == 403
    assert not [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("name", ["localhost", "s3.localhost"])
def test_clients_reach_us_by_every_name_of_loopback(house: Settings, name: str) -> None:
    status, _, _ = ask(house, "GET", "/_samebox/status", Host=f"{name}:{house.port}")
    assert status == 200


def test_a_name_of_aws_is_served_where_the_client_takes_us_for_a_proxy(house: Settings) -> None:
    form = b"Action=GetCallerIdentity&Version=2011-06-15"
    kind = "application/x-www-form-urlencoded"
    status, _, body = ask(house, "POST", "http://sts.us-east-1.amazonaws.com/", form, Content_Type=kind)
    assert (status, b"<Account>000000000000</Account>" in body) == (200, True)
    status, _, _ = ask(house, "POST", "/", form, Host="sts.us-east-1.amazonaws.com", Content_Type=kind)
    assert status == 403


def test_a_bucket_in_the_host_is_served_at_any_address(house: Settings, s3: Any) -> None:
    status, _, body = ask(house, "GET", "/victim", Host=f"{BUCKET}.s3.us-east-1.amazonaws.com")
    assert (status, body) == (200, b"precious")


def test_an_unknown_name_is_an_error_of_the_service_to_boto3(house: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **options: look_up(host.replace("my.box", "127.0.0.1"), *more, **options),
    )
    sagemaker = client("sagemaker", house, url=f"http://my.box:{house.port}")
    with pytest.raises(ClientError, match=r"\(AccessDeniedException\).*'my\.box:\d+'.*SAMEBOX_ALLOWED_HOSTS"):
        sagemaker.list_models()
    sagemaker.close()
