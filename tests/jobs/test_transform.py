"""Transform jobs from the row to the end, on the fake engine and a real S3."""

import gzip
import json
import re
import struct
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from samebox.containers.fake_process import FakeResponse
from samebox.data import recordio
from samebox.jobs.transform import TRANSFORM
from samebox.settings import Settings
from tests.jobs.transform_models import ModelServer, data_log, run, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness


@pytest.fixture
def settings() -> Settings:
    return Settings(transform_startup_seconds=20.0)


def test_each_object_becomes_one_output(harness: "Harness") -> None:
    harness.put_object("in/a.csv", b"1,2\n3,4\n")
    harness.put_object("in/b/c.csv", b"5,6\n")
    model = ModelServer(bytes.upper)
    row = run(
        harness, model, {"ContentType": "text/csv"}, output={"Accept": "application/json"}, Environment={"A": "1"}
    )
    assert row.status == "Completed", row.state
    assert harness.objects_under("out") == {"a.csv.out": b"1,2\n3,4\n", "b/c.csv.out": b"5,6\n"}
    assert sorted(model.bodies) == [b"1,2\n3,4\n", b"5,6\n"]
    assert (model.headers[0]["content-type"], model.headers[0]["accept"]) == ("text/csv", "application/json")
    assert {name: model.environment.get(name) for name in ("LEVEL", "A", "SAGEMAKER_BATCH")} == {
        "LEVEL": "info", "A": "1", "SAGEMAKER_BATCH": "true"
    }  # fmt: skip
    assert not [name for name in model.environment if name.startswith("SAGEMAKER_MAX")]
    assert data_log(harness, row) == ["MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"]
    assert harness.container_names() == []
    harness.poll_until(lambda: not list((harness.data_dir / "jobs").iterdir()))


