"""Settings of a bucket: each is kept, shown again and removed; what cannot be is refused."""

import json
from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls

MISSING = [
    "get_bucket_cors",
    "get_bucket_lifecycle_configuration",
    "get_bucket_policy",
    "get_bucket_policy_status",
    "get_bucket_replication",
    "get_bucket_tagging",
    "get_bucket_website",
    "get_object_lock_configuration",
]
DEFAULTS = [
    "get_bucket_accelerate_configuration",
    "get_bucket_acl",
    "get_bucket_encryption",
    "get_bucket_logging",
    "get_bucket_notification_configuration",
    "get_bucket_ownership_controls",
    "get_bucket_request_payment",
    "get_public_access_block",
]
DELETES = [
    "delete_bucket_cors",
    "delete_bucket_encryption",
    "delete_bucket_lifecycle",
    "delete_bucket_ownership_controls",
    "delete_bucket_policy",
    "delete_bucket_replication",
    "delete_bucket_tagging",
    "delete_bucket_website",
    "delete_public_access_block",
]
CORS = {
    "CORSRules": [
        {
            "ID": "one",
            "AllowedMethods": ["GET", "PUT"],
            "AllowedOrigins": ["https://page.example", "https://*.other.example"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 60,
        },
        {"AllowedMethods": ["HEAD"], "AllowedOrigins": ["*"]},
    ]
}
WEBSITE = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}


def policy(bucket: str, **members: Any) -> str:
    statement = {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **members}]})


@each(MISSING)
def what_was_not_set(s3: S3Calls, operation: str) -> Any:
    return getattr(s3, operation)().pick("Code", "Message")


@each(DEFAULTS)
def what_a_new_bucket_has(s3: S3Calls, operation: str) -> Any:
    return getattr(s3, operation)()


@each([*MISSING, *DEFAULTS])
def a_setting_of_a_bucket_that_is_not_there(s3: S3Calls, operation: str) -> Any:
    return getattr(s3, operation)(Bucket="no-such-bucket-at-all").verdict


@each(DELETES)
def a_setting_is_removed_that_was_not_set(s3: S3Calls, operation: str) -> Any:
    return getattr(s3, operation)().verdict


@behaviour
def a_cors_configuration(s3: S3Calls) -> Any:
    s3.put_bucket_cors(CORSConfiguration=CORS)
    shown = s3.get_bucket_cors()
    s3.delete_bucket_cors()
    return [shown, s3.get_bucket_cors().verdict]


@behaviour
def a_cors_rule_of_a_method_that_is_none(s3: S3Calls) -> Any:
    rule = {"AllowedMethods": ["PATCH"], "AllowedOrigins": ["*"]}
    return s3.put_bucket_cors(CORSConfiguration={"CORSRules": [rule]}).pick("Code", "Message")


@behaviour
def a_cors_configuration_without_rules(s3: S3Calls) -> Any:
    return s3.put_bucket_cors(CORSConfiguration={"CORSRules": []}).verdict


@behaviour
def a_cors_origin_with_two_wildcards(s3: S3Calls) -> Any:
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.*.example"]}
    return s3.put_bucket_cors(CORSConfiguration={"CORSRules": [rule]}).verdict


@behaviour
def a_policy(s3: S3Calls) -> Any:
    put = s3.put_bucket_policy(Policy=policy(s3.bucket))
    shown = s3.get_bucket_policy()
    removed = s3.delete_bucket_policy()
    return [put, json.loads(shown["Policy"]) == json.loads(policy(s3.bucket)), removed, s3.get_bucket_policy().verdict]


@behaviour
def a_policy_that_is_no_json(s3: S3Calls) -> Any:
    return s3.put_bucket_policy(Policy="no").verdict


@behaviour
def a_policy_without_statements(s3: S3Calls) -> Any:
    return s3.put_bucket_policy(Policy='{"Version": "2012-10-17"}').verdict


