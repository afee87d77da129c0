"""The objects of a page as they are written at once, and as the model would write them: the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebox.s3.records import Listed
from samebox.services.s3.entries import contents, percent_encoded
from samebox.wire import xmltext
from samebox.wire.models import Models

PAGE = Models(("s3",)).service("s3").operations["ListObjectsV2"].output
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
LISTED = st.builds(
    Listed,
    key=KEYS,
    version=st.just("null"),
    modified=st.floats(0, 4e9),
    size=st.integers(0, 5 * 1024**4),
    etag=st.sampled_from(["d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e-12"]),
    storage_class=st.sampled_from(["STANDARD", "GLACIER"]),
    is_latest=st.just(True),
    is_delete_marker=st.just(False),
    algorithms=st.sampled_from(["", "CRC32", "CRC32,SHA256"]),
    checksum_type=st.sampled_from(["", "FULL_OBJECT", "COMPOSITE"]),
)


def by_the_model(items: list[Listed], encoded: bool, owner: str | None) -> str:
    assert PAGE is not None
    out: list[str] = []
    rows = [
        {
            "Key": percent_encoded(one.key) if encoded else one.key,
            "LastModified": one.modified,
            "ETag": f'"{one.etag}"',
            "ChecksumAlgorithm": one.algorithms.split(",") if one.algorithms else None,
            "ChecksumType": one.checksum_type or None,
            "Size": one.size,
            "StorageClass": one.storage_class,
            "Owner": None if owner is None else {"ID": owner},
        }
        for one in items
    ]
    xmltext.write_members(PAGE, {"Contents": rows}, out)
    return "".join(out)


@pytest.mark.parametrize("owner", [None, "a & b"])
@pytest.mark.parametrize("encoded", [True, False])
@settings(max_examples=25)
@given(items=st.lists(LISTED, max_size=4))
def test_a_page_that_is_written_at_once_is_what_the_model_writes(
    encoded: bool, owner: str | None, items: list[Listed]
) -> None:
    assert contents(items, percent_encoded if encoded else str, owner) == by_the_model(items, encoded, owner)
