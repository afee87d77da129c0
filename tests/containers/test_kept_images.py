"""Images that requests name by id stay for as long as something needs them, and no longer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from samebox.containers.fake import FakeEngine
from samebox.containers.kept_images import RECENT_SECONDS, KeptImages, name_of, release
from samebox.errors import AwsError


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path)


def build(engine: FakeEngine, name: str = "mine:latest") -> str:
    return engine.add_image(name, {}).id


def kept(engine: FakeEngine, needed: Callable[[], set[str]] = set, now: Callable[[], float] = lambda: 0) -> KeptImages:
    return KeptImages(engine, "abc", needed, now)


def test_an_image_that_is_there_bears_one_more_name(engine: FakeEngine) -> None:
    image = build(engine)
    assert kept(engine).keep(image)
    assert engine.tags("samebox/kept") == [name_of("abc", image)]


def test_it_outlives_the_name_that_it_had(engine: FakeEngine) -> None:
    image = build(engine)
    kept(engine).keep(image)
    engine.untag("mine:latest")
    found = engine.image(image)
    assert found is not None
    assert found.tags == (name_of("abc", image),)


def test_an_image_that_is_not_there_is_not_kept(engine: FakeEngine) -> None:
    assert not kept(engine).keep(f"sha256:{'0' * 64}")
    assert engine.tags("samebox/kept") == []


def test_a_digest_of_a_registry_is_no_id(engine: FakeEngine) -> None:
    digest = f"sha256:{'d' * 64}"
    engine.add_image("mine:latest", {}, digests=(digest,))
    assert not kept(engine).keep(digest)


def test_what_nothing_needs_any_more_goes_when_another_one_is_kept(engine: FakeEngine) -> None:
    needed, clock = build(engine, "needed:1"), iter((0.0, 0.0, 1.0, 1.0, RECENT_SECONDS + 2, RECENT_SECONDS + 2))
    images = KeptImages(engine, "abc", lambda: {needed}, lambda: next(clock))
    images.keep(needed)
    images.keep(build(engine, "once:1"))
    fresh = build(engine, "fresh:1")
    images.keep(fresh)
    assert engine.tags("samebox/kept") == sorted([name_of("abc", needed), name_of("abc", fresh)])


def test_what_was_asked_for_just_now_may_have_no_row_yet(engine: FakeEngine) -> None:
    images, first, second = kept(engine), build(engine, "first:1"), build(engine, "second:1")
    images.keep(first)
    images.keep(second)
    assert engine.tags("samebox/kept") == sorted([name_of("abc", first), name_of("abc", second)])


def test_an_image_is_there_by_its_name(engine: FakeEngine) -> None:
    first = build(engine, "first:1")
    assert kept(engine).find("first:1") == first
    assert kept(engine).find("first:2") is None


def test_images_of_another_data_folder_are_not_touched(engine: FakeEngine) -> None:
    image = build(engine)
    KeptImages(engine, "other", set).keep(image)
    assert release(engine, "abc", set()) == []
    assert release(engine, "other", set()) == [name_of("other", image)]


def test_an_engine_that_does_not_answer_is_an_error(engine: FakeEngine) -> None:
    engine.unavailable = "it is down"
    with pytest.raises(AwsError, match="it is down") as caught:
        kept(engine).keep(f"sha256:{'0' * 64}")
    assert caught.value.status == 503
