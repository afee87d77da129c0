"""The storage does what a dict would do: any sequence of operations, with restarts in between."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from samebox.errors import AwsError
from samebox.s3.records import Attributes, Completion, NamedPart, Source
from samebox.s3.store import S3Store
from tests.s3.conftest import faults
from tests.s3.harness import ACCOUNT, MIB, REGION, get, put, send
from tests.s3.model import BucketModel

# Few letters, so that keys meet: `a` beside `a/`, `a/b`, `a//`, and one whose bytes are not in the order of UTF-16.
KEYS = st.text(st.sampled_from("ab/é\U0001f600\uffff\0"), min_size=1, max_size=4)
# Nothing, inline, and a file.
BODIES = st.one_of(st.just(b""), st.binary(max_size=40), st.integers(0, 255).map(lambda one: bytes([one]) * 80_000))
PARTS = st.lists(BODIES, max_size=2)


class BucketMachine(RuleBasedStateMachine):
    """One bucket, and its model."""

    versions = Bundle("versions")

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = S3Store(Path(self.folder.name))
        self.store.buckets.create("bucket", ACCOUNT, REGION)
        self.model = BucketModel()
        self.handles: dict[int, str] = {}

    def named(self, version: str) -> int:
        handle = len(self.handles)
        self.handles[handle] = version
        return handle

    @rule(target=versions, key=KEYS, data=BODIES, tags=st.dictionaries(st.sampled_from("xy"), st.sampled_from("12")))
    def put(self, key: str, data: bytes, tags: dict[str, str]) -> tuple[str, int]:
        handle = self.named(put(self.store, key, data, attributes=Attributes(tags=tags)).version)
        self.model.add(key, data, handle, tags)
        return key, handle

    @rule(target=versions, key=KEYS)
    def delete(self, key: str) -> tuple[str, int]:
        handle = self.named(self.store.objects.delete("bucket", key).version)
        self.model.delete(key, handle)
        return key, handle

    @rule(version=versions)
    def remove(self, version: tuple[str, int]) -> None:
        key, handle = version
        entry = next((one for one in self.model.versions.get(key, []) if one.handle == handle), None)
        if entry is not None:
            assert self.store.objects.delete("bucket", key, self.handles[handle]).is_delete_marker == (
                entry.data is None
            )
            self.model.remove(key, handle)

    @rule(target=versions, source=KEYS, key=KEYS)
    def copy(self, source: str, key: str) -> tuple[str, int]:
        entry = self.model.current(source)
        if entry is None:
            with pytest.raises(AwsError, match="NoSuchKey"):
                self.store.copies.copy(Source("bucket", source), "bucket", key)
            return key, -1
        handle = self.named(self.store.copies.copy(Source("bucket", source), "bucket", key).version)
        self.model.add(key, entry.data, handle, entry.tags)
        return key, handle

    @rule(source=KEYS, key=KEYS)
    def rename(self, source: str, key: str) -> None:
        entry = self.model.current(source)
        if self.model.versioning or entry is None:
            with pytest.raises(AwsError, match=r"NoSuchKey|InvalidRequest"):
                self.store.copies.rename("bucket", source, key)
            return
        self.store.copies.rename("bucket", source, key)
        if source != key:
            self.model.versions[key] = self.model.versions.pop(source)

    @rule(key=KEYS, tags=st.dictionaries(st.sampled_from("xy"), st.sampled_from("12")))
    def tag(self, key: str, tags: dict[str, str]) -> None:
        if self.model.current(key) is not None:
            self.store.objects.set_tags("bucket", key, tags)
            self.model.tag(key, tags)

    @rule(target=versions, key=KEYS, last=BODIES, again=st.booleans(), source=KEYS)
    def multipart(self, key: str, last: bytes, again: bool, source: str) -> tuple[str, int]:
        upload = self.store.uploads.create("bucket", key).upload_id
        first = b"\1" * (5 * MIB)
        if again:
            send(self.store, upload, key, 3, b"sent again")
        named = [NamedPart(3, send(self.store, upload, key, 3, first))]
        data = first
        if self.model.current(source) is not None:
            part, _ = self.store.uploads.copy_part("bucket", key, upload, 7, Source("bucket", source))
            named.append(NamedPart(7, part.etag))
            data += self.model.current(source).data or b""  # type: ignore[union-attr]
        else:
            named.append(NamedPart(8, send(self.store, upload, key, 8, last)))
            data += last
        done = self.store.uploads.complete("bucket", key, upload, Completion(tuple(named)))
        assert self.store.uploads.complete("bucket", key, upload, Completion(tuple(named))).etag == done.etag
        handle = self.named(done.version)
        self.model.add(key, data, handle)
        return key, handle

    @rule(key=KEYS, data=BODIES)
    def abort(self, key: str, data: bytes) -> None:
        upload = self.store.uploads.create("bucket", key).upload_id
        send(self.store, upload, key, 1, data)
        self.store.uploads.abort("bucket", key, upload)

    @rule(versioning=st.sampled_from(["Enabled", "Suspended"]))
    def set_versioning(self, versioning: Any) -> None:
        self.store.buckets.set_versioning("bucket", versioning)
        self.model.versioning = versioning

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = S3Store(Path(self.folder.name))

    @rule(prefix=st.text(st.sampled_from("ab/"), max_size=2), delimiter=st.sampled_from(["", "/", "b", "/a"]),
          after=st.text(st.sampled_from("ab/é"), max_size=3), limit=st.integers(1, 4))  # fmt: skip
    def list(self, prefix: str, delimiter: str, after: str, limit: int) -> None:
        found: list[tuple[str, str]] = []
        position = after
        while True:
            page = self.store.lists.objects("bucket", prefix=prefix, delimiter=delimiter, after=position, limit=limit)
            entries = [*(("key", one.key) for one in page.items), *(("prefix", one) for one in page.prefixes)]
            assert len(entries) <= limit
            found += sorted(entries, key=lambda one: one[1].encode())
            if not page.truncated:
                break
            position = page.next_key
        assert found == self.model.listing(prefix, delimiter, after)

    @rule(limit=st.integers(1, 4))
    def list_versions(self, limit: int) -> None:
        found: list[tuple[str, str]] = []
        key = version = ""
        while True:
            page = self.store.lists.versions("bucket", after_key=key, after_version=version, limit=limit)
            found += [(one.key, one.version) for one in page.items]
            if not page.truncated:
                break
            key, version = page.next_key, page.next_version
        ordered = sorted(self.model.versions, key=str.encode)
        assert found == [(key, self.handles[one.handle]) for key in ordered for one in self.model.versions[key]]

    @invariant()
    def every_object_is_read_back(self) -> None:
        for key, entries in self.model.versions.items():
            current = self.model.current(key)
            if current is None:
                with pytest.raises(AwsError, match="NoSuchKey"):
                    get(self.store, key)
            else:
                assert get(self.store, key) == current.data
                assert self.store.objects.head("bucket", key).attributes.tags == current.tags
            for one in entries:
                if one.data is not None:
                    assert get(self.store, key, self.handles[one.handle]) == one.data

    @invariant()
    def nothing_is_left_over(self) -> None:
        assert faults(self.store) == []

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


def test_the_storage_does_what_a_dict_would_do() -> None:
    run_state_machine_as_test(
        BucketMachine,
        settings=settings(
            max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
