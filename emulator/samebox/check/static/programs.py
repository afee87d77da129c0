"""What SageMaker starts: `docker run IMAGE train`, `docker run IMAGE serve`, and what the ENTRYPOINT makes of it."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from samebox.check.checks import FILES, Check, Context
from samebox.check.findings import Finding, Rule
from samebox.check.static import executables
from samebox.check.static.places import line_naming, line_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.check.checks import Claim
    from samebox.check.subject import Subject

_SHELLS = {"sh", "bash", "ash", "dash", "zsh"}
_INITS = {"tini", "tini-static", "docker-init"}
# Inits that AWS's pages do not name, and that hand signals on as tini does.
_OTHER_INITS = {"dumb-init", "catatonit", "s6-svscan", "init"}
_BUILT_IN = {"cd", "export", "set", "source", ".", "test", "if", "for", "while", "case", "ulimit", "umask", "trap"}
_MISQUOTED = (
    "{} was meant to be in exec form, which is JSON and wants double quotes; with single quotes Docker hands all of "
    'it to a shell. Write ["program", "argument"].'
)
_HANDS_ON = re.compile(rb'^\s*(exec\s+)?"?\$@"?\s*$|^\s*exec\s+[^\n]*"\$@"', re.MULTILINE)

TRAIN = Rule(
    "train-program",
    "`train` is a program that can be run",
    "contract §1.1; aws/sagemaker-python-sdk#4191",
    "fail",
    "training",
    "Put an executable named train on PATH: COPY --chmod=0755 train /usr/local/bin/train.",
)
SERVE = Rule(
    "serve-program",
    "`serve` is a program that can be run",
    "contract §2.1",
    "fail",
    "serving",
    "Put an executable named serve on PATH: COPY --chmod=0755 serve /usr/local/bin/serve.",
)
PROCESSING = Rule(
    "processing-program",
    "The image starts by itself, without an argument",
    "contract §4.1",
    "fail",
    "processing",
    "Processing jobs run ENTRYPOINT and CMD as they are: name a program of the image there.",
)
SHELL_FORM = Rule(
    "image-entrypoint-exec-form",
    "The ENTRYPOINT is in exec form",
    "contract §1.1",
    "fail",
    "static",
    'Write ENTRYPOINT ["program", "argument"]: a shell at PID 1 swallows `train` and `serve`, and SIGTERM.',
)
TINI = Rule(
    "image-entrypoint-tini",
    "tini is not the ENTRYPOINT",
    "contract §1.1; aws/sagemaker-python-sdk#4113",
    "fail",
    "static",
    "Drop it: tini takes `train` and `serve` for the program. Let your program reap its children, or start tini.",
)
CRLF = Rule(
    "image-shebang-crlf",
    "No program has a #! line with a Windows line ending",
    "contract §1.1",
    "fail",
    "static",
    "Convert it (dos2unix, or RUN sed -i 's/\\r$//' FILE), and put `*.sh text eol=lf` into .gitattributes.",
)


def program(rule: Rule, name: Claim) -> Callable[[Context], Finding]:
    """The check that `docker run IMAGE name` starts something."""

    def check(context: Context) -> Finding:
        entrypoint = context.subject.config.entrypoint
        if is_misquoted(entrypoint):
            return rule.skipped(f"see {SHELL_FORM.id}")
        if entrypoint and not is_shell_form(entrypoint):
            return _behind_entrypoint(context, rule, name, entrypoint)
        if entrypoint and (started := started_by_shell(entrypoint)):
            return _behind_shell(context, rule, name, started)
        found = executables.look(context.subject, name)
        if found.crlf:
            return rule.skipped("see image-shebang-crlf")
        if found.problem:
            line = line_naming(context, found.path or f"/{name}", f"{name} ") if context.dockerfile else None
            return rule.broken(found.problem, found.remedy or None, line)
        return rule.passed(found.path + (f", run by {found.interpreter}" if found.interpreter else ""))

    return check


def processing(context: Context) -> Finding:
    config = context.subject.config
    command = processing_command(context)
    if is_misquoted(command):
        words = "ENTRYPOINT" if config.entrypoint else "CMD"
        return PROCESSING.broken(f"{words} {command[2]}", _MISQUOTED.format(words), line_of(context, words))
    if not command:
        return PROCESSING.warned("no ENTRYPOINT and no CMD: every job has to give ContainerEntrypoint")
    found = executables.look(context.subject, command[0])
    if found.problem:
        line = line_of(context, "ENTRYPOINT" if config.entrypoint else "CMD")
        return PROCESSING.broken(found.problem, found.remedy or None, line)
    return PROCESSING.passed(" ".join(" ".join(command).split())[:120])


def processing_command(context: Context) -> tuple[str, ...]:
    """What the job names (--entrypoint, --argument), and the image's own where it names nothing."""
    given, own = context.options, context.subject.config
    if given.entrypoint:
        return (*given.entrypoint, *given.arguments)
    return (*own.entrypoint, *(given.arguments or own.command))


