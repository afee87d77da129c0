"""Buckets: made, listed, deleted; their names, regions and owners."""

from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import ACCOUNT, OTHER_ACCOUNT, S3Calls


@behaviour
def a_bucket_that_is_there(s3: S3Calls) -> Any:
    return s3.head_bucket().pick("status", "AccessPointAlias")


@behaviour
def a_bucket_that_is_there_has_an_arn(s3: S3Calls) -> Any:
    return s3.head_bucket().pick("BucketArn") == {"status": 200, "BucketArn": f"arn:aws:s3:::{s3.bucket}"}


@behaviour
def a_bucket_is_made(s3: S3Calls) -> Any:
    return s3.create_bucket(Bucket=f"{s3.bucket}-new").pick("Location") == {
        "status": 200,
        "Location": f"/{s3.bucket}-new",
    }


@behaviour
def a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    return s3.head_bucket(Bucket="no-such-bucket-at-all")


@behaviour
def ones_own_bucket_is_made_again(s3: S3Calls) -> Any:
    return s3.create_bucket().status


@behaviour
def ones_own_bucket_is_made_again_elsewhere(s3: S3Calls) -> Any:
    place = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    s3.in_region("eu-west-1", "create_bucket", Bucket=f"{s3.bucket}-eu", **place)
    return s3.in_region("eu-west-1", "create_bucket", Bucket=f"{s3.bucket}-eu", **place).pick("Code", "Message")


@each(["Upper", "ab", "a_b", "-ab", "ab-", "a..b", "192.168.5.4", "a" * 64, "xn--ab", "ab-s3alias"])
def a_name_that_cannot_be(s3: S3Calls, name: str) -> Any:
    return s3.create_bucket(Bucket=name).status


@each(["abc", "a.b-c", "1st"])
def a_name_that_can_be(s3: S3Calls, name: str) -> Any:
    made = s3.create_bucket(Bucket=name).status
    return [made, s3.delete_bucket(Bucket=name).status]


@behaviour
def a_bucket_with_an_object_is_not_deleted(s3: S3Calls) -> Any:
    s3.put("k")
    return s3.delete_bucket().pick("Code", "Message")


@behaviour
def a_deleted_bucket_is_gone(s3: S3Calls) -> Any:
    return [s3.delete_bucket(), s3.head_bucket().verdict, s3.list_objects_v2().verdict]


@behaviour
def a_delete_of_a_bucket_that_is_not_there(s3: S3Calls) -> Any:
    return s3.delete_bucket(Bucket="no-such-bucket-at-all")


@behaviour
def buckets_are_listed_by_name(s3: S3Calls) -> Any:
    names = [f"{s3.bucket}-{end}" for end in ("c", "a", "b")]
    for name in names:
        s3.create_bucket(Bucket=name)
    return [one["Name"][-1] for one in s3.list_buckets()["Buckets"] if one["Name"] in names]


@behaviour
def buckets_with_a_prefix(s3: S3Calls) -> Any:
    s3.create_bucket(Bucket=f"{s3.bucket}-a")
    answer = s3.list_buckets(Prefix=f"{s3.bucket}-a")
    return [[one["Name"][-1] for one in answer["Buckets"]], answer.get("Prefix") == f"{s3.bucket}-a"]


@behaviour
def buckets_in_pages(s3: S3Calls) -> Any:
    for end in ("a", "b", "c"):
        s3.create_bucket(Bucket=f"{s3.bucket}-{end}")
    first = s3.list_buckets(Prefix=f"{s3.bucket}-", MaxBuckets=2)
    token = first["ContinuationToken"]
    second = s3.list_buckets(Prefix=f"{s3.bucket}-", MaxBuckets=2, ContinuationToken=token)
    return [[one["Name"][-1] for one in page["Buckets"]] for page in (first, second)]


@behaviour
def the_region_of_the_first(s3: S3Calls) -> Any:
    return s3.get_bucket_location()


