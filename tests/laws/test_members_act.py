"""Each member does what its table says: a value that is changed has an effect, has none, or is refused by name.

The requests go to a whole emulator that runs what it is asked for.
"""

import io
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import astuple
from typing import Any

import pytest

from samebox.containers.fake import FakeEngine
from samebox.resources.kinds import STORED
from samebox.services.members.row import Members, accepted, acted_on, refused
from samebox.services.members.tables import TABLES
from samebox.services.operations import operations
from tests import samples
from tests.conftest import Aws
from tests.laws import invariants
from tests.laws.members import MODELS, only_stored, table_of
from tests.laws.probes import PROBES
from tests.laws.probes.programs import programs
from tests.laws.probes.values import CONFIG, MODEL, OTHER_IMAGE, OTHER_MODEL, SECOND_MANIFEST
from tests.laws.probing import Params, ProbedEmulator, Prober
from tests.laws.test_documents import ROOT
from tests.laws.whole_emulator import s3_client, whole_emulator

OPERATIONS = [(service, operation) for service, probes in PROBES.items() for operation in probes]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProbedEmulator]:
    seen: dict[str, list[Any]] = {}
    with whole_emulator(tmp_path_factory.mktemp("world"), programs(seen)) as whole:
        one = ProbedEmulator(whole, seen)
        _add_second(one)
        yield one


def _add_second(world: ProbedEmulator) -> None:
    """A second image, model and configuration, which differ from the first in all that matters."""
    emulator = world.whole.emulator
    with closing(s3_client(emulator.settings)) as s3:
        s3.put_object(Bucket="samples", Key=OTHER_MODEL.removeprefix("s3://samples/"), Body=_archive())
    for service, operation, params in (
        ("ecr", "CreateRepository", {"repositoryName": "second"}),
        ("ecr", "PutImage", {"repositoryName": "second", "imageManifest": SECOND_MANIFEST, "imageTag": "latest"}),
    ):
        assert world.ask(service, operation, params).status == 200
    (image,) = world.ask("ecr", "DescribeImages", {"repositoryName": "second"}).parsed["imageDetails"]
    reference = f"localhost:{emulator.settings.port}/second@{image['imageDigest']}"
    assert isinstance(emulator.engine, FakeEngine)
    emulator.engine.add_image(reference, programs(world.seen))
    container = {"Image": OTHER_IMAGE, "ModelDataUrl": OTHER_MODEL}
    variant = {**samples.ENDPOINT_CONFIG["ProductionVariants"][0], "ModelName": "second"}
    model: Params = {**samples.MODEL, "ModelName": "second", "PrimaryContainer": container}
    config: Params = {"EndpointConfigName": "second", "ProductionVariants": [variant]}
    for call, request in ((MODEL, model), (CONFIG, config)):
        assert world.ask(*call[:2], request).status == 200


def _archive() -> bytes:
    raw, content = io.BytesIO(), b"other weights"
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        member = tarfile.TarInfo("weights")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return raw.getvalue()


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_each_member_does_what_its_table_has(world: ProbedEmulator, service: str, operation: str) -> None:
    table = table_of(service, operation)
    assert table is not None
    assert Prober(world, service, operation, PROBES[service][operation]).wrong(table) == []


def test_each_operation_with_members_is_tried_out(aws: Aws) -> None:
    """But for those of nouns that are only stored: each member is shown again (tests/laws/test_kinds.py)."""
    run = {(service, operation) for service, known in operations(aws.services).items() for operation in known}
    # S3's are read by the tests of its services, and by test_s3_members.py.
    run |= {(service, operation) for service, tables in TABLES.items() for operation in tables if service != "s3"}
    run -= {("sagemaker", operation) for operation in only_stored()}
    shapes = {one: MODELS.operation(*one).input for one in run}
    stored = {
        (kind.service, name)
        for kind in STORED
        for name in astuple(aws.resources.derived(kind).operations)
        if isinstance(name, str)
    }
    tried = {one for one, shape in shapes.items() if shape is not None and shape.members}
    assert tried - stored == set(OPERATIONS)


@pytest.mark.parametrize(
    "test_id", sorted({one for probes in PROBES.values() for probe in probes.values() for one in probe.proven.values()})
)
def test_what_cannot_be_tried_out_has_a_test(test_id: str) -> None:
    file, _, test = test_id.partition("::")
    assert test in invariants.collected(ROOT / file)


# That an effect, and none, is seen

_ETAG = "PrimaryContainer.ModelDataSource.S3DataSource.ManifestEtag"


@pytest.mark.parametrize(
    ("operation", "member", "said", "fault"),
    [
        ("CreateModel", _ETAG, acted_on, "is acted on, and nothing changes with its value"),
        ("CreateTrainingJob", "HyperParameters", accepted, "is accepted without effect, and has one"),
        ("CreateTrainingJob", "HyperParameters", refused, "is refused, and is answered 200 : "),
    ],
)
def test_a_table_that_is_wrong_is_found(
    world: ProbedEmulator, operation: str, member: str, said: Callable[..., Members], fault: str
) -> None:
    table = said(member, "for a reason") if said is accepted else said(member)
    rest = tuple(row for row in TABLES["sagemaker"][operation] if row.path != member)
    probe = PROBES["sagemaker"][operation]
    assert Prober(world, "sagemaker", operation, probe).wrong((*table, *rest), member) == [f"{member} {fault}"]
