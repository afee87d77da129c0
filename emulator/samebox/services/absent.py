"""Why operations are absent: a reason for each group of operations of AWS that the emulator does not run."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class AbsentOperations:
    """Operations of a service, all of whose names the expression matches, and the reason that they have in common."""

    service: str
    names: str
    reason: str

    def covers(self, service: str, name: str) -> bool:
        """Whether the operation is one of these."""
        return service == self.service and re.fullmatch(self.names, name) is not None


def reason_of(service: str, name: str) -> str:
    """The reason why an operation is absent; '' where none is known."""
    return next((row.reason for row in ABSENT if row.covers(service, name)), "")


def sentence_of(service: str, name: str) -> str:
    """The reason as a sentence, for the answer of the operation."""
    reason = reason_of(service, name)
    return f"{reason[:1].upper()}{reason[1:]}." if reason else ""


def _rows(service: str, reasons: dict[str, str]) -> tuple[AbsentOperations, ...]:
    return tuple(AbsentOperations(service, names, reason) for names, reason in reasons.items())


_ALL = r"\w+"

ABSENT: tuple[AbsentOperations, ...] = (
    *_rows(
        "sagemaker",
        {
            # Jobs and what else has something to run
            r"(\w+HyperParameterTuningJobs?|ListTrainingJobsForHyperParameterTuningJob)": "tuning is not run yet",
            r"(\w+AutoMLJob(s|V2)?|ListCandidatesForAutoMLJob)": "AutoML is not run",
            r"\w+CompilationJobs?": "Neo is not run: its compiler is AWS's own",
            r"\w+OptimizationJobs?": "optimization of models is not run: its containers are AWS's own",
            r"\w+AI(BenchmarkJob|RecommendationJob|WorkloadConfig)s?": "benchmarks on AWS's hardware are not run",
            r"(\w+InferenceRecommendationsJob(s|Steps)?|GetScalingConfigurationRecommendation)": (
                "load tests are not run yet"
            ),
            r"(\w+LabelingJobs?|ListLabelingJobsForWorkteam|RenderUiTemplate|\w+SubscribedWorkteams?)": (
                "Ground Truth is not run: there are no people who would label"
            ),
            r"\w+InferenceExperiments?": "shadow tests are not run yet",
            r"\w+InferenceComponent(s|RuntimeConfig)?": "inference components are not run yet",
            r"\w+InferenceRouters?": "inference routers are not run",
            r"(\w+MonitoringSchedules?|\w+MonitoringAlert(s|History)?|ListMonitoringExecutions)": (
                "monitoring is not run yet: it is processing jobs by a clock"
            ),
            r"(\w+Pipelines?|\w+Pipeline(Execution|Version)\w*|\w*PipelineDefinitionForExecution|"
            r"ListPipelineParametersForExecution)": "pipelines are not run yet",
            r"(\w+FeatureGroups?|\w+FeatureMetadata)": "the feature store is not run yet",
            r"(\w+EdgePackagingJobs?|\w+EdgeDeployment(Plan|Stage)s?|ListStageDevices)": (
                "Edge Manager packages and deploys nothing here; AWS closed it in April 2024"
            ),
            r"(\w+(NotebookInstance|NotebookInstances)|CreatePresignedNotebookInstanceUrl)": (
                "notebook instances are not run"
            ),
            r"((Create|Describe|List|Update|Delete)(Domain|UserProfile|Space|App)s?|CreatePresignedDomainUrl)": (
                "Studio is not run: a domain has a file system, users and applications"
            ),
            r"(\w+Mlflow\w+|\w+PartnerApp\w*)": "MLflow and applications of partners are not run",
            r"(\w+Projects?|\w+SagemakerServicecatalogPortfolio\w*)": (
                "projects are not run: they are products of Service Catalog"
            ),
            r"(\w*Clusters?|\w*Cluster[A-Z]\w*|\w+ComputeQuotas?)": "HyperPod clusters are not run",
            r"(\w+TrainingPlan\w*|\w+ReservedCapacity|\w+UltraServers\w*)": "capacity of AWS cannot be reserved here",
            r"(\w+TrainingSessions?|StartSession)": "training sessions are not run",
            r"(CreateJob|DeleteJob|DescribeJob|ListJobs|StopJob|\w+JobSchemaVersions?)": (
                "jobs of categories are not run: AWS's catalogue says what each category is"
            ),
            r"\w+ModelCardExportJobs?": "model cards are not written as PDF",
            # What needs more than the resource itself
            r"(Search|GetSearchSuggestions)": "search is not run yet",
            r"(QueryLineage|\w+LineageGroups?|GetLineageGroupPolicy)": "lineage is not queried yet",
            r"\w+EndpointPolicy": "policies are not evaluated",
            r"(\w+HubContentReference|CreateHubContentPresignedUrls)": (
                "they lead to models of JumpStart, which are AWS's"
            ),
            r"(ListModelMetadata|ListResourceCatalogs)": "catalogues of AWS's own",
        },
    ),
    *_rows(
        "sagemaker-runtime",
        {
            "InvokeEndpointAsync": "asynchronous endpoints are not run yet",
            "InvokeEndpointWithResponseStream": "responses are not streamed yet",
        },
    ),
    *_rows("sagemaker-metrics", {_ALL: "metrics of experiments come with their tracking"}),
    *_rows("sagemaker-featurestore-runtime", {_ALL: "the feature store is not run yet"}),
    *_rows("sagemaker-a2i-runtime", {_ALL: "there are no people who would review"}),
    *_rows("sagemaker-edge", {_ALL: "there are no agents on devices; AWS closed Edge Manager in April 2024"}),
    *_rows(
        "ecr",
        {
            r"(BatchCheckLayerAvailability|CompleteLayerUpload|GetDownloadUrlForLayer|InitiateLayerUpload|"
            r"UploadLayerPart)": "layers travel by `docker push` and `docker pull`",
            r"(\w*PullThroughCacheRules?|\w+PullTimeUpdateExclusions?)": "other registries are not mirrored",
            r"\w*(Scan|ScanningConfiguration)": "images are not scanned",
            r"\w*(Replication\w*|RegistryPolicy|DescribeRegistry)": "there is one registry, in one place",
            r"\w+RepositoryCreationTemplates?": "repositories are made by CreateRepository alone",
            r"\w+(SigningConfiguration|ImageSigningStatus|ImageReferrers)": "images are not signed",
            r"\w+LifecyclePolicyPreview": "lifecycle policies are kept and do not run",
            r"\w+AccountSetting": "accounts have no settings",
            "UpdateImageStorageClass": "images have one storage class",
        },
    ),
    *_rows(
        "logs",
        {
            r"(\w+(Query|Queries|QueryResults|QueryDefinitions?|ScheduledQuery\w*|ScheduledQueries)|\w*Fields?|"
            r"\w+FieldIndexes|\w+IndexPolic(y|ies)|\w+LogGroupsForQuery|GetLogRecord|GetLogObject|\w+LookupTables?)": (
                "Logs Insights is not run"
            ),
            r"\w*MetricFilters?": "metrics are not made of logs",
            r"\w+SubscriptionFilters?": "logs are not forwarded",
            r"\w+(Destinations?|DestinationPolicy|Deliver(y|ies)\w*|ConfigurationTemplates)": "logs are not forwarded",
            r"\w+(ExportTasks?|ImportTask\w*|SyslogConfigurations?|Integrations?)": (
                "logs are neither exported nor imported"
            ),
            r"\w+(AnomalyDetectors?|Anomal(y|ies))": "anomalies are not looked for",
            r"\w+StorageTierPolicy": "log groups have one kind of storage",
            r"(ListAggregateLogGroupSummaries|ListLogGroups)": "DescribeLogGroups lists them",
            r"\w+(KmsKey|DataProtectionPolicy|AccountPolic(y|ies)|ResourcePolic(y|ies)|BearerTokenAuthentication|"
            r"LogGroupDeletionProtection)": "neither encryption nor policies are run",
            r"\w+Transformer": "events are kept as they come",
            r"(TagLogGroup|UntagLogGroup|ListTagsLogGroup)": "the older form of tagging; TagResource and its like run",
            "StartLiveTail": "FilterLogEvents follows a log",
        },
    ),
    *_rows(
        "cloudwatch",
        {
            "PutCompositeAlarm": "alarms on other alarms are not run: a rule of EventBridge hears of each alarm",
            r"(DescribeAlarmContributors|\w+AlarmMuteRules?|PutLogAlarm)": (
                "alarms watch one metric or one expression; they are not muted, and not made of logs"
            ),
            r"\w+(AnomalyDetectors?|InsightRules?|InsightRuleReport)": "metrics are not analysed",
            r"\w+(Dashboards?|MetricWidgetImage)": "nothing is drawn",
            r"\w+(MetricStreams?|OTelEnrichment|ResourceMetricsConfiguration|Dataset\w*|MetricDataQueryDefinitions?)": (
                "metrics are not forwarded, and come from nowhere else"
            ),
        },
    ),
    *_rows("ssm", {_ALL: "of Systems Manager, parameters alone are run"}),
    *_rows(
        "secretsmanager",
        {
            r"\w*(Rotate|CancelRotate)Secret": "secrets are rotated by their clients, as there are no functions",
            r"\w*(ResourcePolicy|ResourcePolicies)": "policies are not evaluated",
            r"\w*Replica\w*": "a secret is in one region",
            "BatchGetSecretValue": "GetSecretValue gives each",
            "GetRandomPassword": "passwords are not made here",
        },
    ),
    *_rows(
        "events",
        {
            r"\w*(ApiDestinations?|Connections?)": (
                "API destinations are addresses of this machine, in a setting; they need no connection"
            ),
            r"\w*(Archives?|Replays?)": "events are not kept after their delivery",
            r"\w*(Endpoints?|EventSources?|PartnerEventSource\w*|PartnerEvents)": (
                "events come from this emulator and its clients alone"
            ),
            r"\w+Permission": "permissions of buses are not evaluated",
            "UpdateEventBus": "a bus has nothing that would change",
        },
    ),
    *_rows("application-autoscaling", {_ALL: "endpoints are not scaled by metrics yet"}),
    *_rows(
        "sts",
        {
            "AssumeRoleWithSAML": "there are no identity providers",
            r"(AssumeRoot|GetDelegatedAccessToken|GetWebIdentityToken)": "there are no providers of other tokens",
            "DecodeAuthorizationMessage": "no message of authorization is encoded",
        },
    ),
    *_rows(
        "iam",
        {
            _ALL: (
                "of IAM, roles, their policies and instance profiles are run: there are no users, groups, devices and "
                "providers"
            )
        },
    ),
    *_rows(
        "s3",
        {
            r"(GetBucketLifecycle|PutBucketLifecycle|GetBucketNotification|PutBucketNotification)": (
                "the older form of an operation; requests of this form are answered as the newer one's"
            ),
            r"(CreateSession|ListDirectoryBuckets)": "there are no directory buckets",
            r"\w+BucketMetadata\w+": "tables of metadata are not made",
            r"\w+ObjectAnnotations?": "objects have no annotations",
            r"\w+BucketAbac": "permissions are not evaluated",
            "GetObjectTorrent": "AWS closed it in April 2021",
            "SelectObjectContent": "queries in objects are not run; AWS closed it to new customers in July 2024",
            "UpdateObjectEncryption": "objects are not encrypted",
            "WriteGetObjectResponse": "there are no functions that would answer for objects",
        },
    ),
)
