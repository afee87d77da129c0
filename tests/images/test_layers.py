"""What is the same stays the same: train and serve stand on one framework, and our code is one small layer on top."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from .conftest import ROOT, SERVE, TRAIN, Bake, layers

if TYPE_CHECKING:
    from pathlib import Path

    from docker.client import DockerClient

pytestmark = pytest.mark.docker


@pytest.mark.parametrize("image", [TRAIN, SERVE])
def test_train_and_serve_share_every_layer_up_to_the_framework(engine: DockerClient, bake: Bake, image: str) -> None:
    bake("framework-cpu")

    framework = layers(engine, "samebox/framework:cpu")

    assert layers(engine, image)[: len(framework)] == framework


def test_a_change_of_train_py_makes_one_new_layer_of_less_than_a_megabyte(
    engine: DockerClient, bake: Bake, tmp_path: Path
) -> None:
    for folder in ("images", "train"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    with (tmp_path / "train" / "train.py").open("a") as script:
        script.write("# a change\n")
    changed = "samebox-test/train:changed"

    bake("train-cpu", "--set", f"train-cpu.context={tmp_path}", "--set", f"train-cpu.tags={changed}")
    before, after = layers(engine, TRAIN), layers(engine, changed)
    newest = engine.images.get(changed).history()[0]
    engine.images.remove(changed)

    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]
    assert 0 < newest["Size"] < 1_000_000
