"""Resources: changes that meet each other, and what the model derives."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.errors import AwsError
from samebox.resources.kinds import ENDPOINT, KINDS, MODEL, REPOSITORY, TRAINING_JOB
from samebox.resources.lifecycle import IllegalMove
from samebox.resources.resources import Resources
from samebox.resources.store import Changed, Resource, Store
from samebox.wire.caller import Caller
from samebox.wire.models import Models

CALLER = Caller("123456789012", "us-east-1")


@pytest.fixture
def resources(tmp_path: Path, models: Models) -> Iterator[Resources]:
    store = Store(tmp_path / "state.sqlite")
    ticks = iter(range(1_000_000))
    yield Resources(store, models, KINDS, lambda: float(next(ticks)))
    store.close()


def job(resources: Resources, name: str = "one") -> Resource:
    return resources.create(TRAINING_JOB, CALLER, {"TrainingJobName": name})


def test_operations_and_members_of_a_kind_come_from_the_model(resources: Resources) -> None:
    derived = resources.derived(TRAINING_JOB)
    assert derived.operations.names() == (
        "CreateTrainingJob", "DescribeTrainingJob", "ListTrainingJobs", "DeleteTrainingJob", "UpdateTrainingJob",
    )  # fmt: skip
    assert (derived.identity.name, derived.arn_member) == ("TrainingJobName", "TrainingJobArn")
    assert derived.lists is not None
    assert (derived.lists.key, derived.lists.descending) == ("TrainingJobSummaries", False)
    models = resources.derived(MODEL).lists
    assert models is not None
    assert models.descending
    repository = resources.derived(REPOSITORY)
    assert repository.lists is not None
    assert (repository.identity.name, repository.operations.list, repository.lists.key) == (
        "repositoryName",
        "DescribeRepositories",
        "repositories",
    )


def test_an_old_copy_changes_the_newest_version(resources: Resources) -> None:
    old = job(resources)
    resources.change(old, lambda _: {"First": 1})
    newest = resources.change(old, lambda row: {"Second": row.state.get("First", 0) + 1})
    assert (newest.state["First"], newest.state["Second"]) == (1, 2)


def test_an_old_copy_moves_the_newest_version(resources: Resources) -> None:
    old = job(resources)
    resources.advance(old, "Downloading")
    assert resources.advance(old, "Training", Fact=1).state["SecondaryStatus"] == "Training"


def test_a_stop_is_not_overtaken_by_an_old_copy(resources: Resources) -> None:
    old = job(resources)
    resources.advance(old, "Stopping")
    with pytest.raises(IllegalMove, match="Stopping -> Downloading"):
        resources.advance(old, "Downloading")


def test_what_is_gone_cannot_be_changed_even_if_there_is_another_of_its_name(resources: Resources) -> None:
    old = job(resources)
    resources.delete(resources.change(old, lambda _: {"a": 1}))
    job(resources)
    with pytest.raises(Changed):
        resources.change(old, lambda _: {"b": 1})


def test_unfinished_are_those_that_have_moves_left(resources: Resources) -> None:
    made = [job(resources, name) for name in ("a", "b", "c")]
    resources.advance(made[1], "Failed")
    resources.advance(made[2], "Stopping")
    assert [row.name for row in resources.unfinished(TRAINING_JOB)] == ["a", "c"]
    assert resources.unfinished(MODEL) == []
    endpoint = resources.create(ENDPOINT, CALLER, {"EndpointName": "e"})
    resources.advance(endpoint, "Deleting")
    assert [row.name for row in resources.unfinished(ENDPOINT)] == ["e"], "until its containers are gone"


def test_only_endpoints_are_found_by_a_name_in_another_case(resources: Resources) -> None:
    job(resources, "Mixed")
    resources.create(ENDPOINT, CALLER, {"EndpointName": "Mixed"})
    assert resources.find(TRAINING_JOB, CALLER, "mixed") is None
    assert resources.get(ENDPOINT, CALLER, "mixed").name == "Mixed"


def test_tagging_is_no_modification(resources: Resources) -> None:
    made = job(resources)
    tagged = resources.tag(made, {"a": "1"})
    assert (tagged.tags, tagged.modified) == ({"a": "1"}, made.modified)


def test_a_filter_without_a_rule_is_refused_by_name(resources: Resources) -> None:
    with pytest.raises(AwsError, match="ListTrainingJobs with SomethingNew"):
        resources.page(TRAINING_JOB, CALLER, {"SomethingNew": 1})


def test_a_token_of_another_order_is_refused(resources: Resources) -> None:
    job(resources, "a")
    job(resources, "b")
    token = resources.page(TRAINING_JOB, CALLER, {"MaxResults": 1})["NextToken"]
    with pytest.raises(AwsError, match="another operation, SortBy"):
        resources.page(TRAINING_JOB, CALLER, {"NextToken": token, "SortBy": "Name"})


def test_an_arn_of_the_older_form_is_kept_and_found_by_either_form(tmp_path: Path, models: Models) -> None:
    store = Store(tmp_path / "state.sqlite")
    old = Resources(store, models, KINDS, lambda: 1.0, lower_case_arns=True)
    row = job(old, "Digits-CNN")
    assert row.arn == "arn:aws:sagemaker:us-east-1:123456789012:training-job/digits-cnn"
    now = Resources(store, models, KINDS, lambda: 2.0)
    assert now.get(TRAINING_JOB, CALLER, "Digits-CNN") == row
    assert now.by_arn(row.arn) == now.by_arn(TRAINING_JOB.arn("123456789012", "us-east-1", "Digits-CNN")) == row
    assert now.change(row, lambda _: {"Fact": 1}).arn == row.arn
    now.delete(row)
    assert job(now, "Digits-CNN").arn.endswith("training-job/Digits-CNN")
    store.close()


def test_an_arn_of_another_partition_or_of_nothing_leads_nowhere(resources: Resources) -> None:
    caller = Caller("123456789012", "cn-north-1")
    row = resources.create(TRAINING_JOB, caller, {"TrainingJobName": "One"})
    assert row.arn == "arn:aws-cn:sagemaker:cn-north-1:123456789012:training-job/One"
    # Earlier versions wrote "aws" for every region.
    assert resources.by_arn("arn:aws:sagemaker:cn-north-1:123456789012:training-job/one") == row
    for arn in (
        "arn:aws-us-gov:sagemaker:cn-north-1:123456789012:training-job/One",
        "arn:aws-cn:sagemaker:cn-north-1:123456789012:training-job/oNE",
        "arn:aws-cn:sagemaker:cn-north-1:123456789012:mystery/One",
        "arn:aws-cn:sagemaker:cn-north-1",
        "One",
        "",
    ):
        assert resources.by_arn(arn) is None
