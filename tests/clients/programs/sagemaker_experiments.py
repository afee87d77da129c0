"""sagemaker-experiments 0.1.45: an experiment, a trial, and what a job tracks in it."""

import boto3
from smexperiments.experiment import Experiment
from smexperiments.tracker import Tracker
from smexperiments.trial import Trial

client = boto3.client("sagemaker")
experiment = Experiment.create(experiment_name="digits", description="of an old program", sagemaker_boto_client=client)
trial = Trial.create(trial_name="first", experiment_name="digits", sagemaker_boto_client=client)
with Tracker.create(display_name="preparation", sagemaker_boto_client=client) as tracker:
    tracker.log_parameters({"rate": 0.1, "optimizer": "adam"})
    tracker.log_input("data", media_type="s3/uri", value="s3://data/training")
trial.add_trial_component(tracker.trial_component)

assert [one.trial_name for one in experiment.list_trials()] == ["first"]
assert [one.display_name for one in trial.list_trial_components()] == ["preparation"]
loaded = client.describe_trial_component(TrialComponentName=tracker.trial_component.trial_component_name)
assert loaded["Parameters"] == {"rate": {"NumberValue": 0.1}, "optimizer": {"StringValue": "adam"}}, loaded
