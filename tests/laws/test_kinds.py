"""What holds for every Kind: it is created, described, listed, paged, filtered, sorted, tagged and deleted alike."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.resources import nouns
from samebox.resources.kind import Kind
from samebox.resources.kinds import KINDS, STORED
from samebox.wire.models import Models
from tests import samples
from tests.conftest import Aws, snake
from tests.laws.list_documentation import documented

SERVICE = Models().service("sagemaker")
SAGEMAKER = [kind for kind in KINDS if kind.service == "sagemaker"]


@pytest.fixture(params=SAGEMAKER, ids=lambda kind: str(kind.noun))
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def call(aws: Aws, verb: str, noun: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = getattr(aws.sagemaker, f"{verb}_{snake(noun)}")(**params)
    return answer


def list_method(kind: Kind) -> str:
    return snake(nouns.operations(kind.noun, SERVICE).list)


def name(kind: Kind, value: str) -> dict[str, str]:
    return {f"{kind.noun}Name": value}


def listed(aws: Aws, kind: Kind, **params: Any) -> list[str]:
    pages = aws.sagemaker.get_paginator(list_method(kind)).paginate(**params)  # type: ignore[call-overload]
    key = list_key(aws, kind)
    return [row[f"{kind.noun}Name"] for page in pages for row in page[key]]


def list_key(aws: Aws, kind: Kind) -> str:
    rules = aws.resources.derived(kind).lists
    assert rules is not None
    return rules.key


def created(aws: Aws, kind: Kind, *names: str) -> None:
    for one in names:
        aws.create(kind.noun, **name(kind, one))


def finish(aws: Aws, kind: Kind, arn: str) -> None:
    """Bring it to where it may be deleted: the API alone cannot."""
    road = {"TrainingJob": ("Failed",), "ProcessingJob": ("Failed",), "Endpoint": ("InService",)}.get(kind.noun, ())
    for stage in road:
        aws.resources.advance(aws.row(arn), stage)


def test_every_kind_has_a_sample() -> None:
    assert set(samples.OF_KIND) == {kind.noun for kind in SAGEMAKER}


def test_what_was_created_is_described_as_it_was_asked_for(aws: Aws, kind: Kind) -> None:
    arn = aws.create(kind.noun)
    sample = samples.OF_KIND[kind.noun]
    shown = call(aws, "describe", kind.noun, **name(kind, sample[f"{kind.noun}Name"]))
    assert shown[f"{kind.noun}Arn"] == arn
    assert shown["CreationTime"].timestamp() == pytest.approx(aws.row(arn).created, abs=0.001)
    assert_contains(shown, sample)


def assert_contains(shown: Any, asked: Any) -> None:
    """Everything that was asked for is in what is shown, which may say more."""
    if isinstance(asked, dict):
        for member, value in asked.items():
            assert_contains(shown[member], value)
    elif isinstance(asked, list):
        assert len(shown) == len(asked)
        for one, other in zip(shown, asked, strict=True):
            assert_contains(one, other)
    else:
        assert shown == asked


def test_a_name_is_taken_once(aws: Aws, kind: Kind) -> None:
    arn = aws.create(kind.noun)
    with pytest.raises(ClientError) as refused:
        aws.create(kind.noun)
    assert arn in refused.value.response["Error"]["Message"]
    assert refused.value.response["Error"]["Code"] == kind.taken(arn).code


def test_an_arn_keeps_the_case_of_the_name_and_is_found_in_either_form(aws: Aws, kind: Kind) -> None:
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
    created(aws, kind, "Mixed-Case")
    with pytest.raises(ClientError):
        created(aws, kind, "mixed-case")
    assert listed(aws, kind) == ["Mixed-Case"]


def test_a_missing_resource_has_the_message_of_its_noun(aws: Aws, kind: Kind) -> None:
    expected = kind.missing(kind.arn("123456789012", "us-east-1", "absent"))
    for verb in ("describe", "delete"):
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
@pytest.mark.parametrize("sort", ["Name", "CreationTime"])
def test_pages_together_are_the_list_in_order(aws: Aws, kind: Kind, sort: str, order: str) -> None:
    names = ["m", "c", "x", "a", "t", "b", "z"]
    created(aws, kind, *names)
    expected = sorted(names) if sort == "Name" else names
    if order == "Descending":
        expected = expected[::-1]
    assert listed(aws, kind, SortBy=sort, SortOrder=order, PaginationConfig={"PageSize": 3}) == expected


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
    asked = {"SortBy": "Name", "SortOrder": "Ascending", "MaxResults": 2}
    page = method(**asked)
    created(aws, kind, "a", "e")
    rest = method(**asked, NextToken=page["NextToken"])[key]
    assert [row[f"{kind.noun}Name"] for row in rest] == ["e", "f"]


def test_filters_filter(aws: Aws, kind: Kind) -> None:
    created(aws, kind, "red-one", "blue-one", "red-two")
    between = aws.row(kind.arn("123456789012", "us-east-1", "blue-one")).created
    order = {"SortBy": "Name", "SortOrder": "Ascending"}
    assert listed(aws, kind, NameContains="red", **order) == ["red-one", "red-two"]
    assert listed(aws, kind, CreationTimeAfter=between, **order) == ["red-two"]
    assert listed(aws, kind, CreationTimeBefore=between, **order) == ["red-one"]


def test_nothing_was_made_after_or_before_the_time_that_it_shows(aws: Aws, kind: Kind) -> None:
    aws.clock.now += 0.0004567  # finer than what is shown
    created(aws, kind, "digits")
    key = list_key(aws, kind)
    (row,) = getattr(aws.sagemaker, list_method(kind))()[key]
    for time in ("CreationTime", "LastModifiedTime"):
        if f"{time}After" not in filters(kind):
            continue
        shown = row.get(time) or call(aws, "describe", kind.noun, **name(kind, "digits"))[time]
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
    arn = aws.create(kind.noun)
    finish(aws, kind, arn)
    own = samples.OF_KIND[kind.noun][f"{kind.noun}Name"]
    call(aws, "delete", kind.noun, **name(kind, own))
    if kind.noun == "Endpoint":
        # Deleting until its containers are gone; then the row goes.
        assert call(aws, "describe", "Endpoint", EndpointName=own)["EndpointStatus"] == "Deleting"
        aws.resources.delete(aws.row(arn))
    assert listed(aws, kind) == []
    assert aws.create(kind.noun) == arn


@pytest.mark.parametrize("stored", STORED, ids=lambda kind: str(kind.noun))
def test_what_was_changed_is_described_as_it_was_asked_for(aws: Aws, stored: Kind) -> None:
    if not nouns.operations(stored.noun, SERVICE).update:
        return
    arn = aws.create(stored.noun)
    before = call(aws, "describe", stored.noun, **name(stored, "digits"))
    change = changed(samples.of_stored(stored.noun, "Update"))
    call(aws, "update", stored.noun, **change)
    shown = call(aws, "describe", stored.noun, **name(stored, "digits"))
    assert shown["LastModifiedTime"] > before["LastModifiedTime"]
    assert_contains(shown, change)
    kept = {member: value for member, value in samples.OF_KIND[stored.noun].items() if member not in change}
    assert_contains(shown, kept)
    if stored.noun == "CodeRepository":  # Update knows the secret alone
        assert shown["GitConfig"]["RepositoryUrl"] == before["GitConfig"]["RepositoryUrl"]
    assert aws.row(arn).version == 2


def changed(request: Any) -> Any:
    """The same request with other texts, where their form allows it."""
    if isinstance(request, dict):
        return {member: one if member.endswith("Name") else changed(one) for member, one in request.items()}
    if isinstance(request, list):
        return [changed(one) for one in request]
    return f"{request}c" if isinstance(request, str) else request
