"""What holds for every noun of SageMaker's model, those included that are not run yet: each can be told apart."""

import itertools
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from samebox.errors import AwsError, ValidationException
from samebox.resources import nouns
from samebox.resources.derived import derive
from samebox.resources.identity import ByArn, ByName, Compound, Generated, Identity, PartOf, Versioned
from samebox.resources.kind import Kind
from samebox.resources.resources import Resources
from samebox.resources.store import Resource, Store
from samebox.wire.models import Models, Service
from samebox.wire.patterns import matcher
from tests.conftest import CALLER

_MODELS = Models()
SERVICE = _MODELS.service("sagemaker")
NOUNS = nouns.nouns(SERVICE)
CONTRACT = (Path(__file__).resolve().parents[2] / "docs" / "contract.md").read_text()

# How the nouns are told apart that are not told apart by a name of their own.
STRATEGIES: dict[type, set[str]] = {
    Compound: {"App", "Job", "Space", "UserProfile"},
    Generated: {"ClusterSchedulerConfig", "ComputeQuota", "Domain"},
    Versioned: {"ImageVersion", "ModelPackage"},
    ByArn: {"Artifact", "ClusterExtension", "MlflowApp", "ModelCardExportJob", "PartnerApp"},
    PartOf: {"AutoMLJobV2", "EdgeDeploymentStage", "HubContentReference"},
}
# The model has no pattern for their ARNs, nor has contract.md §6.2; AWS's service authorization reference names them.
UNSEEN = {f"{kind}-job-definition" for kind in ("data-quality", "model-bias", "model-explainability", "model-quality")}

# Their patterns have a region without digits, or IAM in place of SageMaker.
NO_REGION = {"DeviceFleet", "EdgeDeploymentPlan", "EdgePackagingJob"}

each_noun = pytest.mark.parametrize("noun", NOUNS)
each_own = pytest.mark.parametrize("noun", [noun for noun in NOUNS if noun not in STRATEGIES[PartOf]])


def made_up(noun: str) -> Kind:
    """A kind as one line makes it."""
    return Kind(noun, lambda arn: ValidationException(f"{arn} is there"), lambda arn: ValidationException(f"no {arn}"))


def identity(noun: str) -> Identity:
    found = nouns.identity(noun, SERVICE)
    assert not isinstance(found, PartOf)
    return found


def members(operation: str) -> set[str]:
    shape = SERVICE.operations[operation].input
    return set(shape.members) if shape is not None else set()


def test_there_are_as_many_nouns_as_creates_that_make_something() -> None:
    urls = {name for name in SERVICE.operations if name.startswith("Create") and "Presigned" in name}
    creates = {name for name in SERVICE.operations if name.startswith("Create")}
    assert {f"Create{noun}" for noun in NOUNS} == creates - urls
    assert len(NOUNS) == 69


@each_noun
def test_each_noun_is_identified_by_one_strategy(noun: str) -> None:
    expected = next((strategy for strategy, some in STRATEGIES.items() if noun in some), ByName)
    assert type(nouns.identity(noun, SERVICE)) is expected


@each_own
def test_requests_have_the_members_of_the_identity(noun: str) -> None:
    names = nouns.operations(noun, SERVICE)
    own = identity(noun)
    assert set(own.needs) <= members(names.create)
    assert own.asks
    for operation in filter(None, (names.describe, names.delete)):
        assert set(own.asks) <= members(operation), operation


@pytest.mark.parametrize("noun", sorted(STRATEGIES[PartOf]))
def test_what_is_part_of_another_noun_has_none_of_its_own(noun: str) -> None:
    found = nouns.identity(noun, SERVICE)
    assert isinstance(found, PartOf)
    assert f"Describe{found.noun}" in SERVICE.operations
    with pytest.raises(LookupError, match=found.noun):
        derive(made_up(noun), SERVICE)


