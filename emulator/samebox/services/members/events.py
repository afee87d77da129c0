"""What the members of EventBridge's requests do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members, refused

_ROLE = "the role that EventBridge assumes to reach targets; here it needs none"
_PAGE = acted_on("NextToken", "Limit")
_RULE = acted_on("Name", "EventBusName")
_TARGETS_RULE = acted_on("Rule", "EventBusName")
# What a target of each of these services is sent beside the event.
_SERVICES = (
    *("KinesisParameters", "RunCommandParameters", "EcsParameters", "BatchParameters", "RedshiftDataParameters"),
    *("SageMakerPipelineParameters", "AppSyncParameters", "HttpParameters", "SqsParameters"),
)

MEMBERS: Mapping[str, Members] = {
    "PutRule": members(
        acted_on("Name", "EventBusName", "EventPattern", "ScheduleExpression", "Tags", "Description"),
        refused("State", "ENABLED", "DISABLED"),
        accepted("RoleArn", _ROLE),
    ),
    "DescribeRule": _RULE,
    "ListRules": members(acted_on("NamePrefix", "EventBusName"), _PAGE),
    "EnableRule": _RULE,
    "DisableRule": _RULE,
    "DeleteRule": members(_RULE, accepted("Force", "deletes rules of other services of AWS; here are none")),
    "TestEventPattern": acted_on("EventPattern", "Event"),
    "PutTargets": members(
        _TARGETS_RULE,
        acted_on(*(f"Targets[].{member}" for member in ("Id", "Arn", "Input", "InputPath", "InputTransformer"))),
        accepted("Targets[].RoleArn", _ROLE),
        accepted("Targets[].RetryPolicy", "how often a delivery is tried again; here one that fails is counted"),
        accepted("Targets[].DeadLetterConfig", "where events go that could not be delivered; here they are counted"),
        *(refused(f"Targets[].{member}") for member in _SERVICES),
    ),
    "RemoveTargets": members(
        _TARGETS_RULE, acted_on("Ids"), accepted("Force", "removes targets of AWS's own rules; here are none")
    ),
    "ListTargetsByRule": members(_TARGETS_RULE, _PAGE),
    "ListRuleNamesByTarget": members(acted_on("TargetArn", "EventBusName"), _PAGE),
    "PutEvents": members(
        acted_on(*(f"Entries[].{name}" for name in ("Time", "Source", "Resources", "DetailType", "Detail"))),
        acted_on("Entries[].EventBusName"),
        accepted("Entries[].TraceHeader", "the trace of X-Ray that the event belongs to"),
        refused("EndpointId"),
    ),
    "CreateEventBus": members(
        acted_on("Name", "Description", "Tags"),
        refused("EventSourceName"),
        accepted("KmsKeyIdentifier", "encryption of events"),
        accepted("DeadLetterConfig", "where events go that could not be delivered; here they are counted"),
        accepted("LogConfig", "logs of the bus itself; here deliveries that fail are in the emulator's log"),
    ),
    "DescribeEventBus": acted_on("Name"),
    "ListEventBuses": members(acted_on("NamePrefix"), _PAGE),
    "DeleteEventBus": acted_on("Name"),
    "TagResource": acted_on("ResourceARN", "Tags"),
    "UntagResource": acted_on("ResourceARN", "TagKeys"),
    "ListTagsForResource": acted_on("ResourceARN"),
}
