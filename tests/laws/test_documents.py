"""What is written for people is true: settings, commands, bake targets, scripts, links, and the picture."""

import argparse
import ast
import dataclasses
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from samebox import cli
from samebox.settings import PREFIX, Settings
from tests.laws import invariants

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTS = {path.relative_to(ROOT).as_posix(): path.read_text() for path in PAGES}
ARCHITECTURE, CONTRIBUTING = DOCUMENTS["ARCHITECTURE.md"], DOCUMENTS["CONTRIBUTING.md"]
SETTINGS, COMMANDS = DOCUMENTS["docs/settings.md"], DOCUMENTS["docs/commands.md"]
IMAGES = DOCUMENTS["docs/images.md"]
README_LINES = 150


def table_rows(text: str) -> list[list[str]]:
    lines = [line.replace("\\|", "¦") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


# Settings and commands


@pytest.mark.parametrize("one", dataclasses.fields(Settings), ids=lambda one: str(one.name))
def test_every_setting_is_documented_with_its_default(one: "dataclasses.Field[Any]") -> None:
    rows = {cells[0]: cells[1] for cells in table_rows(SETTINGS) if len(cells) >= 2}
    name = f"`{PREFIX}{one.name.upper()}`"
    assert name in rows, f"docs/settings.md has no row for {name}"
    if one.default is not dataclasses.MISSING:
        default = one.default
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        shown = shown.lower() if isinstance(default, bool) else shown
        assert rows[name] == (shown or "none")


def test_no_setting_is_documented_that_does_not_exist() -> None:
    known = {f"{PREFIX}{one.name.upper()}" for one in dataclasses.fields(Settings)}
    known.add("SAMEBOX_DATA")  # no setting: where the command of `samebox parity --run` finds its input
    for name, text in DOCUMENTS.items():
        assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", text)) <= known, name


def messages() -> Iterator[tuple[Path, str]]:
    """Every string of the package that a person may read: docstrings are for contributors."""
    for path in (ROOT / "emulator" / "samebox").rglob("*.py"):
        tree = ast.parse(path.read_text())
        documented = [
            node.body[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        ]
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documented:
                yield path, node.value


def test_a_message_names_the_variable_of_a_setting_and_not_its_inner_name() -> None:
    inner = re.compile(rf"\b({'|'.join(one.name for one in dataclasses.fields(Settings) if '_' in one.name)})\b")
    variables = {f"{PREFIX}{one.name.upper()}" for one in dataclasses.fields(Settings)}
    # Handed to the command of `samebox parity --run`, which is not an emulator.
    variables |= {f"{PREFIX}DATA", f"{PREFIX}CONTENT_TYPE", f"{PREFIX}ACCEPT"}
    variables.add(f"{PREFIX}REPLACED")  # what `samebox env` keeps in a shell for `--unset`
    for path, text in messages():
        if " " in text:
            assert not inner.search(text), f"{path}: {text!r}"
        assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", text)) <= variables, f"{path}: {text!r}"


def commands() -> dict[str, argparse.ArgumentParser]:
    (words,) = [one for one in cli.parser()._actions if isinstance(one, argparse._SubParsersAction)]
    return dict(words.choices)


@pytest.mark.parametrize("command", commands())
def test_every_command_and_option_is_documented(command: str) -> None:
    row = next(cells for cells in table_rows(COMMANDS) if cells[0].startswith(f"`samebox {command}"))
    for action in commands()[command]._actions:
        longest = max(action.option_strings, key=len, default="")
        if longest and longest not in ("--help", "--data-dir"):
            assert longest in row[1], f"docs/commands.md does not name `samebox {command} {longest}`"


def shown_commands() -> Iterator[tuple[str, str]]:
    """Every `samebox …` in the shell blocks of the pages, by page."""
    for name, text in DOCUMENTS.items():
        for block in re.findall(r"(?ms)^```sh\n(.*?)^```$", text):
            for line in block.replace("\\\n", " ").splitlines():
                for command in re.split(r" && |\$\(", line.partition(" #")[0]):
                    found = re.match(r"(?:[A-Z_]+=\S+ )*samebox (.*)", command.strip().removesuffix(')"'))
                    if found:
                        yield name, found.group(1)


@pytest.mark.parametrize(("name", "command"), list(shown_commands()))
def test_a_command_that_is_shown_is_one_that_samebox_takes(name: str, command: str) -> None:
    cli.parser().parse_args(shlex.split(command))  # it exits where it does not know a word


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").iterdir()), ids=lambda path: str(path.name))
def test_every_script_is_documented(path: Path) -> None:
    assert f"scripts/{path.name}" in COMMANDS


# Images


def bake_names() -> list[str]:
    text = (ROOT / "docker-bake.hcl").read_text()
    names = re.findall(r'^(?:target|group) "([\w-]+)"', text, re.MULTILINE)
    return [name for name in names if not name.startswith("_")]


@pytest.mark.parametrize("name", bake_names())
def test_every_bake_target_is_documented(name: str) -> None:
    documented = {word for cells in table_rows(IMAGES) for cell in cells for word in re.findall(r"`([\w-]+)`", cell)}
    assert name in documented, f"docs/images.md's table of bake targets has no `{name}`"


# Links and paths


def prose(text: str) -> str:
    """The text without its blocks of code."""
    return re.sub(r"(?ms)^```.*?^```$", "", text)


def anchors(text: str) -> set[str]:
    """The anchors that a code host gives the headings of a page."""
    found: list[str] = []
    for heading in re.findall(r"(?m)^#+ (.+)$", prose(text)):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        times = sum(one == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", one) is not None for one in found)
        found.append(f"{slug}-{times}" if times else slug)
    return set(found)


def broken_links(name: str, text: str) -> list[str]:
    """The relative links of a page that lead to no file, or to no heading of one."""
    without_code = re.sub(r"`[^`\n]*`", "", prose(text))
    targets = [one for one in re.findall(r"\]\(([^)\s]+)\)", without_code) if not one.startswith("https://")]
    return [target for target in targets if not resolves(name, target)]


def resolves(name: str, target: str) -> bool:
    file, _, anchor = target.partition("#")
    path = (ROOT / name).parent / file if file else ROOT / name
    if not path.resolve().is_relative_to(ROOT) or not path.exists():
        return False
    return not anchor or (path.suffix == ".md" and anchor in anchors(path.read_text()))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    assert broken_links(name, DOCUMENTS[name]) == []


def test_a_broken_link_is_found() -> None:
    links = "[a](README.md#push-and-deploy) [b](README.md#no-such) [c](docs/none.md) [d](../x) [e](https://a.example/)"
    assert broken_links("README.md", links) == ["README.md#no-such", "docs/none.md", "../x"]


def test_the_readme_stays_short() -> None:
    assert len(DOCUMENTS["README.md"].splitlines()) <= README_LINES, "move it to a page in docs/, and link to it"


def test_every_page_is_in_the_index() -> None:
    index = DOCUMENTS["docs/README.md"]
    for name in DOCUMENTS:
        if name.startswith("docs/") and name != "docs/README.md":
            assert f"]({name.removeprefix('docs/')})" in index, name


# The specification names paths of AWS's toolkits, too.
@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "docs/contract.md"])
def test_paths_that_are_named_are_there(name: str) -> None:
    rooms = "emulator|scripts|tests|images|train|serve"
    for path in re.findall(rf"`((?:{rooms})/[\w./-]+)`", DOCUMENTS[name]):
        assert (ROOT / path).exists(), f"{name} names {path}"


# Invariants


@pytest.mark.parametrize(("invariant", "enforcer"), invariants.rows(CONTRIBUTING).items())
def test_every_invariant_names_tests_that_are_collected(invariant: str, enforcer: str) -> None:
    named = invariants.enforcers(enforcer)
    assert named or enforcer == invariants.BACKLOG, f"no test id: {enforcer}"
    for test_id in named:
        file, _, test = test_id.partition("::")
        assert test in invariants.collected(ROOT / file), test_id


def test_a_folder_a_helper_and_a_test_that_is_gone_are_not_collected(tmp_path: Path) -> None:
    file = tmp_path / "test_one.py"
    file.write_text("def test_a(): ...\ndef help(): ...\nclass TestB:\n    def test_c(self): ...\n")
    assert invariants.collected(file) == {"test_a", "TestB::test_c"}
    (tmp_path / "conftest.py").write_text("def test_a(): ...\n")
    assert invariants.collected(tmp_path / "conftest.py") == set()
    assert invariants.collected(tmp_path) == invariants.collected(tmp_path / "test_none.py") == set()


# The picture of the rooms


def picture() -> set[str]:
    """The packages of emulator/samebox, and the modules that are in none, as ARCHITECTURE.md lists them."""
    block = re.search(r"```text\nemulator/samebox/\n(.*?)```", ARCHITECTURE, re.DOTALL)
    assert block, "ARCHITECTURE.md draws no emulator/samebox/"
    return set(re.findall(r"(?m)^  (\w+(?:/\w+)*/|\w+\.py) +\w", block.group(1)))


def test_the_picture_shows_every_room_and_no_other() -> None:
    package = ROOT / "emulator" / "samebox"
    modules = [path.relative_to(package) for path in package.rglob("*.py") if path.name != "__init__.py"]
    there = {f"{path.parent}/" if path.parent.name else path.name for path in modules}
    assert picture() == there - {"resources/migrations/"}


def test_the_tables_are_found_at_all() -> None:
    # The laws above look for rows; an empty harvest would make some of them pass.
    for text, rows in ((SETTINGS, 35), (COMMANDS, 18), (IMAGES, 12)):
        assert len(table_rows(text)) > rows
    assert len(bake_names()) > 10
    assert len(list(shown_commands())) > 25
