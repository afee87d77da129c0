"""What the members of S3's requests do. Operations that only keep a setting of a bucket, and show it, need no table."""

from collections.abc import Iterable, Mapping

from samebox.s3.checksums import ALGORITHMS
from samebox.services.members.row import Members, Treatment, accepted, acted_on, members, refused

_BUCKET = acted_on("Bucket", "ExpectedBucketOwner")
_PAYER = accepted("RequestPayer", "consent to pay for the request")
_OBJECT = members(_BUCKET, acted_on("Key"), _PAYER)
_VERSION = members(_OBJECT, acted_on("VersionId"))
_MFA = accepted("MFA", "multi-factor authentication, where a bucket's deletes need it; here there are no devices")
_OTHER_CHECKSUMS = tuple(
    name for name in ("SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128") if name not in ALGORITHMS
)


def _checksums(place: str = "") -> Members:
    return members(
        acted_on(*(f"{place}Checksum{name}" for name in ALGORITHMS)),
        *(refused(f"{place}Checksum{name}") for name in _OTHER_CHECKSUMS),
    )


_ALGORITHM = refused("ChecksumAlgorithm", *ALGORITHMS)
# Of a document: which digest comes with it.
_DOCUMENT_ALGORITHM = accepted(
    "ChecksumAlgorithm", "which checksum comes with the document; here each that comes is compared"
)
_DOCUMENT = members(acted_on("ContentMD5"), _DOCUMENT_ALGORITHM)
_BODY = members(acted_on("Body", "ContentLength", "ContentMD5"), _ALGORITHM, _checksums())
_ACL = acted_on(
    "ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP",
    but="who may do what; here who may without a signature, with `SAMEBOX_S3_PUBLIC_ACCESS`",
)  # fmt: skip
_GRANT_WRITE = acted_on(
    "GrantWrite", but="who may write; here who may without a signature, with `SAMEBOX_S3_PUBLIC_ACCESS`"
)
_HEADERS = acted_on(
    "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires", "Metadata",
    "WebsiteRedirectLocation", "Tagging",
)  # fmt: skip
_STORAGE = acted_on("StorageClass", but="where and how often an object is stored; here which objects are archived")
_SHOWN = "encryption; here it is only shown"
_ENCRYPTION = members(
    acted_on("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled", but=_SHOWN),
    accepted("SSEKMSEncryptionContext", "what the key is used for"),
)
_CUSTOMER = "encryption with a key of the customer's"
_CUSTOMER_KEY = members(
    acted_on("SSECustomerAlgorithm", "SSECustomerKeyMD5", but=f"{_CUSTOMER}; here reads must name the same key"),
    accepted("SSECustomerKey", f"{_CUSTOMER}; here its digest alone is compared"),
)
_LOCK = members(
    acted_on("ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus"),
    refused("ObjectLockEventHold"),
    refused("ObjectLockEventHoldDurationDays"),
    refused("ObjectLockEventHoldDurationYears"),
)
_NEW_OBJECT = members(_OBJECT, _ACL, _HEADERS, _STORAGE, _ENCRYPTION, _CUSTOMER_KEY, _LOCK)
_WRITE_CONDITIONS = acted_on("IfMatch", "IfNoneMatch")
_SOURCE = acted_on(
    "CopySource", "CopySourceIfMatch", "CopySourceIfModifiedSince", "CopySourceIfNoneMatch",
    "CopySourceIfUnmodifiedSince", "ExpectedSourceBucketOwner",
)  # fmt: skip
_SOURCE_KEY = "the key of the customer's that the source is encrypted with"


def _ignored(names: Iterable[str], reason: str) -> Members:
    return members(*(accepted(name, reason) for name in names))


