"""What pip fetched in one job, for the next: on the fake engine, whose containers have real folders."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from samebox.jobs import package_cache
from samebox.jobs.package_cache import Cache
from samebox.settings import Settings

if TYPE_CHECKING:
    from samebox.containers.fake_process import Process, Program
    from tests.jobs.harness import Harness

LIMIT = 100_000


@pytest.fixture
def settings() -> Settings:
    return replace(Settings(), package_cache_bytes=LIMIT)


def fetching(name: str, size: int = 10) -> "Program":
    """A job that says what is cached, and adds a file to it."""

    def train(process: "Process") -> int:
        place = process.path(process.spec.environment["PIP_CACHE_DIR"])
        process.print(" ".join(sorted(one.name for one in place.iterdir())) if place.is_dir() else "nothing")
        place.mkdir(exist_ok=True)
        (place / name).write_bytes(b"w" * size)
        return 0

    return train


def log_of(harness: "Harness", name: str, **changes: Any) -> list[str]:
    job = harness.create_training_job(name, **changes)
    assert harness.wait_until_ended(job).status == "Completed"
    return harness.log_lines(job)


def kept(harness: "Harness") -> list[Path]:
    return sorted((harness.data_dir / "packages").glob("*"))


def test_what_one_job_fetched_is_there_in_the_next(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": fetching("tqdm.whl")})
    harness.start()
    assert log_of(harness, "first") == ["nothing"]
    assert log_of(harness, "second") == ["tqdm.whl"]
    (one,) = kept(harness)
    assert one.stat().st_uid == os.getuid()


def test_a_job_of_another_image_finds_nothing_of_it(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": fetching("poisoned.whl")})
    harness.engine.add_image("digits:2", {"train": fetching("tqdm.whl")})
    harness.start()
    log_of(harness, "first")
    assert log_of(harness, "second", image="digits:2") == ["nothing"]
    assert len(kept(harness)) == 2


def test_one_that_grows_over_the_limit_is_emptied(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": fetching("large.whl", LIMIT)})
    harness.start()
    assert log_of(harness, "first") == ["nothing"]
    assert kept(harness) == []
    assert log_of(harness, "second") == ["nothing"]


def test_a_job_that_fetches_nothing_leaves_nothing(harness: "Harness") -> None:
    harness.engine.add_image("digits:1", {"train": lambda _: 0})
    harness.start()
    log_of(harness, "first")
    assert kept(harness) == []


def test_a_job_without_a_network_has_no_part_in_it(harness: "Harness") -> None:
    def train(process: "Process") -> int:
        process.print(process.spec.environment.get("PIP_CACHE_DIR", "none"))
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    assert log_of(harness, "isolated", EnableNetworkIsolation=True) == ["none"]


def test_links_out_of_it_are_as_dead_on_this_machine_as_in_the_container(harness: "Harness", tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")

    def train(process: "Process") -> int:
        place = process.path(process.spec.environment["PIP_CACHE_DIR"])
        place.mkdir(exist_ok=True)
        if not (place / "link").is_symlink():
            (place / "link").symlink_to(outside)
        return 0

    harness.engine.add_image("digits:1", {"train": train})
    harness.start()
    log_of(harness, "first")
    log_of(harness, "second")
    assert outside.read_text() == "mine"
    (one,) = kept(harness)
    assert b"mine" not in one.read_bytes()


def test_caches_of_many_images_share_the_limit_and_the_oldest_goes(tmp_path: Path) -> None:
    for age in range(5):
        path = tmp_path / f"{age}.tar"
        path.write_bytes(b"x" * 100)
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    package_cache._make_room(Cache(tmp_path / "0.tar", 250))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["0.tar", "1.tar"]


def test_what_an_earlier_life_left_half_written_goes(tmp_path: Path) -> None:
    place = package_cache.folder(tmp_path)
    place.mkdir()
    ours = f"b.tar.{os.getpid()}-8.part"
    for name in ("a.tar", "a.tar.0-8.part", ours):
        (place / name).touch()
    package_cache.sweep(tmp_path)
    assert sorted(one.name for one in place.iterdir()) == ["a.tar", ours]


def test_without_a_limit_nothing_is_kept_and_pip_is_left_alone(tmp_path: Path) -> None:
    assert package_cache.of(tmp_path, "1", "image", 0) is None
    assert package_cache.variables(None) == {}


def test_accounts_have_caches_of_their_own(tmp_path: Path) -> None:
    assert package_cache.of(tmp_path, "1", "image", 1) != package_cache.of(tmp_path, "2", "image", 1)
