"""The user that the program runs as, and the files that this user can read and write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static.places import line_of, some

if TYPE_CHECKING:
    from samebox.check.subject import Subject

_ROOT = {"", "root", "0"}
_STICKY, _OTHERS_WRITE = 0o1000, 0o002
_READ, _ENTER = 0o004, 0o001
_SET_ID = 0o6000
# What the OS itself keeps from others, and no server reads.
_PRIVATE = ("/usr/lib/ssl/private", "/usr/share/polkit-1", "/usr/lib/dbus-1.0", "/usr/libexec/")
SYSTEM = ("/etc/", "/proc/", "/sys/", "/dev/", "/var/", "/root/", "/run/", "/boot/", "/tmp/", "/home/", "/media/")  # noqa: S108
_PROGRAMS = ("/bin/", "/sbin/", "/usr/", "/opt/", "/app/", "/srv/", "/lib/", "/workspace/", "/code/")
CODE = (".py", ".pyc", ".pth", ".so", ".sh")

EXISTS = Rule(
    "image-user-exists",
    "The image's USER is in its /etc/passwd",
    "contract §1.1",
    "fail",
    "static",
    "RUN useradd it before USER, or give a number.",
)
NOT_ROOT = Rule(
    "image-user",
    "The image runs as root, as SageMaker expects",
    "contract §1.1, §2.1; aws/sagemaker-inference-toolkit#72",
    "warn",
    "static",
    "Drop USER. /opt/ml is mounted as root's, 0755: another user cannot write /opt/ml/model or /opt/ml/output.",
)
SERVERLESS = Rule(
    "serverless-file-permissions",
    "Any user may read the programs of the image",
    "contract §2.10; mlflow/mlflow#5544",
    "fail",
    "serverless",
    "Serverless endpoints run you without root's rights: RUN chmod -R o+rX PATH.",
)
WORLD_WRITABLE = Rule(
    "image-world-writable",
    "Only their owner can write programs and libraries",
    "CIS Docker Benchmark 4",
    "warn",
    "static",
    "RUN chmod -R o-w PATH, in the layer that makes it.",
)


def exists(context: Context) -> Finding:
    user, _, group = context.subject.config.user.partition(":")
    line = line_of(context, "USER")
    if user and not user.isdigit() and user != "root" and user not in _names(context.subject, "/etc/passwd"):
        return EXISTS.broken(f"USER {user}: /etc/passwd has no {user}, and no container starts", line=line)
    if group and not group.isdigit() and group != "root" and group not in _names(context.subject, "/etc/group"):
        return EXISTS.broken(f"USER {user}:{group}: /etc/group has no {group}, and no container starts", line=line)
    return EXISTS.passed(user or "root")


def not_root(context: Context) -> Finding:
    user = context.subject.config.user.partition(":")[0]
    if user in _ROOT:
        return NOT_ROOT.passed("root")
    if not user.isdigit() and user not in _names(context.subject, "/etc/passwd"):
        return NOT_ROOT.skipped("see image-user-exists")
    if context.claims == {"serverless"}:
        return NOT_ROOT.passed(f"USER {user}; serverless endpoints do not run as root anyway")
    return NOT_ROOT.broken(f"USER {user}", line=line_of(context, "USER"))


def serverless(context: Context) -> Finding:
    """Of what a server runs: PATH's programs, Python's packages, the working directory, and all folders above them."""
    files, config = context.subject.files, context.subject.config
    own = f"{(config.working_directory or '/').rstrip('/')}/"
    places = [*_PROGRAMS, *([own] if own != "/" and not own.startswith("/opt/ml/") else [])]
    closed = []
    for file in files:
        if file.path.startswith("/opt/ml/") or not any(f"{file.path}/".startswith(place) for place in places):
            continue
        wanted = _READ | _ENTER if file.is_folder else _READ
        if (
            (file.is_file or file.is_folder)
            and files.target(file).mode & wanted != wanted
            and not (file.mode & _SET_ID or file.path.startswith(_PRIVATE))
        ):
            closed.append(file.path)
    server = context.subject.which("serve")
    if server is not None and not files.target(server).mode & _ENTER:
        closed.insert(0, server.path)
    if closed:
        return SERVERLESS.broken(f"{some(sorted(closed, key=len), 4)} may not be read by others")
    return SERVERLESS.passed("all of them")


def world_writable(context: Context) -> Finding:
    open_ones = []
    for file in context.subject.files:
        if not file.mode & _OTHERS_WRITE or file.is_link or not (file.is_file or file.is_folder):
            continue
        if file.path.startswith(SYSTEM) or file.path == "/tmp" or file.path.startswith("/opt/ml"):  # noqa: S108
            continue
        if file.is_folder and file.mode & _STICKY:
            continue
        if file.is_folder or file.path.endswith(CODE) or (file.executable and file.size):
            open_ones.append(file.path)
    if open_ones:
        seen = f"{len(open_ones)} are writable by every user: {some(sorted(open_ones, key=len), 3)}"
        return WORLD_WRITABLE.broken(seen, line=_chmod_line(context))
    return WORLD_WRITABLE.passed("none may be written by others")


def _chmod_line(context: Context) -> int | None:
    found = (
        context.dockerfile.mentioning("chmod 777", "chmod -R 777", "chmod a+w", "chmod=777", "chmod=0777")
        if (context.dockerfile)
        else None
    )
    return found.line if found else None


def _names(subject: Subject, path: str) -> set[str]:
    text = (subject.read_file(path) or b"").decode(errors="replace")
    return {line.partition(":")[0] for line in text.splitlines() if line}


CHECKS = (
    Check(EXISTS, exists, FILES),
    Check(NOT_ROOT, not_root, FILES),
    Check(SERVERLESS, serverless, FILES, frozenset({"serverless"})),
    Check(WORLD_WRITABLE, world_writable, FILES),
)
