"""The SageMaker SDK, version 2, in the container of a job: it finds its account, its role and its job, and uses S3."""

import json
import os
from pathlib import Path

import boto3
import sagemaker

session = sagemaker.Session(boto3.Session(region_name=os.environ["AWS_REGION"]))
bucket = session.default_bucket()
session.upload_string_as_file_body("from inside", bucket, "inside/greeting")
found = {
    "account": session.account_id(),
    "role": sagemaker.get_execution_role(session),
    "bucket": bucket,
    "read": session.read_s3_file(bucket, "inside/greeting"),
}
if "TRAINING_JOB_NAME" in os.environ:
    found["status"] = session.describe_training_job(os.environ["TRAINING_JOB_NAME"])["TrainingJobStatus"]
else:
    job = json.loads(Path("/opt/ml/config/processingjobconfig.json").read_text())["ProcessingJobName"]
    found["status"] = session.describe_processing_job(job)["ProcessingJobStatus"]
print(json.dumps(found))
