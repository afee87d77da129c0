"""Rules of a List operation: what each filter and each sort value means, from the names and shapes of the model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from samebox.resources import list_defaults, nouns
from samebox.resources.identity import PartOf
from samebox.resources.query import Column, Compare, Contains, Expression, Field, Includes, JsonPath
from samebox.wire.models import Operation, Service
from samebox.wire.schema import Reference, Shape

PAGING = frozenset({"SortBy", "SortOrder", "MaxResults", "NextToken"})
CREATED = frozenset({"CreationTime", "CreatedTime", "CreatedAt", "CreateDate", "Created"})
MODIFIED = frozenset({"LastModifiedTime", "LastModifiedAt", "LastUpdatedDate", "ModifiedTime"})

# Filters and sort values that compare nothing which a row of the list has; each is answered 501, but where the reason
# names the module that runs it.
LEFT_OVER: Mapping[tuple[str, str], str] = {
    ("ListAliases", "Alias"): "the list is one of words: sagemaker/image_versions runs it",
    ("ListAliases", "Version"): "the list is one of words: sagemaker/image_versions runs it",
    ("ListAliases", "ImageName"): "the list is one of words: sagemaker/image_versions runs it",
    ("ListCandidatesForAutoMLJob", "AutoMLJobName"): "a candidate is part of its job, and does not name it",
    ("ListCandidatesForAutoMLJob", "SortBy=FinalObjectiveMetricValue"): "a metric within a candidate",
    ("ListClusterEvents", "NodeId"): "an instance has several ids, and an event names one of them",
    ("ListClusterExtensionVersions", "ExtensionName"): "versions of a catalogue of AWS's",
    ("ListClusterNodes", "ClusterName"): "a node is part of its cluster, and does not name it",
    ("ListClusterNodes", "IncludeNodeLogicalIds"): "chooses what is shown of instances that do not exist yet",
    ("ListClusterNodes", "SortBy=NAME"): "which of a node's names is meant is not documented",
    ("ListClusterOperations", "ClusterName"): "an operation names its cluster by ARN alone",
    ("ListDevices", "ModelName"): "models are a list within a device",
    ("ListHubContentVersions", "HubName"): "content is part of its hub, and does not name it",
    ("ListHubContentVersions", "MaxSchemaVersion"): "compares the parts of a version by number",
    ("ListHubContentVersions", "MinVersion"): "compares the parts of a version by number",
    ("ListHubContents", "MaxSchemaVersion"): "compares the parts of a version by number",
    ("ListHubs", "SortBy=AccountIdOwner"): "hubs of other accounts are not listed",
    ("ListMlflowApps", "DefaultForDomainId"): "an app is the default of several domains",
    ("ListModelMetadata", "SearchExpression"): "a search of its own, in a catalogue of AWS's",
    ("ListModelPackageGroups", "CrossAccountFilterOption"): "groups of other accounts are not listed",
    ("ListModelPackages", "ModelPackageType"): "chooses packages with and without a group, and no package says which",
    ("ListMonitoringAlerts", "MonitoringScheduleName"): "an alert is part of its schedule, and does not name it",
    ("ListOptimizationJobs", "OptimizationContains"): "optimizations are a list within a job",
    ("ListPipelineExecutionSteps", "PipelineExecutionArn"): "a step is part of its execution, and does not name it",
    ("ListPipelineExecutions", "PipelineName"): "an execution is part of its pipeline, and does not name it",
    ("ListPipelineVersions", "PipelineName"): "a version names its pipeline by ARN alone",
    ("ListPipelines", "ManagedBy"): "which service made a pipeline is not shown",
    ("ListPipelineParametersForExecution", "PipelineExecutionArn"): "a parameter is part of its execution",
    ("ListStageDevices", "ExcludeDevicesDeployedInOtherStage"): "depends on other rows",
    ("ListSubscribedWorkteams", "NameContains"): "a subscription has no name",
    ("ListTags", "ResourceArn"): "tags are part of the resource",
    ("ListTrainingJobsForHyperParameterTuningJob", "HyperParameterTuningJobName"): "has another name in the job",
    ("ListTrainingJobsForHyperParameterTuningJob", "SortBy=FinalObjectiveMetricValue"): "a metric within a job",
    ("ListTrainingPlans", "Filters"): "several filters by names of its own",
    ("ListTrialComponents", "ExperimentName"): "components are related to trials: sagemaker/trials runs it",
    ("ListTrialComponents", "TrialName"): "components are related to trials: sagemaker/trials runs it",
    ("ListTrials", "TrialComponentName"): "components are related to trials: sagemaker/trials runs it",
    ("ListUltraServersByReservedCapacity", "ReservedCapacityArn"): "a server is part of its reservation",
}


Test = Literal["=", "<", ">", "contains", "begins", "includes"]

_SUFFIXES: tuple[tuple[str, Mapping[str, Test]], ...] = (
    (r"(\w+?)(After|Before)", {"After": ">", "Before": "<"}),
    (r"(\w+?)(Contains|Prefix)", {"Contains": "contains", "Prefix": "begins"}),
)


@dataclass(frozen=True)
class ListFilter:
    """What a filter compares, and how."""

    field: Field
    test: Test

    def expression(self, value: Any) -> Expression:
        """The filter with the value of a request."""
        match self.test:
            case "contains" | "begins":
                return Contains(self.field, value, first=self.test == "begins")
            case "includes":
                if isinstance(self.field, Column):
                    raise TypeError(f"{self.field} is not a list")
                return Includes(self.field, value)
            case _:
                return Compare(self.field, self.test, value)


@dataclass(frozen=True)
class ListRules:
    """The rules of one List operation. `default` is what rows are sorted by without SortBy."""

    operation: str
    key: str
    filters: Mapping[str, ListFilter]
    sorts: Mapping[str, Field]
    default: Field
    descending: bool
    page: int
    most: int


def derive(operation: Operation, service: Service, noun: str = "") -> ListRules:
    """Read the rules of a List operation, of rows of `noun`, out of the model."""
    request = operation.input.members if operation.input is not None else {}
    fields = _Fields(operation, service, noun)
    filters = {member: found for member in request if member not in PAGING and (found := fields.filter(member))}
    values = request["SortBy"].shape.enum if "SortBy" in request else ()
    sorts = {value: field for value in values if (field := fields.sort(value))}
    most = request["MaxResults"].shape.maximum if "MaxResults" in request else None
    return ListRules(
        operation=operation.name,
        key=fields.key,
        filters={member: found for member, found in filters.items() if (operation.name, member) not in LEFT_OVER},
        sorts={value: one for value, one in sorts.items() if (operation.name, f"SortBy={value}") not in LEFT_OVER},
        default=Column("name" if operation.name in list_defaults.BY_NAME else "created"),
        descending=operation.name in list_defaults.NEWEST_FIRST,
        page=list_defaults.PAGES.get(operation.name, list_defaults.PAGE),
        most=int(most or list_defaults.MOST),
    )


class _Fields:
    """What rows of a list have: members that are shown or asked for, and the columns that they are kept in."""

    def __init__(self, operation: Operation, service: Service, noun: str) -> None:
        self.key, self._shown = _rows(operation)
        self._noun = noun or _noun(operation.name)
        names = nouns.operations(self._noun, service)
        self._asked = _members(service, names.create, "input")
        self._described = _members(service, names.describe, "output")
        identity = nouns.identity(self._noun, service) if names.create else None
        own = f"{self._noun}Name"
        self._name = identity.name if identity is not None and not isinstance(identity, PartOf) else own

    def filter(self, member: str) -> ListFilter | None:
        """What a member of the request compares; None where no rule says."""
        for pattern, tests in _SUFFIXES:
            found = re.fullmatch(pattern, member)
            if found:
                field = self._field(found[1])
                return ListFilter(field, tests[found[2]]) if field else None
        return self._equals(member.removesuffix("Equals"))

    def sort(self, value: str) -> Field | None:
        """What a value of SortBy sorts by; None where no rule says."""
        words = value.split("_")
        return self._field(value if len(words) == 1 and not value.isupper() else "".join(map(str.capitalize, words)))

    def _equals(self, member: str) -> ListFilter | None:
        for name in (member, f"{member}s", f"{member}es", re.sub("y$", "ies", member)):
            shape = self._shape(name)
            if shape is not None and shape.type == "list":
                field = self._field(name)
                return ListFilter(field, "includes") if field else None
        field = self._field(member)
        return ListFilter(field, "=") if field else None

    def _field(self, member: str) -> Field | None:
        if member in CREATED:
            return Column("created")
        if member in MODIFIED:
            return Column("modified")
        if member in ("Name", self._name):
            return Column("name") if self._name in self._asked or self._name in self._shown else None
        if member == self._status() or (member in ("Status", f"{self._noun}Status") and self._status()):
            # A status that the client sets is part of what was asked for.
            return JsonPath("spec", self._status()) if self._status() in self._asked else Column("status")
        return Column("arn") if member == f"{self._noun}Arn" else self._path(member)

    def _path(self, member: str) -> Field | None:
        """Where the row has a member: itself, as the end of a longer one, or within a structure."""
        for known in (self._shown, self._asked, self._described):
            # Version may be ModelCardVersion, of a list of these.
            of_noun = [self._noun] if self._noun.endswith(member) else []
            for name in (member, f"{self._noun}{member}", *of_noun):
                if name in known:
                    # WarmPoolStatusEquals compares the Status within WarmPoolStatus.
                    inner = known[name].shape.type == "structure" and name.endswith("Status")
                    return JsonPath(self._document(name), name, *(["Status"] if inner else []))
        for name, reference in {**self._asked, **self._shown}.items():
            if reference.shape.type == "structure" and member in reference.shape.members:
                return JsonPath(self._document(name), name, member)
        return None

    def _document(self, member: str) -> str:
        return "spec" if member in self._asked else "state"

    def _shape(self, member: str) -> Shape | None:
        for known in (self._shown, self._asked, self._described):
            if member in known:
                return known[member].shape
        return None

    def _status(self) -> str:
        own = [name for name in ("Status", f"{self._noun}Status") if name in self._shown]
        ends = [name for name in self._shown if name.endswith("Status")]
        return own[0] if own else ends[0] if len(ends) == 1 else ""


def _rows(operation: Operation) -> tuple[str, Mapping[str, Reference]]:
    """The member of the response that is the list, and the members of its rows."""
    if operation.output is None:
        return "", {}
    lists = {name: one.shape for name, one in operation.output.members.items() if one.shape.type == "list"}
    if operation.paginator is not None and operation.paginator.result_key:
        key = operation.paginator.result_key[0]
    else:
        key = next(iter(lists), "")
    return key, lists[key].element.shape.members if key in lists else {}


def _noun(operation: str) -> str:
    """What a list without a noun of its own has rows of: ListCandidatesForAutoMLJob has candidates."""
    return re.sub(r"(For|By)[A-Z]\w+$", "", operation.removeprefix("List")).removesuffix("s")


def _members(service: Service, operation: str, direction: Literal["input", "output"]) -> Mapping[str, Reference]:
    if not operation:
        return {}
    shape = getattr(service.operations[operation], direction)
    return shape.members if shape is not None else {}
