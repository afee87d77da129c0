"""Rows of version 0.1.0, in every status that a job and an endpoint can have, after our facts left AWS's members."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from samebox.resources.deployment import serving
from samebox.resources.kinds import ENDPOINT, TRAINING_JOB
from samebox.resources.query import Query
from samebox.resources.run_facts import job_facts
from samebox.resources.store import Resource, Store
from samebox.wire.models import Models

SAMPLE = Path(__file__).parent / "statuses" / "0001.sql"
# Of a training job, since that schema.
LATER_STAGES = {"Interrupted", "Restarting", "MaxWaitTimeExceeded"}
OURS = {"TrainingJob": {"ResolvedImage", "Run"}, "Endpoint": {"Wanted", "Current", "Routes"}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SAMPLE.read_text())
    return path


@pytest.fixture
def before(path: Path) -> Mapping[str, dict[str, Any]]:
    """State by ARN, as the old version wrote it."""
    with closing(sqlite3.connect(path)) as connection:
        return {arn: json.loads(state) for arn, state in connection.execute("SELECT arn, state FROM resources")}


@pytest.fixture
def rows(path: Path, before: object) -> Iterator[dict[str, Resource]]:
    """Rows by kind and name, after the update."""
    with closing(Store(path)) as store:
        yield {f"{row.kind} {row.name}": row for row in store.find(Query((TRAINING_JOB.noun, ENDPOINT.noun)))}


def test_the_sample_has_every_status(rows: dict[str, Resource]) -> None:
    stages = {row.state["SecondaryStatus"] for row in rows.values() if row.kind == TRAINING_JOB.noun}
    assert TRAINING_JOB.lifecycle is not None
    assert stages == set(TRAINING_JOB.lifecycle.stages) - LATER_STAGES
    assert ENDPOINT.lifecycle is not None
    assert {row.status for row in rows.values() if row.kind == ENDPOINT.noun} == set(ENDPOINT.lifecycle.stages)


def renamed(facts: Any) -> Any:
    """The same facts by the names that they have since."""
    if not isinstance(facts, dict):
        return facts
    return {{"TrainingStartedAt": "BeganAt"}.get(name, name): value for name, value in facts.items()}


def test_each_member_is_where_it_belongs_and_none_is_lost(
    rows: dict[str, Resource], before: Mapping[str, dict[str, Any]]
) -> None:
    for row in rows.values():
        old = before[row.arn]
        assert row.facts == {member: renamed(value) for member, value in old.items() if member in OURS[row.kind]}
        assert row.state == {member: value for member, value in old.items() if member not in OURS[row.kind]}


def test_state_has_only_members_that_describe_shows(rows: dict[str, Resource], models: Models) -> None:
    for row in rows.values():
        output = models.operation("sagemaker", f"Describe{row.kind}").output
        assert output is not None
        assert set(row.state) <= set(output.members), row.arn


def test_a_job_goes_on_from_what_was_known_of_its_run(rows: dict[str, Resource]) -> None:
    facts = {name.removeprefix("TrainingJob "): job_facts(row) for name, row in rows.items() if "TrainingJob" in name}
    assert {name: one.resolved_image for name, one in facts.items() if "long" not in one.resolved_image} == {
        "starting": "good:1", "downloading": "good:1", "uploading": "good:1", "completed": "good:1", "failed": "bad:1"
    }  # fmt: skip
    assert facts["starting"].run.began_at is None
    assert facts["training"].run.began_at is not None
    assert facts["training"].run.ended_at is None
    assert (facts["failed"].run.exit_code, facts["failed"].run.text) == (5, "no luck")
    assert (facts["completed"].run.exit_code, facts["completed"].run.uploaded) == (0, True)
    assert facts["stopping"].run.stop_signalled_at is not None
    assert (facts["max-runtime"].run.max_runtime_exceeded, facts["stopped"].run.max_runtime_exceeded) == (True, False)


def test_an_endpoint_keeps_its_deployments_and_its_routes(rows: dict[str, Resource]) -> None:
    facts = {name.removeprefix("Endpoint "): serving(row) for name, row in rows.items() if "Endpoint" in name}
    configurations = {
        name: (one.wanted.endpoint_config_name, one.current.endpoint_config_name if one.current else None)
        for name, one in facts.items()
    }
    assert configurations == {
        "creating": ("config", None),
        "failed": ("config", None),
        "in-service": ("config", "config"),
        "deleting": ("config", "config"),
        "updating": ("second", "config"),
        "rolled-back": ("config", "config"),
    }
    (route,) = facts["in-service"].routes
    ((host, port),) = route.addresses
    assert (host, port > 0, route.variant_name, route.weight) == ("127.0.0.1", True, "AllTraffic", 1.0)
    assert facts["in-service"].wanted.variants[0].containers[0].environment == {"LEVEL": "info"}
    assert facts["updating"].wanted.variants[0].initial_instance_count == 2
