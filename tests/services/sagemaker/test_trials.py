"""Experiments, trials and components: what is part of what, and what cannot be deleted while it is."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Aws


@pytest.fixture
def tracked(aws: Aws) -> Aws:
    """The experiment `digits` with the trials `one` and `two`; the component `fit` is in both, `other` in none."""
    sagemaker = aws.sagemaker
    sagemaker.create_experiment(ExperimentName="digits")
    for trial in ("one", "two"):
        sagemaker.create_trial(TrialName=trial, ExperimentName="digits")
    for component in ("fit", "other"):
        sagemaker.create_trial_component(TrialComponentName=component)
    for trial in ("one", "two"):
        sagemaker.associate_trial_component(TrialName=trial, TrialComponentName="fit")
    return aws


def components(aws: Aws, **asked: str) -> list[str]:
    found = aws.sagemaker.list_trial_components(**asked)["TrialComponentSummaries"]  # type: ignore[arg-type]
    return sorted(one["TrialComponentName"] for one in found)


def trials(aws: Aws, **asked: str) -> list[str]:
    return sorted(one["TrialName"] for one in aws.sagemaker.list_trials(**asked)["TrialSummaries"])  # type: ignore[arg-type]


def test_a_trial_needs_its_experiment(aws: Aws) -> None:
    with pytest.raises(aws.sagemaker.exceptions.ResourceNotFound, match=r"Experiment 'arn:.*/none' does not exist"):
        aws.sagemaker.create_trial(TrialName="one", ExperimentName="none")


def test_a_name_that_is_taken_is_refused_with_the_text_that_older_and_newer_sdks_look_for(aws: Aws) -> None:
    arn = aws.create("Experiment")
    with pytest.raises(ClientError, match="ValidationException") as refused:
        aws.create("Experiment")
    message = "Experiment names must be unique within an AWS account and region, and an experiment with this name"
    assert refused.value.response["Error"]["Message"] == f"{message} already exists ({arn})"


def test_without_a_display_name_the_name_is_displayed_until_there_is_one(aws: Aws) -> None:
    aws.sagemaker.create_experiment(ExperimentName="digits")
    assert aws.sagemaker.describe_experiment(ExperimentName="digits")["DisplayName"] == "digits"
    aws.sagemaker.update_experiment(ExperimentName="digits", DisplayName="Digits")
    assert aws.sagemaker.describe_experiment(ExperimentName="digits")["DisplayName"] == "Digits"


def test_components_are_listed_by_trial_and_by_experiment(tracked: Aws) -> None:
    tracked.sagemaker.create_experiment(ExperimentName="empty")
    assert components(tracked) == ["fit", "other"]
    assert components(tracked, TrialName="one") == ["fit"]
    assert components(tracked, ExperimentName="digits") == ["fit"]
    assert components(tracked, ExperimentName="empty") == []


def test_trials_are_listed_by_experiment_and_by_component(tracked: Aws) -> None:
    tracked.sagemaker.create_experiment(ExperimentName="empty")
    assert trials(tracked, ExperimentName="digits") == ["one", "two"]
    assert trials(tracked, ExperimentName="empty") == []
    assert trials(tracked, TrialComponentName="fit") == ["one", "two"]
    assert trials(tracked, TrialComponentName="other") == []


def test_lists_of_what_is_not_there_are_refused(aws: Aws) -> None:
    for asked in ({"TrialName": "none"}, {"ExperimentName": "none"}):
        with pytest.raises(aws.sagemaker.exceptions.ResourceNotFound):
            components(aws, **asked)


def test_what_has_parts_cannot_be_deleted_before_them(tracked: Aws) -> None:
    sagemaker = tracked.sagemaker
    with pytest.raises(ClientError, match=r"Experiment 'arn:.*' is linked to 1 or more trials and cannot be deleted"):
        sagemaker.delete_experiment(ExperimentName="digits")
    with pytest.raises(ClientError, match=r"TrialComponent 'arn:.*' is linked to 1 or more trials and cannot"):
        sagemaker.delete_trial_component(TrialComponentName="fit")
    with pytest.raises(ClientError, match=r"Trial 'arn:.*' is linked to 1 or more trial components"):
        sagemaker.delete_trial(TrialName="one")
    for trial in ("one", "two"):
        sagemaker.disassociate_trial_component(TrialName=trial, TrialComponentName="fit")
        sagemaker.delete_trial(TrialName=trial)
    sagemaker.delete_trial_component(TrialComponentName="fit")
    sagemaker.delete_experiment(ExperimentName="digits")
    assert components(tracked) == ["other"]


def test_what_is_associated_twice_is_associated_once(tracked: Aws) -> None:
    tracked.sagemaker.associate_trial_component(TrialName="one", TrialComponentName="fit")
    tracked.sagemaker.disassociate_trial_component(TrialName="one", TrialComponentName="fit")
    with pytest.raises(tracked.sagemaker.exceptions.ResourceNotFound, match="is not associated with Trial"):
        tracked.sagemaker.disassociate_trial_component(TrialName="one", TrialComponentName="fit")


def test_an_update_of_a_component_adds_replaces_and_removes(aws: Aws) -> None:
    number: Any = {"a": {"NumberValue": 1.0}, "b": {"NumberValue": 2.0}}
    aws.sagemaker.create_trial_component(TrialComponentName="fit", Parameters=number)
    aws.sagemaker.update_trial_component(
        TrialComponentName="fit",
        Parameters={"b": {"NumberValue": 3.0}, "c": {"StringValue": "x"}},
        ParametersToRemove=["a"],
    )
    shown = aws.sagemaker.describe_trial_component(TrialComponentName="fit")["Parameters"]
    assert shown == {"b": {"NumberValue": 3.0}, "c": {"StringValue": "x"}}
