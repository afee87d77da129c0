"""Code that only tests reach is deleted; what is there for a part to come is named here, with that part."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = {
    "emulator/samebox/wire/schema.py is_event_stream": "laws leave event streams out, as no operation of theirs is run",
}


def only_tests(root: Path) -> set[str]:
    """`file name` of each definition, as `scripts/figures --unused` lists them with their lines."""
    loader = SourceFileLoader("figures", str(ROOT / "scripts" / "figures"))
    figures = module_from_spec(spec_from_loader(loader.name, loader))  # type: ignore[arg-type]  # a loader has a spec
    loader.exec_module(figures)
    found = [one.removesuffix(" (and no test names it)").split() for one in figures.only_tests(root)]
    return {f"{place.partition(':')[0]} {name}" for place, name in found}


def test_what_only_tests_reach_is_found(tmp_path: Path) -> None:
    for folder in ("scripts", ".ci", "train", "serve", "emulator", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "emulator" / "one.py").write_text("def used(): ...\ndef unused(): ...\nused()\n")
    (tmp_path / "tests" / "test_one.py").write_text("from one import unused\n")
    assert only_tests(tmp_path) == {"emulator/one.py unused"}


def test_no_code_is_reached_by_tests_alone() -> None:
    assert only_tests(ROOT) == set(KEPT)
