"""Assertions for the rules that only read an image. Where the image breaks a rule, its test asserts the right value."""

from __future__ import annotations

import itertools
import re
import shlex
from typing import TYPE_CHECKING

from samebox.check.exports.assertions import (
    AccountExists,
    CommandEnds,
    EntrypointIs,
    FileAbsent,
    FileExists,
    FileHas,
    FileNotEmpty,
    FileRunnable,
    LabelIs,
    PortExposed,
    Test,
    VariableMatches,
)
from samebox.check.static import certificates, cuda, executables, labels, opt_ml, programs, proxies, secrets, users
from samebox.check.static.manifest import PLATFORM
from samebox.check.static.python_packages import REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samebox.check.checks import Claim, Context
    from samebox.check.findings import Rule
    from samebox.check.subject import Subject

_SERVED: tuple[Claim, ...] = ("serve", "transform", "multi-model", "serverless")
_CRLF = r"^#![^\n]*\r\n"
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_KEYS = (
    "/root/.aws/credentials",
    "/root/.docker/config.json",
    "/root/.git-credentials",
    "/root/.netrc",
    "/root/.pypirc",
    "/root/.ssh/id_ed25519",
    "/root/.ssh/id_rsa",
)


def tests(context: Context) -> Iterator[Test]:
    yield from _architecture(context)
    yield from _started(context)
    yield from _entrypoint(context)
    yield from _line_ends(context)
    yield from _said_of_itself(context)
    yield from _users(context)
    yield from _files(context)
    yield from _libraries(context)


def has(subject: Subject, *names: str) -> bool:
    """Whether the image can run all of these, such as sh and find."""
    return all(not executables.look(subject, name).problem for name in names)


def mended_entrypoint(subject: Subject) -> tuple[str, ...]:
    """The ENTRYPOINT as it should be: without the shell or the init that swallows `train` and `serve`."""
    words = subject.config.entrypoint
    if programs.is_misquoted(words):
        words = programs.meant_by(words)
    elif programs.is_shell_form(words):
        try:
            words = tuple(shlex.split(" ".join(words[2:3])))
        except ValueError:
            return ()
        words = words[1:] if words[:1] == ("exec",) else words
    while words and programs.is_init(words[0]):
        words = words[words.index("--") + 1 :] if "--" in words else words[1:]
        words = tuple(itertools.dropwhile(lambda word: word.startswith("-"), words))
    return words


def _architecture(context: Context) -> Iterator[Test]:
    if has(context.subject, "uname"):
        yield Test(PLATFORM, "its programs are x86-64's", CommandEnds(("uname", "-m"), line="x86_64"))


def _started(context: Context) -> Iterator[Test]:
    subject, claims = context.subject, context.claims
    entrypoint = mended_entrypoint(subject)
    if "train" in claims:
        yield from _program(subject, programs.TRAIN, *entrypoint[:1] or ("train",))
    if claims & set(_SERVED):
        yield from _program(subject, programs.SERVE, *entrypoint[:1] or ("serve",))
    command = (*subject.config.entrypoint, *subject.config.command)
    if "processing" in claims and command:
        yield from _program(subject, programs.PROCESSING, command[0])
    server = subject.which(entrypoint[0] if entrypoint else "serve")
    if "serverless" in claims and server is not None:
        yield Test(users.SERVERLESS, "any user may run the server", FileRunnable(server.path, by_anybody=True))


def _program(subject: Subject, rule: Rule, name: str) -> Iterator[Test]:
    found = subject.which(name)
    if found is None:
        yield from _missing(subject, rule, name)
        return
    yield Test(rule, f"{name} may be run", FileRunnable(found.path))
    program = executables.look(subject, name)
    head = subject.files.head(subject.files.target(found)) or b""
    if not program.interpreter:
        return
    if head[:2] != b"#!":
        yield Test(rule, f"the loader of {name} is there", FileExists(program.interpreter))
        return
    interpreter = subject.which(program.interpreter)
    if interpreter is None:
        yield from _missing(subject, rule, program.interpreter)
    else:
        yield Test(rule, f"{name} is run by {program.interpreter}, which is there", FileRunnable(interpreter.path))


def _missing(subject: Subject, rule: Rule, name: str) -> Iterator[Test]:
    if "/" in name:
        yield Test(rule, f"{name} is there", FileRunnable(name))
    elif has(subject, "sh"):
        yield Test(rule, f"{name} is on PATH", CommandEnds(("sh", "-c", f"command -v {shlex.quote(name)}")))
    else:
        yield Test(rule, f"{name} is on PATH", FileRunnable(f"/usr/local/bin/{name}"))


def _entrypoint(context: Context) -> Iterator[Test]:
    words = mended_entrypoint(context.subject)
    shown = " ".join(words)[:60] or "there is none"
    yield Test(programs.SHELL_FORM, shown, EntrypointIs(words))
    yield Test(programs.TINI, shown, EntrypointIs(words))


def _line_ends(context: Context) -> Iterator[Test]:
    subject, claims = context.subject, context.claims
    config = subject.config
    names = [*config.entrypoint[:1], *config.command[:1]]
    names += ["train"] if "train" in claims else []
    names += ["serve"] if claims & set(_SERVED) else []
    paths = [found.path for name in names if (found := subject.which(name)) is not None]
    for path in dict.fromkeys([*sorted(paths), *programs.with_crlf(subject)]):
        found = subject.files.get(path)
        if found is not None and (subject.files.head(subject.files.target(found)) or b"")[:2] == b"#!":
            yield Test(
                programs.CRLF, f"{path} has no line that ends in \\r\\n first", FileHas(path, _CRLF, found=False)
            )


