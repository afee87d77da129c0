"""What the emulator starts of a processing job is what the golden tree says, from the files to the command."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from samebox.data.objects import Location
from samebox.jobs.processing import PROCESSING
from tests.contract import golden

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness

CASES = sorted(path.parent for path in golden.PROCESSING.glob("*/request.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_the_emulator_starts_what_the_golden_tree_has(harness: "Harness", case: Path) -> None:
    seen: dict[str, Any] = {}

    def program(process: "Process") -> int:
        seen["tree"], seen["files"] = golden.found_at(process, golden.mounted(process))
        seen["spec"] = process.spec
        return 0

    command, request = golden.read(case, "command.json"), golden.read(case, "request.json")
    harness.types = (PROCESSING,)
    harness.engine.add_image("clean:1", {"*": program})
    for uri, body in golden.read(case, "objects.json").items():
        harness.objects.create_bucket(Location.parse(uri).bucket)
        harness.objects.put(uri, body.encode())
    harness.start()
    row = harness.wait_until_ended(harness.create_processing_job(request.pop("ProcessingJobName"), **request))

    assert row.status == "Completed", row.state.get("FailureReason")
    config = "config/processingjobconfig.json"
    account = seen["files"][config].replace(b":123456789012:processing-job", b":000000000000:processing-job")
    assert {**seen["files"], config: account} == golden.files(case)
    assert seen["tree"] == golden.tree(case)
    spec, environment = seen["spec"], golden.read(case, "env.json")
    assert [list(spec.entrypoint), list(spec.command)] == [command["entrypoint"], command["command"]]
    assert {name: spec.environment.get(name) for name in environment["exact"]} == environment["exact"]
    assert not spec.environment.keys() & set(environment["absent"])
