"""Signatures of chunks, by the examples of AWS's documentation (read in November 2026)."""

import hashlib

import pytest

from samebox.errors import AwsError
from samebox.wire.chunk_signature import ChunkSignatures
from samebox.wire.http import Request

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CHUNKS = (b"a" * 65_536, b"a" * 1024, b"")


def of(seed: str) -> ChunkSignatures:
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={KEY}/20130524/us-east-1/s3/aws4_request,"
        f"SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date,Signature={seed}"
    )
    return ChunkSignatures(
        Request("PUT", "/", headers={"authorization": authorization, "x-amz-date": "20130524T000000Z"}), SECRET
    )


def check(signatures: ChunkSignatures, found: tuple[str, ...]) -> None:
    for chunk, signature in zip(CHUNKS, found, strict=True):
        signatures.check_chunk(hashlib.sha256(chunk).hexdigest(), signature)


PLAIN = (
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
)
WITH_TRAILERS = (
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
)


def test_the_chunks_of_the_example() -> None:
    check(of("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"), PLAIN)


def test_the_trailers_of_the_example() -> None:
    signatures = of("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")
    check(signatures, WITH_TRAILERS)
    signatures.check_trailers(
        [("x-amz-checksum-crc32c", "sOO8/Q==")], "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
    )


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_chunk_that_was_changed_or_has_no_signature_is_refused(place: int) -> None:
    for wrong in ("0" * 64, ""):
        found = (*PLAIN[:place], wrong, *PLAIN[place + 1 :])
        with pytest.raises(AwsError, match="does not match the signature") as refused:
            check(of("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"), found)
        assert (refused.value.code, refused.value.status) == ("SignatureDoesNotMatch", 403)
