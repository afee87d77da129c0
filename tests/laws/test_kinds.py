"""What holds for every Kind: it is created, described, listed, paged, filtered, sorted, tagged and deleted alike."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from samebox.resources import nouns
from samebox.resources.identity import ByName
from samebox.resources.kind import Kind
from samebox.resources.kinds import CONTAINER_JOBS, KINDS, STORED
from samebox.resources.query import Column, Query
from samebox.settings import Settings
from samebox.wire.models import Models
from samebox.wire.patterns import matcher
from samebox.wire.schema import Shape
from tests import samples
from tests.conftest import Aws, running_aws, snake
from tests.laws.list_documentation import documented
from tests.ports import free_port

SERVICE = Models().service("sagemaker")
SAGEMAKER = [kind for kind in KINDS if kind.service == "sagemaker"]
# What has a name of its own. Of the others, which have a number or an ARN, the law of nouns and their own tests speak.
NAMED = [kind for kind in SAGEMAKER if isinstance(nouns.identity(kind.noun, SERVICE), ByName)]


@pytest.fixture(params=NAMED, ids=lambda kind: str(kind.noun))
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory, models: Models, boto: boto3.session.Session) -> Iterator[Aws]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("kinds"), port=free_port())
    with running_aws(settings, models, boto) as one:
        yield one


@pytest.fixture
def aws(emulator: Aws) -> Iterator[Aws]:
    """One emulator for all of these many tests, empty for each."""
    yield emulator
    for row in emulator.resources.store.find(Query(tuple(kind.noun for kind in SAGEMAKER))):
        emulator.resources.store.delete(row)


def call(aws: Aws, verb: str, noun: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(aws.sagemaker, f"{verb}_{snake(noun)}")(**params)
    return answer


def list_method(kind: Kind) -> str:
    return snake(nouns.operations(kind.noun, SERVICE).list)


def name(kind: Kind, value: str) -> dict[str, str]:
    return {name_member(kind): value}


def name_member(kind: Kind) -> str:
    identity = nouns.identity(kind.noun, SERVICE)
    assert isinstance(identity, ByName)
    return identity.name


def listed(aws: Aws, kind: Kind, **params: Any) -> list[str]:
    return [name_of(kind, row) for page in pages(aws, list_method(kind), params) for row in page[list_key(aws, kind)]]


def pages(aws: Aws, method: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """By the client's paginator, or by hand where botocore has none."""
    if aws.sagemaker.can_paginate(method):
        yield from aws.sagemaker.get_paginator(method).paginate(**params)  # type: ignore[call-overload]
        return
    size = params.get("PaginationConfig", {}).get("PageSize")
    asked = {member: value for member, value in params.items() if member != "PaginationConfig"}
    if size is not None:
        asked["MaxResults"] = size
    while True:
        page: dict[str, Any] = getattr(aws.sagemaker, method)(**asked)
        yield page
        if "NextToken" not in page:
            return
        asked["NextToken"] = page["NextToken"]


def name_of(kind: Kind, row: dict[str, Any]) -> str:
    member = name_member(kind)
    return str(row.get(member) or row[f"Monitoring{member}"])


def described(aws: Aws, kind: Kind, value: str) -> dict[str, Any]:
    """What Describe shows, with its time of creation under one name."""
    answer = call(aws, "describe", kind.noun, **name(kind, value))
    shown: dict[str, Any] = answer.get(kind.noun, answer)
    return {"CreationTime": shown.get("CreateDate"), "LastModifiedTime": shown.get("LastUpdatedDate"), **shown}


def sorting(aws: Aws, kind: Kind, column: str, order: str = "Ascending") -> dict[str, str]:
    """The SortBy and SortOrder of a list by name or creation, as far as it has them."""
    rules = aws.resources.derived(kind).lists
    shape = SERVICE.operations[nouns.operations(kind.noun, SERVICE).list].input
    assert rules is not None
    assert shape is not None
    values = [value for value, field in rules.sorts.items() if field == Column(column)]
    by = {"SortBy": values[0]} if values else {}
    return {**by, "SortOrder": next(one for one in shape.members["SortOrder"].shape.enum if one.title() == order)}


def list_key(aws: Aws, kind: Kind) -> str:
    rules = aws.resources.derived(kind).lists
    assert rules is not None
    return rules.key


