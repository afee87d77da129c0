"""Pages of other origins, in real browsers. What takes no preflight is sent, whatever the answer says; so it must
not be carried out.
"""

import socket
import threading
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from samebox.settings import Settings
from tests.browser import WebSite, dumped, opened
from tests.edge.asking import BUCKET, client, emulator, keys, settings_of

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


def test_a_page_of_another_origin_changes_nothing_and_reads_nothing(
    unlocked: Settings, s3: Any, tmp_path: Path
) -> None:
    before = sessions(unlocked)
    with WebSite(CROSS_ORIGIN % {"url": unlocked.url}) as site, opened(site.url, tmp_path):
        report = site.report()
    # What asks first is refused; what does not gets an answer that the page cannot see.
    assert {name: seen for name, seen in report.items() if seen != [0, ""]} == {
        "read": "TypeError", "write": "TypeError", "call": "TypeError",
    }  # fmt: skip
    assert keys(s3) == ["victim"]
    assert sessions(unlocked) == before


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


def test_a_page_whose_name_was_given_our_address_is_refused(unlocked: Settings, s3: Any, tmp_path: Path) -> None:
    with WebSite(REBOUND) as site, Rebound(site, unlocked) as name:
        site.reports_to = site.url
        with opened(name.url, tmp_path, f"--host-resolver-rules=MAP {name.host} 127.0.0.1"):
            report = site.report()
    assert {step: seen[0] for step, seen in report.items()} == {"status": 403, "read": 403, "write": 403, "call": 403}
    assert all("precious" not in seen[1] and str(unlocked.data_dir) not in seen[1] for seen in report.values())
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


def test_a_page_cannot_open_us_by_a_name_of_its_own(unlocked: Settings, tmp_path: Path) -> None:
    url = f"http://evil.example:{unlocked.port}/_samebox/status"
    shown = dumped(url, tmp_path, "--host-resolver-rules=MAP evil.example 127.0.0.1")
    assert "SAMEBOX_ALLOWED_HOSTS" in shown
    assert str(unlocked.data_dir) not in shown


def test_an_object_that_a_browser_shows_cannot_use_the_emulator(unlocked: Settings, s3: Any, tmp_path: Path) -> None:
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
    unlocked: Settings, s3: Any, tmp_path: Path
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
    with WebSite(script % {"url": unlocked.url}) as site:
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
