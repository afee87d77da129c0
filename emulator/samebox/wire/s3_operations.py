"""Which operation of S3 a request means: its method, how deep its path goes, its subresource, and what it must have.

Everything is read out of the model: `PUT /{Bucket}/{Key+}?tagging` needs the key and `tagging`, and an UploadPart is a
PUT that has the required members `partNumber` and `uploadId` in its query.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from samebox.wire.http import Request
from samebox.wire.models import Operation, Service

# Older forms of operations that have another name today, and what is asked at other hosts than S3's own: directory
# buckets' list, and the answer of an Object Lambda.
_NOT_MEANT = frozenset(
    {
        "GetBucketLifecycle",
        "PutBucketLifecycle",
        "GetBucketNotification",
        "PutBucketNotification",
        "ListDirectoryBuckets",
        "WriteGetObjectResponse",
    }
)

_MOST_REMEMBERED = 1024  # of the forms of requests; clients have a few dozen


@dataclass(frozen=True)
class _Candidate:
    operation: Operation
    depth: int  # 0: the service, 1: a bucket, 2: an object
    literals: Mapping[str, str]  # of the query: subresources ('' is any value) and `list-type=2`
    fields: frozenset[str]  # of the query, that the operation cannot do without
    known: frozenset[str]  # of the query, all that it may have
    headers: frozenset[str]

    def fits(self, request: Request) -> bool:
        query = request.query
        return (
            all(name in query and (not value or query[name] == value) for name, value in self.literals.items())
            and all(name in query for name in self.fields)
            and all(name in request.headers for name in self.headers)
        )

    @cached_property
    def weight(self) -> int:
        """Of two that fit, the one that asks for more is meant."""
        return 4 * len(self.literals) + 2 * len(self.fields) + len(self.headers)


class S3Operations:
    """The operations of S3, as `service` has them, by what their requests look like."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._candidates: dict[tuple[str, int], list[_Candidate]] = {}
        for operation in service.operations.values():
            if operation.name not in _NOT_MEANT:
                one = _candidate(operation)
                self._candidates.setdefault((operation.http_method, one.depth), []).append(one)
        self._subresources = frozenset(self._named())
        every = [one for some in self._candidates.values() for one in some]
        self._names = frozenset(name for one in every for name in (*one.literals, *one.fields)) | self._subresources
        self._values = frozenset(value for one in every for value in one.literals.values() if value)
        self._found: dict[object, Operation | None] = {}

    def find(self, request: Request) -> Operation | None:
        """The operation of a request in path style, or None. Query fields that S3 does not know are ignored.

        A subresource is never ignored: `DELETE /bucket?analytics` without an id is not DeleteBucket.
        """
        query = request.query
        # All that the choice depends on.
        features = frozenset(
            (name, query[name] if query[name] in self._values else "") for name in query if name in self._names
        )
        key = (request.method, _depth(request.path), features, "x-amz-copy-source" in request.headers)
        try:
            return self._found[key]
        except KeyError:
            found = self._find(request)
            if len(self._found) < _MOST_REMEMBERED:
                self._found[key] = found
            return found

    def _find(self, request: Request) -> Operation | None:
        asked = self._subresources.intersection(request.query)
        fitting = [
            one
            for one in self._candidates.get((request.method, _depth(request.path)), ())
            if one.fits(request) and asked <= one.known.union(one.literals)
        ]
        return max(fitting, key=lambda one: one.weight).operation if fitting else None

    def _named(self) -> Iterator[str]:
        for candidates in self._candidates.values():
            for one in candidates:
                yield from (name for name, value in one.literals.items() if not value)
                # Only where these decide, as `uploadId` does; `id` and `versionId` are mere parameters.
                yield from (one.fields & {"uploadId", "partNumber"} if not one.literals else ())


def _candidate(operation: Operation) -> _Candidate:
    path, _, query = operation.http_uri.partition("?")
    pairs = (part.partition("=") for part in query.split("&") if part)
    members = operation.input.members if operation.input is not None else {}
    needed = [members[name] for name in (operation.input.required if operation.input is not None else ())]
    return _Candidate(
        operation,
        _depth(path),
        {name: value for name, _, value in pairs},
        frozenset(member.wire_name for member in needed if member.location == "querystring"),
        frozenset(member.wire_name for member in members.values() if member.location == "querystring"),
        # The headers that distinguish operations; another required header that is missing is an error of the operation.
        frozenset(member.wire_name for member in needed if member.wire_name == "x-amz-copy-source"),
    )


def _depth(path: str) -> int:
    """0 for `/`, 1 for `/bucket`, 2 for `/bucket/key`."""
    return 0 if path == "/" else min(path.count("/"), 2)
