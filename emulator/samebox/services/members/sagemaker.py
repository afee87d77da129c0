"""What the members of requests about tags and monitoring schedules do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members

_NO_SCHEDULES = "which schedules are listed, and how; here none can be made"

MEMBERS: Mapping[str, Members] = {
    "AddTags": acted_on("ResourceArn", "Tags"),
    "ListTags": members(
        acted_on("ResourceArn", "NextToken"),
        accepted("MaxResults", "the size of a page; a resource has at most 50 tags, which are one page"),
    ),
    "DeleteTags": acted_on("ResourceArn", "TagKeys"),
    "ListMonitoringSchedules": members(
        acted_on("NextToken"),
        *(
            accepted(member, _NO_SCHEDULES)
            for member in (
                *("EndpointName", "SortBy", "SortOrder", "MaxResults", "NameContains", "StatusEquals"),
                *("CreationTimeBefore", "CreationTimeAfter", "LastModifiedTimeBefore", "LastModifiedTimeAfter"),
                *("MonitoringJobDefinitionName", "MonitoringTypeEquals"),
            )
        ),
    ),
}
