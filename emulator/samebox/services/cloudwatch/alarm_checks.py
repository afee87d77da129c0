"""What PutMetricAlarm refuses beyond the model: an alarm that could not be evaluated."""

from collections.abc import Mapping
from typing import Any

from samebox.errors import AwsError
from samebox.services.cloudwatch import periods, queries
from samebox.services.cloudwatch.judgement import TREATMENTS

_DAY_SECONDS, _WEEK_SECONDS = 86_400, 7 * 86_400
# CW:PutMetricAlarm.Metrics
_MOST_METRICS = 10
_Params = Mapping[str, Any]


def check(params: _Params) -> None:
    """AwsError where the alarm of a request could not be evaluated. The words are choices where no source is named."""
    _require(params, "EvaluationPeriods", "ComparisonOperator", "Threshold")
    period = _of_queries(params) if "Metrics" in params else _of_metric(params)
    asked, enough = params["EvaluationPeriods"], params.get("DatapointsToAlarm", 1)
    if enough > asked:
        raise _invalid(f"DatapointsToAlarm ({enough}) must be less than or equal to EvaluationPeriods ({asked}).")
    longest, of = (_WEEK_SECONDS, "seven days") if period >= 3600 else (_DAY_SECONDS, "a day")
    if asked * period > longest:
        # Observed in public logs of 2017-24, for a day.
        raise _invalid(
            f"Metrics cannot be checked across more than {of} (EvaluationPeriods * Period must be <= {longest})."
        )
    treatment = params.get("TreatMissingData", "missing")
    if treatment not in TREATMENTS:
        raise _invalid(f"Invalid TreatMissingData: {treatment}. Valid values are: {', '.join(TREATMENTS)}.")
    low = params.get("EvaluateLowSampleCountPercentile", "evaluate")
    if low not in ("evaluate", "ignore"):
        raise _invalid(f"Invalid EvaluateLowSampleCountPercentile: {low}. Valid values are: evaluate, ignore.")


def _of_metric(params: _Params) -> int:
    _require(params, "MetricName", "Namespace", "Period")
    if ("Statistic" in params) == ("ExtendedStatistic" in params):
        raise _invalid("Exactly one of Statistic and ExtendedStatistic must be specified.")
    if "ExtendedStatistic" in params:
        periods.check_extended("PutMetricAlarm", "ExtendedStatistic", params["ExtendedStatistic"])
    periods.check_period(params["Period"])
    return int(params["Period"])


def _of_queries(params: _Params) -> int:
    for member in ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit"):
        if member in params:
            raise _invalid(f"The parameters Metrics and {member} are mutually exclusive.")
    asked = queries.checked(params["Metrics"], "PutMetricAlarm", "Metrics")
    returned = [one for one in params["Metrics"] if one.get("ReturnData", True)]
    if len(returned) != 1:
        # Observed in public logs of 2019-24.
        raise _invalid("Exactly one element of the metrics list should return data.")
    metrics = [one["MetricStat"] for one in params["Metrics"] if "MetricStat" in one]
    if len(metrics) > _MOST_METRICS:
        raise _invalid(f"The metrics list has more than {_MOST_METRICS} metrics.")
    if len({metric["Period"] for metric in metrics}) > 1:
        raise _invalid("All metrics of the metrics list must have the same period.")
    return asked.period


def _require(params: _Params, *members: str) -> None:
    missing = [member for member in members if member not in params]
    if missing:
        raise _invalid(f"{missing[0]} must be specified.")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)
