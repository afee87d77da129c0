"""S3's refusals: codes, texts and statuses as S3 answers them. One function for each."""

from __future__ import annotations

from datetime import UTC, datetime

from samebox.errors import AwsError


def no_such_bucket(bucket: str) -> AwsError:
    """404 NoSuchBucket."""
    return AwsError("NoSuchBucket", "The specified bucket does not exist", 404, {"BucketName": bucket})


def bucket_exists(bucket: str, own: bool) -> AwsError:
    """409: the caller's own bucket, or another account's."""
    if own:
        text = "Your previous request to create the named bucket succeeded and you already own it."
        return AwsError("BucketAlreadyOwnedByYou", text, 409, {"BucketName": bucket})
    text = (
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        "Please select a different name and try again."
    )
    return AwsError("BucketAlreadyExists", text, 409, {"BucketName": bucket})


def bucket_not_empty(bucket: str, versioned: bool) -> AwsError:
    """409 BucketNotEmpty."""
    text = "The bucket you tried to delete is not empty"
    text += ". You must delete all versions in the bucket." if versioned else ""
    return AwsError("BucketNotEmpty", text, 409, {"BucketName": bucket})


def no_such_key(key: str) -> AwsError:
    """404 NoSuchKey."""
    return AwsError("NoSuchKey", "The specified key does not exist.", 404, {"Key": key})


def is_deleted(key: str, version: str) -> AwsError:
    """404 for a key whose current version is a delete marker: the answer has its version in a header."""
    fields = {"Key": key, "DeleteMarker": True, "VersionId": version}
    return AwsError("NoSuchKey", "The specified key does not exist.", 404, fields)


def delete_marker_named(version: str, modified: float | None = None) -> AwsError:
    """405 for a read of a delete marker by its version: the answer has Last-Modified in a header."""
    text = "The specified method is not allowed against this resource."
    fields = {"ResourceType": "DeleteMarker", "DeleteMarker": True, "VersionId": version}
    return AwsError("MethodNotAllowed", text, 405, fields if modified is None else {**fields, "LastModified": modified})


def no_such_version(key: str, version: str) -> AwsError:
    """404 NoSuchVersion."""
    fields = {"Key": key, "VersionId": version}
    return AwsError("NoSuchVersion", "The specified version does not exist.", 404, fields)


def invalid_version(version: str) -> AwsError:
    """400: the text cannot be a version."""
    fields = {"ArgumentName": "versionId", "ArgumentValue": version}
    return AwsError("InvalidArgument", "Invalid version id specified", 400, fields)


def no_such_upload(upload_id: str) -> AwsError:
    """404 NoSuchUpload."""
    text = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed."
    )
    return AwsError("NoSuchUpload", text, 404, {"UploadId": upload_id})


def invalid_part(upload_id: str, number: int, etag: str) -> AwsError:
    """400 InvalidPart: a part that was not sent, or with another ETag."""
    text = (
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
        "entity tag may not match the part's entity tag."
    )
    return AwsError("InvalidPart", text, 400, {"UploadId": upload_id, "PartNumber": number, "ETag": etag})


def invalid_part_order(upload_id: str) -> AwsError:
    """400 InvalidPartOrder."""
    text = "The list of parts was not in ascending order. Parts must be ordered by part number."
    return AwsError("InvalidPartOrder", text, 400, {"UploadId": upload_id})


def part_too_small(size: int, number: int, etag: str, least: int) -> AwsError:
    """400 EntityTooSmall: a part, not the last, under 5 MiB."""
    text = "Your proposed upload is smaller than the minimum allowed size"
    fields = {"ProposedSize": size, "MinSizeAllowed": least, "PartNumber": number, "ETag": etag}
    return AwsError("EntityTooSmall", text, 400, fields)


def too_large(size: int, most: int) -> AwsError:
    """400 EntityTooLarge."""
    text = "Your proposed upload exceeds the maximum allowed size"
    return AwsError("EntityTooLarge", text, 400, {"ProposedSize": size, "MaxSizeAllowed": most})


