"""Which bytes of an image the registry did not have yet."""

import json

from bench.rebake import new_bytes


def manifest(*blobs: tuple[str, int]) -> dict[str, object]:
    (config, *layers) = [{"digest": digest, "size": size} for digest, size in blobs]
    return {"config": config, "layers": layers}


def test_only_blobs_that_were_not_there_count_and_the_manifest_itself() -> None:
    before = manifest(("config-1", 10), ("base", 1000), ("code-1", 20))
    after = manifest(("config-2", 11), ("base", 1000), ("code-2", 22))
    assert new_bytes(before, after) == 11 + 22 + len(json.dumps(after))


def test_a_blob_that_stands_twice_is_pushed_once() -> None:
    after = manifest(("config-2", 11), ("empty", 32), ("empty", 32))
    assert new_bytes(manifest(("config-1", 10)), after) == 11 + 32 + len(json.dumps(after))