_KEY_NAMES = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")
_KEY_AGAIN = _ignored(_KEY_NAMES, "the key of the customer's that the object is encrypted with")
_READ = members(
    _VERSION,
    acted_on(
        "IfMatch", "IfModifiedSince", "IfNoneMatch", "IfUnmodifiedSince", "Range", "PartNumber", "ChecksumMode",
        "ResponseCacheControl", "ResponseContentDisposition", "ResponseContentEncoding", "ResponseContentLanguage",
        "ResponseContentType", "ResponseExpires",
    ),
    _CUSTOMER_KEY,
)  # fmt: skip
_LIST = members(_BUCKET, _PAYER, acted_on("Delimiter", "EncodingType", "Prefix"))
_KEYS = members(
    _LIST,
    acted_on("MaxKeys"),
    accepted("OptionalObjectAttributes", "whether entries tell until when an archived object is restored"),
)
_RULES = "LifecycleConfiguration.Rules[]"

MEMBERS: Mapping[str, Members] = {
    "AbortMultipartUpload": members(_OBJECT, acted_on("UploadId"), refused("IfMatchInitiatedTime")),
    "CompleteMultipartUpload": members(
        _OBJECT,
        acted_on("UploadId", "MultipartUpload", "ChecksumType", "MpuObjectSize"),
        *(refused(f"MultipartUpload.Parts[].Checksum{name}") for name in _OTHER_CHECKSUMS),
        _checksums(),
        _WRITE_CONDITIONS,
        _KEY_AGAIN,
    ),
    "CopyObject": members(
        _NEW_OBJECT,
        _SOURCE,
        _ALGORITHM,
        _WRITE_CONDITIONS,
        acted_on("MetadataDirective", "TaggingDirective"),
        accepted("AnnotationDirective", "whether annotations are copied; here no object has any"),
        _ignored((f"CopySource{name}" for name in _KEY_NAMES), _SOURCE_KEY),
    ),
    "CreateBucket": members(
        acted_on(
            "Bucket", "CreateBucketConfiguration.LocationConstraint", "CreateBucketConfiguration.Tags",
            "ObjectLockEnabledForBucket", "ObjectOwnership",
        ),
        refused("CreateBucketConfiguration.Location"),
        refused("CreateBucketConfiguration.Bucket"),
        refused("BucketNamespace", "global"),
        _ACL,
        _GRANT_WRITE,
    ),
    "CreateMultipartUpload": members(_NEW_OBJECT, _ALGORITHM, acted_on("ChecksumType")),
    "DeleteBucket": _BUCKET,
    "DeleteBucketCors": _BUCKET,
    "DeleteBucketLifecycle": _BUCKET,
    "DeleteObject": members(
        _VERSION,
        _MFA,
        acted_on("BypassGovernanceRetention", "IfMatch", "IfMatchLastModifiedTime", "IfMatchSize"),
    ),
    "DeleteObjectTagging": members(_BUCKET, acted_on("Key", "VersionId")),
    "DeleteObjects": members(
        _BUCKET,
        _PAYER,
        _MFA,
        acted_on("Delete", "BypassGovernanceRetention"),
        _DOCUMENT_ALGORITHM,
    ),
    "GetBucketAcl": _BUCKET,
    "GetBucketCors": _BUCKET,
    "GetBucketLifecycleConfiguration": _BUCKET,
    "GetBucketLocation": _BUCKET,
    "GetBucketVersioning": _BUCKET,
    "GetObject": _READ,
    "GetObjectAcl": _VERSION,
    "GetObjectAttributes": members(_VERSION, acted_on("MaxParts", "PartNumberMarker", "ObjectAttributes"), _KEY_AGAIN),
    "GetObjectLegalHold": _VERSION,
    "GetObjectLockConfiguration": _BUCKET,
    "GetObjectRetention": _VERSION,
    "GetObjectTagging": _VERSION,
    "HeadBucket": _BUCKET,
    "HeadObject": _READ,
    "ListBuckets": acted_on("MaxBuckets", "ContinuationToken", "Prefix", "BucketRegion"),
    "ListMultipartUploads": members(_LIST, acted_on("KeyMarker", "MaxUploads", "UploadIdMarker")),
    "ListObjectVersions": members(_KEYS, acted_on("KeyMarker", "VersionIdMarker")),
    "ListObjects": members(_KEYS, acted_on("Marker")),
    "ListObjectsV2": members(_KEYS, acted_on("ContinuationToken", "FetchOwner", "StartAfter")),
    "ListParts": members(_OBJECT, acted_on("MaxParts", "PartNumberMarker", "UploadId"), _KEY_AGAIN),
    "PutBucketAcl": members(_BUCKET, acted_on("AccessControlPolicy"), _ACL, _GRANT_WRITE, _DOCUMENT),
    "PutBucketCors": members(_BUCKET, acted_on("CORSConfiguration"), _DOCUMENT),
    "PutBucketLifecycleConfiguration": members(
        _BUCKET,
        acted_on("LifecycleConfiguration"),
        accepted(f"{_RULES}.Transitions", "moves objects to another storage class"),
        accepted(f"{_RULES}.NoncurrentVersionTransitions", "moves old versions to another storage class"),
        accepted("TransitionDefaultMinimumObjectSize", "how large an object must be to be moved"),
        _DOCUMENT_ALGORITHM,
    ),
    "PutBucketVersioning": members(
        _BUCKET,
        _MFA,
        acted_on("VersioningConfiguration"),
        accepted("VersioningConfiguration.MFADelete", "whether deletes need multi-factor authentication"),
        _DOCUMENT,
    ),
    "PutObject": members(_NEW_OBJECT, _BODY, _WRITE_CONDITIONS, refused("WriteOffsetBytes")),
    "PutObjectAcl": members(_VERSION, acted_on("AccessControlPolicy"), _ACL, _GRANT_WRITE, _DOCUMENT),
    "PutObjectLegalHold": members(_VERSION, acted_on("LegalHold"), _DOCUMENT),
    "PutObjectLockConfiguration": members(
        _BUCKET,
        _PAYER,
        acted_on("ObjectLockConfiguration"),
        accepted("Token", "AWS's consent to a lock of an existing bucket, which it does not ask for any more"),
        _DOCUMENT,
    ),
    "PutObjectRetention": members(_VERSION, acted_on("Retention", "BypassGovernanceRetention"), _DOCUMENT),
    "PutObjectTagging": members(_VERSION, acted_on("Tagging"), _DOCUMENT),
    "RenameObject": members(
        acted_on(
            "Bucket", "Key", "RenameSource", "DestinationIfMatch", "DestinationIfNoneMatch", "SourceIfMatch",
            "SourceIfNoneMatch", "SourceIfModifiedSince", "SourceIfUnmodifiedSince",
        ),
        refused("DestinationIfModifiedSince"),
        refused("DestinationIfUnmodifiedSince"),
        accepted("ClientToken", "makes a repeated request the same one"),
    ),
    "RestoreObject": members(
        _VERSION,
        acted_on("RestoreRequest.Days"),
        refused("RestoreRequest.Type"),
        refused("RestoreRequest.SelectParameters"),
        refused("RestoreRequest.OutputLocation"),
        accepted("RestoreRequest.Tier", "how fast; here at once"),
        accepted("RestoreRequest.GlacierJobParameters", "how fast; here at once"),
        accepted("RestoreRequest.Description", "describes a query"),
        _DOCUMENT_ALGORITHM,
    ),
    "UploadPart": members(_OBJECT, acted_on("PartNumber", "UploadId"), _BODY, _KEY_AGAIN),
    "UploadPartCopy": members(
        _OBJECT,
        _SOURCE,
        acted_on("CopySourceRange", "PartNumber", "UploadId"),
        _KEY_AGAIN,
        _ignored((f"CopySource{name}" for name in _KEY_NAMES), _SOURCE_KEY),
    ),
}  # fmt: skip

# What is looked at for each request: of some forty rows, a handful.
REFUSED: Mapping[str, Members] = {
    name: tuple(row for row in table if row.treatment is Treatment.REFUSED) for name, table in MEMBERS.items()
}