def no_parts() -> AwsError:
    """400: a completion that names no part."""
    text = "The XML you provided was not well-formed or did not validate against our published schema"
    return AwsError("MalformedXML", text, 400)


def other_checksum_of_part(algorithm: str, number: int) -> AwsError:
    """400 BadDigest: a completion names a checksum of another algorithm than the upload's."""
    text = f"The {algorithm.lower()} you specified for part {number} did not match what we received."
    return AwsError("BadDigest", text, 400)


def no_checksum_of_part(algorithm: str, number: int) -> AwsError:
    """400: a completion has to name each part's checksum where the whole's is made of them."""
    text = (
        f"The upload was created using a {algorithm.lower()} checksum. The complete request must include the checksum "
        f"for each part. It was missing for part {number} in the request."
    )
    return AwsError("InvalidRequest", text, 400)


def other_checksum_type(kind: str) -> AwsError:
    """400: a completion names another type of checksum than the upload has; "" is none."""
    text = (
        f"The upload was created using the {kind or 'null'} checksum mode. The complete request must use the same "
        "checksum mode."
    )
    return AwsError("InvalidRequest", text, 400)


def part_number(number: int) -> AwsError:
    """400: not between 1 and 10,000."""
    fields = {"ArgumentName": "partNumber", "ArgumentValue": str(number)}
    return AwsError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", 400, fields)


def part_not_there(number: int, count: int) -> AwsError:
    """416: `partNumber` of a read is higher than the number of parts."""
    fields = {"PartNumberRequested": number, "ActualPartCount": count}
    return AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416, fields)


def size_mismatch(named: int, actual: int) -> AwsError:
    """400: `x-amz-mp-object-size` is not the sum of the parts."""
    text = f"The provided 'x-amz-mp-object-size' header value {named} does not match what was computed: {actual}"
    return AwsError("InvalidRequest", text, 400)


def conflicting_operation(condition: str, key: str) -> AwsError:
    """409: the object was deleted while a conditional write of it was under way, or replaced after its upload began."""
    text = "The conditional request cannot succeed due to a conflicting operation against this resource."
    return AwsError("ConditionalRequestConflict", text, 409, {"Condition": condition, "Key": key})


def precondition_failed(condition: str) -> AwsError:
    """412, with the header that was not met."""
    text = "At least one of the pre-conditions you specified did not hold"
    return AwsError("PreconditionFailed", text, 412, {"Condition": condition})


def not_modified(etag: str, modified: float) -> AwsError:
    """304, which has no body; the ETag and Last-Modified are headers."""
    return AwsError("NotModified", "Not Modified", 304, {"ETag": etag, "LastModified": modified})


def bad_md5(expected: str, calculated: str) -> AwsError:
    """400 BadDigest for Content-MD5."""
    text = "The Content-MD5 you specified did not match what we received."
    return AwsError("BadDigest", text, 400, {"ExpectedDigest": expected, "CalculatedDigest": calculated})


def bad_checksum(algorithm: str) -> AwsError:
    """400 BadDigest for a checksum."""
    text = f"The {algorithm} you specified did not match the calculated checksum."
    return AwsError("BadDigest", text, 400)


def incomplete_body(announced: int, received: int) -> AwsError:
    """400: the body is shorter, or longer, than was announced."""
    text = "You did not provide the number of bytes specified by the Content-Length HTTP header"
    return AwsError("IncompleteBody", text, 400, {"NumberBytesExpected": announced, "NumberBytesProvided": received})


def key_too_long(size: int, most: int) -> AwsError:
    """400 KeyTooLongError."""
    fields = {"Size": size, "MaxSizeAllowed": most}
    return AwsError("KeyTooLongError", "Your key is too long", 400, fields)


def empty_key() -> AwsError:
    """400: a key has at least one byte. A guess: S3 takes such a request for one of the bucket."""
    fields = {"ArgumentName": "key", "ArgumentValue": ""}
    return AwsError("InvalidArgument", "An object key has at least one character.", 400, fields)


