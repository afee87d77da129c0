"""What is read of an image from its files, on small generated trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from samebox.check import subject
from samebox.parity import inventory
from tests.check.images import ImageSource, LayerFile, elf, layer

if TYPE_CHECKING:
    from pathlib import Path

    from samebox.parity.inventory import Inventory

SITE = "usr/local/lib/python3.10/site-packages"
STATUS = b"""Package: libc6
Status: install ok installed
Version: 2.36-9

Package: old
Status: deinstall ok config-files
"""


def package(name: str, version: str, site: str = SITE) -> LayerFile:
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    return LayerFile(f"{site}/{name}-{version}.dist-info/METADATA", text.encode())


PYTHON = (elf("usr/local/bin/python3.10"), LayerFile("usr/local/bin/python3", link="python3.10"))


def look(
    folder: Path, *entries: LayerFile, probed: dict[str, dict[str, str]] | None = None, **config: Any
) -> Inventory:
    made = ImageSource((layer(*entries),), config)
    (folder / "image.tar").write_bytes(made.docker_archive())
    return inventory.read(subject.from_path(folder / "image.tar"), probed)


def test_packages_are_those_of_the_python_on_path_and_others_have_their_place(tmp_path: Path) -> None:
    found = look(
        tmp_path, *PYTHON, package("numpy", "1.23.5"), package("pip", "9", "opt/venv/lib/python3.9/site-packages")
    )
    assert found.facts()["Python packages"] == {
        "numpy": "1.23.5",
        "pip in /opt/venv/lib/python3.9/site-packages": "9",
    }
    assert found.facts()["Python"]["version"] == "3.10"


def test_an_environment_on_path_comes_before_the_python_that_it_links_to(tmp_path: Path) -> None:
    venv = "opt/venv/lib/python3.10/site-packages"
    link = LayerFile("opt/venv/bin/python3", link="/usr/local/bin/python3.10")
    packages = (package("numpy", "1.0"), package("numpy", "2.0", venv))
    found = look(tmp_path, *PYTHON, link, *packages, Env=["PATH=/opt/venv/bin:/usr/local/bin"])
    assert found.facts()["Python packages"]["numpy"] == "2.0"


def test_another_build_of_tensorflow_is_tensorflow(tmp_path: Path) -> None:
    found = look(tmp_path, *PYTHON, package("tensorflow_cpu", "2.11.1"))
    assert found.facts()["Python packages"] == {"tensorflow": "2.11.1 (tensorflow-cpu)"}


def test_the_patch_release_of_python_is_in_its_header(tmp_path: Path) -> None:
    header = LayerFile("usr/local/include/python3.10/patchlevel.h", b'#define PY_VERSION   "3.10.13"\n')
    assert look(tmp_path, *PYTHON, header).facts()["Python"]["version"] == "3.10.13"


def test_the_system_its_packages_and_its_time_zone_are_read(tmp_path: Path) -> None:
    found = look(
        tmp_path,
        LayerFile("etc/os-release", b'ID=debian\nPRETTY_NAME="Debian 12"\n'),
        LayerFile("var/lib/dpkg/status", STATUS),
        LayerFile("lib/apk/db/installed", b"P:musl\nV:1.2.4\n\n"),
        LayerFile("usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30", b"x"),
        LayerFile("lib/libc-2.31.so", b"x"),
        LayerFile("etc/localtime", link="/usr/share/zoneinfo/Europe/Rome"),
        LayerFile("etc/timezone", b"Europe/Rome\n"),
        User="model",
    ).facts()
    assert found["system"] == {
        "operating system": "Debian 12",
        "libc": "glibc 2.31",
        "libstdc++": "6.0.30",
        "architecture": "linux/amd64",
        "user": "model",
    }
    assert found["OS packages"] == {"libc6": "2.36-9", "musl": "1.2.4"}
    assert found["time"] == {"/etc/localtime": "Europe/Rome", "/etc/timezone": "Europe/Rome"}


def test_the_rule_of_a_compiled_time_zone_is_read(tmp_path: Path) -> None:
    found = look(tmp_path, LayerFile("etc/localtime", b"TZif2...\nCET-1CEST,M3.5.0,M10.5.0/3\n"))
    assert found.facts()["time"] == {"/etc/localtime": "CET-1CEST,M3.5.0,M10.5.0/3"}


def test_cuda_and_linear_algebra_are_identified_by_their_libraries(tmp_path: Path) -> None:
    cuda, wheel = "usr/local/cuda/lib64", f"{SITE}/numpy.libs"
    found = look(
        tmp_path,
        LayerFile(f"{cuda}/libcudart.so.11.6.55", b"x"),
        LayerFile(f"{cuda}/libcudart.so.11.0", link="libcudart.so.11.6.55"),
        LayerFile(f"{cuda}/libcudnn.so.8.4.0", b"x"),
        LayerFile(f"{cuda}/libcudnn.so.8", link="libcudnn.so.8.4.0"),
        LayerFile(f"{cuda}/stubs/libcublas.so.11.9", b"x"),
        LayerFile(f"{wheel}/libopenblas64_p-r0-742d56dc.3.20.so", b"x"),
        LayerFile("usr/lib/libompitrace.so.40.30.1", b"x"),
    ).facts()
    assert found["CUDA"] == {"cudart": "11.0, 11.6.55", "cudnn": "8.4.0", "toolkit": "11.6"}
    assert list(found["numerics"].values()) == ["libopenblas64_p-r0-742d56dc.3.20.so"]


def test_variables_are_sorted_by_what_they_are_for_and_secrets_are_not_shown(tmp_path: Path) -> None:
    variables = [
        "LANG=C",
        "TZ=UTC",
        "OMP_NUM_THREADS=2",
        "TF_ENABLE_ONEDNN_OPTS=0",
        "API_TOKEN=sesame",
        "STAGE=\x1b[31mx",
    ]
    found = look(tmp_path, LayerFile("etc/"), Env=variables).facts()
    assert found["locale"] == {"LANG": "C"}
    assert found["time"] == {"TZ": "UTC"}
    assert found["threads and switches"] == {"OMP_NUM_THREADS": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}
    assert found["environment"] == {"API_TOKEN": "hidden, 6 characters", "STAGE": "\N{REPLACEMENT CHARACTER}[31mx"}


def test_the_inventory_of_its_python_comes_before_that_of_its_files(tmp_path: Path) -> None:
    probed = {
        "Python": {"version": "3.10.13", "search path": f"/{SITE}:/opt/more"},
        "Python packages": {"numpy": "1.24", "tensorflow-cpu": "2.11.1"},
    }
    others = (
        package("numpy", "1.23"),
        package("more", "1", "opt/more/site-packages"),
        package("a", "1", "b/site-packages"),
    )
    found = look(tmp_path, *PYTHON, *others, probed=probed)
    assert found.facts()["Python"]["version"] == "3.10.13"
    assert found.facts()["Python packages"] == {
        "numpy": "1.24",
        "tensorflow": "2.11.1 (tensorflow-cpu)",
        "more in /opt/more/site-packages": "1",
        "a in /b/site-packages": "1",
    }
    assert found.facts(with_probe=False)["Python packages"]["numpy"] == "1.23"
    assert found.facts(with_probe=False)["Python"]["version"] == "3.10.13"


def test_layers_that_both_have_are_counted_with_their_bytes(tmp_path: Path) -> None:
    root = layer(LayerFile("a", size=1000))
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        made = ImageSource((root, layer(LayerFile(name, size=10))))
        (tmp_path / name / "image.tar").write_bytes(made.docker_archive())
        found.append(inventory.read(subject.from_path(tmp_path / name / "image.tar")))
    assert inventory.shared(*found) == (1, 1000)
    assert found[0].size_bytes == 1010


@pytest.mark.parametrize(
    ("first", "python"),
    [
        ("#!/usr/local/bin/python3.10", "/usr/local/bin/python3.10"),
        ("#!/usr/bin/env python3", "python3"),
        ("#!/usr/bin/env -S python3 -u", "python3"),
        ("#!/bin/sh", "python3"),
        ("#!/opt/gone/bin/python", "python3"),
    ],
)
def test_the_first_line_of_a_program_names_its_python(tmp_path: Path, first: str, python: str) -> None:
    serve = LayerFile("usr/local/bin/serve", f"{first}\n".encode(), 0o755)
    (tmp_path / "image.tar").write_bytes(ImageSource((layer(*PYTHON, serve),)).docker_archive())
    assert inventory.interpreter(subject.from_path(tmp_path / "image.tar"), "serve") == python


def test_an_image_without_python_has_none(tmp_path: Path) -> None:
    (tmp_path / "image.tar").write_bytes(ImageSource().docker_archive())
    assert inventory.interpreter(subject.from_path(tmp_path / "image.tar"), "serve") is None


def test_a_system_without_a_name_has_none(tmp_path: Path) -> None:
    found = look(
        tmp_path, LayerFile("etc/os-release", b"ID=debian\n"), LayerFile("etc/debian_version", b"12.1\n")
    ).facts()
    assert "operating system" not in found["system"]
