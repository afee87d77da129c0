"""What the members of CloudWatch's requests do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members, refused

_LINKED = "the metrics of linked accounts; here no accounts are linked"

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
        refused("MetricDataQueries[].Expression"),
        refused("MetricDataQueries[].AccountId"),
        accepted("MetricDataQueries[].Period", "the period of an expression, which is refused"),
        accepted("LabelOptions", "the time zone of labels that are made of the data"),
    ),
    "ListMetrics": members(
        acted_on("Namespace", "MetricName", "Dimensions", "NextToken", "RecentlyActive"),
        accepted("IncludeLinkedAccounts", _LINKED),
        accepted("OwningAccount", _LINKED),
    ),
}