def source_too_large(most: int) -> AwsError:
    """400: CopyObject's limit."""
    text = f"The specified copy source is larger than the maximum allowable size for a copy source: {most}"
    return AwsError("InvalidRequest", text, 400)


def source_is_delete_marker() -> AwsError:
    """400: the version that is to be copied is a delete marker."""
    text = "The source of a copy request may not specifically refer to a delete marker by version id."
    return AwsError("InvalidRequest", text, 400)


def source_is_archived() -> AwsError:
    """403: the source of a copy has to be restored first."""
    text = "The source object of the COPY operation is not in the active tier and is only stored in Amazon Glacier."
    return AwsError("ObjectNotInActiveTierError", text, 403)


def copy_to_itself() -> AwsError:
    """400: a copy that would change nothing; the protocol knows what the request asks to change."""
    text = (
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes."
    )
    return AwsError("InvalidRequest", text, 400)


def no_rename_of_versions() -> AwsError:
    """400: renames are of buckets without versioning; S3 has them in directory buckets alone, which have none."""
    return AwsError("InvalidRequest", "An object of a bucket with versioning cannot be renamed.", 400)


def unsatisfiable_range(requested: str, size: int) -> AwsError:
    """416 InvalidRange."""
    fields = {"RangeRequested": requested, "ActualObjectSize": size}
    return AwsError("InvalidRange", "The requested range is not satisfiable", 416, fields)


def bad_copy_range(requested: str, first: int, size: int) -> AwsError:
    """400: UploadPartCopy's range leaves the source, or begins behind it."""
    if first >= size:
        return AwsError("InvalidRequest", "The specified copy range is invalid for the source object size", 400)
    fields = {"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": requested}
    text = f"Range specified is not valid for source object of size: {size}"
    return AwsError("InvalidArgument", text, 400, fields)


def locked() -> AwsError:
    """403: retention or a legal hold keeps the version."""
    text = "Access Denied because object protected by object lock."
    return AwsError("AccessDenied", text, 403)


def no_object_lock() -> AwsError:
    """400: retention or legal hold of an object in a bucket without object lock."""
    return AwsError("InvalidRequest", "Bucket is missing Object Lock Configuration", 400)


def no_lock_of_new_objects() -> AwsError:
    """400: the same of an object that is put with one."""
    return AwsError("InvalidRequest", "Bucket is missing ObjectLockConfiguration", 400)


def retention_in_the_past(until: float) -> AwsError:
    """400: a date that is no longer in the future. AWS writes the date in the time of the American west."""
    shown = datetime.fromtimestamp(until, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    fields = {"ArgumentName": "RetainUntilDate", "ArgumentValue": shown}
    return AwsError("InvalidArgument", "The retain until date must be in the future!", 400, fields)


def bypass_without_object_lock() -> AwsError:
    """400: there is nothing to bypass in a bucket without object lock."""
    name = "x-amz-bypass-governance-retention"
    text = f"{name} is only applicable to Object Lock enabled buckets."
    return AwsError("InvalidArgument", text, 400, {"ArgumentName": name})


def versioning_is_locked() -> AwsError:
    """409: object lock needs versioning."""
    text = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
    return AwsError("InvalidBucketState", text, 409)


def lock_needs_versioning() -> AwsError:
    """409: object lock is of versions."""
    return AwsError(
        "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", 409
    )


def bytes_are_gone(key: str, path: str) -> AwsError:
    """500: a file of the storage was removed from outside."""
    return AwsError("InternalError", f"The bytes of {key} are gone: there is no file {path}.", 500, {"Key": key})


def out_of_space(path: str) -> AwsError:
    """507: the disk, or the user's quota of it, is full. S3 has no such error; its disks never are."""
    text = f"There is no space left on the disk that holds the objects ({path}). Free some, then try again."
    return AwsError("InsufficientStorage", text, 507)