def test_single_records_are_sent_alone_and_assembled_in_order(harness: "Harness") -> None:
    lines = [f"{number}" for number in range(50)]
    harness.put_object("in/a.csv", "\n".join(lines).encode())
    model = ModelServer(lambda body: b"<" + body + b">")
    row = run(
        harness, model, {"SplitType": "Line"},
        output={"AssembleWith": "Line"}, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4, MaxPayloadInMB=1,
    )  # fmt: skip
    assert row.status == "Completed", row.state
    assert harness.objects_under("out") == {"a.csv.out": "".join(f"<{line}>\n" for line in lines).encode()}
    assert sorted(model.bodies) == sorted(line.encode() for line in lines)
    assert model.environment["SAGEMAKER_BATCH_STRATEGY"] == "SINGLE_RECORD"
    assert model.environment["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] == "4"
    assert model.environment["SAGEMAKER_MAX_PAYLOAD_IN_MB"] == "1"


@pytest.mark.parametrize("processing", [{}, {"DataProcessing": {"JoinSource": "Input", "OutputFilter": "$[-1]"}}])
def test_settings_choose_line_ends_of_single_records_and_keys_of_outputs(
    harness: "Harness", processing: dict[str, object]
) -> None:
    harness.put_object("in/deep/a.csv", b"1\n2\n")
    harness.settings = replace(harness.settings, transform_line_ends=True, transform_output_keys="whole")
    model = ModelServer(bytes.strip)
    row = run(
        harness,
        model,
        {"SplitType": "Line", "ContentType": "text/csv"},
        output={"AssembleWith": "Line", "Accept": "text/csv"},
        BatchStrategy="SingleRecord",
        **processing,
    )
    assert row.status == "Completed", row.state
    assert sorted(model.bodies) == [b"1\n", b"2\n"]
    assert harness.objects_under("out") == {"in/deep/a.csv.out": b"1\n2\n"}


def test_several_records_are_sent_together_up_to_the_payload(harness: "Harness") -> None:
    line = b"x" * (300 * 1024 - 1) + b"\n"
    harness.put_object("in/a.csv", line * 7)
    model = ModelServer()
    row = run(harness, model, {"SplitType": "Line"}, MaxPayloadInMB=1)
    assert row.status == "Completed", row.state
    assert [len(body) // len(line) for body in model.bodies] == [3, 3, 1]
    assert harness.objects_under("out") == {"a.csv.out": line * 7}


def test_what_a_container_answers_counts_where_the_request_says_nothing(harness: "Harness") -> None:
    harness.put_object("in/a.csv", b"1\n2\n")
    model = ModelServer(
        parameters={"MaxConcurrentTransforms": 3, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2}
    )
    row = run(harness, model, {"SplitType": "Line"}, MaxPayloadInMB=4)
    assert sorted(model.bodies) == [b"1", b"2"]
    assert data_log(harness, row) == ["MaxConcurrentTransforms=3, MaxPayloadInMB=4, BatchStrategy=SINGLE_RECORD"]


def tf_record(body: bytes) -> bytes:
    return struct.pack("<Q", len(body)) + b"crc1" + body + b"crc2"


@pytest.mark.parametrize(
    ("split", "frame"), [("RecordIO", recordio.frame), ("TFRecord", tf_record)], ids=["RecordIO", "TFRecord"]
)
@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
def test_frames_are_removed_of_single_records_and_kept_of_several(
    harness: "Harness", split: str, frame: "Callable[[bytes], bytes]", strategy: str
) -> None:
    harness.put_object("in/a", frame(b"one") + frame(b"three"))
    model = ModelServer()
    row = run(harness, model, {"SplitType": split}, BatchStrategy=strategy)
    assert row.status == "Completed", row.state
    together = strategy == "MultiRecord"
    assert sorted(model.bodies) == ([frame(b"one") + frame(b"three")] if together else [b"one", b"three"])


def test_gzip_objects_are_decompressed(harness: "Harness") -> None:
    body = b"row\n" * 1_000_000
    harness.put_object("in/a.csv.gz", gzip.compress(body))
    model = ModelServer()
    row = run(harness, model, {"CompressionType": "Gzip"})
    assert row.status == "Completed", row.state
    assert harness.objects_under("out") == {"a.csv.gz.out": body}


def test_an_object_of_any_length_is_streamed(harness: "Harness") -> None:
    body = bytes(range(256)) * 40_000  # more than a payload holds by default
    harness.put_object("in/a", body)
    model = ModelServer()
    row = run(harness, model, {}, MaxPayloadInMB=0)
    assert row.status == "Completed", row.state
    assert harness.objects_under("out") == {"a.out": body}
    assert (model.headers[0]["transfer-encoding"], model.bodies) == ("chunked", [body])


def test_an_object_that_fails_has_no_output_and_the_others_have(harness: "Harness") -> None:
    harness.put_object("in/bad", b"1\nbad\n")
    harness.put_object("in/good", b"1\n2\n")
    model = ModelServer(lambda body: FakeResponse(400, b"no such\nthing") if body == b"bad" else body)
    row = run(harness, model, {"SplitType": "Line"}, BatchStrategy="SingleRecord")
    assert (row.status, row.state["FailureReason"]) == ("Failed", "AlgorithmError: See job logs for more information")
    assert harness.objects_under("out") == {"good.out": b"12"}
    place = f"{harness.bucket}/in/bad: "
    assert data_log(harness, row)[1:] == [
        f"{place}ClientError: 400", place, f"{place}Message:", f"{place}no such", f"{place}thing"
    ]  # fmt: skip
    assert model.bodies.count(b"bad") == 1, "a client's error is not worth another request"


def test_an_error_of_the_server_is_retried(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    model = ModelServer(lambda body: body if len(model.bodies) > 1 else FakeResponse(503, b"not yet"))
    row = run(harness, model, {})
    assert row.status == "Completed", row.state
    assert model.bodies == [b"1", b"1"]


def test_a_container_that_never_answers_ping_fails_the_job(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    harness.settings = Settings(transform_startup_seconds=0.5)
    row = run(harness, ModelServer(ping=500), {})
    assert row.status == "Failed"
    assert row.state["FailureReason"].startswith("AlgorithmError: Model container failed to respond to ping.")


def test_a_container_that_ends_fails_the_job(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    harness.types = (TRANSFORM,)
    model = ModelServer()
    model.serve = lambda process: 7  # type: ignore[method-assign]
    row = run(harness, model, {})
    assert (row.status, row.state["FailureReason"]) == ("Failed", "AlgorithmError: See job logs for more information")


def test_a_stop_stores_nothing_of_what_was_under_way(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    held = threading.Event()
    model = ModelServer(lambda body: body if held.wait(60) else b"late")
    job = start(harness, model, {})
    harness.poll_until(lambda: model.bodies)
    harness.stop_job(job)
    row = harness.wait_until_ended(job)
    held.set()
    assert (row.status, row.state.get("FailureReason")) == ("Stopped", None)
    assert harness.objects_under("out") == {}


def test_what_a_job_has_read_and_stored_is_captured_as_two_manifests(harness: "Harness") -> None:
    for key in ("a.csv", "b/c.csv"):
        harness.put_object(f"in/{key}", b"1")
    place = f"s3://{harness.bucket}"
    row = run(harness, ModelServer(), {}, DataCaptureConfig={"DestinationS3Uri": f"{place}/captured/"})
    assert row.status == "Completed", row.state
    found = harness.objects_under("captured")
    assert len({name.partition("/")[2] for name in found}) == 1, "both have the name of one moment"
    assert {name.partition("/")[0]: json.loads(body) for name, body in found.items()} == {
        "input": [{"prefix": f"{place}/in/"}, "a.csv", "b/c.csv"],
        "output": [{"prefix": f"{place}/out/"}, "a.csv.out", "b/c.csv.out"],
    }


def test_a_job_that_fails_captures_nothing(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    model = ModelServer(lambda _: FakeResponse(400, b"no"))
    row = run(harness, model, {}, DataCaptureConfig={"DestinationS3Uri": f"s3://{harness.bucket}/captured"})
    assert (row.status, harness.objects_under("captured")) == ("Failed", {})


@pytest.mark.parametrize(
    ("given", "accept", "response", "stored"),
    [
        ({"SplitType": "Line"}, "text/csv", b"0,0.5\n1,0.25", rb"0,0\.5,ID,TIME\n1,0\.25,ID,TIME\n"),
        ({}, "text/csv; charset=utf-8", b"0\r\n1\r\n", rb"0,ID,TIME\r\n1,ID,TIME\r\n"),
        ({}, "application/json", b'{"output": 1.0}', rb'\{"output": 1\.0, FIELDS\}\n'),
        ({}, "application/json", b'{\n "output": [1]\n}\n', rb'\{\n "output": \[1\], FIELDS\}\n'),
        ({}, "application/json", b"{}", rb"\{FIELDS\}\n"),
        ({}, "application/json", b"[1, 2]\n", rb'\{"SageMakerOutput": \[1, 2\], FIELDS\}\n'),
        ({}, "application/jsonlines", b'{"a": 0}\n7\n', rb'\{"a": 0, FIELDS\}\n\{"SageMakerOutput": 7, FIELDS\}\n'),
        ({}, "application/json", b'{"a": 0}\n{"a": 1}', rb'\{"a": 0, FIELDS\}\n\{"a": 1, FIELDS\}\n'),
    ],
)
@pytest.mark.parametrize("payload_mb", [1, 0])
def test_each_row_of_the_output_has_an_inference_id_and_the_start_of_the_job(
    harness: "Harness", given: dict[str, str], accept: str, response: bytes, stored: bytes, payload_mb: int
) -> None:
    harness.put_object("in/a", b"1")
    streams = payload_mb == 0  # and there is nothing to assemble
    row = run(
        harness,
        ModelServer(lambda _: response),
        {} if streams else given,
        output={"Accept": accept, "AssembleWith": "None" if streams else "Line"},
        DataCaptureConfig={"DestinationS3Uri": f"s3://{harness.bucket}/captured", "GenerateInferenceId": True},
        MaxPayloadInMB=payload_mb,
    )
    assert row.status == "Completed", row.state
    began = datetime.fromtimestamp(row.state["TransformStartTime"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    fields = rb'"SageMakerInferenceId": "ID", "SageMakerInferenceTime": "TIME"'
    own = rb"([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})"
    form = stored.replace(b"FIELDS", fields).replace(b"TIME", began).replace(b"ID", own)
    (found,) = harness.objects_under("out").values()
    if streams and not response.endswith(b"\n"):
        form = form.removesuffix(rb"\n")
    match = re.fullmatch(form, found)
    assert match, found
    assert len(set(match.groups())) == len(match.groups())


def test_inference_ids_come_after_what_is_joined_and_filtered(harness: "Harness") -> None:
    harness.put_object("in/a", b"x,1\ny,2\n")
    row = run(
        harness,
        ModelServer(lambda body: body),
        {"ContentType": "text/csv", "SplitType": "Line"},
        output={"Accept": "text/csv", "AssembleWith": "Line"},
        DataProcessing={"InputFilter": "$[1]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
        DataCaptureConfig={"DestinationS3Uri": f"s3://{harness.bucket}/captured", "GenerateInferenceId": True},
    )
    assert row.status == "Completed", row.state
    rows = harness.objects_under("out")["a.out"].decode().splitlines()
    assert [one.split(",")[:2] for one in rows] == [["x", "1"], ["y", "2"]]
    assert [len(one.split(",")) for one in rows] == [4, 4]


def test_output_that_is_not_what_ids_can_be_appended_to_is_an_error(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    row = run(
        harness,
        ModelServer(lambda _: b"seven"),
        {},
        output={"Accept": "application/json"},
        DataCaptureConfig={"DestinationS3Uri": f"s3://{harness.bucket}/captured", "GenerateInferenceId": True},
    )
    assert row.status == "Failed"
    assert data_log(harness, row)[-1].endswith("/in/a: Failed to parse output from the algorithm as JSON")
    assert harness.objects_under("out") == {}


class LoadingServer(ModelServer):
    """A container's program that loads its model for ever, and does not hear SIGTERM meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.loading = threading.Event()

    def serve(self, process: "Process") -> int:
        self.loading.set()
        process.wait_until_killed()
        return 0


def test_a_stop_does_not_wait_for_a_server_that_has_not_answered_yet(harness: "Harness") -> None:
    harness.put_object("in/a", b"1")
    model = LoadingServer()
    job = start(harness, model, {})
    harness.poll_until(model.loading.is_set)
    harness.stop_job(job)
    assert harness.wait_until_ended(job).status == "Stopped"
    group = "/aws/sagemaker/TransformJobs"
    streams = harness.logbook.streams(group)
    lines = [event.message for one in streams for _, event in harness.logbook.read(group, one.name)]
    assert "samebox: the server has not answered /ping yet: it is killed" in lines


def test_objects_are_dealt_out_to_several_instances(harness: "Harness") -> None:
    for name in ("a", "b", "c"):
        harness.put_object(f"in/{name}", name.encode())
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    row = run(harness, ModelServer(), {}, TransformResources=resources)
    assert row.status == "Completed", row.state
    assert harness.objects_under("out") == {"a.out": b"a", "b.out": b"b", "c.out": b"c"}


def test_a_manifest_names_the_inputs(harness: "Harness") -> None:
    harness.put_object("in/a/1.csv", b"1")
    harness.put_object("in/a/2.csv", b"2")
    manifest = harness.put_object(
        "manifest", json.dumps([{"prefix": f"s3://{harness.bucket}/in"}, "/a/2.csv"]).encode()
    )
    source = {"S3DataType": "ManifestFile", "S3Uri": manifest}
    row = run(harness, ModelServer(), {"DataSource": {"S3DataSource": source}})
    assert row.status == "Completed", row.state
    assert harness.objects_under("out") == {"a/2.csv.out": b"2"}


def test_filters_and_a_join_of_csv(harness: "Harness") -> None:
    harness.put_object("in/a.csv", b"id1,1,2\nid2,3,4\n")
    model = ModelServer(lambda body: b"\n".join(b"sum" for _ in body.splitlines()) + b"\n")
    row = run(
        harness, model, {"ContentType": "text/csv", "SplitType": "Line"},
        output={"Accept": "text/csv", "AssembleWith": "Line"},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )  # fmt: skip
    assert row.status == "Completed", row.state
    assert model.bodies == [b"1,2\n3,4\n"]
    assert harness.objects_under("out") == {"a.csv.out": b"id1,sum\nid2,sum\n"}


def test_a_kill_goes_on_with_what_is_left(harness: "Harness") -> None:
    harness.put_object("in/a", b"a")
    harness.put_object("in/b", b"b")
    held = threading.Event()

    def respond(body: bytes) -> bytes:
        if body == b"b":
            assert held.wait(300)
        return body

    model = ModelServer(respond)
    job = start(harness, model, {})
    harness.poll_until(lambda: b"b" in model.bodies)
    harness.process.killed.set()
    held.set()  # only now: what the model answers comes to a process that is dead
    harness.crash()
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state
    assert harness.objects_under("out") == {"a.out": b"a", "b.out": b"b"}
    assert model.bodies.count(b"a") == 1, "what is done is not done again"
