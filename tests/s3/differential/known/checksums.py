"""Checksums, and bodies in chunks."""

from tests.s3.differential.known import KnownDifference
from tests.s3.differential.sources import API, CHUNKED, INTEGRITY, PARTS_OF_COMPOSITES, RECORDED_ALL, TRAILERS

_OTHER_TRAILERS = KnownDifference(TRAILERS, {"[0][0]": 400, "[0][1]": "MalformedTrailerError", "[1]": []})

DIFFERENCES = {
    "checksums: a checksum behind the chunks that was not announced": _OTHER_TRAILERS,
    "checksums: an announced checksum that does not come": _OTHER_TRAILERS,
    "checksums: another checksum than the announced one": _OTHER_TRAILERS,
    "checksums: what is no checksum behind the chunks": KnownDifference(
        TRAILERS,
        {"[0][0]": 400, "[0][1]": "MalformedTrailerError", "[1][0]": 400, "[1][1]": "InvalidRequest", "[2]": []},
    ),
    "checksums: a right checksum, CRC32": KnownDifference(INTEGRITY, {"ChecksumCRC32": "NSRBwg=="}),
    "checksums: a right checksum, CRC32C": KnownDifference(INTEGRITY, {"ChecksumCRC32C": "Nks/tw=="}),
    "checksums: a right checksum, CRC64NVME": KnownDifference(INTEGRITY, {"ChecksumCRC64NVME": "BeXKuz/B+us="}),
    "checksums: a right checksum, SHA1": KnownDifference(INTEGRITY, {"ChecksumSHA1": "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="}),
    "checksums: a right checksum, SHA256": KnownDifference(
        INTEGRITY, {"ChecksumSHA256": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="}
    ),
    "checksums: a wrong checksum, CRC32": KnownDifference(
        INTEGRITY,
        {
            "[0].Code": "BadDigest",
            "[0].Message": "The CRC32 you specified did not match the calculated checksum.",
            "[0].status": 400,
            "[1]": [],
        },
    ),
    "checksums: a wrong checksum, CRC32C": KnownDifference(
        INTEGRITY,
        {
            "[0].Code": "BadDigest",
            "[0].Message": "The CRC32C you specified did not match the calculated checksum.",
            "[0].status": 400,
            "[1]": [],
        },
    ),
    "checksums: a wrong checksum, CRC64NVME": KnownDifference(
        INTEGRITY,
        {
            "[0].Code": "BadDigest",
            "[0].Message": "The CRC64NVME you specified did not match the calculated checksum.",
            "[0].status": 400,
            "[1]": [],
        },
    ),
    "checksums: a wrong checksum, SHA1": KnownDifference(
        INTEGRITY,
        {
            "[0].Code": "BadDigest",
            "[0].Message": "The SHA1 you specified did not match the calculated checksum.",
            "[0].status": 400,
            "[1]": [],
        },
    ),
    "checksums: a wrong checksum, SHA256": KnownDifference(
        INTEGRITY,
        {
            "[0].Code": "BadDigest",
            "[0].Message": "The SHA256 you specified did not match the calculated checksum.",
            "[0].status": 400,
            "[1]": [],
        },
    ),
    "checksums: a checksum that is none, CRC32": KnownDifference(
        INTEGRITY,
        {"Code": "InvalidRequest", "Message": "Value for x-amz-checksum-crc32 header is invalid.", "status": 400},
    ),
    "checksums: a checksum that is none, CRC32C": KnownDifference(
        INTEGRITY,
        {"Code": "InvalidRequest", "Message": "Value for x-amz-checksum-crc32c header is invalid.", "status": 400},
    ),
    "checksums: a checksum that is none, CRC64NVME": KnownDifference(
        INTEGRITY,
        {"Code": "InvalidRequest", "Message": "Value for x-amz-checksum-crc64nvme header is invalid.", "status": 400},
    ),
    "checksums: a checksum that is none, SHA1": KnownDifference(
        INTEGRITY,
        {"Code": "InvalidRequest", "Message": "Value for x-amz-checksum-sha1 header is invalid.", "status": 400},
    ),
    "checksums: a checksum that is none, SHA256": KnownDifference(
        INTEGRITY,
        {"Code": "InvalidRequest", "Message": "Value for x-amz-checksum-sha256 header is invalid.", "status": 400},
    ),
    "checksums: a checksum of parts, CRC32": KnownDifference(INTEGRITY, {"[1].ChecksumCRC32": "8xAQJw==-2"}),
    "checksums: a checksum of parts, CRC32C": KnownDifference(INTEGRITY, {"[1].ChecksumCRC32C": "NXbvPA==-2"}),
    "checksums: a checksum of parts, CRC64NVME": KnownDifference(INTEGRITY, {"[1].ChecksumCRC64NVME": "F3BhfK1HZ0E="}),
    "checksums: a checksum of parts, SHA1": KnownDifference(
        INTEGRITY, {"[1].ChecksumSHA1": "DlO92UzOqkPsj6BFEq2Iwb682+o=-2"}
    ),
    "checksums: a checksum of parts, SHA256": KnownDifference(
        INTEGRITY, {"[1].ChecksumSHA256": "xiYtHgAzdfvXcr5VSjBUL06UmE66g34EUf1qZzi3Cm4=-2"}
    ),
    "checksums: two checksums at once": KnownDifference(INTEGRITY, {"[0]": 400, "[1]": "InvalidRequest"}),
    "checksums: a wrong md5": KnownDifference(
        f"{API}/API_PutObject.html",
        {
            "[0].Code": "BadDigest",
            "[0].Message": "The Content-MD5 you specified did not match what we received.",
            "[0].status": 400,
            "[1]": [],
        },
    ),
    "checksums: a digest is never of a whole in parts": KnownDifference(
        RECORDED_ALL, {"[0]": 400, "[1]": "InvalidRequest"}
    ),
    "checksums: an md5 that is none": KnownDifference(
        f"{API}/API_PutObject.html",
        {"Code": "InvalidDigest", "Message": "The Content-MD5 you specified was invalid.", "status": 400},
    ),
    "checksums: a wrong checksum of a part": KnownDifference(
        INTEGRITY, {"[0][0]": 400, "[0][1]": "BadDigest", "[1]": None}
    ),
    "checksums: a wrong md5 of a part": KnownDifference(f"{API}/API_PutObject.html", {"[0]": 400, "[1]": "BadDigest"}),
    "checksums: a body in chunks": KnownDifference(
        CHUNKED, {"[1].Body": b"abc", "[1].ContentLength": 3, "[1].ETag": '"900150983cd24fb0d6963f7d28e17f72"'}
    ),
    "checksums: a body in several chunks": KnownDifference(CHUNKED, {"": b"abc"}),
    "checksums: a checksum behind the chunks": KnownDifference(
        CHUNKED, {"[1].x-amz-checksum-crc32": "NSRBwg==", "[2]": b"abc"}
    ),
    "checksums: a wrong checksum behind the chunks": KnownDifference(
        CHUNKED, {"[0][0]": 400, "[0][1]": "BadDigest", "[1]": []}
    ),
    "checksums: chunks of another length than announced": KnownDifference(
        CHUNKED, {"[0][0]": 400, "[0][1]": "IncompleteBody", "[1]": []}
    ),
    "checksums: a delete of several needs a digest": KnownDifference(
        f"{API}/API_DeleteObjects.html", {"[0]": 400, "[1]": "InvalidRequest"}
    ),
    "checksums: an object without a checksum has one": KnownDifference(
        INTEGRITY, {"ChecksumCRC64NVME": "BeXKuz/B+us="}
    ),
    "checksums: an upload may want a checksum of the whole": KnownDifference(INTEGRITY, {"ChecksumCRC32": "NSRBwg=="}),
    "checksums: a part without the checksum of its upload, CRC32": KnownDifference(
        PARTS_OF_COMPOSITES,
        {
            "Code": "InvalidRequest",
            "Message": "Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: null",
            "status": 400,
        },
    ),
    "checksums: a part without the checksum of its upload, SHA256": KnownDifference(
        PARTS_OF_COMPOSITES,
        {
            "Code": "InvalidRequest",
            "Message": "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null",
            "status": 400,
        },
    ),
}
