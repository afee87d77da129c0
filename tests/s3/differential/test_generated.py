"""What hypothesis makes: keys, ranges, lists, uploads; against the reference where it is right, else against rules."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.s3.differential.behaviours import comparable
from tests.s3.differential.calls import PART, S3Calls, S3Side

_BODY = bytes(range(48, 58))
_numbers = itertools.count()
_MOST_PAGES = 20
# A file, a test and a server for all examples: what takes time is the requests.
bounded = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# moto reads a line end in a path as the end of the path, XML 1.0 has no other control characters, and a surrogate is
# no UTF-8.
_characters = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
keys = st.text(_characters, min_size=1, max_size=40).filter(lambda key: len(key.encode()) <= 1024)
names = st.text("ab/", min_size=1, max_size=5)


def both(ours: S3Side, reference: S3Side) -> tuple[S3Calls, S3Calls]:
    """A new bucket of one name on each."""
    name = f"generated-{next(_numbers)}"
    made = S3Calls(ours, name), S3Calls(reference, name)
    for calls in made:
        calls.create_bucket()
    return made


@bounded
@given(key=keys)
def test_any_key_is_kept_and_listed(ours: S3Side, reference: S3Side, key: str) -> None:
    mine, theirs = both(ours, reference)
    for calls in (mine, theirs):
        calls.put_object(Key=key, Body=key.encode())

    assert mine.get_object(Key=key)["Body"] == theirs.get_object(Key=key)["Body"] == key.encode()
    assert mine.keys() == theirs.keys() == [key]
    assert mine.delete_object(Key=key).status == 204
    assert mine.keys() == []


def expected(first: str, last: str) -> tuple[int, bytes | None]:
    """Status and bytes of `bytes=<first>-<last>`, as RFC 9110 §14.1.2 has it and S3 does."""
    size = len(_BODY)
    if not first and not last:
        return 200, _BODY
    if not first:
        return (206, _BODY[-min(int(last), size) :]) if int(last) else (416, None)
    if last and int(last) < int(first):
        return 200, _BODY
    if int(first) >= size:
        return 416, None
    return 206, _BODY[int(first) : int(last) + 1 if last else None]


@pytest.fixture(scope="module")
def ranged(ours: S3Side, reference: S3Side) -> tuple[S3Calls, S3Calls]:
    made = both(ours, reference)
    for calls in made:
        calls.put_object(Key="k", Body=_BODY)
    return made


_bound = st.one_of(st.just(""), st.integers(0, 15).map(str), st.integers(0, 10**20).map(str))


@bounded
@given(first=_bound, last=_bound)
def test_any_range_is_that_of_the_standard(ranged: tuple[S3Calls, S3Calls], first: str, last: str) -> None:
    status, body = expected(first, last)
    is_turned = bool(first and last) and int(last) < int(first)  # which moto refuses behind the end, and ignores before
    for calls in ranged[:1] if is_turned else ranged:
        answer = calls.get_object(Key="k", Range=f"bytes={first}-{last}")

        assert (answer.status, answer.get("Body")) == (status, body)


@bounded
@given(
    stored=st.sets(names, max_size=12),
    prefix=st.text("ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "a", "b/"]),
    start=st.text("ab/", max_size=3),
    size=st.integers(1, 5),
)
def test_pages_of_any_listing_are_the_whole(
    ours: S3Side, reference: S3Side, stored: set[str], prefix: str, delimiter: str, start: str, size: int
) -> None:
    mine, theirs = both(ours, reference)
    for calls in (mine, theirs):
        calls.put(*sorted(stored))
    query: dict[str, Any] = {"Prefix": prefix, "StartAfter": start} | ({"Delimiter": delimiter} if delimiter else {})
    found = [listed(mine, {**query, "MaxKeys": size}), listed(mine, query)]

    assert found[0] == found[1] == rolled(stored, prefix, delimiter, start)
    if not start or not delimiter:  # moto takes what begins before StartAfter for no common prefix
        assert found[1] == listed(theirs, query)


def listed(calls: S3Calls, query: dict[str, Any]) -> list[str]:
    """Keys and common prefixes of all pages, in their order; each page is in order by itself."""
    found: list[str] = []
    token: dict[str, Any] = {}
    for _ in range(_MOST_PAGES):
        answer = calls.list_objects_v2(**query, **token)
        page = [one["Key"] for one in answer.get("Contents", [])]
        found += sorted(page + [one["Prefix"] for one in answer.get("CommonPrefixes", [])])
        if not answer["IsTruncated"]:
            return found
        token = {"ContinuationToken": answer["NextContinuationToken"]}
    pytest.fail(f"there are more pages than keys: {found}")


def rolled(stored: set[str], prefix: str, delimiter: str, start: str) -> list[str]:
    """The same by the rule of the documentation."""
    found = set()
    for key in stored:
        if key.startswith(prefix) and key > start:
            head, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            found.add(prefix + head + cut if cut else key)
    return sorted(found)


class UploadMachine(RuleBasedStateMachine):
    """One upload on both servers: parts in any order, sent again, completed with what was sent, or aborted."""

    sides: tuple[S3Side, S3Side]

    @initialize()
    def begin(self) -> None:
        self.calls = both(*self.sides)
        self.uploads = [calls.upload("k")[0] for calls in self.calls]
        self.parts: dict[int, list[Any]] = {}
        self.bodies: dict[int, bytes] = {}
        self.open = True

    @rule(number=st.integers(1, 4), body=st.sampled_from([b"", b"a", b"bc", b"x" * PART]))
    def send(self, number: int, body: bytes) -> None:
        answers = [
            calls.upload_part(Key="k", UploadId=upload, PartNumber=number, Body=body)
            for calls, upload in zip(self.calls, self.uploads, strict=True)
        ]
        if self.open:
            assert answers[0].pick("ETag") == answers[1].pick("ETag")
            self.parts[number] = [answer["ETag"] for answer in answers]
            self.bodies[number] = body
        else:
            assert answers[0].verdict == (404, "NoSuchUpload")

    @rule()
    def look(self) -> None:
        if self.open:
            pages = [
                calls.list_parts(Key="k", UploadId=upload)
                for calls, upload in zip(self.calls, self.uploads, strict=True)
            ]
            found = [
                [(part["PartNumber"], part["ETag"], part["Size"]) for part in page.get("Parts", [])] for page in pages
            ]
            assert (
                found[0]
                == found[1]
                == [(number, self.parts[number][0], len(self.bodies[number])) for number in sorted(self.parts)]
            )

    @rule()
    def complete(self) -> None:
        if not self.open or not self.parts:
            return
        answers = [
            calls.complete(
                "k",
                upload,
                [{"PartNumber": number, "ETag": etags[side]} for number, etags in sorted(self.parts.items())],
            )
            for side, (calls, upload) in enumerate(zip(self.calls, self.uploads, strict=True))
        ]
        bodies = [self.bodies[number] for number in sorted(self.bodies)]
        if any(len(body) < PART for body in bodies[:-1]):
            assert answers[0].verdict == answers[1].verdict == (400, "EntityTooSmall")
            return
        assert comparable(answers[0].pick("ETag")) == comparable(answers[1].pick("ETag"))
        assert self.calls[0].get_object(Key="k")["Body"] == b"".join(bodies)
        assert self.calls[0].complete(
            "k",
            self.uploads[0],
            [{"PartNumber": number, "ETag": etags[0]} for number, etags in sorted(self.parts.items())],
        ).pick("ETag") == answers[0].pick("ETag")
        self.open = False

    @rule()
    def abort(self) -> None:
        if self.open:
            answers = [
                calls.abort_multipart_upload(Key="k", UploadId=upload).status
                for calls, upload in zip(self.calls, self.uploads, strict=True)
            ]
            assert answers == [204, 204]
            self.open = False


def test_an_upload_does_what_the_references_does(ours: S3Side, reference: S3Side) -> None:
    class Machine(UploadMachine):
        sides = (ours, reference)

    run_state_machine_as_test(Machine, settings=settings(max_examples=12, stateful_step_count=8, deadline=None))
