"""Access control lists, of buckets and objects where they are in use."""

from typing import Any

from tests.s3.differential.behaviours import behaviour, each
from tests.s3.differential.calls import S3Calls

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


def with_acls(s3: S3Calls) -> None:
    """Since April 2023 a new bucket has neither."""
    s3.put_bucket_ownership_controls(OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.delete_public_access_block()


def grants(answer: Any) -> Any:
    return [
        [grant["Permission"], grant["Grantee"]["Type"], grant["Grantee"].get("URI")]
        for grant in answer.get("Grants", [])
    ]


@behaviour
def a_bucket_is_its_owners(s3: S3Calls) -> Any:
    return s3.get_bucket_acl()


@behaviour
def an_object_is_its_owners(s3: S3Calls) -> Any:
    s3.put("k")
    return s3.get_object_acl(Key="k")


@each(["private", "public-read", "public-read-write", "authenticated-read", "log-delivery-write"])
def a_canned_acl_of_a_bucket(s3: S3Calls, acl: str) -> Any:
    with_acls(s3)
    return [s3.put_bucket_acl(ACL=acl), grants(s3.get_bucket_acl())]


@each(["private", "public-read", "public-read-write", "authenticated-read", "bucket-owner-full-control"])
def a_canned_acl_of_an_object(s3: S3Calls, acl: str) -> Any:
    with_acls(s3)
    s3.put_object(Key="k", Body=b"1", ACL=acl)
    return grants(s3.get_object_acl(Key="k"))


@behaviour
def an_acl_of_an_object_is_replaced(s3: S3Calls) -> Any:
    with_acls(s3)
    s3.put_object(Key="k", Body=b"1", ACL="public-read")
    s3.put_object_acl(Key="k", ACL="private")
    return grants(s3.get_object_acl(Key="k"))


@behaviour
def a_grant_in_a_header(s3: S3Calls) -> Any:
    with_acls(s3)
    s3.put_object(Key="k", Body=b"1", GrantRead=f'uri="{EVERYBODY}"')
    return grants(s3.get_object_acl(Key="k"))


@behaviour
def a_document_of_grants(s3: S3Calls) -> Any:
    with_acls(s3)
    shown = s3.get_bucket_acl()
    everybody = {"Grantee": {"Type": "Group", "URI": EVERYBODY}, "Permission": "READ"}
    s3.put_bucket_acl(AccessControlPolicy={"Owner": shown["Owner"], "Grants": [*shown["Grants"], everybody]})
    return grants(s3.get_bucket_acl())


@behaviour
def a_canned_acl_that_is_none(s3: S3Calls) -> Any:
    return s3.put_bucket_acl(ACL="everyone").verdict


@behaviour
def a_canned_acl_and_a_grant(s3: S3Calls) -> Any:
    with_acls(s3)
    return s3.put_object(Key="k", Body=b"1", ACL="private", GrantRead=f'uri="{EVERYBODY}"').verdict


@behaviour
def an_acl_of_what_is_not_there(s3: S3Calls) -> Any:
    return [s3.get_object_acl(Key="none").verdict, s3.put_object_acl(Key="none", ACL="private").verdict]


@behaviour
def a_bucket_made_with_an_acl(s3: S3Calls) -> Any:
    name = f"{s3.bucket}-a"
    made = s3.create_bucket(Bucket=name, ACL="public-read", ObjectOwnership="ObjectWriter")
    return made.verdict


@behaviour
def an_acl_where_the_owner_is_enforced(s3: S3Calls) -> Any:
    s3.put_bucket_ownership_controls(OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    return s3.put_object(Key="k", Body=b"1", ACL="public-read").pick("Code", "Message")


@behaviour
def the_owners_full_control_where_it_is_enforced(s3: S3Calls) -> Any:
    s3.put_bucket_ownership_controls(OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    return s3.put_object(Key="k", Body=b"1", ACL="bucket-owner-full-control").verdict
