"""Facts survive the way into the store and back, and rows that another version of samebox wrote."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebox.resources.deployment import EndpointDeployment, Serving
from samebox.resources.facts import from_json, to_json
from samebox.resources.run_facts import JobFacts, RunFacts

KINDS = [Serving, JobFacts]
STORED: dict[str, Any] = {
    "Wanted": {
        "EndpointConfigName": "config",
        "DeployedAt": 1700000000.5,
        "Variants": [
            {
                "VariantName": "AllTraffic",
                "ModelName": "digits",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 2,
                "InitialVariantWeight": 1.0,
                "Containers": [
                    {"Image": "digits", "ResolvedImage": "digits@sha256:1", "Environment": {"LOG": "debug"}}
                ],
            }
        ],
    },
}


def some(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type, small ones: those that hypothesis makes of nested types by itself take seconds."""
    arguments = get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return st.builds(hint, **{name: some(one) for name, one in get_type_hints(hint).items()})
    if type(None) in arguments:
        return st.none() | some(arguments[0])
    if get_origin(hint) is tuple:
        each = [some(one) for one in arguments if one is not Ellipsis]
        return st.lists(each[0], max_size=2).map(tuple) if Ellipsis in arguments else st.tuples(*each)
    if get_origin(hint) is Mapping:
        return st.dictionaries(some(arguments[0]), some(arguments[1]), max_size=2)
    scalars = {float: st.floats(allow_nan=False), int: st.integers(), str: st.text(max_size=4), bool: st.booleans()}
    return scalars[hint]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(deadline=None)
def test_what_is_stored_is_read_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    facts = data.draw(some(kind))
    assert from_json(kind, json.loads(json.dumps(to_json(facts)))) == facts


def test_the_keys_are_the_fields_in_the_case_of_aws() -> None:
    assert to_json(JobFacts("digits@sha256:1", RunFacts(exit_code=1, text="no luck"))) == {
        "ResolvedImage": "digits@sha256:1",
        "Run": {
            "BeganAt": None,
            "StopSignalledAt": None,
            "MaxRuntimeExceeded": False,
            "EndedAt": None,
            "ExitCode": 1,
            "Text": "no luck",
            "Uploaded": False,
            "Network": None,
            "BadMessage": False,
            "PreparedAt": None,
            "InterruptedBy": "",
            "MaxWaitExceeded": False,
            "Leftovers": False,
            "Earlier": {
                "Count": 0,
                "Retries": 0,
                "Obeyed": [],
                "RanSeconds": 0.0,
                "HeldSeconds": 0.0,
                "LastEndedAt": None,
            },
            "Outcome": "",
            "Pool": None,
        },
        "Model": None,
        "StandIn": None,
    }


def test_a_member_that_this_version_does_not_know_is_ignored() -> None:
    row = {"ResolvedImage": "digits:1", "Later": 1, "Run": {"ContainerId": "abc", "EndedAt": 3.5}}
    assert from_json(JobFacts, row) == JobFacts("digits:1", RunFacts(ended_at=3.5))


def test_a_member_that_an_earlier_version_did_not_write_has_its_default() -> None:
    facts = from_json(Serving, STORED)
    assert (facts.current, facts.routes) == (None, ())
    (variant,) = facts.wanted.variants
    assert (variant.startup_seconds, variant.enable_network_isolation) == (None, False)
    assert variant.containers[0].environment == {"LOG": "debug"}


def test_a_member_without_a_default_is_named_when_it_is_missing() -> None:
    with pytest.raises(TypeError, match="endpoint_config_name"):
        from_json(EndpointDeployment, {"Variants": []})


def test_numbers_stay_as_they_were_written() -> None:
    # Labels of running containers are hashes of this JSON, in which 20 is not 20.0.
    variant = {**STORED["Wanted"]["Variants"][0], "StartupSeconds": 20}
    facts = from_json(EndpointDeployment, {**STORED["Wanted"], "Variants": [variant]})
    assert json.dumps(to_json(facts)["Variants"][0]["StartupSeconds"]) == "20"
