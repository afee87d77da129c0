"""The texts that ask for faults: what they name, and what is refused."""

import pytest

from samebox.faults.kinds import KINDS, BadFault, Fault, Point
from tests.laws.test_documents import ROOT


def test_a_fault_is_its_kind_and_its_parameters() -> None:
    fault = Fault.read("lost-host host=algo-2 after=5")
    assert (fault.kind.name, fault.parameters) == ("lost-host", {"host": "algo-2", "after": "5"})
    assert Fault.read(str(fault)) == fault


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no fault ''; there are throttled, "),
        ("rain", "there is no fault 'rain'"),
        ("capacity host=algo-1", "capacity has no parameter 'host'; it has job"),
        ("throttled times=0", "throttled times=0: it is not a number that it could be"),
        ("hang after=soon", "hang after=soon: it is not a number"),
        ("slow-ping seconds=inf", "slow-ping seconds=inf: it is not a number"),
        ("disk-full at=noon", "disk-full at=noon: download or upload"),
    ],
)
def test_a_text_that_names_no_fault_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadFault, match=says):
        Fault.read(text)


def test_a_parameter_chooses_where_a_fault_strikes() -> None:
    texts = ("disk-full", "disk-full at=upload", "s3-error", "s3-error at=upload", "capacity")
    assert [Fault.read(text).point for text in texts] == [
        Point.DOWNLOAD, Point.UPLOAD, Point.DOWNLOAD, Point.UPLOAD, Point.CAPACITY,
    ]  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_each_fault_is_documented_with_its_parameters(name: str) -> None:
    page = (ROOT / "docs" / "faults.md").read_text()
    row = next((line for line in page.splitlines() if line.startswith(f"| `{name}` |")), "")
    assert row, f"docs/faults.md has no row of {name}"
    assert [parameter for parameter in KINDS[name].parameters if f"`{parameter}" not in row] == []


@pytest.mark.parametrize("name", KINDS)
def test_each_fault_has_a_scenario_at_each_place_where_a_job_has_it(name: str) -> None:
    scenarios = (ROOT / "tests/scenarios/test_faults.py").read_text()
    kind = KINDS[name]
    places = [f"{name} at=upload"] if "at" in kind.parameters else []
    for text in (name, *places):
        assert f'"{text}' in scenarios, text