def created(aws: Aws, kind: Kind, *names: str) -> None:
    for one in names:
        aws.create(kind.noun, **name(kind, one))


def finish(aws: Aws, kind: Kind, arn: str) -> None:
    """Bring it to where it may be deleted: the API alone cannot."""
    road = ("InService",) if kind.noun == "Endpoint" else ("Failed",) if kind in CONTAINER_JOBS else ()
    for stage in road:
        aws.resources.advance(aws.row(arn), stage)


def test_every_kind_has_a_sample() -> None:
    assert set(samples.OF_KIND) == {kind.noun for kind in SAGEMAKER}


def test_what_was_created_is_described_as_it_was_asked_for(aws: Aws, kind: Kind) -> None:
    arn = aws.create(kind.noun)
    sample = samples.OF_KIND[kind.noun]
    shown = described(aws, kind, sample[name_member(kind)])
    assert shown[nouns.arn_member(kind.noun, SERVICE)] == arn
    assert shown["CreationTime"].timestamp() == pytest.approx(aws.row(arn).created, abs=0.001)
    assert_contains(shown, {member: one for member, one in sample.items() if member not in UNSEEN.get(kind.noun, ())})


# Members of Create that Describe does not have.
UNSEEN = {
    "Workteam": {"WorkforceName"},
    "HumanTaskUi": {"UiTemplate"},
    "Workforce": {"OidcConfig", "WorkforceVpcConfig"},
    "DeviceFleet": {"EnableIotRoleAlias"},
}


def assert_contains(shown: Any, asked: Any) -> None:
    """Everything that was asked for is in what is shown, which may say more."""
    if isinstance(asked, dict):
        for member, value in asked.items():
            assert_contains(shown[member], value)
    elif isinstance(asked, list):
        assert len(shown) == len(asked)
        for one, other in zip(shown, asked, strict=True):
            assert_contains(one, other)
    elif isinstance(shown, datetime):
        assert shown.timestamp() == asked
    else:
        assert shown == asked


def test_a_name_is_taken_once(aws: Aws, kind: Kind) -> None:
    arn = aws.create(kind.noun)
    with pytest.raises(ClientError) as refused:
        aws.create(kind.noun)
    assert arn in refused.value.response["Error"]["Message"]
    assert refused.value.response["Error"]["Code"] == kind.taken(arn).code


def takes_upper_case(kind: Kind) -> bool:
    """Whether the model allows a name with capital letters."""
    shape = SERVICE.operations[nouns.operations(kind.noun, SERVICE).create].input
    assert shape is not None
    pattern = shape.members[name_member(kind)].shape.pattern
    return pattern is None or matcher(pattern)("Mixed-Case")


def test_an_arn_keeps_the_case_of_the_name_and_is_found_in_either_form(aws: Aws, kind: Kind) -> None:
    if not takes_upper_case(kind):
        return
    # Upper case in published answers of 2022-11, 2023-07, 2024-04, 2024-05 and 2025-09.
    arn = aws.create(kind.noun, **name(kind, "Mixed-Case"), Tags=[{"Key": "team", "Value": "a"}])
    assert arn == kind.arn("123456789012", "us-east-1", "Mixed-Case")
    assert arn.endswith("/Mixed-Case")
    old_form = kind.arn("123456789012", "us-east-1", "mixed-case")
    for form in (arn, old_form):
        assert aws.sagemaker.list_tags(ResourceArn=form)["Tags"] == [{"Key": "team", "Value": "a"}]
    with pytest.raises(ClientError):
        aws.sagemaker.list_tags(ResourceArn=kind.arn("123456789012", "us-east-1", "MIXED-case"))
    with pytest.raises(ClientError, match=arn):
        aws.create(kind.noun, **name(kind, "MIXED-case"))


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws")]
)
def test_an_arn_names_the_partition_of_its_region(kind: Kind, region: str, partition: str) -> None:
    arn = kind.arn("123456789012", region, "digits")
    assert arn == f"arn:{partition}:sagemaker:{region}:123456789012:{kind.arn_type}/digits"