@each(["ap-northeast-2", "eu-west-1", "us-west-2"])
def the_region_of_a_bucket(s3: S3Calls, region: str) -> Any:
    name = f"{s3.bucket}-r"
    place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.in_region(region, "create_bucket", Bucket=name, **place)
    found = s3.in_region(region, "get_bucket_location", Bucket=name)
    return [found, s3.in_region(region, "head_bucket", Bucket=name).header("x-amz-bucket-region")]


@behaviour
def another_region_must_be_named(s3: S3Calls) -> Any:
    return s3.in_region("eu-west-1", "create_bucket", Bucket=f"{s3.bucket}-x").pick("Code", "Message")


@behaviour
def the_first_region_is_not_named(s3: S3Calls) -> Any:
    place = {"LocationConstraint": "us-east-1"}
    return s3.create_bucket(Bucket=f"{s3.bucket}-x", CreateBucketConfiguration=place).verdict


@behaviour
def a_region_that_is_not_that_of_the_request(s3: S3Calls) -> Any:
    place = {"CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
    return s3.in_region("eu-west-1", "create_bucket", Bucket=f"{s3.bucket}-x", **place).pick("Code", "Message")


@behaviour
def a_region_that_is_none(s3: S3Calls) -> Any:
    place = {"LocationConstraint": "nowhere"}
    return s3.create_bucket(Bucket=f"{s3.bucket}-x", CreateBucketConfiguration=place).verdict


OWNED = ["head_bucket", "get_bucket_location", "list_objects_v2", "get_bucket_acl", "list_multipart_uploads"]


@each(OWNED)
def the_expected_owner(s3: S3Calls, operation: str) -> Any:
    return getattr(s3, operation)(ExpectedBucketOwner=ACCOUNT).status


@each([*OWNED, "list_object_versions", "get_bucket_versioning", "delete_bucket"])
def another_owner_than_expected(s3: S3Calls, operation: str) -> Any:
    return getattr(s3, operation)(ExpectedBucketOwner=OTHER_ACCOUNT).verdict


@each(["get_object", "head_object", "delete_object", "get_object_tagging", "get_object_acl"])
def an_object_of_another_owner_than_expected(s3: S3Calls, operation: str) -> Any:
    s3.put("k")
    return [getattr(s3, operation)(Key="k", ExpectedBucketOwner=OTHER_ACCOUNT).verdict, s3.keys()]


@behaviour
def a_put_to_another_owner_than_expected(s3: S3Calls) -> Any:
    return [s3.put_object(Key="k", Body=b"1", ExpectedBucketOwner=OTHER_ACCOUNT).verdict, s3.keys()]


@behaviour
def a_bucket_named_in_the_host(s3: S3Calls) -> Any:
    s3.put("a/b")
    return s3.send("GET", "/a/b", host=f"{s3.bucket}.s3.us-east-1.amazonaws.com").pick("Body")


@behaviour
def a_put_to_a_bucket_in_the_host(s3: S3Calls) -> Any:
    s3.send("PUT", "/a b/ü", body=b"1", host=f"{s3.bucket}.s3.amazonaws.com")
    return s3.keys()


@behaviour
def a_list_of_a_bucket_in_the_host(s3: S3Calls) -> Any:
    s3.put("k")
    return s3.send("GET", "/", query="list-type=2", host=f"{s3.bucket}.s3.amazonaws.com").pick("Name", "KeyCount") == {
        "status": 200, "Name": s3.bucket, "KeyCount": "1",
    }  # fmt: skip


@behaviour
def a_path_of_a_bucket_may_end_in_a_slash(s3: S3Calls) -> Any:
    s3.put("k")
    return s3.send("GET", "/", query="list-type=2").pick("KeyCount")


@behaviour
def a_method_that_no_bucket_has(s3: S3Calls) -> Any:
    return s3.send("PATCH").pick("Code")