@each(
    {
        "without a principal": {"Principal": None},
        "without an action": {"Action": None},
        "of another bucket": {"Resource": "arn:aws:s3:::another-bucket/*"},
        "of no ARN": {"Resource": "objects/*"},
    }
)
def a_policy_that_cannot_be(s3: S3Calls, members: Any) -> Any:
    document = json.loads(policy(s3.bucket, **members))
    statement = {name: value for name, value in document["Statement"][0].items() if value is not None}
    put = s3.put_bucket_policy(Policy=json.dumps({**document, "Statement": [statement]}))
    return [put.pick("Code", "Message"), s3.get_bucket_policy().verdict]


@each({"any bucket": "arn:aws:s3:::*", "a wildcard": "arn:aws:s3:::{}*", "anything": "*"})
def a_policy_may_name_its_bucket_by_a_pattern(s3: S3Calls, resource: str) -> Any:
    return s3.put_bucket_policy(Policy=policy(s3.bucket, Resource=resource.format(s3.bucket[:8]))).status


@behaviour
def a_policy_of_one_account_is_not_public(s3: S3Calls) -> Any:
    s3.put_bucket_policy(Policy=policy(s3.bucket))
    return s3.get_bucket_policy_status()


@behaviour
def a_policy_of_everybody_is_public(s3: S3Calls) -> Any:
    s3.delete_public_access_block()
    s3.put_bucket_policy(Policy=policy(s3.bucket, Principal="*"))
    return s3.get_bucket_policy_status()


