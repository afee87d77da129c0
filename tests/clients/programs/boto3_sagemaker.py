"""From data to predictions with boto3. Arguments: the image, and the role."""

import sys

import boto3

image, role = sys.argv[1:]
name = f"boto3-{boto3.__version__.replace('.', '-')}"
bucket = f"{name}-data"
s3, sagemaker, runtime, logs, cloudwatch = (
    boto3.client(service) for service in ("s3", "sagemaker", "sagemaker-runtime", "logs", "cloudwatch")
)
often = {"Delay": 1, "MaxAttempts": 240}

s3.create_bucket(Bucket=bucket)
s3.put_object(Bucket=bucket, Key="training/numbers.csv", Body="1\n2\n6\n")

sagemaker.create_training_job(
    TrainingJobName=name,
    RoleArn=role,
    AlgorithmSpecification={
        "TrainingImage": image,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "mean", "Regex": "mean=([0-9.]+)"}],
    },
    HyperParameters={"factor": "2"},
    InputDataConfig=[
        {
            "ChannelName": "training",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/training/"}},
        }
    ],
    OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models/"},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
    StoppingCondition={"MaxRuntimeInSeconds": 600},
)
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name, WaiterConfig=often)
job = sagemaker.describe_training_job(TrainingJobName=name)
assert job["TrainingJobStatus"] == "Completed", job
assert [(one["MetricName"], one["Value"]) for one in job["FinalMetricDataList"]] == [("mean", 6.0)], job
group = "/aws/sagemaker/TrainingJobs"
stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=name)["logStreams"][0]["logStreamName"]
events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
assert "learned from 3 numbers: mean=6.0" in [one["message"] for one in events]
metrics = cloudwatch.list_metrics(Namespace="/aws/sagemaker/TrainingJobs", MetricName="mean")["Metrics"]
dimensions = [one for metric in metrics for one in metric["Dimensions"]]
assert {"Name": "TrainingJobName", "Value": name} in dimensions, metrics

model = {"Image": image, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=model)
variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=often)

answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body="1,10")
assert (answer["Body"].read(), answer["ContentType"]) == (b"6.0,60.0", "text/csv"), answer
assert answer["InvokedProductionVariant"] == "all"

sagemaker.delete_endpoint(EndpointName=name)
sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=often)
sagemaker.delete_endpoint_config(EndpointConfigName=name)
sagemaker.delete_model(ModelName=name)
assert not sagemaker.list_endpoints(NameContains=name)["Endpoints"]