def shell_form(context: Context) -> Finding:
    entrypoint = context.subject.config.entrypoint
    if not entrypoint:
        return SHELL_FORM.passed("no ENTRYPOINT")
    line = line_of(context, "ENTRYPOINT")
    if is_misquoted(entrypoint):
        return SHELL_FORM.broken(f"ENTRYPOINT {entrypoint[2]}", _MISQUOTED.format("ENTRYPOINT"), line)
    if not is_shell_form(entrypoint):
        return SHELL_FORM.passed(" ".join(entrypoint))
    seen = f"ENTRYPOINT {' '.join(entrypoint)}"
    started = started_by_shell(entrypoint)
    # An image with a single purpose needs no argument.
    if len(context.claims & {"train", "serve"}) == 1 and not executables.look(context.subject, started).problem:
        return SHELL_FORM.warned(
            f"{seen}: it starts {started}, which gets no argument, and SIGTERM only where the shell replaces itself",
            'Write ENTRYPOINT ["program", "argument"], or ENTRYPOINT exec program: SIGTERM then reaches the program.',
            line,
        )
    return SHELL_FORM.broken(seen, line=line)


def tini(context: Context) -> Finding:
    entrypoint = context.subject.config.entrypoint
    first = entrypoint[0].rpartition("/")[2] if entrypoint else ""
    line = line_of(context, "ENTRYPOINT")
    if first in _INITS:
        return TINI.broken(f"ENTRYPOINT {' '.join(entrypoint)}", line=line)
    if first in _OTHER_INITS:
        return TINI.warned(f"ENTRYPOINT {' '.join(entrypoint)}", line=line)
    return TINI.passed(first or "no ENTRYPOINT")


def crlf(context: Context) -> Finding:
    """Of train, serve, the entrypoint, and of everything on PATH that begins with #!."""
    bad = with_crlf(context.subject)
    if bad:
        line = line_naming(context, *(path.rpartition("/")[2] for path in bad))
        return CRLF.broken(f"{', '.join(bad[:5])}: `#!…\\r` names no program that exists", line=line)
    return CRLF.passed("none")


def is_shell_form(entrypoint: tuple[str, ...]) -> bool:
    """Whether it is ["sh", "-c", …], which is what `ENTRYPOINT program` becomes."""
    return len(entrypoint) >= 2 and entrypoint[0].rpartition("/")[2] in _SHELLS and entrypoint[1] == "-c"


def is_misquoted(command: tuple[str, ...]) -> bool:
    """Whether exec form was meant: ['program', 'argument'] is not JSON, and so Docker hands it to a shell as it is."""
    return is_shell_form(command) and len(command) > 2 and command[2].lstrip().startswith("[") and "'" in command[2]


