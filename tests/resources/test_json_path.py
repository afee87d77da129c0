"""The subset of JSONPath that filters of a transform job are written in."""

from typing import Any

import pytest

from samebox.resources import json_path
from samebox.resources.json_path import BadPath, NothingThere

DATA = {"id": 7, "features": [1, 2, 3], "in": {"x": [{"y": "z"}]}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", DATA),
        ("$.id", 7),
        ("$['id','features']", {"id": 7, "features": [1, 2, 3]}),
        ('$["features"][-1]', 3),
        ("$.features[0,2]", [1, 3]),
        ("$.features[1:]", [2, 3]),
        ("$.features[:-1]", [1, 2]),
        ("$.features[*]", [1, 2, 3]),
        ("$.in.x[0].y", "z"),
    ],
)
def test_a_path_selects(path: str, found: Any) -> None:
    assert json_path.find(json_path.parse(path), DATA) == found


@pytest.mark.parametrize("path", ["$.absent", "$.features[3]", "$.id[0]", "$.features.x", "$['id','absent']"])
def test_what_is_not_there_is_an_error(path: str) -> None:
    with pytest.raises(NothingThere):
        json_path.find(json_path.parse(path), DATA)


@pytest.mark.parametrize("path", ["", "id", "$..id", "$.features[?(@>1)]", "$[", "$.in['x'][a]"])
def test_a_path_beyond_the_subset_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        json_path.parse(path)
