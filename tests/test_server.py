"""The process of an emulator."""

import subprocess
import sys
from pathlib import Path

from tests.ports import free_port

PROGRAM = """
import gc, sys
from pathlib import Path
from samebox import server
from samebox.settings import Settings

async def serve(self, sockets=None):
    print(gc.get_freeze_count(), len(gc.get_objects()))

server._Server.serve = serve
server.serve(Settings(data_dir=Path(sys.argv[1]), port=int(sys.argv[2]), container_credentials=False))
"""


def test_a_full_collection_does_not_look_at_what_the_start_has_made(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(free_port())]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    frozen, looked_at = (int(word) for word in ended.stdout.split())
    assert frozen > 10 * looked_at
