"""Images of tests that no run uses any more are removed, and no others."""

import secrets
import subprocess
import time

import pytest

from tests import image_store
from tests.tiny_image import import_tiny

pytestmark = pytest.mark.docker


def test_an_image_that_no_run_has_used_for_a_day_loses_its_name() -> None:
    own = f"{image_store.PREFIX}sweep-{secrets.token_hex(4)}"
    left, named_before = f"{own}:left", time.time()
    image = docker("image", "inspect", "--format", "{{.Id}}", import_tiny("plain"))
    docker("tag", image, left)
    assert image_store.sweep(f"{own}*", named_before + image_store.UNUSED_SECONDS) == []
    assert image_store.use(left)
    assert image_store.sweep(f"{own}*", time.time() + image_store.UNUSED_SECONDS) == [left]
    assert not image_store.use(left)


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True, timeout=120).stdout.strip()