def test_two_names_that_differ_in_case_are_one_name(aws: Aws, kind: Kind) -> None:
    if not takes_upper_case(kind):
        return
    created(aws, kind, "Mixed-Case")
    with pytest.raises(ClientError):
        created(aws, kind, "mixed-case")
    assert listed(aws, kind) == ["Mixed-Case"]


def test_a_missing_resource_has_the_message_of_its_noun(aws: Aws, kind: Kind) -> None:
    expected = kind.missing(kind.arn("123456789012", "us-east-1", "absent"))
    for verb in ("describe", *(["delete"] if nouns.operations(kind.noun, SERVICE).delete else [])):
        with pytest.raises(ClientError) as refused:
            call(aws, verb, kind.noun, **name(kind, "absent"))
        assert refused.value.response["Error"] == {"Code": expected.code, "Message": expected.message}


def test_accounts_and_regions_see_nothing_of_each_other(aws: Aws, kind: Kind) -> None:
    aws.create(kind.noun)
    plural = list_method(kind)
    key = list_key(aws, kind)
    assert getattr(aws.client("sagemaker", account="210987654321"), plural)()[key] == []
    assert getattr(aws.client("sagemaker", region="eu-west-1"), plural)()[key] == []


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("column", ["name", "created"])
def test_pages_together_are_the_list_in_order(aws: Aws, kind: Kind, column: str, order: str) -> None:
    asked = sorting(aws, kind, column, order)
    if "SortBy" not in asked and column == "name":
        return  # the list has no such order
    names = ["m", "c", "x", "a", "t", "b", "z"]
    created(aws, kind, *names)
    expected = sorted(names) if column == "name" else names
    if order == "Descending":
        expected = expected[::-1]
    assert listed(aws, kind, **asked, PaginationConfig={"PageSize": 3}) == expected


def test_the_default_order_is_the_models(aws: Aws, kind: Kind) -> None:
    names = ["first", "second", "other"]
    created(aws, kind, *names)
    sort, order, _ = documented(SERVICE.operations[nouns.operations(kind.noun, SERVICE).list])
    expected = sorted(names) if sort == "Name" else names
    assert listed(aws, kind) == (expected[::-1] if order == "Descending" else expected)


def test_a_page_stays_where_it_was_when_the_list_changes(aws: Aws, kind: Kind) -> None:
    created(aws, kind, "b", "d", "f")
    method = getattr(aws.sagemaker, list_method(kind))
    key = list_key(aws, kind)
    asked: dict[str, Any] = {**sorting(aws, kind, "name"), "MaxResults": 2}
    page = method(**asked)
    created(aws, kind, "a", "e")
    rest = method(**asked, NextToken=page["NextToken"])[key]
    assert [name_of(kind, row) for row in rest] == (["e", "f"] if "SortBy" in asked else ["f", "a"])


def test_filters_filter(aws: Aws, kind: Kind) -> None:
    created(aws, kind, "red-one", "blue-one", "red-two")
    between = aws.row(kind.arn("123456789012", "us-east-1", "blue-one")).created
    order, known = sorting(aws, kind, "name"), filters(kind)
    for wish, value, expected in (
        ("NameContains", "red", ["red-one", "red-two"]),
        ("CreationTimeAfter", between, ["red-two"]),
        ("CreationTimeBefore", between, ["red-one"]),
        ("CreatedAfter", between, ["red-two"]),
        ("CreatedBefore", between, ["red-one"]),
    ):
        if wish in known:
            assert listed(aws, kind, **{wish: value}, **order) == expected
    assert known & {"NameContains", "CreationTimeAfter", "CreatedAfter"}


def test_nothing_was_made_after_or_before_the_time_that_it_shows(aws: Aws, kind: Kind) -> None:
    aws.clock.now += 0.0004567  # finer than what is shown
    created(aws, kind, "digits")
    key = list_key(aws, kind)
    (row,) = getattr(aws.sagemaker, list_method(kind))()[key]
    for time in ("CreationTime", "LastModifiedTime"):
        if f"{time}After" not in filters(kind):
            continue
        shown = row.get(time) or described(aws, kind, "digits")[time]
        assert listed(aws, kind, **{f"{time}After": shown}) == []
        assert listed(aws, kind, **{f"{time}Before": shown}) == []
        moment = timedelta(milliseconds=1)
        assert listed(aws, kind, **{f"{time}After": shown - moment, f"{time}Before": shown + moment}) == ["digits"]


