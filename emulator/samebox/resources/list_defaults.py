"""What a List operation does when it is asked for nothing. The model has it in its documentation alone.

A law reads that and compares it with these tables. Where it is silent, rows come oldest first, ten a page.
"""

# SM:MaxResults
MOST = 100
PAGE = 10

NEWEST_FIRST = frozenset(
    {
        "ListAIBenchmarkJobs",
        "ListAIRecommendationJobs",
        "ListAIWorkloadConfigs",
        "ListActions",
        "ListAppImageConfigs",
        "ListArtifacts",
        "ListAssociations",
        "ListAutoMLJobs",
        "ListClusterEvents",
        "ListClusterOperations",
        "ListClusterSchedulerConfigs",
        "ListComputeQuotas",
        "ListContexts",
        "ListDataQualityJobDefinitions",
        "ListEndpointConfigs",
        "ListEndpoints",
        "ListExperiments",
        "ListImageVersions",
        "ListImages",
        "ListInferenceComponents",
        "ListMlflowApps",
        "ListMlflowTrackingServers",
        "ListModelBiasJobDefinitions",
        "ListModelExplainabilityJobDefinitions",
        "ListModelQualityJobDefinitions",
        "ListModels",
        "ListMonitoringAlertHistory",
        "ListMonitoringExecutions",
        "ListMonitoringSchedules",
        "ListStudioLifecycleConfigs",
        "ListTransformJobs",
        "ListTrialComponents",
        "ListTrials",
    }
)

BY_NAME = frozenset(
    {
        "ListAutoMLJobs",
        "ListCodeRepositories",
        "ListHyperParameterTuningJobs",
        "ListNotebookInstances",
        "ListTrainingJobsForHyperParameterTuningJob",
    }
)

PAGES = {
    "ListJobSchemaVersions": 5,
    "ListJobs": 50,
    "ListMonitoringAlertHistory": 100,
    "ListMonitoringAlerts": 100,
    "ListOptimizationJobs": 50,
}
