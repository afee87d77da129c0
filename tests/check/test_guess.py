"""The purpose of an image is guessed from its PATH, and the guess is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.check import guess, subject
from tests.check.images import SHELL, ImageSource, LayerFile, layer, script

if TYPE_CHECKING:
    from pathlib import Path

TRAIN, SERVE = script("usr/bin/train"), script("usr/bin/serve")
MULTI = {guess.MULTI_MODEL_LABEL: "true"}


@pytest.mark.parametrize(
    ("entries", "config", "claims", "words"),
    [
        ([TRAIN], {}, {"train"}, "checked for train"),
        ([TRAIN, SERVE], {}, {"train", "serve"}, "checked for serve and train"),
        ([script("usr/bin/serve", mode=0o644)], {}, {"serve"}, "checked for serve"),
        ([SERVE], {"Labels": MULTI}, {"serve", "multi-model"}, "for multi-model endpoints, by its label"),
        ([], {"Entrypoint": ["python"]}, {"train", "serve"}, "its entrypoint is checked with both"),
        ([], {}, {"train", "serve"}, "both are checked"),
    ],
)
def test_claims_follow_from_what_is_there(
    tmp_path: Path, entries: list[LayerFile], config: dict[str, object], claims: set[str], words: str
) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(ImageSource((layer(*SHELL, *entries),), config).docker_archive())
    found, why = guess.claims(subject.from_path(path))
    assert (set(found), words in why) == (claims, True)