def meant_by(misquoted: tuple[str, ...]) -> tuple[str, ...]:
    """The intended words of a misquoted exec form; none where other quotes do not make it valid either."""
    try:
        words = json.loads(misquoted[2].replace("'", '"'))
    except ValueError:
        return ()
    return tuple(str(word) for word in words) if isinstance(words, list) else ()


def started_by_shell(entrypoint: tuple[str, ...]) -> str:
    """The program that an ENTRYPOINT in shell form starts, where it plainly starts one; "" where that takes a shell."""
    try:
        words = shlex.split(" ".join(entrypoint[2:3]))
    except ValueError:
        return ""
    words = words[1:] if words[:1] == ["exec"] else words
    return words[0] if words and re.fullmatch(r"[\w./+-]+", words[0]) and words[0] not in _BUILT_IN else ""


def with_crlf(subject: Subject) -> list[str]:
    """Paths of the programs whose #! line ends so."""
    files = subject.files
    bad = []
    config = subject.config
    for name in ("train", "serve", *config.entrypoint[:1], *config.command[:1]):
        found = subject.which(name)
        if found is not None and _ends_in_crlf(files.head(found)):
            bad.append(found.path)
    for number, layer in enumerate(files.layers):
        for path, head in layer.heads.items():
            if _ends_in_crlf(head):
                seen = files.get(path)
                if seen is not None and seen.layer == number and seen.executable:
                    bad.append(path)
    return list(dict.fromkeys(bad))


def is_init(program: str) -> bool:
    """Whether it is one of those that take what follows for the program to start."""
    return program.rpartition("/")[2] in _INITS | _OTHER_INITS


def _behind_entrypoint(context: Context, rule: Rule, name: str, entrypoint: tuple[str, ...]) -> Finding:
    """The ENTRYPOINT gets the argument; only a run shows what it does with it."""
    found = executables.look(context.subject, entrypoint[0])
    line = line_of(context, "ENTRYPOINT")
    if found.crlf:
        return rule.skipped("see image-shebang-crlf")
    if found.problem:
        return rule.broken(f"the ENTRYPOINT cannot be started: {found.problem}", found.remedy or None, line)
    own = executables.look(context.subject, name)
    if not own.problem:
        return rule.passed(f"{found.path} is given `{name}`, and {own.path} is there")
    script = context.subject.read_file(found.path, 65_536) if found.interpreter.rpartition("/")[2] in _SHELLS else None
    if script and _HANDS_ON.search(script) and name.encode() not in script:
        return rule.broken(f"{found.path} runs its argument, and {own.problem}", own.remedy or None, line)
    return rule.passed(f"{found.path} is given the argument `{name}`")


def _behind_shell(context: Context, rule: Rule, name: str, started: str) -> Finding:
    """The shell drops the argument and starts this program; only a run shows whether it needs the argument."""
    found = executables.look(context.subject, started)
    if found.crlf:
        return rule.skipped("see image-shebang-crlf")
    if found.problem:
        words = f"the ENTRYPOINT cannot be started: {found.problem}"
        return rule.broken(words, found.remedy or None, line_of(context, "ENTRYPOINT"))
    return rule.passed(f"the ENTRYPOINT, in shell form, starts {found.path}, which is not given `{name}`")


def _ends_in_crlf(head: bytes | None) -> bool:
    return bool(head) and head is not None and head[:2] == b"#!" and head.partition(b"\n")[0].endswith(b"\r")


CHECKS = (
    Check(TRAIN, program(TRAIN, "train"), FILES, frozenset({"train"})),
    Check(SERVE, program(SERVE, "serve"), FILES, frozenset({"serve", "transform", "multi-model", "serverless"})),
    Check(PROCESSING, processing, FILES, frozenset({"processing"})),
    Check(SHELL_FORM, shell_form, FILES),
    Check(TINI, tini, FILES),
    Check(CRLF, crlf, FILES),
)
