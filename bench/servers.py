"""The server that runs in the box while we measure: so light that it is not what is measured."""

from pathlib import Path

SCRIPT = (Path(__file__).parent / "server_script.py").read_text()
