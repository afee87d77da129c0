"""What we accept of a request we show again, and the operations we run are the model's."""

import base64
import subprocess
import sys
from typing import Any

import pytest

from samebox.errors import AwsError
from samebox.resources import nouns
from samebox.resources.identity import ByName
from samebox.resources.shelf import Shelf
from samebox.resources.store import Changed, Resource
from samebox.services.operations import operations
from samebox.wire.gateway import Gateway
from samebox.wire.models import Models
from tests import samples
from tests.conftest import CALLER, Aws
from tests.wire.generate import value_of


def refusal_of(gateway: Gateway, service: str, operation: str, params: dict[str, Any]) -> AwsError | None:
    try:
        gateway.call(service, operation, params, CALLER)
    except AwsError as refusal:
        return refusal
    return None


# Of the others, identity is more than a name (tests/laws/test_nouns.py).
NAMED = [
    noun for noun in samples.OF_KIND if nouns.identity(noun, Models().service("sagemaker")) == ByName(f"{noun}Name")
]


@pytest.mark.parametrize("noun", sorted(NAMED))
def test_a_sample_with_any_member_more_is_accepted_or_refused(aws: Aws, models: Models, noun: str) -> None:
    gateway = Gateway(models, operations(aws.services))
    shape = models.operation("sagemaker", f"Create{noun}").input
    assert shape is not None
    for need in samples.NEEDS.get(noun, ()):
        aws.create(need)
    for number, (name, member) in enumerate(shape.members.items()):
        if name in samples.OF_KIND[noun]:
            continue
        own = {f"{noun}Name": f"{noun}-{number}"}
        params = {**samples.OF_KIND[noun], **own, name: value_of(member.shape)}
        refusal = refusal_of(gateway, "sagemaker", f"Create{noun}", params)
        if refusal is not None:
            assert refusal.code in ("ValidationException", "NotImplemented"), (name, refusal)
        else:
            described = {f"{noun}Name": f"{noun}-{number}"}
            shown = gateway.call("sagemaker", f"Describe{noun}", described, CALLER)
            output = models.operation("sagemaker", f"Describe{noun}").output
            assert output is not None
            assert name not in output.members or name in shown, "what was accepted is shown"


def test_only_operations_of_the_model_are_bound(aws: Aws, models: Models) -> None:
    for service, table in operations(aws.services).items():
        assert set(table) <= set(models.service(service).operations)


def test_a_row_that_goes_meanwhile_is_missing_as_the_service_says_it(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    events = operations(aws.services)["events"]
    events["PutRule"]({"Name": "r", "ScheduleExpression": "rate(1 hour)"}, CALLER)

    def gone(shelf: Shelf, row: Resource, _: object) -> None:
        shelf.remove(row)
        raise Changed(row.arn)

    monkeypatch.setattr(Shelf, "change", gone)
    with pytest.raises(AwsError, match="Rule r does not exist on EventBus default"):
        events["DisableRule"]({"Name": "r"}, CALLER)


@pytest.mark.parametrize("operation", ["ListTrainingJobs", "ListModelCardVersions"])
def test_a_token_of_any_depth_is_refused(aws: Aws, models: Models, operation: str) -> None:
    gateway = Gateway(models, operations(aws.services))
    params = {"NextToken": base64.urlsafe_b64encode(b"[" * 3000).decode()}
    if operation == "ListModelCardVersions":
        created = {"ModelCardName": "card", "Content": "{}", "ModelCardStatus": "Draft"}
        gateway.call("sagemaker", "CreateModelCard", created, CALLER)
        params["ModelCardName"] = "card"
    refusal = refusal_of(gateway, "sagemaker", operation, params)
    assert refusal is not None
    assert (refusal.code, refusal.message) == ("ValidationException", "Invalid NextToken.")


def test_a_start_loads_no_service_and_a_request_its_own() -> None:
    program = """
import sys
from types import SimpleNamespace
from samebox import server
of = {"samebox.services.ssm.operations", "samebox.services.sagemaker.operations", "samebox.services.ecr", "awscrt"}
loaded = of & set(sys.modules)
from samebox.services.operations import operations
operations(SimpleNamespace(resources=SimpleNamespace(kinds=(), derived=None)))["ecr"]
print(sorted(loaded), sorted(of & set(sys.modules)))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stdout == "[] ['samebox.services.ecr']\n", ended.stderr
