"""What the kit starts is what the golden tree of tests/contract says, and so what the emulator starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from samebox.check.checks import Context, Options
from samebox.check.subject import Subject, from_path
from samebox.check.training.job import TrainingJob, running
from samebox.containers.fake import FakeEngine
from tests.contract import golden

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.containers.fake_process import Process

# The SDK asks for a debugger and a profiler in every job, and so does the kit; the golden request does not.
OF_THE_SDK = {f"input/config/{name}.json" for name in ("debughookconfig", "profilerconfig")}


def test_the_kit_starts_what_the_golden_tree_has(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def program(process: Process) -> int:
        seen["tree"], seen["files"] = golden.found_by(process)
        seen["spec"] = process.spec
        return 0

    engine = FakeEngine(tmp_path / "engine")
    engine.add_image("digits:1", {"train": program})
    (tmp_path / "image").mkdir()
    image = from_path(tmp_path / "image")
    subject = Subject(image.name, lambda _: image.contents.archive, "digits:1")
    request = golden.read("minimal", "request.json")
    options = Options(instance_type=request["ResourceConfig"]["InstanceType"])
    context = Context(subject, engine, options, scratch=tmp_path)
    with running(context, TrainingJob()) as job:
        assert job.wait(30)

    assert [line for line in seen["tree"] if line.split(" ", 2)[2] not in OF_THE_SDK] == golden.tree("minimal")
    assert {name: body for name, body in seen["files"].items() if name not in OF_THE_SDK} == golden.files("minimal")
    assert list(seen["spec"].command) == golden.read("minimal", "command.json")["command"]
    environment = golden.read("minimal", "env.json")
    own = {"TRAINING_JOB_NAME", "TRAINING_JOB_ARN"}
    assert {name: seen["spec"].environment[name] for name in environment["exact"] if name not in own} == {
        name: value for name, value in environment["exact"].items() if name not in own
    }
    assert not seen["spec"].environment.keys() & set(environment["absent"])
    assert (engine.find({}), engine.networks({})) == ([], [])
