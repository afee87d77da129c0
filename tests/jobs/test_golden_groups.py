"""What each host of a job with instance groups finds is what its golden tree has."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samebox.containers.engine import Capacity
from samebox.data.objects import Location
from tests.contract import golden

if TYPE_CHECKING:
    import pytest

    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness

CASE = golden.GOLDEN.parent / "instance_groups"
HOSTS = sorted(path.name for path in CASE.glob("algo-*"))


def test_each_host_of_each_group_finds_what_its_golden_tree_has(
    harness: "Harness", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    seen: dict[str, Any] = {}

    def program(process: "Process") -> int:
        config = json.loads((process.path("/opt/ml/input/config") / "resourceconfig.json").read_text())
        seen[config["current_host"]] = (process.spec, *golden.found_by(process))
        return 0

    monkeypatch.setattr(harness.engine, "capacity", lambda: Capacity(16, 64 << 30))
    harness.engine.add_image("digits:1", {"train": program})
    for uri, body in golden.read(CASE, "objects.json").items():
        harness.objects.create_bucket(Location.parse(uri).bucket)
        harness.objects.put(uri, body.encode())
    harness.start()
    request = golden.read(CASE, "request.json")
    job = harness.create_training_job(request.pop("TrainingJobName"), **request)
    row = harness.wait_until_ended(job)

    assert row.status == "Completed", row.state.get("FailureReason")
    assert sorted(seen) == HOSTS
    for host, (spec, tree, files) in seen.items():
        own = Path(CASE, host)
        assert (tree, files) == (golden.tree(own), golden.files(own)), host
        exact = {**golden.read(CASE, "env.json")["exact"], "TRAINING_JOB_ARN": job.arn}
        assert {name: spec.environment.get(name) for name in exact} == exact
        assert not spec.environment.keys() & set(golden.read(CASE, "env.json")["absent"])
        machine = golden.read(own, "machine.json")
        assert (spec.cpus, spec.memory_bytes, spec.aliases) == (machine["cpus"], machine["memory_gib"] << 30, (host,))