def pattern(noun: str) -> str:
    """The pattern of the noun's ARNs, '' where the model has none that says more than `.*`."""
    names = nouns.operations(noun, SERVICE)
    member = nouns.arn_member(noun, SERVICE)
    shapes = [
        shape.members[member].shape
        for operation in filter(None, (names.create, names.describe))
        if (shape := SERVICE.operations[operation].output) is not None and member in shape.members
    ]
    shapes += [SERVICE.shapes[f"{noun}Arn"]] if f"{noun}Arn" in SERVICE.shapes else []
    return next((shape.pattern for shape in shapes if shape.pattern and "arn:" in shape.pattern), "")


@each_own
def test_the_type_word_of_arns_is_the_models_or_that_of_the_contract(noun: str) -> None:
    word = nouns.arn_type(noun)
    if pattern(noun):
        assert re.search(rf":{word}\\?/", pattern(noun)), pattern(noun)
    else:
        types = re.search(r"types \[M\]: `([^`]+)`", CONTRACT)
        assert types
        assert word in types[1].split(", ") or word in UNSEEN


@pytest.mark.parametrize("noun", nouns._IDENTITIES)
def test_a_row_of_identities_is_needed(noun: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = nouns.identity(noun, SERVICE)
    monkeypatch.setattr(nouns, "_IDENTITIES", {})
    try:
        derived: object = nouns.identity(noun, SERVICE)
    except LookupError:
        derived = None
    assert derived != row


@pytest.mark.parametrize("noun", nouns._ARN_TYPES)
def test_a_row_of_arn_types_is_needed(noun: str, monkeypatch: pytest.MonkeyPatch) -> None:
    word = nouns.arn_type(noun)
    monkeypatch.setattr(nouns, "_ARN_TYPES", {})
    assert nouns.arn_type(noun) != word


class KindInStore:
    """Resources over one made-up kind."""

    def __init__(self, noun: str, path: Path) -> None:
        self.kind = made_up(noun)
        self.store = Store(path / "state.sqlite")
        ticks = itertools.count(1)
        self.resources = Resources(self.store, _MODELS, (self.kind,), lambda: float(next(ticks)))
        self.derived = self.resources.derived(self.kind)

    def create(self, **changes: Any) -> Resource:
        return self.resources.create(self.kind, CALLER, {**request(self.kind.noun), **changes})

    def named(self, resource: Resource) -> Resource:
        """The resource as Describe finds it, by what Create, Describe and List have shown of it."""
        shown = self.resources.present(resource)
        asked = {member: shown[member] for member in members(self.derived.operations.describe) if member in shown}
        if self.kind.noun == "ModelPackage":  # what is shown is the name of its group
            asked = {"ModelPackageName": resource.arn}
        return self.resources.named(self.kind, CALLER, asked)


def request(noun: str, mark: str = "a") -> dict[str, Any]:
    """What Create needs to tell a new resource apart."""
    made: dict[str, Any] = {}
    for member in identity(noun).needs:
        if member.endswith("Arn"):
            made[member] = f"arn:aws:sagemaker:us-east-1:123456789012:cluster/{mark * 12}"
        elif member == "Source":
            made[member] = {"SourceUri": f"s3://bucket/{mark}", "SourceTypes": []}
        else:
            made[member] = f"d-{mark}" if member == "DomainId" else f"one{mark}"
    return made


@pytest.fixture
def stored(noun: str, tmp_path: Path) -> Iterator[KindInStore]:
    one = KindInStore(noun, tmp_path)
    yield one
    one.store.close()


@each_own
def test_a_resource_of_each_noun_is_found_until_it_is_deleted(stored: KindInStore, noun: str) -> None:
    first, second = stored.create(), stored.create(**request(noun, "b"))
    assert first.arn != second.arn
    if pattern(noun) and noun not in NO_REGION:
        assert matcher(pattern(noun))(first.arn), (first.arn, pattern(noun))
    for row in (first, second):
        assert stored.named(row) == stored.resources.by_arn(row.arn) == row
    if stored.derived.lists is not None:
        required = SERVICE.operations[stored.derived.operations.list].input
        assert required is not None
        asked = {member: request(noun).get(member) for member in required.required}
        page = stored.resources.page(stored.kind, CALLER, {**asked, "MaxResults": 100})
        found = [one[stored.derived.arn_member] for one in page[stored.derived.lists.key]]
        assert sorted(found) == sorted([first.arn] if asked else [first.arn, second.arn])
    stored.resources.delete(first)
    with pytest.raises(AwsError, match="no arn:aws:sagemaker:"):
        stored.named(first)
    assert stored.named(second) == second


@pytest.mark.parametrize("noun", sorted({*NOUNS} - STRATEGIES[Generated] - STRATEGIES[Versioned] - STRATEGIES[PartOf]))
def test_an_identity_is_taken_once(stored: KindInStore, noun: str) -> None:
    first = stored.create()
    makes_ids = isinstance(own := identity(noun), ByArn) and not all(isinstance(piece, str) for piece in own.pieces)
    if makes_ids:
        assert stored.create().arn != first.arn
    else:
        with pytest.raises(AwsError, match="is there"):
            stored.create()


@pytest.mark.parametrize("noun", ["ModelPackage"])
def test_versions_count_up_in_their_group(stored: KindInStore, noun: str) -> None:
    group, other = {"ModelPackageGroupName": "Digits"}, {"ModelPackageGroupName": "letters"}
    paths = [stored.resources.create(stored.kind, CALLER, one).arn.rpartition(":")[2] for one in (group, group, other)]
    assert paths == ["model-package/Digits/1", "model-package/Digits/2", "model-package/letters/1"]
    alone = stored.resources.create(stored.kind, CALLER, {"ModelPackageName": "alone"})
    for asked, path in (("digits/2", paths[1]), ("alone", "model-package/alone"), (alone.arn, "model-package/alone")):
        found = stored.resources.named(stored.kind, CALLER, {"ModelPackageName": asked})
        assert found.arn.endswith(path)
    with pytest.raises(ValidationException, match="ModelPackageName, ModelPackageGroupName"):
        stored.resources.create(stored.kind, CALLER, {})


@pytest.mark.parametrize("noun", ["ModelPackage"])
def test_versions_that_are_made_at_once_have_different_numbers(stored: KindInStore, noun: str) -> None:
    def create(_: int) -> str:
        return stored.resources.create(stored.kind, CALLER, {"ModelPackageGroupName": "digits"}).arn

    with ThreadPoolExecutor(4) as pool:
        arns = list(pool.map(create, range(20)))
    assert {int(arn.rpartition("/")[2]) for arn in arns} == set(range(1, 21))


@pytest.mark.parametrize("noun", ["ImageVersion"])
def test_without_a_version_the_newest_is_meant(stored: KindInStore, noun: str) -> None:
    first, second = stored.create(), stored.create()
    asked = {"ImageName": "onea"}
    assert stored.resources.named(stored.kind, CALLER, asked) == second
    assert stored.resources.named(stored.kind, CALLER, {**asked, "Version": 1}) == first


@pytest.mark.parametrize("noun", ["App"])
def test_one_of_several_members_may_be_part_of_an_identity(stored: KindInStore, noun: str) -> None:
    app = {"DomainId": "d-1", "AppType": "JupyterServer", "AppName": "default"}
    user = stored.resources.create(stored.kind, CALLER, {**app, "UserProfileName": "User"})
    space = stored.resources.create(stored.kind, CALLER, {**app, "SpaceName": "space"})
    assert user.arn.endswith(":app/d-1/User/JupyterServer/default")
    assert stored.resources.named(stored.kind, CALLER, {**app, "SpaceName": "space"}) == space
    with pytest.raises(ValidationException, match="One of UserProfileName, SpaceName is required"):
        stored.resources.create(stored.kind, CALLER, app)


@pytest.mark.parametrize("noun", ["Artifact"])
def test_an_artifact_is_named_by_its_source_too(stored: KindInStore, noun: str) -> None:
    made = stored.create()
    found = stored.resources.named(stored.kind, CALLER, {"Source": {"SourceUri": "s3://bucket/a"}})
    assert found == made
    with pytest.raises(ValidationException, match="One of ArtifactArn, Source is required"):
        stored.resources.named(stored.kind, CALLER, {})


def test_a_noun_without_operations_has_a_name() -> None:
    service: Service = _MODELS.service("sts")
    assert nouns.identity("Session", service) == ByName("SessionName")
    assert nouns.operations("Session", service).names() == ()
