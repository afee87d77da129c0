"""docs/picture.svg is what scripts/picture draws."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "picture.svg"


def test_the_committed_picture_is_what_the_script_draws() -> None:
    program = [sys.executable, str(ROOT / "scripts" / "picture"), "-"]
    drawn = subprocess.run(program, capture_output=True, check=True).stdout
    assert drawn == PICTURE.read_bytes(), "run scripts/picture, and commit docs/picture.svg with it"


def test_all_that_is_drawn_is_inside_of_the_picture() -> None:
    picture = ElementTree.fromstring(PICTURE.read_text(encoding="utf-8"))
    width, height = int(picture.attrib["width"]), int(picture.attrib["height"])
    boxes = [one.attrib for one in picture.iter("{http://www.w3.org/2000/svg}rect") if "x" in one.attrib]
    assert len(boxes) > 10
    for one in boxes:
        assert int(one["x"]) + int(one["width"]) <= width
        assert int(one["y"]) + int(one["height"]) <= height
