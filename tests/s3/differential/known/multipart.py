"""Multipart uploads."""

from tests.s3.differential.known import KnownDifference
from tests.s3.differential.sources import API, RECORDED

NO_UPLOAD = (
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
    "completed."
)
NO_PART = (
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
    "entity tag may not match the part's entity tag."
)

DIFFERENCES = {
    "multipart: parts out of order": KnownDifference(
        f"{API}/API_CompleteMultipartUpload.html",
        {
            "Code": "InvalidPartOrder",
            "Message": "The list of parts was not in ascending order. Parts must be ordered by part number.",
        },
    ),
    "multipart: a part twice": KnownDifference(
        f"{API}/API_CompleteMultipartUpload.html", {"[0]": 400, "[1]": "InvalidPartOrder"}
    ),
    "multipart: a part that was not sent": KnownDifference(
        f"{API}/API_CompleteMultipartUpload.html",
        {"Message": NO_PART},
    ),
    "multipart: a small part that is not the last": KnownDifference(
        f"{API}/API_CompleteMultipartUpload.html",
        {"Message": "Your proposed upload is smaller than the minimum allowed size"},
    ),
    "multipart: a part number that cannot be, 0": KnownDifference(
        f"{API}/API_UploadPart.html",
        {
            "Code": "InvalidArgument",
            "Message": "Part number must be an integer between 1 and 10000, inclusive",
            "status": 400,
        },
    ),
    "multipart: an upload that is not there, upload_part": KnownDifference(
        f"{API}/API_UploadPart.html",
        {
            "Code": "NoSuchUpload",
            "Message": NO_UPLOAD,
            "status": 404,
        },
    ),
    "multipart: an upload that is not there, complete_multipart_upload": KnownDifference(
        f"{API}/API_CompleteMultipartUpload.html",
        {
            "Code": "NoSuchUpload",
            "Message": NO_UPLOAD,
            "status": 404,
        },
    ),
    "multipart: an upload of another key": KnownDifference(
        f"{API}/API_UploadPart.html", {"[0]": 404, "[1]": "NoSuchUpload"}
    ),
    "multipart: an aborted upload is gone": KnownDifference(
        f"{API}/API_CompleteMultipartUpload.html", {"[1][0]": 404, "[1][1]": "NoSuchUpload"}
    ),
    "multipart: a storage class of an upload": KnownDifference(f"{API}/API_ListParts.html", {"[0]": "STANDARD_IA"}),
    "multipart: uploads are listed by key": KnownDifference(
        f"{API}/API_ListMultipartUploads.html", {"[0]": "a", "[1]": "b"}
    ),
    "multipart: uploads below a delimiter": KnownDifference(
        f"{API}/API_ListMultipartUploads.html", {"[0]": [{"Prefix": "a/"}], "[1]": ["b"]}
    ),
    "multipart: uploads in pages": KnownDifference(
        f"{API}/API_ListMultipartUploads.html", {"": [True, [["a", "b"], ["c"]]]}
    ),
    "multipart: uploads after a key": KnownDifference(f"{API}/API_ListMultipartUploads.html", {"": ["b", "c"]}),
    "multipart: a range that cannot be copied, beyond the end": KnownDifference(
        RECORDED, {"[0]": 400, "[1]": "InvalidArgument"}
    ),
    "multipart: a range that cannot be copied, turned around": KnownDifference(
        RECORDED, {"[0]": 400, "[1]": "InvalidArgument"}
    ),
    "multipart: a range that cannot be copied, open": KnownDifference(RECORDED, {"[0]": 400, "[1]": "InvalidArgument"}),
    "multipart: a range that cannot be copied, suffix": KnownDifference(
        RECORDED, {"[0]": 400, "[1]": "InvalidArgument"}
    ),
    "multipart: a range that cannot be copied, no range": KnownDifference(
        RECORDED, {"[0]": 400, "[1]": "InvalidArgument"}
    ),
    "multipart: a part copied of what is not there": KnownDifference(RECORDED, {"[1]": "NoSuchKey"}),
    "multipart: a part copied if its source is the, wrong": KnownDifference(
        RECORDED, {"[0]": 412, "[1]": "PreconditionFailed"}
    ),
    "multipart: attributes of an object in parts": KnownDifference(f"{API}/API_GetObjectAttributes.html", {"[1]": 2}),
    "multipart: a completion whose document is none": KnownDifference(
        f"{API}/API_CompleteMultipartUpload.html", {"[0]": 400, "[1]": "MalformedXML"}
    ),
    "multipart: a completion with a wrong size": KnownDifference(
        f"{API}/API_CompleteMultipartUpload.html", {"[0]": 400, "[1]": "InvalidRequest"}
    ),
}
