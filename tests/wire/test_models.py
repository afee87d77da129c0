"""What botocore's files say, as we read them."""

import botocore.loaders
import botocore.session
import pytest

from samebox.wire.models import SPOKEN, Models, Paginator

MODELS = Models()


@pytest.mark.parametrize("name", SPOKEN)
def test_a_service_has_the_shapes_of_botocore(name: str) -> None:
    service = MODELS.service(name)
    theirs = botocore.session.get_session().get_service_model(name)
    assert service.signing_name == theirs.signing_name
    assert service.endpoint_prefix == theirs.endpoint_prefix
    assert service.api_version == theirs.api_version
    assert set(service.shapes) == set(theirs.shape_names)


@pytest.mark.parametrize("name", SPOKEN)
def test_paginators_are_botocores_with_its_own_additions(name: str) -> None:
    try:
        theirs = botocore.loaders.Loader().load_service_model(name, "paginators-1")["pagination"]
    except botocore.exceptions.UnknownServiceError:
        theirs = {}
    ours = MODELS.service(name).paginators
    assert set(ours) == set(theirs)
    for operation, paginator in ours.items():
        assert paginator.limit_key == theirs[operation].get("limit_key")


def test_an_operation_knows_how_it_pages() -> None:
    operation = MODELS.operation("sagemaker", "ListTrainingJobs")
    assert operation.paginator == Paginator(
        ("NextToken",), ("NextToken",), "MaxResults", ("TrainingJobSummaries",), None
    )
    assert MODELS.operation("sagemaker", "CreateTrainingJob").paginator is None


def test_all_of_sagemakers_lists_page_by_the_same_members() -> None:
    paginators = MODELS.service("sagemaker").paginators.values()
    assert {(one.input_token, one.output_token, one.limit_key) for one in paginators} == {
        (("NextToken",), ("NextToken",), "MaxResults"),
    }


def test_a_waiter_is_as_clients_wait() -> None:
    waiter = MODELS.service("sagemaker").waiters["TrainingJobCompletedOrStopped"]
    assert (waiter.operation, waiter.delay, waiter.max_attempts) == ("DescribeTrainingJob", 120, 180)
    assert waiter.acceptors[0]["expected"] == "Completed"


def test_a_service_that_we_do_not_speak_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        MODELS.service("dynamodb")


def test_a_service_is_read_once_and_only_when_it_is_asked_for() -> None:
    models = Models(("sagemaker", "no-such-service"))
    assert models.service("sagemaker") is models.service("sagemaker")
    with pytest.raises(FileNotFoundError):
        models.service("no-such-service")


def test_a_recursive_shape_can_be_walked() -> None:
    expression = MODELS.service("sagemaker").shapes["SearchExpression"]
    assert expression.members["SubExpressions"].shape.element.shape is expression
