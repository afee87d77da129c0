"""The reason of a state, as AWS writes it (CloudWatch User Guide, "Alarm events and EventBridge")."""

import json

from samebox.services.cloudwatch import state_reason
from samebox.services.cloudwatch.judgement import AlarmRule, Judgement
from samebox.services.cloudwatch.state_reason import Evaluated

RULE = AlarmRule("GreaterThanThreshold", 50.0, 1, 1)
POINT = Evaluated(1_570_035_540, 99.50160229693434, 5.0)


def test_a_threshold_that_was_crossed() -> None:
    assert state_reason.sentence(Judgement("ALARM", (0,), 0), RULE, [POINT], "OK") == (
        "Threshold Crossed: 1 out of the last 1 datapoints [99.50160229693434 (02/10/19 16:59:00)] was greater than "
        "the threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )


def test_a_threshold_that_is_not_crossed_any_more() -> None:
    point = Evaluated(1_569_937_560, 0.0666851903306472)
    assert state_reason.sentence(Judgement("OK", (0,), 0), RULE, [point], "ALARM") == (
        "Threshold Crossed: 1 out of the last 1 datapoints [0.0666851903306472 (01/10/19 13:46:00)] was not greater "
        "than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition)."
    )


def test_several_points_and_missing_ones() -> None:
    rule = AlarmRule("LessThanThreshold", 5.0, 3, 2, "notBreaching")
    several = [Evaluated(120, 1.0), Evaluated(60, 2.0), Evaluated(0, 9.0)]
    assert state_reason.sentence(Judgement("ALARM", (2, 1, 0), 0), rule, several, "OK") == (
        "Threshold Crossed: 2 out of the last 3 datapoints [1.0 (01/01/70 00:02:00), 2.0 (01/01/70 00:01:00)] were "
        "less than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    assert state_reason.sentence(Judgement("OK", (), 3), rule, [], "ALARM") == (
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
        "[NonBreaching]."
    )
    assert (
        state_reason.sentence(Judgement("INSUFFICIENT_DATA", (), 1), RULE, [], "OK")
        == "Insufficient Data: 1 datapoint was unknown."
    )


def test_the_data_of_a_reason() -> None:
    found = state_reason.data(RULE, [POINT], 1_570_035_880.985, {"Statistic": "Average"}, 300)
    assert json.loads(found) == {
        "version": "1.0",
        "queryDate": "2019-10-02T17:04:40.985+0000",
        "startDate": "2019-10-02T16:59:00.000+0000",
        "statistic": "Average",
        "period": 300,
        "recentDatapoints": [99.50160229693434],
        "threshold": 50.0,
        "evaluatedDatapoints": [
            {"timestamp": "2019-10-02T16:59:00.000+0000", "sampleCount": 5.0, "value": 99.50160229693434}
        ],
    }
    assert list(json.loads(found))[:3] == ["version", "queryDate", "startDate"]
