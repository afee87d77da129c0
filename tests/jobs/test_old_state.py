"""After an update of samebox: work that version 0.1.0 had left goes on, although its containers are gone."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from samebox.containers.fake_process import FakeResponse
from samebox.resources.deployment import serving
from samebox.resources.kinds import ENDPOINT, TRAINING_JOB
from samebox.resources.query import Query
from samebox.resources.store import Resource, Store

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness

SAMPLE = Path(__file__).parents[1] / "resources" / "statuses" / "0001.sql"
DIGEST = f"sha256:{'d' * 64}"


def rows_of_the_old_version(folder: Path) -> list[Resource]:
    """Jobs and endpoints in every status."""
    path = folder / "old.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SAMPLE.read_text())
    with closing(Store(path)) as store:
        return store.find(Query((TRAINING_JOB.noun, ENDPOINT.noun)))


def test_jobs_end_and_endpoints_serve(harness: "Harness", tmp_path: Path) -> None:
    def train(process: "Process") -> int:
        (process.path("/opt/ml/model") / "weights").write_bytes(b"w")
        return 0

    harness.objects.create_bucket("samples")
    for image in ("good:1", "long:1"):
        harness.engine.add_image(image, {"train": train})
    harness.engine.add_image(
        f"localhost:4566/good-serve@{DIGEST}", {"serve": lambda process: process.serve(lambda _: FakeResponse())}
    )
    rows = {row.arn.rpartition(":")[2]: row for row in rows_of_the_old_version(tmp_path)}
    for row in rows.values():
        harness.store.insert(row, row.name.lower())
    harness.start()

    ends = {name: harness.wait_until_ended(rows[f"training-job/{name}"]) for name in ("starting", "downloading")}
    assert [row.status for row in ends.values()] == ["Completed", "Completed"]
    assert harness.files_of_tar("s3://samples/out/starting/output/model.tar.gz") == {"weights": b"w"}
    # Their containers are gone, and with them what they did.
    lost = {name: harness.wait_until_ended(rows[f"training-job/{name}"]) for name in ("training", "stopping")}
    assert {row.state["FailureReason"].partition(":")[0] for row in lost.values()} == {"InternalServerError"}
    assert harness.wait_until_ended(rows["training-job/uploading"]).status in ("Completed", "Failed")
    for name in ("completed", "failed", "stopped", "max-runtime"):
        assert harness.reload(rows[f"training-job/{name}"]) == rows[f"training-job/{name}"]

    harness.wait_until(lambda: harness.resources.by_arn(rows["endpoint/deleting"].arn) is None)
    assert harness.reload(rows["endpoint/failed"]) == rows["endpoint/failed"]
    for name, configuration in (("creating", "config"), ("in-service", "config"), ("updating", "second")):
        endpoint = harness.wait_for_status(rows[f"endpoint/{name}"], "InService")
        assert endpoint.state["EndpointConfigName"] == configuration
        harness.poll_until(partial(is_served, harness, endpoint))


def is_served(harness: "Harness", row: Resource) -> bool:
    """Whether its routes lead to containers that this engine runs."""
    addresses = {address for route in serving(harness.reload(row)).routes for address in route.addresses}
    running = [state.id for state in harness.engine.find({}) if state.running and f"-{row.name}-" in state.name]
    return addresses == {harness.engine.address(container, 8080) for container in running} != set()
