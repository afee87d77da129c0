"""The secret of a data directory."""

import threading
from pathlib import Path

from samebox.services import secret


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret"
    assert secret.read(path) == secret.read(path)
    assert len(secret.read(path)) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["secret"]


def test_of_many_who_make_it_all_read_one(tmp_path: Path) -> None:
    seen: list[bytes] = []
    threads = [threading.Thread(target=lambda: seen.append(secret.read(tmp_path / "secret"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 1


def test_its_public_name_is_its_own(tmp_path: Path) -> None:
    one, other = secret.read(tmp_path / "one"), secret.read(tmp_path / "other")
    assert secret.identity(one) == secret.identity(one) != secret.identity(other)
