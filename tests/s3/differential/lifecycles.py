"""Lifecycle rules: what is kept, and what cannot be."""

from datetime import UTC, datetime
from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls

RULES: dict[str, Any] = {
    "expiration after days": {"Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}},
    "expiration on a date": {"Filter": {"Prefix": ""}, "Expiration": {"Date": datetime(2030, 1, 1, tzinfo=UTC)}},
    "of a tag": {"Filter": {"Tag": {"Key": "a", "Value": "1"}}, "Expiration": {"Days": 3}},
    "of a prefix and tags": {
        "Filter": {"And": {"Prefix": "x/", "Tags": [{"Key": "a", "Value": "1"}]}},
        "Expiration": {"Days": 3},
    },
    "of sizes": {"Filter": {"ObjectSizeGreaterThan": 500}, "Expiration": {"Days": 3}},
    "an old prefix": {"Prefix": "x/", "Expiration": {"Days": 3}},
    "delete markers": {"Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
    "noncurrent versions": {
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 5, "NewerNoncurrentVersions": 2},
    },
    "open uploads": {"Filter": {"Prefix": ""}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    "a transition": {"Filter": {"Prefix": ""}, "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}]},
    "a noncurrent transition": {
        "Filter": {"Prefix": ""},
        "NoncurrentVersionTransitions": [{"NoncurrentDays": 30, "StorageClass": "GLACIER"}],
    },
}
WRONG: dict[str, Any] = {
    "no action": {"Filter": {"Prefix": ""}},
    "neither filter nor prefix": {"Expiration": {"Days": 1}},
    "filter and prefix": {"Filter": {"Prefix": "a"}, "Prefix": "a", "Expiration": {"Days": 1}},
    "days and date": {
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": 1, "Date": datetime(2030, 1, 1, tzinfo=UTC)},
    },
    "days and markers": {"Filter": {"Prefix": ""}, "Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": False}},
    "two filters": {"Filter": {"Prefix": "a", "Tag": {"Key": "a", "Value": "1"}}, "Expiration": {"Days": 1}},
    "no days": {"Filter": {"Prefix": ""}, "Expiration": {"Days": 0}},
    "a date that is not midnight": {
        "Filter": {"Prefix": ""},
        "Expiration": {"Date": datetime(2030, 1, 1, 5, tzinfo=UTC)},
    },
    "open uploads of a tag": {
        "Filter": {"Tag": {"Key": "a", "Value": "1"}},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    },
    "open uploads of a size": {
        "Filter": {"ObjectSizeGreaterThan": 5},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    },
    "delete markers of a tag": {
        "Filter": {"Tag": {"Key": "a", "Value": "1"}},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
    },
    "open uploads of no days": {
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0},
    },
    "noncurrent versions of no days": {
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 0},
    },
    "an early transition": {
        "Filter": {"Prefix": ""},
        "Transitions": [{"Days": 29, "StorageClass": "STANDARD_IA"}],
    },
    "an early transition of noncurrent versions": {
        "Filter": {"Prefix": ""},
        "NoncurrentVersionTransitions": [{"NoncurrentDays": 29, "StorageClass": "ONEZONE_IA"}],
    },
    "an end before the transition": {
        "Filter": {"Prefix": "x/"},
        "Transitions": [{"Days": 60, "StorageClass": "GLACIER"}],
        "Expiration": {"Days": 60},
    },
    "an unknown status": {"Filter": {"Prefix": ""}, "Expiration": {"Days": 1}, "Status": "On"},
    "a long id": {"Filter": {"Prefix": ""}, "Expiration": {"Days": 1}, "ID": "i" * 256},
}


def put(s3: S3Calls, *rules: Any) -> Any:
    named = [{"ID": f"rule {number}", "Status": "Enabled", **rule} for number, rule in enumerate(rules)]
    return s3.put_bucket_lifecycle_configuration(LifecycleConfiguration={"Rules": named})


@each(RULES)
def a_rule_is_kept(s3: S3Calls, rule: Any) -> Any:
    return [put(s3, rule).status, s3.get_bucket_lifecycle_configuration().get("Rules")]


@each(WRONG)
def a_rule_that_cannot_be(s3: S3Calls, rule: Any) -> Any:
    return [put(s3, rule).verdict, s3.get_bucket_lifecycle_configuration().verdict]


@behaviour
def two_rules_of_one_id(s3: S3Calls) -> Any:
    rule = {"ID": "same", **RULES["expiration after days"]}
    return put(s3, rule, rule).verdict


@behaviour
def rules_are_replaced_and_removed(s3: S3Calls) -> Any:
    put(s3, RULES["expiration after days"])
    put(s3, RULES["open uploads"])
    count = len(s3.get_bucket_lifecycle_configuration()["Rules"])
    return [count, s3.delete_bucket_lifecycle().status, s3.get_bucket_lifecycle_configuration().pick("Code", "Message")]


@behaviour
def a_rule_without_an_id_gets_one(s3: S3Calls) -> Any:
    rule = {"Status": "Enabled", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(LifecycleConfiguration={"Rules": [rule]})
    return [sorted(one) for one in s3.get_bucket_lifecycle_configuration()["Rules"]]
