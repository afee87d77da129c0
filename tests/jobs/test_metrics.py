"""Metrics: the last value of each definition."""

import pytest

from samebox.jobs.metrics import Metrics


def metrics(**regexes: str) -> Metrics:
    return Metrics([{"Name": name, "Regex": regex} for name, regex in regexes.items()])


def test_the_last_value_of_each_metric_is_kept_with_its_time() -> None:
    found = metrics(loss=r"loss: ([0-9.e-]+)", accuracy=r"acc=(\d\.\d+)")
    found.see("loss: 0.5 acc=0.25", 1.0)
    found.see("loss: 1e-3", 2.0)
    assert found.final() == [
        {"MetricName": "loss", "Value": 0.001, "Timestamp": 2.0},
        {"MetricName": "accuracy", "Value": 0.25, "Timestamp": 1.0},
    ]


def test_each_value_of_a_new_line_is_published_and_none_of_an_old_one() -> None:
    published: list[tuple[str, float, float]] = []
    found = Metrics([{"Name": "loss", "Regex": "loss=([0-9.]+);"}], lambda *one: published.append(one))
    found.see("loss=3.0;", 1.0, is_new=False)
    found.see("loss=2.0; loss=1.0; loss=nothing;", 2.0)
    assert published == [("loss", 2.0, 2.0), ("loss", 1.0, 2.0)]


def test_of_several_matches_in_one_line_the_last_counts() -> None:
    found = metrics(loss="loss=([0-9.]+);")
    found.see("loss=1.0; loss=0.5;", 1.0)
    assert [one["Value"] for one in found.final()] == [0.5]


def test_what_is_no_number_is_passed_over() -> None:
    found = metrics(loss=r"loss=(\S+)", nothing="no group", optional="a(b)?")
    found.see("loss=unknown no group a", 1.0)
    assert found.final() == []


def test_a_value_that_json_cannot_hold_is_passed_over() -> None:
    found = metrics(loss=r"loss=(\S+)")
    found.see("loss=nan", 1.0)
    found.see("loss=inf", 2.0)
    assert found.final() == []


@pytest.mark.parametrize("text", ["([", "x{99999999999}([0-9]+)", "(" * 400 + ")" * 400, "(?P<n>a)(?P<n>[[b])", "[[[["])
def test_a_regex_that_python_does_not_know_costs_only_its_metric(text: str) -> None:
    found = metrics(bad=text, good="x=([0-9]+)")
    found.see("x=1", 1.0)
    assert [one["MetricName"] for one in found.final()] == ["good"]


def test_a_regex_that_would_search_for_years_costs_only_its_metric(caplog: pytest.LogCaptureFixture) -> None:
    found = metrics(slow="((?:x+x+)+)y", good="x=([0-9]+)")
    for _ in range(3):
        found.see("x=1 " + "x" * 5000, 1.0)
    assert [one["MetricName"] for one in found.final()] == ["good"]
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("metric slow: ")
