"""What the emulator starts is what the golden trees of tests/contract say, from the files to the command."""

from typing import TYPE_CHECKING, Any

import pytest

from samebox.data.objects import Location
from tests.contract import golden

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness


@pytest.mark.parametrize("case", golden.CASES)
def test_the_emulator_starts_what_the_golden_tree_has(harness: "Harness", case: str) -> None:
    seen: dict[str, Any] = {}

    def program(process: "Process") -> int:
        seen["tree"], seen["files"] = golden.found_by(process)
        seen["spec"] = process.spec
        return 0

    command, request = golden.read(case, "command.json"), golden.read(case, "request.json")
    first = (command["entrypoint"] or command["command"] or ["train"])[0]
    harness.engine.add_image("digits:1", {first: program, "*": program})
    for uri, body in golden.read(case, "objects.json").items():
        harness.objects.create_bucket(Location.parse(uri).bucket)
        harness.objects.put(uri, body.encode())
    harness.objects.create_bucket("digits")
    harness.start()
    request.pop("TrainingJobName")
    job = harness.create_training_job(golden.read(case, "request.json")["TrainingJobName"], **request)
    row = harness.wait_until_ended(job)

    assert row.status == "Completed", row.state.get("FailureReason")
    assert (seen["tree"], seen["files"]) == (golden.tree(case), golden.files(case))
    spec, environment = seen["spec"], golden.read(case, "env.json")
    assert [one if one is None else list(one) for one in (spec.entrypoint, spec.command)] == [
        command["entrypoint"],
        command["command"],
    ]
    exact = {**environment["exact"], "TRAINING_JOB_ARN": job.arn}
    assert {name: spec.environment.get(name) for name in exact} == exact
    assert not spec.environment.keys() & set(environment["absent"])
