"""Large channels, from the row to the end: linked and mounted, shared by jobs, and damaged by none."""

from typing import TYPE_CHECKING

import pytest

from samebox.data.channels import LARGE_BYTES

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process
    from tests.jobs.harness import Harness

LARGE = b"x" * LARGE_BYTES
FOLDER = "/opt/ml/input/data/train"


def spoil(process: "Process") -> int:
    """Reads the channel, and changes everything in it."""
    folder = process.path(FOLDER)
    process.print(*(f"{path.relative_to(folder)} {path.stat().st_size}" for path in sorted(folder.rglob("*"))))
    (folder / "a").write_bytes(b"spoiled")
    (folder / "deep" / "b").unlink()
    process.path("/opt/ml/model/done").write_text("done")
    return 0


def prepared(harness: "Harness") -> "Harness":
    harness.engine.add_image("digits:1", {"train": spoil})
    harness.put_object("in/a", LARGE)
    harness.put_object("in/deep/b", b"small")
    return harness


def nothing_is_left(harness: "Harness") -> None:
    assert harness.container_names() == []
    harness.poll_until(lambda: not list((harness.data_dir / "jobs").iterdir()))


def test_what_a_container_does_to_its_channel_is_seen_by_no_other_job_and_not_in_s3(harness: "Harness") -> None:
    prepared(harness).start()
    channels = [harness.channel("train", f"s3://{harness.bucket}/in/")]
    for name in ("one", "two"):
        row = harness.wait_until_ended(harness.create_training_job(name, InputDataConfig=channels))
        assert row.status == "Completed", row.state.get("FailureReason")
        assert harness.log_lines(row)[:3] == [f"a {LARGE_BYTES}", "deep 4096", "deep/b 5"]
    assert harness.objects.get(f"s3://{harness.bucket}/in/a") == LARGE
    assert harness.objects.get(f"s3://{harness.bucket}/in/deep/b") == b"small"
    nothing_is_left(harness)


@pytest.mark.parametrize("step", [("objects.link", 1), ("objects.link", 2), ("engine.create", 1), ("engine.start", 1)])
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_while_a_channel_is_linked_changes_nothing_of_how_a_job_ends(
    harness: "Harness", step: tuple[str, int], after: bool
) -> None:
    channels = [harness.channel("train", f"s3://{harness.bucket}/in/")]
    job = prepared(harness).create_training_job(InputDataConfig=channels)
    harness.crash_at(step, after)
    harness.start()
    row = harness.wait_until_ended(job)
    assert row.status == "Completed", row.state.get("FailureReason")
    assert harness.log_lines(row)[:1] == [f"a {LARGE_BYTES}"]
    nothing_is_left(harness)
