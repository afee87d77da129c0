"""What S3 does with a bucket, as a plain dict: the storage is compared with it."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class ModelVersion:
    """A version of the model's; `data` is None for a delete marker. `handle` names it in the test."""

    data: bytes | None
    handle: int
    is_null: bool
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class BucketModel:
    """Versions by key, the newest first."""

    versions: dict[str, list[ModelVersion]] = field(default_factory=dict)
    versioning: str = ""

    def current(self, key: str) -> ModelVersion | None:
        found = self.versions.get(key)
        return found[0] if found and found[0].data is not None else None

    def add(self, key: str, data: bytes | None, handle: int, tags: dict[str, str] | None = None) -> None:
        is_null = self.versioning != "Enabled"
        kept = [one for one in self.versions.get(key, []) if not (is_null and one.is_null)]
        self.versions[key] = [ModelVersion(data, handle, is_null, tags or {}), *kept]

    def delete(self, key: str, handle: int) -> None:
        if self.versioning:
            self.add(key, None, handle)
        else:
            self.versions.pop(key, None)

    def remove(self, key: str, handle: int) -> None:
        kept = [one for one in self.versions.get(key, []) if one.handle != handle]
        if kept:
            self.versions[key] = kept
        else:
            self.versions.pop(key, None)

    def tag(self, key: str, tags: dict[str, str]) -> None:
        newest = self.versions[key][0]
        self.versions[key][0] = replace(newest, tags=tags)

    def visible(self) -> list[str]:
        return sorted((key for key in self.versions if self.current(key)), key=str.encode)

    def listing(self, prefix: str, delimiter: str, after: str) -> list[tuple[str, str]]:
        """("key" or "prefix", name) of a whole listing, in order; `after` is a key or one of its common prefixes."""
        found: list[tuple[str, str]] = []
        for key in self.visible():
            if not key.startswith(prefix):
                continue
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            entry = ("key", key) if end < 0 else ("prefix", key[: end + len(delimiter)])
            if end < 0 or entry[1] == after:
                hidden = entry[1].encode() <= after.encode()
            else:
                hidden = key.encode() <= after.encode()
            if not hidden and entry not in found:
                found.append(entry)
        return found
