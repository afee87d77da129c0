"""docs/contract.md is the specification: what is cited of it is there, and its source keys are explained in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.check.registry import CHECKS

ROOT = Path(__file__).parents[2]
CONTRACT = (ROOT / "docs" / "contract.md").read_text()
SECTIONS = set(re.findall(r"^#+ (\d+(?:\.\d+)*)\.? ", CONTRACT, re.MULTILINE))
# "contract §1.1, §1.4.5 and §2.2": the sections that follow the word until something else does.
_CITATION = re.compile(r"[Cc]ontract(?:\.md)?,? (§ ?\d+(?:\.\d+)*(?:(?:, | and |-)§? ?\d+(?:\.\d+)+| ?,? §\d+)*)")
_SECTION = re.compile(r"\d+(?:\.\d+)*")
_KEYS = re.compile(r"\b(SM|RT|ECRM|LOGS|BC|TT|IT|MHCS|DG23|DG26|V2|V3C|V3T|SDK|SMD|CAP20):(?=[A-Z`a-z])")
SOURCES = [
    path
    for folder in ("emulator", "serve", "train", "images", "scripts", "tests", "docs")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.is_file() and path.suffix in ("", ".py", ".md", ".hcl", ".in") and "__pycache__" not in path.parts
]


def citations() -> Iterator[tuple[Path, str]]:
    for path in SOURCES:
        for found in _CITATION.finditer(path.read_text(errors="replace")):
            for section in _SECTION.findall(found.group(1)):
                yield path, section


def test_each_section_that_is_cited_exists() -> None:
    missing = {f"{path.relative_to(ROOT)}: §{section}" for path, section in citations() if section not in SECTIONS}
    assert missing == set()


def test_citations_are_found_at_all() -> None:
    assert len(list(citations())) > 200
    assert len(SECTIONS) > 50


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.rule.id))
def test_the_source_of_a_rule_can_be_looked_up(check: object) -> None:
    source = check.rule.source  # type: ignore[attr-defined]
    known = (
        _CITATION,
        re.compile(r"https://\S+"),
        re.compile(r"\b[\w.-]+/[\w.-]+#\d+"),  # an issue on GitHub
        re.compile(r"RFC \d+ §"),
        re.compile(r"AWS: [A-Z]"),  # the title of a page of AWS's documentation
        re.compile(r"CIS Docker Benchmark \d"),
        re.compile(r"--[a-z-]+"),  # asked for by an option, so that no page need say it
    )
    assert any(pattern.search(source) for pattern in known), source


def test_each_key_of_a_source_that_code_names_is_explained() -> None:
    explained = set(re.findall(r"^\| `([A-Z0-9]+):", CONTRACT, re.MULTILINE))
    used = {key for path in SOURCES for key in _KEYS.findall(path.read_text(errors="replace"))}
    assert used - explained == set()
