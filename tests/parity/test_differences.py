"""What differs between two images, and in which order it is reported."""

from __future__ import annotations

import pytest

from samebox.parity.differences import Disparity, differences
from samebox.parity.inventory import GROUPS, Inventory
from samebox.parity.known import TABLE

PACKAGES = "Python packages"


def image(probed: dict[str, dict[str, str]] | None = None, **groups: dict[str, str]) -> Inventory:
    return Inventory("image", static={name.replace("_", " "): values for name, values in groups.items()}, probed=probed)


def names_and_weights(left: Inventory, right: Inventory) -> list[tuple[str, str]]:
    return [(one.name, one.weight) for one in differences(left, right)]


def test_images_of_the_same_things_have_no_differences() -> None:
    assert differences(image(system={"libc": "1"}), image(system={"libc": "1"})) == []


def test_what_can_change_a_prediction_comes_first() -> None:
    left = image(
        Python_packages={"gunicorn": "20", "numpy": "1.23.5", "tensorflow": "2.11", "features": "1", "tqdm": "4"},
        threads_and_switches={"OMP_NUM_THREADS": "1"},
        programs={"gcc": "/usr/bin", "sh": "/bin"},
    )
    right = image(
        Python_packages={"gunicorn": "21", "numpy": "1.26.4", "tensorflow": "2.12", "features": "2", "tqdm": "4"},
        threads_and_switches={},
        programs={"sh": "/bin"},
    )
    assert names_and_weights(left, right) == [
        ("tensorflow", "likely"),
        ("numpy", "likely"),
        ("features", "possibly"),
        ("OMP_NUM_THREADS", "possibly"),
        ("gunicorn", "hardly"),
        ("on PATH in one only", "hardly"),
    ]


@pytest.mark.parametrize(
    ("group", "name", "left", "right", "weight"),
    [
        ("Python", "version", "3.10.1", "3.11.1", "likely"),
        ("Python", "version", "3.10.1", "3.10.13", "possibly"),
        ("system", "architecture", "linux/amd64", "linux/arm64", "likely"),
        ("system", "libc", "glibc 2.31", "glibc 2.36", "possibly"),
        ("CUDA", "cudnn", "8.4.0", "8.6.0", "likely"),
        ("CUDA", "nccl", "2.12", "2.16", "hardly"),
        ("threads and switches", "TF_ENABLE_ONEDNN_OPTS", "0", None, "likely"),
        ("locale", "LANG", "C.UTF-8", None, "possibly"),
        ("time", "TZ", "UTC", "Europe/Rome", "possibly"),
        ("environment", "SCALE", "2", None, "possibly"),
        ("environment", "SAGEMAKER_PROGRAM", "a", "b", "hardly"),
        ("OS packages", "libopenblas0", "0.3.20", "0.3.21", "possibly"),
        ("OS packages", "curl", "7", "8", "hardly"),
        (PACKAGES, "scikit-learn", "1.2", None, "likely"),
        (PACKAGES, "protobuf", "3.19.6", "4.21", "likely"),
        (PACKAGES, "protobuf", "3.19.6", None, "possibly"),
        (PACKAGES, "unheard-of", "1", None, "hardly"),
        (PACKAGES, "numpy in /opt/other", "1", "2", "possibly"),
    ],
)
def test_a_difference_weighs_what_it_can_do(group: str, name: str, left: str, right: str | None, weight: str) -> None:
    sides = [Inventory("image", static={group: {name: value} if value else {}}) for value in (left, right)]
    (found,) = differences(*sides)
    assert (found.weight, found.left) == (weight, left)
    assert found.why


def test_what_only_one_of_them_could_be_asked_is_no_difference() -> None:
    asked = image({"Python": {"version": "3.10.13"}}, Python={"version": "3.10"})
    assert differences(asked, image(Python={"version": "3.10"})) == []


def test_a_setting_that_is_missing_is_not_set_and_a_package_is_not_there() -> None:
    found = differences(image(locale={"LANG": "C"}, Python_packages={"numpy": "1"}), image())
    assert {(one.name, one.right) for one in found} == {("LANG", "not set"), ("numpy", "not there")}


def test_many_programs_are_one_difference() -> None:
    programs = {f"tool{number:02}": "/bin" for number in range(20)}
    (found,) = differences(image(programs=programs), image())
    assert isinstance(found, Disparity)
    assert found.left.endswith("tool07 and 12 more")


def test_every_row_of_the_table_speaks_of_a_group_that_there_is() -> None:
    assert {known.group for known in TABLE} <= set(GROUPS)


def test_a_version_that_is_known_less_closely_is_no_difference() -> None:
    assert names_and_weights(image(Python={"version": "3.10"}), image(Python={"version": "3.10.13"})) == []
    assert names_and_weights(image(Python={"version": "3.1"}), image(Python={"version": "3.10.13"})) == [
        ("version", "likely")
    ]
