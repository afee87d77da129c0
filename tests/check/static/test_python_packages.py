"""Packages that clash, and packages that lack something, are found in their metadata."""

from __future__ import annotations

import pytest

from samebox.check.static.python_packages import CLASHES
from tests.check.images import LayerFile
from tests.check.static.looking import holding, look

SITE = "usr/local/lib/python3.10/site-packages"


def package(name: str, version: str, *requires: str, python: str = "", site: str = SITE) -> LayerFile:
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in requires)]
    lines += [f"Requires-Python: {python}"] if python else []
    return LayerFile(
        f"{site}/{name}-{version}.dist-info/METADATA", "\n".join([*lines, "", "Words: no header"]).encode()
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("tensorflow", "2.11.1"), ("protobuf", "4.25.0")),
        (("tensorflow", "2.11.1"), ("numpy", "1.26.4")),
        (("torch", "2.1.0"), ("numpy", "2.0.1")),
        (("Flask", "2.0.3"), ("Werkzeug", "3.0.1")),
        (("Flask", "1.1.4"), ("Jinja2", "3.1.2")),
    ],
)
def test_a_pair_that_does_not_work_is_named_with_its_cure(first: tuple[str, str], second: tuple[str, str]) -> None:
    found = look(
        "image-python-clashes",
        holding(package(*first), package(*second)),
        words="FROM x\nRUN pip install -r requirements.txt",
    )
    assert (found.status, found.line) == ("fail", 2)
    assert second[1] in found.seen
    assert found.remedy.startswith("Install ")


def test_a_pair_that_works_passes() -> None:
    image = holding(package("tensorflow", "2.11.1"), package("numpy", "1.23.5"), package("protobuf", "3.19.6"))
    found = look("image-python-clashes", image)
    assert (found.status, found.seen) == ("pass", "3 in /usr/local/lib/python3.10")


def test_packages_of_two_pythons_do_not_clash() -> None:
    image = holding(package("torch", "2.1.0"), package("numpy", "2.0.1", site="usr/lib/python3/dist-packages"))
    assert look("image-python-clashes", image).status == "pass"


def test_the_table_of_clashes_is_well_formed() -> None:
    for clash in CLASHES:
        assert clash.first.partition("<")[0] != clash.second.partition(">")[0]
        assert clash.why
        assert clash.cure


@pytest.mark.parametrize(
    ("requires", "python", "words"),
    [
        ("numpy<2", "", "a 1.0 wants numpy<2, and there is 2.1"),
        ("pandas>=1", "", "a 1.0 wants pandas>=1, which is not there"),
        ("numpy", ">=3.11", "a 1.0 wants Python >=3.11, and this is 3.10"),
    ],
)
def test_a_requirement_that_is_not_met_is_found(requires: str, python: str, words: str) -> None:
    found = look(
        "image-python-requirements", holding(package("a", "1.0", requires, python=python), package("numpy", "2.1"))
    )
    assert (found.status, words in found.seen) == ("warn", True)


@pytest.mark.parametrize(
    "requires",
    [
        "numpy>=2",
        "pywin32; sys_platform == 'win32'",
        "pytest; extra == 'test'",
        "tomli; python_version < '3.10'",
        "not a requirement!",
    ],
)
def test_a_requirement_that_is_met_or_not_meant_passes(requires: str) -> None:
    image = holding(package("a", "1.0", requires, python=">=3.10.2"), package("numpy", "2.1"))
    assert look("image-python-requirements", image).status == "pass"
