"""Imports point down, and each third party has one door: ARCHITECTURE.md, "Who may import whom"."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "emulator" / "samebox"

# A room may import itself and these; `cli`, `commands`, `testing` and `app` may import everything.
ROOMS: dict[str, set[str]] = {
    "asgi": set(),
    "errors": set(),
    "listening": set(),
    "log_excerpt": set(),
    "settings": set(),
    "wire": set(),
    "resources": {"wire"},
    "containers": set(),
    "data": {"s3"},
    "faults": set(),
    "traffic": set(),
    "proxy": set(),
    "s3": set(),
    "services": {"wire", "resources", "traffic", "s3", "settings"},
    "platform": {"containers", "data"},
    "jobs": {"faults", "resources", "platform", "containers", "data", "settings"},
    "check": {"platform", "containers"},
    "parity": {"check", "platform", "containers"},
}
# Leaf modules: every room may import them.
LEAVES = {"asgi", "errors", "listening", "log_excerpt"}
FREE = {"cli", "commands", "testing", "app", "edge", "server", "__init__"}

# Third party -> where it may be imported. The command line is a client of the API: it has a door to boto3 of its own.
DOORS: dict[str, tuple[str, ...]] = {
    "botocore": ("wire/", "data/", "commands/aws.py"),
    "boto3": ("data/", "commands/aws.py"),
    "sqlite3": (
        "resources/store.py",
        "resources/metrics_store.py",
        "resources/migration.py",
        "resources/migrations/",
        "s3/index.py",
    ),
    "awscrt": ("s3/checksums.py",),
    "docker": ("containers/",),
    "rich": ("commands/", "check/reports/", "parity/terminal.py"),
    "uvicorn": ("server.py",),
    "PIL": ("commands/chart.py",),
    "cryptography": ("proxy/authority.py", "services/sealing.py"),
}


NAMED_OTHERWISE = {"pillow": "PIL"}  # distribution -> what it is imported as


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, module) of each import, those for type checkers only included: they are knowledge, too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            assert node.module is not None
            if node.module == "samebox":  # from samebox import app
                for name in node.names:
                    yield node.lineno, f"samebox.{name.name}"
            else:
                yield node.lineno, node.module


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_room_may_know(path: Path) -> None:
    own = room(path)
    if own in FREE:
        return
    assert own in ROOMS, f"{own} is a new room: say here what it may import, and in ARCHITECTURE.md what it is"
    allowed = ROOMS[own] | LEAVES | {own} if own not in LEAVES else {own}
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "samebox" and len(parts) > 1:
            assert parts[1] in allowed, f"{path.relative_to(ROOT)}:{line} imports {name}; {own} may import {allowed}"


def test_the_platform_and_the_contract_kit_know_of_engines_only_what_they_promise() -> None:
    for path in [path for room in ("platform", "check", "parity") for path in (PACKAGE / room).rglob("*.py")]:
        rooms = {name for _, name in imports(path) if name.startswith("samebox.containers")}
        assert rooms <= {"samebox.containers.engine"}, path


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_third_party_has_one_door(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    for line, name in imports(path):
        door = DOORS.get(name.split(".")[0])
        assert door is None or place.startswith(door), f"{place}:{line} imports {name}; its door is {door}"


@pytest.mark.parametrize("folder", ["train", "serve"])
def test_what_goes_into_the_images_imports_nothing_of_the_emulator(folder: str) -> None:
    for path in sorted((ROOT / folder).rglob("*.py")):
        for line, name in imports(path):
            assert name.split(".")[0] != "samebox", f"{path.relative_to(ROOT)}:{line} imports {name}"


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [one for extra in ("png",) for one in project["optional-dependencies"][extra]]
    distributions = {re.split(r"[<>=!\[]", one)[0] for one in (*project["dependencies"], *extras)}
    declared = {NAMED_OTHERWISE.get(one, one) for one in distributions}
    outside = {
        name.split(".")[0]
        for path in modules()
        # What runs inside images uses their packages; the pytest plugin has pytest because pytest loads it.
        if not path.relative_to(PACKAGE).as_posix().startswith(("parity/inside/", "testing/"))
        for _, name in imports(path)
    }
    used = {
        name
        for name in outside
        if name not in sys.stdlib_module_names and name != PACKAGE.name and "types_" not in name
    }
    assert declared == used


def test_the_table_of_rooms_names_no_room_that_is_gone() -> None:
    there = {room(path) for path in modules()}
    assert set(ROOMS) <= there


def test_no_module_has_a_vague_name() -> None:
    vague = {"utils", "util", "helpers", "common", "manager", "base", "misc"}
    assert [path for path in modules() if path.stem in vague] == []