def filters(kind: Kind) -> set[str]:
    shape = SERVICE.operations[nouns.operations(kind.noun, SERVICE).list].input
    return set() if shape is None else set(shape.members)


def test_a_token_that_is_none_is_refused(aws: Aws, kind: Kind) -> None:
    for token in ("nonsense", "WzFd", "Ww=="):
        with pytest.raises(ClientError, match="ValidationException"):
            listed(aws, kind, PaginationConfig={"StartingToken": None}, NextToken=token)


def test_tags_are_added_replaced_and_removed(aws: Aws, kind: Kind) -> None:
    arn = aws.create(kind.noun, Tags=[{"Key": "team", "Value": "a"}])
    answer = aws.sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "team", "Value": "b"}, {"Key": "cost", "Value": "1"}]
    )
    assert {tag["Key"]: tag["Value"] for tag in answer["Tags"]} == {"team": "b", "cost": "1"}
    aws.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team", "never"])
    assert aws.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "cost", "Value": "1"}]


def test_tags_are_at_most_fifty(aws: Aws, kind: Kind) -> None:
    arn = aws.create(kind.noun, Tags=[{"Key": str(number), "Value": ""} for number in range(50)])
    with pytest.raises(ClientError, match="the most is 50"):
        aws.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "more", "Value": ""}])
    pages = aws.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert len(list(itertools.chain.from_iterable(page["Tags"] for page in pages))) == 50


def test_what_was_deleted_can_be_created_again(aws: Aws, kind: Kind) -> None:
    if not nouns.operations(kind.noun, SERVICE).delete:
        return  # transform jobs stay
    arn = aws.create(kind.noun)
    finish(aws, kind, arn)
    own = samples.OF_KIND[kind.noun][name_member(kind)]
    call(aws, "delete", kind.noun, **name(kind, own))
    if kind.noun == "Endpoint":
        # Deleting until its containers are gone; then the row goes.
        assert call(aws, "describe", "Endpoint", EndpointName=own)["EndpointStatus"] == "Deleting"
        aws.resources.delete(aws.row(arn))
    assert listed(aws, kind) == []
    assert aws.create(kind.noun) == arn


@pytest.mark.parametrize("stored", [kind for kind in STORED if kind in NAMED], ids=lambda kind: str(kind.noun))
def test_what_was_changed_is_described_as_it_was_asked_for(aws: Aws, stored: Kind) -> None:
    if not nouns.operations(stored.noun, SERVICE).update:
        return
    arn = aws.create(stored.noun)
    before = described(aws, stored, "digits")
    unseen = UNSEEN.get(stored.noun, set())
    shape = SERVICE.operations[f"Update{stored.noun}"].input
    assert shape is not None
    change = changed(shape, samples.of_stored(stored.noun, "Update")) | name(stored, "digits")
    removed = {member for member in change if member.endswith("ToRemove") or member == "DeleteProperties"}
    change = {member: value for member, value in change.items() if member not in removed}
    call(aws, "update", stored.noun, **change)
    shown = described(aws, stored, "digits")
    assert shown["LastModifiedTime"] > before["LastModifiedTime"]
    assert_contains(shown, {member: value for member, value in change.items() if member not in unseen})
    kept = {m: value for m, value in samples.OF_KIND[stored.noun].items() if m not in {*change, *unseen}}
    assert_contains(shown, kept)
    if stored.noun == "CodeRepository":  # Update knows the secret alone
        assert shown["GitConfig"]["RepositoryUrl"] == before["GitConfig"]["RepositoryUrl"]
    assert aws.row(arn).version == 2


def changed(shape: Shape, value: Any) -> Any:
    """The same request with other texts, where the model allows it."""
    match shape.type:
        case "structure":
            return {
                member: one if member.endswith("Name") else changed(shape.members[member].shape, one)
                for member, one in value.items()
            }
        case "list":
            return [changed(shape.element.shape, one) for one in value]
        case "map":
            return {key: changed(shape.value.shape, one) for key, one in value.items()}
        case "string" if not shape.enum and (shape.pattern is None or matcher(shape.pattern)(f"{value}c")):
            return f"{value}c"
    return value
