"""The default bucket of our own programs: one for each account and region."""

from typing import Any

from samebox.commands import aws


def name(account: str, region: str) -> str:
    """Bucket names are shared by all of AWS and a bucket lives in one region, hence both."""
    return f"samebox-{region}-{account}"


def creation(bucket: str, region: str) -> dict[str, Any]:
    """CreateBucket's parameters. us-east-1 is the region that may not be named."""
    if region == "us-east-1":
        return {"Bucket": bucket}
    return {"Bucket": bucket, "CreateBucketConfiguration": {"LocationConstraint": region}}


def exists(s3: Any, bucket: str) -> bool:
    """Whether the bucket is there. Raises ClientError if another account owns it."""
    try:
        s3.head_bucket(Bucket=bucket)
    except aws.ClientError as error:
        if aws.code(error) in ("404", "NoSuchBucket", "NotFound"):
            return False
        raise
    return True


def ensure(s3: Any, bucket: str, region: str) -> None:
    """Create the bucket if it is not there."""
    if not exists(s3, bucket):
        s3.create_bucket(**creation(bucket, region))
