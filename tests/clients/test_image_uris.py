"""Each URI that the SageMaker SDKs have for a framework with a stand-in is one that the alias table knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from samebox.services import image_aliases
from tests.clients.environments import ClientShell

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clients


@pytest.mark.parametrize(
    ("environment", "module"), [("newest", "sagemaker.image_uris"), ("sagemaker3", "sagemaker.core.image_uris")]
)
def test_each_uri_of_the_sdk_has_a_stand_in(environment: str, module: str, tmp_path: Path) -> None:
    printed = ClientShell(tmp_path, {}).run(environment, "image_uris.py", module).split()
    uris = [word for word in printed if ".dkr." in word]
    assert len(uris) > 1000
    aliases = image_aliases.read()
    assert [uri for uri in uris if aliases.find(uri) is None] == []
