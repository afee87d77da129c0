"""What the members of CloudWatch Logs' requests do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members, refused

_GROUP = acted_on("logGroupName", "logGroupIdentifier")
_PAGE = acted_on("nextToken", "limit")
_TIME = acted_on("startTime", "endTime")
_UNMASK = accepted("unmask", "shows what a data protection policy masks; here nothing is masked")

MEMBERS: Mapping[str, Members] = {
    "DescribeLogGroups": members(
        acted_on("logGroupNamePrefix", "logGroupNamePattern", "logGroupIdentifiers", "logGroupClass"),
        _PAGE,
        accepted("includeLinkedAccounts", "the groups of linked accounts; here no accounts are linked"),
        accepted("accountIdentifiers", "which linked accounts; here no accounts are linked"),
    ),
    "DescribeLogStreams": members(_GROUP, acted_on("logStreamNamePrefix", "orderBy", "descending"), _PAGE),
    "GetLogEvents": members(_GROUP, acted_on("logStreamName", "startFromHead"), _TIME, _PAGE, _UNMASK),
    "FilterLogEvents": members(
        _GROUP,
        acted_on("logStreamNames", "logStreamNamePrefix", "filterPattern"),
        _TIME,
        _PAGE,
        refused("startFromHead", True),
        accepted("interleaved", "nothing any more: events of several streams always come by time"),
        _UNMASK,
    ),
    "CreateLogGroup": members(
        acted_on("logGroupName", "tags"),
        refused("deletionProtectionEnabled", False),
        accepted("kmsKeyId", "encryption of the log"),
        acted_on("logGroupClass", but="which features the log has, and its price; here only lists look at it"),
    ),
    "CreateLogStream": acted_on("logGroupName", "logStreamName"),
    "PutLogEvents": members(
        acted_on("logGroupName", "logStreamName", "logEvents"),
        accepted("sequenceToken", "nothing any more"),
        accepted("entity", "which entity of CloudWatch the events belong to"),
    ),
    "DeleteLogGroup": acted_on("logGroupName"),
    "PutRetentionPolicy": acted_on("logGroupName", "retentionInDays"),
    "DeleteRetentionPolicy": acted_on("logGroupName"),
    "DeleteLogStream": acted_on("logGroupName", "logStreamName"),
    "ListTagsForResource": acted_on("resourceArn"),
    "TagResource": acted_on("resourceArn", "tags"),
    "UntagResource": acted_on("resourceArn", "tagKeys"),
}
