"""Each behaviour against our S3 and the reference."""

import hashlib
import importlib
import pkgutil

import pytest

from tests.s3 import differential
from tests.s3.differential import known
from tests.s3.differential.behaviours import BEHAVIOURS, differences
from tests.s3.differential.calls import S3Calls, S3Side
from tests.s3.differential.known import KnownDifference

LEAST = 300

for module in pkgutil.iter_modules(differential.__path__):
    if not module.name.startswith(("test_", "conftest", "known")):
        importlib.import_module(f"{differential.__name__}.{module.name}")
DIFFERENCES: dict[str, KnownDifference] = {
    name: row
    for module in pkgutil.iter_modules(known.__path__)
    for name, row in importlib.import_module(f"{known.__name__}.{module.name}").DIFFERENCES.items()
}


def observed(side: S3Side, name: str) -> object:
    """What a behaviour comes to in a new bucket of `side`."""
    calls = S3Calls(side, "b" + hashlib.sha256(name.encode()).hexdigest()[:20])
    calls.create_bucket()
    return BEHAVIOURS[name].observe(calls)


@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
def test_ours_answers_as_aws(name: str, ours: S3Side, reference: S3Side) -> None:
    mine = observed(ours, name)
    try:
        theirs = observed(reference, name)
    except (KeyError, ValueError) as error:  # an answer without what each answer of S3 has
        theirs = f"no answer: {error!r}"
    found = differences(mine, theirs)
    row = DIFFERENCES.get(name)
    # A difference that no row explains, a row that no difference needs, and a value that is not AWS's: each fails.
    assert {path: one for path, (one, _) in found.items()} == ({} if row is None else row.aws), found


def test_there_are_as_many_as_there_should_be() -> None:
    assert len(BEHAVIOURS) >= LEAST


def test_each_known_difference_is_of_a_behaviour_and_has_a_source() -> None:
    assert set(DIFFERENCES) <= set(BEHAVIOURS)
    assert [name for name, row in DIFFERENCES.items() if not row.source or not row.aws] == []
