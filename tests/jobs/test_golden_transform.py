"""What the emulator starts of a transform job is what the golden tree has, from the files to the command."""

import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from samebox.containers.fake_process import FakeResponse
from samebox.jobs.transform import TRANSFORM
from samebox.resources.deployment import ServedContainer
from samebox.resources.kinds import TRANSFORM_JOB
from samebox.resources.run_facts import JobFacts, ServedModel
from tests.contract import golden

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness

FOLDER = golden.GOLDEN.parent / "transform"
CASES = sorted(path.parent for path in FOLDER.glob("*/request.json"))


def archive(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_the_emulator_starts_what_the_golden_tree_has(harness: "Harness", case: Path) -> None:
    seen: dict[str, Any] = {}

    def program(process: "Process") -> int:
        seen["tree"], seen["files"] = golden.found_at(process, golden.mounted(process))
        seen["spec"] = process.spec
        return process.serve(lambda _: FakeResponse(200))

    request, model = golden.read(case, "request.json"), golden.read(case, "model.json")
    harness.types = (TRANSFORM,)
    harness.engine.add_image("model:1", {"serve": program})
    harness.objects.create_bucket("golden")
    harness.put_object("in/a", b"1\n")
    url = harness.put_object("model.tar.gz", archive(model["files"]))
    request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{harness.bucket}/in/"
    served = ServedModel(ServedContainer("model:1", "model:1", model["environment"], url))
    harness.start()
    row = harness.wait_until_ended(harness.create(TRANSFORM_JOB, JobFacts("model:1", model=served), **request))

    assert row.status == "Completed", row.state.get("FailureReason")
    assert (seen["tree"], seen["files"]) == (golden.tree(case), golden.files(case))
    spec, environment, command = seen["spec"], golden.read(case, "env.json"), golden.read(case, "command.json")
    assert [one if one is None else list(one) for one in (spec.entrypoint, spec.command)] == [
        command["entrypoint"],
        command["command"],
    ]
    assert {name: spec.environment.get(name) for name in environment["exact"]} == environment["exact"]
    assert not spec.environment.keys() & set(environment["absent"])
