"""`samebox jobs`, and which job `samebox logs` means."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from samebox import cli
from samebox.commands import aws as clients
from samebox.commands import job_kinds, jobs, logs
from samebox.commands.jobs import ListedJob
from samebox.commands.outcome import Stop
from samebox.resources.logbook import Event
from tests.conftest import ACCOUNT, REGION, Aws


@pytest.fixture(autouse=True)
def session(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> clients.Session:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_REGION", REGION)
    session = clients.of_emulator(aws.url, aws.services.settings)
    monkeypatch.setattr(clients, "of_running", lambda _: session)
    return session


def end(aws: Aws, arn: str, status: str, **state: Any) -> None:
    aws.resources.advance(aws.row(arn), status, **state)


def test_jobs_are_listed_with_the_newest_first(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    first = aws.create("TrainingJob", TrainingJobName="digits-1")
    end(aws, first, "Failed", FailureReason="AlgorithmError: , exit code: 1")
    aws.create("TrainingJob", TrainingJobName="digits-2")
    assert cli.main(["jobs"]) == 0
    titles, newest, oldest = capsys.readouterr().out.splitlines()
    assert titles.split() == ["JOB", "KIND", "STATUS", "CREATED", "TOOK", "METRICS"]
    assert newest.split()[:3] == ["digits-2", "training", "InProgress"]
    assert oldest.split()[:3] == ["digits-1", "training", "Failed"]


def test_json_has_what_a_program_needs(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    arn = aws.create("TrainingJob", TrainingJobName="digits-1")
    row = aws.row(arn)
    metrics = [{"MetricName": "loss", "Value": 0.25, "Timestamp": row.created + 5}]
    aws.resources.change(row, lambda _: {"FinalMetricDataList": metrics})
    end(aws, arn, "Failed", FailureReason="it is bad", TrainingEndTime=row.created + 7)
    assert cli.main(["jobs", "--json"]) == 0
    (job,) = json.loads(capsys.readouterr().out)
    assert (job["name"], job["status"], job["reason"]) == ("digits-1", "Failed", "it is bad")
    assert (job["seconds"], job["metrics"]) == (7.0, {"loss": 0.25})


def test_a_prefix_and_a_limit_choose(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a-1", "a-2", "b-a-1", "a-3"):
        aws.create("TrainingJob", TrainingJobName=name)
    assert cli.main(["jobs", "a-", "--limit", "2"]) == 0
    said = capsys.readouterr()
    assert [line.split()[0] for line in said.out.splitlines()] == ["JOB", "a-3", "a-2"]
    assert "more with --limit" in said.err


def test_without_a_job_the_first_step_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["jobs"]) == 0
    said = capsys.readouterr()
    assert (said.out, "samebox train SCRIPT" in said.err) == ("", True)


def test_a_job_of_many_is_found_without_reading_them_all(
    aws: Aws, session: clients.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        aws.create("TrainingJob", TrainingJobName=f"one-{number}")
    monkeypatch.setattr(job_kinds, "MOST_A_PAGE", 2)
    asked: list[object] = []
    client = session.client("sagemaker")
    client.meta.events.register("before-call.sagemaker.ListTrainingJobs", lambda **call: asked.append(call))
    _, name, _ = next(job_kinds.newest(session))
    assert (name, len(asked)) == ("one-4", 1)
    assert [name for _, name, _ in job_kinds.newest(session)] == [f"one-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (72, "1 min 12 s"), (7385, "2 h 03 min")])
def test_a_duration_is_read_at_a_glance(seconds: float, text: str) -> None:
    assert jobs.duration(seconds) == text


def test_columns_stand_below_each_other() -> None:
    at = datetime(2026, 11, 29, 16, 5, tzinfo=UTC)
    found = [
        ListedJob("a", "training", "Completed", at, 3, {"loss": 0.123456789, "epoch": 3.0}, "", "", ""),
        ListedJob("longer", "transform", "Failed", at, 3, {}, "", "", ""),
    ]
    assert jobs.table(found) == [
        "JOB     KIND       STATUS     CREATED           TOOK  METRICS",
        "a       training   Completed  2026-11-29 16:05  3 s   loss=0.123457 epoch=3",
        "longer  transform  Failed     2026-11-29 16:05  3 s",
    ]


# Logs


def write(aws: Aws, group: str, stream: str, text: str) -> None:
    aws.services.logbook.of(ACCOUNT, REGION).append(group, stream, [Event(1_700_000_000_000, text)])


@pytest.mark.parametrize(
    ("given", "line", "chosen"),
    [
        (None, "of digits-2", "digits-2"),
        ("digits", "of digits", ""),
        ("digits-", "of digits-2", "digits-2"),
        ("digits-1", "of digits-1", ""),
        ("serve", "of serves", "serves"),
    ],
)
def test_logs_are_those_of_the_newest_whose_name_begins_so(
    aws: Aws, given: str | None, line: str, chosen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("digits", "digits-1", "digits-2"):
        aws.create("TrainingJob", TrainingJobName=name)
        write(aws, "/aws/sagemaker/TrainingJobs", f"{name}/algo-1-1", f"of {name}")
    aws.create("Endpoint", EndpointName="serves")
    write(aws, "/aws/sagemaker/Endpoints/serves", "AllTraffic/i-1", "of serves")
    assert cli.main(["logs", *([given] if given else [])]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err.strip()) == (f"{line}\n", chosen)


def test_jobs_of_all_kinds_are_listed_and_have_logs(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.create("TrainingJob", TrainingJobName="one")
    aws.create("ProcessingJob", ProcessingJobName="two")
    aws.create("TransformJob", TransformJobName="three")
    assert cli.main(["jobs"]) == 0
    kinds = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert kinds == [["JOB", "KIND"], ["three", "transform"], ["two", "processing"], ["one", "training"]]
    write(aws, "/aws/sagemaker/ProcessingJobs", "two/algo-1-1", "of two")
    write(aws, "/aws/sagemaker/TransformJobs", "three/i-1-1/data-log", "of three")
    for given, line in (("two", "of two"), ("th", "of three")):
        assert cli.main(["logs", given]) == 0
        assert capsys.readouterr().out == f"{line}\n"


def test_a_prefix_without_jobs_is_reported(session: clients.Session) -> None:
    with pytest.raises(Stop, match="whose name is nothing or begins so"):
        logs.find(session, "nothing")
    with pytest.raises(Stop, match="no job yet"):
        logs.find(session, None)


def test_a_kind_that_an_emulator_from_before_an_update_lacks_has_no_jobs(
    session: clients.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = session.client("sagemaker")
    monkeypatch.setattr(session, "client", lambda _: sagemaker)
    kind = job_kinds.KINDS[-1]
    with Stubber(sagemaker) as stubber:
        stubber.add_client_error("list_transform_jobs", "NotImplemented", http_status_code=501)
        stubber.add_client_error("describe_transform_job", "NotImplemented", http_status_code=501)
        assert list(kind.newest(session)) == []
        assert kind.describe(session, "one") is None
        stubber.assert_no_pending_responses()
