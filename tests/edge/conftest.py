"""Two emulators for the tests of the edge: one without a token, and one that has one."""

from collections.abc import Iterator
from typing import Any

import pytest

from samebox.settings import Settings
from tests.edge.asking import BUCKET, TOKEN, client, emulator, settings_of


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with emulator(settings_of(tmp_path_factory.mktemp("unlocked"))) as settings:
        yield settings


@pytest.fixture
def s3(unlocked: Settings) -> Iterator[Any]:
    found = client("s3", unlocked)
    found.create_bucket(Bucket=BUCKET)
    found.put_object(Bucket=BUCKET, Key="victim", Body=b"precious")
    yield found
    for one in found.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        found.delete_object(Bucket=BUCKET, Key=one["Key"])
    found.close()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with emulator(settings_of(tmp_path_factory.mktemp("locked"), token=TOKEN)) as settings:
        yield settings