def _said_of_itself(context: Context) -> Iterator[Test]:
    config, claims = context.subject.config, context.claims
    if "multi-model" in claims:
        name = f"{labels.PREFIX}multi-models"
        yield Test(labels.MULTI_MODEL, f"{name} is true", LabelIs(name, "true"))
    for name in sorted(config.labels):
        if name.startswith(labels.PREFIX) and name.removeprefix(labels.PREFIX) in labels.KNOWN:
            yield Test(labels.CAPABILITIES, f"{name} is true", LabelIs(name, "true"))
    if config.exposed_ports and claims & set(_SERVED):
        yield Test(labels.EXPOSE, "8080 is exposed", PortExposed("8080"))
    for name in [*_CREDENTIALS, *sorted(set(config.environment) - set(_CREDENTIALS))]:
        text = config.environment.get(name)
        if secrets.is_secret(name, text) if text is not None else name in _CREDENTIALS:
            yield Test(secrets.CONFIGURED, f"ENV has no {name}", VariableMatches(name))
    is_left = bool(proxies.not_excepted(config.environment))
    for name in [*proxies.NAMES, *(name.upper() for name in proxies.NAMES)]:
        if is_left or name not in config.environment:
            yield Test(proxies.PROXIES, f"ENV has no {name}", VariableMatches(name))


def _users(context: Context) -> Iterator[Test]:
    subject = context.subject
    user, _, group = subject.config.user.partition(":")
    for name, is_group in ((user, False), (group, True)):
        if name and not name.isdigit() and name != "root":
            yield Test(users.EXISTS, f"{name} is in the image", AccountExists(name, is_group))
    if context.claims != {"serverless"} and has(subject, "id"):
        yield Test(users.NOT_ROOT, "it runs as root", CommandEnds(("id", "-u"), line="0"))
    if has(subject, "find"):
        yield Test(
            users.WORLD_WRITABLE,
            "no program, library or folder is writable by every user",
            CommandEnds(_find_writable(), silent=True),
        )


def _find_writable() -> tuple[str, ...]:
    """As users.world_writable looks."""
    places = [*(one.rstrip("/") for one in users.SYSTEM), "/opt/ml", "/goss"]  # the last is where dgoss puts itself
    pruned = [word for place in dict.fromkeys(places) for word in ("-o", "-path", place)][1:]
    named = [word for ending in users.CODE for word in ("-o", "-name", f"*{ending}")][1:]
    runnable = ["(", "-perm", "-100", "-o", "-perm", "-010", "-o", "-perm", "-001", ")", "-size", "+0c"]
    return (
        *("find", "/", "-xdev", "(", *pruned, ")", "-prune", "-o", "-perm", "-0002"),
        *("(", "-type", "d", "!", "-perm", "-1000", "-o"),
        *("-type", "f", "(", *named, "-o", *runnable, ")", ")", "-print"),
    )


def _files(context: Context) -> Iterator[Test]:
    subject = context.subject
    files = subject.files
    words = "nothing lies where SageMaker mounts"
    if has(subject, "sh", "find"):
        # -xdev: what is mounted there is not the image's.
        script = "test ! -e /opt/ml || find /opt/ml -xdev -path /opt/ml/code -prune -o ! -type d -print"
        yield Test(opt_ml.HIDDEN, words, CommandEnds(("sh", "-c", script), silent=True))
    else:
        mounted = sorted({place for claim in context.claims for place in opt_ml.MOUNTED.get(claim, ())})
        hidden = [file.path for file in files if file.path.startswith("/opt/ml/") and not file.is_folder]
        hidden = sorted(path for path in hidden if not path.startswith("/opt/ml/code/"))
        for path in [*(one for one in mounted if one not in files), *hidden]:
            yield Test(opt_ml.HIDDEN, f"{path} is not in the image", FileAbsent(path))
    found = [path for _, path, harmless in secrets.in_layers(files) if not harmless and path in files]
    for path in sorted({*found, *(one for one in _KEYS if one not in files)}):
        yield Test(secrets.LEFT, f"there is no {path}", FileAbsent(path))
    bundle = next((one for one in certificates.BUNDLES if files.resolve(one) is not None), certificates.BUNDLES[0])
    reached = files.resolve(bundle)
    yield Test(
        certificates.CERTIFICATES,
        f"{bundle} holds authorities",
        FileNotEmpty(reached.path if reached is not None else bundle),
    )


def _libraries(context: Context) -> Iterator[Test]:
    subject = context.subject
    drivers = cuda.drivers(subject)
    usual = [one for one in ("/usr/bin/nvidia-smi",) if one not in subject.files]
    for path in sorted({*drivers, *usual}):
        yield Test(cuda.NO_DRIVER, f"there is no {path}", FileAbsent(path))
    versions = cuda.cuda_versions(subject)
    name = "NVIDIA_REQUIRE_CUDA"
    if versions:
        newest = max(versions)[0]
        majors = "|".join(str(newest + more) for more in range(10))
        pattern = rf"cuda\s*>=\s*(?:{majors})\."
        yield Test(cuda.REQUIREMENT, f"{name} wants {newest} or more", VariableMatches(name, pattern))
    else:
        yield Test(cuda.REQUIREMENT, f"no CUDA, and no {name}", VariableMatches(name))
    if has(subject, "pip"):
        yield Test(REQUIREMENTS, "pip check finds nothing", CommandEnds(("pip", "check")))


def literal(words: str) -> str:
    """For a pattern of Go's, which knows fewer escapes than Python's."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", words)
