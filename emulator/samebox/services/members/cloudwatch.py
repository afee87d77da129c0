"""What the members of CloudWatch's requests do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members, refused

_LINKED = "the metrics of linked accounts; here no accounts are linked"

_COMPARISONS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)
# Of alarms: bands of anomalies, windows, and queries of Prometheus.
_NOT_RUN = (
    *("ThresholdMetricId", "EvaluationWindow", "WarmUpConfiguration", "EvaluationCriteria", "EvaluationInterval"),
    "ActionConfiguration",
)

MEMBERS: Mapping[str, Members] = {
    "PutMetricData": members(
        acted_on("Namespace", "MetricData"),
        refused("EntityMetricData", []),
        accepted("StrictEntityValidation", "whether entities, which are refused, are validated"),
    ),
    "GetMetricStatistics": acted_on(
        *("Namespace", "MetricName", "Dimensions", "StartTime", "EndTime", "Period"),
        *("Statistics", "ExtendedStatistics", "Unit"),
    ),
    "GetMetricData": members(
        acted_on("MetricDataQueries", "StartTime", "EndTime", "NextToken", "ScanBy", "MaxDatapoints"),
        refused("MetricDataQueries[].AccountId"),
        accepted("LabelOptions", "the time zone of labels that are made of the data"),
    ),
    "ListMetrics": members(
        acted_on("Namespace", "MetricName", "Dimensions", "NextToken", "RecentlyActive"),
        accepted("IncludeLinkedAccounts", _LINKED),
        accepted("OwningAccount", _LINKED),
    ),
    "PutMetricAlarm": members(
        acted_on("AlarmName", "AlarmDescription", "Tags", "ActionsEnabled"),
        acted_on("AlarmActions", "OKActions", "InsufficientDataActions"),
        acted_on("MetricName", "Namespace", "Dimensions", "Statistic", "ExtendedStatistic", "Period", "Unit"),
        acted_on("Metrics", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "TreatMissingData"),
        acted_on("EvaluateLowSampleCountPercentile"),
        refused("ComparisonOperator", *_COMPARISONS),
        refused("Metrics[].AccountId"),
        *(refused(member) for member in _NOT_RUN),
    ),
    "DescribeAlarms": members(
        acted_on("AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "ActionPrefix"),
        acted_on("MaxRecords", "NextToken"),
        refused("ChildrenOfAlarmName"),
        refused("ParentsOfAlarmName"),
    ),
    "DescribeAlarmsForMetric": acted_on(
        *("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit")
    ),
    "DeleteAlarms": acted_on("AlarmNames"),
    "SetAlarmState": acted_on("AlarmName", "StateValue", "StateReason", "StateReasonData"),
    "EnableAlarmActions": acted_on("AlarmNames"),
    "DisableAlarmActions": acted_on("AlarmNames"),
    "DescribeAlarmHistory": members(
        acted_on("AlarmName", "AlarmTypes", "HistoryItemType", "StartDate", "EndDate", "MaxRecords", "NextToken"),
        acted_on("ScanBy"),
        refused("AlarmContributorId"),
    ),
    "TagResource": acted_on("ResourceARN", "Tags"),
    "UntagResource": acted_on("ResourceARN", "TagKeys"),
    "ListTagsForResource": acted_on("ResourceARN"),
}
