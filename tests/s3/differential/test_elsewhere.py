"""Each behaviour through an emulator whose S3 is another one's."""

from collections.abc import Iterator

import pytest

from samebox import server
from samebox.containers.fake import FakeEngine
from samebox.settings import Settings
from tests.ports import free_port
from tests.s3.differential.behaviours import BEHAVIOURS, differences
from tests.s3.differential.calls import ACCOUNT, S3Side
from tests.s3.differential.test_behaviours import observed
from tests.s3_server import serving

# What cannot be the same, with the reason.
DIFFERENT = {
    "buckets: a region that is not that of the request": "requests are signed for one region, that of the other S3",
    "buckets: another region must be named": "requests are signed for one region, that of the other S3",
    "presigned: a preflight of an origin, allowed": "which pages may read objects is known to the other S3 alone",
}


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Side]:
    """An emulator that passes S3's requests on to a server as ours."""
    folder = tmp_path_factory.mktemp("here")
    with serving(tmp_path_factory.mktemp("there"), gateway=True) as there:
        settings = Settings(
            port=free_port(), data_dir=folder, s3_url=there.url, s3_credentials=f"{ACCOUNT}:secret",
            container_credentials=False,
        )  # fmt: skip
        with server.running(settings, FakeEngine(folder / "engine")):
            side = S3Side(settings.url)
            yield side
            side.close()


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Side]:
    """Our server, with the buckets of these tests alone."""
    with serving(tmp_path_factory.mktemp("objects"), gateway=True) as one:
        side = S3Side(one.url)
        yield side
        side.close()


@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
def test_an_s3_elsewhere_answers_as_ours(name: str, through: S3Side, direct: S3Side) -> None:
    found = differences(observed(through, name), observed(direct, name))
    assert bool(found) == (name in DIFFERENT), found
