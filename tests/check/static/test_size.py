"""How large an image is, how much of it later layers hide, and which caches it contains."""

from __future__ import annotations

import pytest

from samebox.check.checks import Options
from samebox.check.static import size
from tests.check.images import ImageSource, LayerFile, layer
from tests.check.static.looking import GOOD, holding, look

LARGE = LayerFile("srv/data.bin", size=60_000_000)


def test_a_serverless_image_has_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look("serverless-image-size", holding(), "serverless").status == "pass"
    monkeypatch.setattr(size, "SERVERLESS_BYTES", 100)
    assert look("serverless-image-size", holding(), "serverless").status == "fail"


def test_a_budget_is_the_command_lines_or_the_labels() -> None:
    assert look("image-size-budget", holding()).status == "skipped"
    assert look("image-size-budget", holding(), options=Options(size_budget=10)).status == "fail"
    assert look("image-size-budget", holding(), options=Options(size_budget=10**9)).status == "pass"
    assert look("image-size-budget", holding(Labels={"samebox.size-budget-mb": "100"})).status == "pass"


def test_what_a_later_layer_deletes_or_replaces_is_waste() -> None:
    deleted = ImageSource((layer(*GOOD, LARGE), layer(LayerFile("srv/.wh.data.bin"))))
    found = look("image-layer-waste", deleted)
    assert (found.status, "/srv/data.bin" in found.seen) == ("warn", True)
    replaced = ImageSource((layer(*GOOD, LARGE), layer(LayerFile("srv/data.bin", b"small"))))
    assert look("image-layer-waste", replaced).status == "warn"
    assert look("image-layer-waste", ImageSource((layer(*GOOD, LARGE),))).status == "pass"


@pytest.mark.parametrize("path", ["root/.cache/pip/x", "var/lib/apt/lists/x", "var/cache/apt/archives/x.deb"])
def test_caches_are_found_in_any_layer(path: str) -> None:
    large = LayerFile(path, size=2_000_000)
    image = ImageSource(
        (layer(*GOOD, large), layer(LayerFile(f"{path.rpartition('/')[0]}/.wh.{path.rpartition('/')[2]}")))
    )
    found = look("image-caches", image, words="FROM x\nRUN pip install y")
    assert (found.status, found.line) == ("warn", 2)
    assert look("image-caches", holding(LayerFile(path, b"x"))).status == "pass"