@behaviour
def tags_of_a_bucket(s3: S3Calls) -> Any:
    put = s3.put_bucket_tagging(Tagging={"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]})
    shown = s3.get_bucket_tagging()
    return [put, shown, s3.delete_bucket_tagging(), s3.get_bucket_tagging().verdict]


@behaviour
def tags_of_a_bucket_are_replaced(s3: S3Calls) -> Any:
    s3.put_bucket_tagging(Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.put_bucket_tagging(Tagging={"TagSet": [{"Key": "b", "Value": "2"}]})
    return s3.get_bucket_tagging()["TagSet"]


@each(
    {
        "the same key twice": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
        "aws's own": [{"Key": "aws:a", "Value": "1"}],
    }
)
def tags_that_a_bucket_cannot_have(s3: S3Calls, tags: Any) -> Any:
    return s3.put_bucket_tagging(Tagging={"TagSet": tags}).pick("Code", "Message")


@behaviour
def a_website(s3: S3Calls) -> Any:
    s3.put_bucket_website(WebsiteConfiguration=WEBSITE)
    shown = s3.get_bucket_website()
    s3.delete_bucket_website()
    return [shown, s3.get_bucket_website().verdict]


@behaviour
def an_encryption_by_s3(s3: S3Calls) -> Any:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    s3.put_bucket_encryption(ServerSideEncryptionConfiguration={"Rules": [rule]})
    return s3.get_bucket_encryption()["ServerSideEncryptionConfiguration"]


@behaviour
def an_encryption_by_a_key(s3: S3Calls) -> Any:
    key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:000000000000:key/one"}
    rule = {"ApplyServerSideEncryptionByDefault": key, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Key="k", Body=b"1")
    shown = s3.get_bucket_encryption()["ServerSideEncryptionConfiguration"]
    return [shown, s3.head_object(Key="k").pick("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")]


@behaviour
def an_encryption_that_was_removed_is_that_of_a_new_bucket(s3: S3Calls) -> Any:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.put_bucket_encryption(ServerSideEncryptionConfiguration={"Rules": [rule]})
    return [s3.delete_bucket_encryption().verdict, s3.get_bucket_encryption()]


@behaviour
def an_object_encrypted_by_a_key(s3: S3Calls) -> Any:
    key = "arn:aws:kms:us-east-1:000000000000:key/one"
    put = s3.put_object(Key="k", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    return [one.pick("ServerSideEncryption", "SSEKMSKeyId") for one in (put, s3.head_object(Key="k"))]


@behaviour
def a_public_access_block(s3: S3Calls) -> Any:
    s3.put_public_access_block(PublicAccessBlockConfiguration=BLOCK)
    shown = s3.get_public_access_block()
    return [shown, s3.delete_public_access_block(), s3.get_public_access_block().pick("Code", "Message")]


@behaviour
def a_public_access_block_of_some_members(s3: S3Calls) -> Any:
    s3.put_public_access_block(PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    return s3.get_public_access_block()


@each(["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"])
def an_ownership(s3: S3Calls, ownership: str) -> Any:
    s3.put_bucket_ownership_controls(OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})
    return s3.get_bucket_ownership_controls()


@behaviour
def an_ownership_that_was_removed(s3: S3Calls) -> Any:
    s3.put_bucket_ownership_controls(OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.delete_bucket_ownership_controls()
    return s3.get_bucket_ownership_controls().pick("Code", "Message")


@behaviour
def a_bucket_made_with_an_ownership(s3: S3Calls) -> Any:
    s3.create_bucket(Bucket=f"{s3.bucket}-o", ObjectOwnership="ObjectWriter")
    return s3.get_bucket_ownership_controls(Bucket=f"{s3.bucket}-o")


@each(["Enabled", "Suspended"])
def an_acceleration(s3: S3Calls, status: str) -> Any:
    s3.put_bucket_accelerate_configuration(AccelerateConfiguration={"Status": status})
    return s3.get_bucket_accelerate_configuration().pick("Status")


@behaviour
def an_acceleration_that_cannot_be(s3: S3Calls) -> Any:
    return s3.put_bucket_accelerate_configuration(AccelerateConfiguration={"Status": "Fast"}).verdict


@behaviour
def an_event_that_is_none(s3: S3Calls) -> Any:
    queue = {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:none", "Events": ["s3:Foo"]}
    return s3.put_bucket_notification_configuration(NotificationConfiguration={"QueueConfigurations": [queue]}).verdict


@behaviour
def events_for_eventbridge(s3: S3Calls) -> Any:
    s3.put_bucket_notification_configuration(NotificationConfiguration={"EventBridgeConfiguration": {}})
    return s3.get_bucket_notification_configuration()


@behaviour
def logs_of_a_bucket_into_itself(s3: S3Calls) -> Any:
    target = {"LoggingEnabled": {"TargetBucket": s3.bucket, "TargetPrefix": "logs/"}}
    s3.put_bucket_ownership_controls(OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.put_bucket_acl(ACL="log-delivery-write")
    put = s3.put_bucket_logging(BucketLoggingStatus=target)
    shown = s3.get_bucket_logging().get("LoggingEnabled", {})
    return [put.status, shown.get("TargetPrefix"), shown.get("TargetBucket") == s3.bucket]


@behaviour
def logs_are_turned_off(s3: S3Calls) -> Any:
    s3.put_bucket_logging(BucketLoggingStatus={})
    return s3.get_bucket_logging()


@behaviour
def logs_into_a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    target = {"LoggingEnabled": {"TargetBucket": "no-such-bucket-at-all", "TargetPrefix": ""}}
    return s3.put_bucket_logging(BucketLoggingStatus=target).verdict


@behaviour
def the_requester_pays(s3: S3Calls) -> Any:
    s3.put_bucket_request_payment(RequestPaymentConfiguration={"Payer": "Requester"})
    return s3.get_bucket_request_payment()


@behaviour
def a_configuration_with_an_id(s3: S3Calls) -> Any:
    s3.put_bucket_metrics_configuration(Id="one", MetricsConfiguration={"Id": "one"})
    return s3.get_bucket_metrics_configuration(Id="one").pick("MetricsConfiguration")


@behaviour
def a_configuration_with_an_id_that_is_not_there(s3: S3Calls) -> Any:
    return s3.get_bucket_inventory_configuration(Id="none").pick("Code", "Message")


@behaviour
def an_inventory(s3: S3Calls) -> Any:
    one = {
        "Id": "one",
        "IsEnabled": True,
        "IncludedObjectVersions": "All",
        "Schedule": {"Frequency": "Daily"},
        "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::elsewhere", "Format": "CSV"}},
    }
    s3.put_bucket_inventory_configuration(Id="one", InventoryConfiguration=one)
    return [
        s3.get_bucket_inventory_configuration(Id="one"),
        s3.list_bucket_inventory_configurations().pick("InventoryConfigurationList"),
    ]


@behaviour
def a_document_that_is_none(s3: S3Calls) -> Any:
    return s3.send("PUT", body=b"<no", query="tagging").verdict


@behaviour
def a_document_of_another_name(s3: S3Calls) -> Any:
    return s3.send("PUT", body=b"<Other></Other>", query="versioning").verdict
