"""`samebox up` as a user who is not root, from a test that is."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.scenarios.emulator_process import EmulatorProcess

UID = 64_321  # of no user of the machine
SOCKET = Path("/var/run/docker.sock")
# In a mount namespace of its own: a folder that other users may not enter shows the interpreter, which is in it, and no
# more.
_BEHIND = """
set -e
mount --bind "$1" "$2"
mount -t tmpfs -o mode=755 tmpfs "$3"
mkdir -p "$1"
mount --bind "$2" "$1"
shift 3
exec "$@"
"""


def missing() -> str:
    """What a test of another user lacks here, or nothing."""
    if os.geteuid() != 0:
        return "root, which can be another user"
    if not SOCKET.exists() or os.environ.get("DOCKER_HOST", f"unix://{SOCKET}") != f"unix://{SOCKET}":
        return f"an engine at {SOCKET}"
    return "" if shutil.which("setpriv") and shutil.which("unshare") else "setpriv and unshare (util-linux)"


class OtherUserEmulator(EmulatorProcess):
    """Its data folder and its home are the other user's; `docker` says whether that user may use the engine."""

    def __init__(self, *, docker: bool, **settings: str) -> None:
        # pytest's own folders are closed to other users.
        self.folder = Path(tempfile.mkdtemp(prefix="samebox-other-user-"))
        super().__init__(self.folder / "data", **settings)
        for path in (self.folder, self.data_dir, self.folder / "home"):
            path.mkdir(exist_ok=True)
            os.chown(path, UID, UID)
        self.log = self.folder / "log"
        kept = {name: value for name, value in self.environment.items() if not name.startswith("XDG_")}
        self.environment = {**kept, "HOME": str(self.folder / "home")}
        groups = f"--groups={SOCKET.stat().st_gid}" if docker else "--clear-groups"
        become = ["setpriv", f"--reuid={UID}", f"--regid={UID}", groups, "--inh-caps=-all", "--"]
        self.command = [*self._through_closed_folders(), *become, *self.command]

    def owners(self) -> set[tuple[str, int]]:
        """(place in the data folder, user) of each file and folder that is another user's, but for those of `push`."""
        found = [path for path in self.data_dir.rglob("*") if path.lstat().st_uid != UID]
        return {
            (str(path.relative_to(self.data_dir)), path.lstat().st_uid)
            for path in found
            if "docker-config" not in path.relative_to(self.data_dir).parts
        }

    def remove(self) -> None:
        """End it, and remove its folders."""
        super().remove()
        shutil.rmtree(self.folder)

    def _through_closed_folders(self) -> list[str]:
        base = Path(sys.base_prefix).resolve()
        closed = [one for one in (base, *base.parents) if not one.stat().st_mode & 0o001]
        if not closed:
            return []
        aside = self.folder / "python"
        aside.mkdir()
        return ["unshare", "--mount", "sh", "-c", _BEHIND, "sh", str(base), str(aside), str(closed[-1])]
