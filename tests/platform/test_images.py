"""An image is pulled where the engine does not hold it, and a pull ends when its resource does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from samebox.containers.engine import ContainerSpec, ImageFacts, ImageMissing, NameTaken, PullProgress
from samebox.containers.fake import FakeEngine
from samebox.data.objects import Cancelled
from samebox.platform import images
from samebox.platform.images import CannotPull, Puller
from samebox.platform.retrying import Closing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPEC = ContainerSpec("digits:1", name="digits")


class SlowRegistry(FakeEngine):
    """Reports the progress of a pull, as a real engine does."""

    def pull(
        self,
        reference: str,
        username: str | None = None,
        password: str | None = None,
        progress: Callable[[PullProgress], None] | None = None,
    ) -> ImageFacts:
        if progress is not None:
            progress(PullProgress(1, 2, "half of it"))
        return super().pull(reference, username, password, progress)


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    made = SlowRegistry(tmp_path / "engine")
    made.add_image("digits:1", {"train": lambda _: 0}, remote=True)
    return made


def puller(engine: FakeEngine, cancelled: bool = False, closing: bool = False) -> Puller:
    events = threading.Event(), threading.Event()
    for event, is_set in zip(events, (cancelled, closing), strict=True):
        if is_set:
            event.set()
    return Puller(engine, lambda: None, *events)


def test_what_is_missing_is_pulled_and_created(engine: FakeEngine) -> None:
    made = images.create(SPEC, engine.create, puller(engine).pull)
    assert engine.inspect(made).name == "digits"


def test_other_faults_of_a_creation_pull_nothing(engine: FakeEngine) -> None:
    def taken(_: ContainerSpec) -> str:
        raise NameTaken("digits")

    with pytest.raises(NameTaken):
        images.create(SPEC, taken, puller(engine).pull)
    assert engine.image("digits:1") is None


def test_an_image_that_no_registry_gives_is_named_with_the_reason(engine: FakeEngine) -> None:
    with pytest.raises(CannotPull, match=r"the image other:1 cannot be pulled: .*manifest unknown"):
        puller(engine).pull("other:1")


def test_a_pull_of_a_resource_that_is_stopped_is_cancelled(engine: FakeEngine) -> None:
    with pytest.raises(Cancelled):
        puller(engine, cancelled=True).pull("digits:1")


def test_a_pull_that_fails_because_we_end_is_left_to_the_next_start(engine: FakeEngine) -> None:
    # The emulator's own registry ends with it, and says that there is no such image.
    with pytest.raises(Closing):
        puller(engine, closing=True).pull("other:1")


def test_a_registry_that_has_lost_the_image_between_both_is_an_error(engine: FakeEngine) -> None:
    with pytest.raises(ImageMissing):
        images.create(SPEC, engine.create, lambda _: None)
