"""When an alarm is in ALARM: the tables of AWS's guide, for each treatment of what is missing."""

from typing import get_args

import pytest

from samebox.services.cloudwatch.judgement import AlarmRule, AlarmState, judge

OK, ALARM, LITTLE, SAME = "OK", "ALARM", "INSUFFICIENT_DATA", "SAME"
VALUES = {"0": 0.0, "X": 2.0, "-": None}


def state(points: str, to_alarm: int, treatment: str, current: AlarmState) -> str:
    rule = AlarmRule("GreaterThanThreshold", 1.0, 3, to_alarm, treatment)
    return judge([VALUES[one] for one in points.split()], rule, current).state


@pytest.mark.parametrize(
    ("points", "to_alarm", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0 - X - X", 3, OK, OK, OK, OK),
        ("0 - - - -", 3, OK, OK, OK, OK),
        ("- - - - -", 3, LITTLE, SAME, ALARM, OK),
        ("0 X X - X", 3, ALARM, ALARM, ALARM, ALARM),
        ("- - - - X", 3, LITTLE, SAME, ALARM, OK),
        ("X - - - -", 3, ALARM, SAME, ALARM, OK),
        ("0 - X - X", 2, ALARM, ALARM, ALARM, ALARM),
        ("0 0 X 0 X", 2, ALARM, ALARM, ALARM, ALARM),
        ("0 - X - -", 2, OK, OK, ALARM, OK),
        ("- - - - 0", 2, OK, OK, ALARM, OK),
        ("- - - - X", 2, LITTLE, SAME, ALARM, OK),
        ("0 0 0 X X", 3, OK, OK, OK, OK),
    ],
)
def test_the_state_is_that_of_the_guide(
    points: str, to_alarm: int, missing: str, ignore: str, breaching: str, not_breaching: str
) -> None:
    for current in get_args(AlarmState):
        expected = {"missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching}
        found = {treatment: state(points, to_alarm, treatment, current) for treatment in expected}
        assert found == {name: current if one == SAME else one for name, one in expected.items()}


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", (False, False, True)),
        ("GreaterThanOrEqualToThreshold", (False, True, True)),
        ("LessThanThreshold", (True, False, False)),
        ("LessThanOrEqualToThreshold", (True, True, False)),
    ],
)
def test_comparisons(comparison: str, breaching: tuple[bool, ...]) -> None:
    rule = AlarmRule(comparison, 1.0, 1, 1)
    assert tuple(rule.breaches(value) for value in (0.0, 1.0, 2.0)) == breaching


def test_the_newest_points_are_evaluated() -> None:
    found = judge([2.0, 2.0, None, 0.0, 0.0], AlarmRule("GreaterThanThreshold", 1.0, 2, 1), "ALARM")
    assert (found.state, found.places, found.filled) == ("OK", (4, 3), 0)
