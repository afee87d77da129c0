"""The plugin's options, each on the command line (--samebox-fast) and in pytest's configuration (samebox_fast)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest

if TYPE_CHECKING:
    from samebox.check.checks import Claim
    from samebox.commands.check_options import CheckOptions

DASHES = "--samebox-"


@dataclass(frozen=True)
class Option:
    """`kind`: "words" are separated by commas or repeated, "values" only repeated."""

    name: str
    kind: Literal["text", "path", "words", "values", "paths", "switch"]
    metavar: str
    help: str

    @property
    def flag(self) -> str:
        return f"{DASHES}{self.name}"

    @property
    def key(self) -> str:
        """In pytest's configuration, and as an attribute of its options."""
        return f"samebox_{self.name.replace('-', '_')}"


OPTIONS: tuple[Option, ...] = (
    Option("image", "text", "IMAGE", "image, or image archive, to check; '' for none if the configuration names one"),
    Option("claims", "words", "train,serve", "what it is for (default: by the programs on its PATH)"),
    Option("data", "path", "DIR", "folder of training data; each folder in it a channel"),
    Option("model", "path", "TAR", "model.tar.gz to serve, and to check as an artifact"),
    Option("payload", "paths", "FILE", "body of an invocation; repeatable"),
    Option("hyperparameter", "values", "NAME=VALUE", "of the training jobs that are run; repeatable"),
    Option("record-io", "switch", "", "with the claim pipe: RecordWrapperType RecordIO"),
    Option("instance-type", "text", "TYPE", "ml.* type that sets the memory of the jobs"),
    Option("entrypoint", "values", "WORD", "ContainerEntrypoint of processing jobs, a word each time"),
    Option("argument", "values", "WORD", "ContainerArguments of processing jobs, a word each time"),
    Option("output", "values", "PATH", "LocalPath of an output of processing jobs; repeatable"),
    Option("dockerfile", "path", "FILE", "to name its lines, and to lint it"),
    Option("max-size", "text", "SIZE", "the image's budget, such as 2.5GB, beside AWS's limits"),
    Option("only", "words", "ID", "only these checks; ids or serve-*"),
    Option("skip", "words", "ID", "all but these checks; ids or patterns"),
    Option("accept", "path", "FILE", "accepted findings (default: .samebox-check.toml)"),
    Option("fast", "switch", "", "shorten the checks that have to wait"),
    Option("strict", "switch", "", "count warnings as failures"),
)
_BY_NAME = {one.name: one for one in OPTIONS}
# What pytest calls the type of a configuration's value.
_INI: dict[str, Literal["string", "args", "linelist", "bool"]] = {
    "text": "string",
    "path": "string",
    "words": "args",
    "values": "linelist",
    "paths": "linelist",
    "switch": "bool",
}


def add(parser: pytest.Parser) -> None:
    group = parser.getgroup("samebox", "samebox: would this image work on SageMaker?")
    for one in OPTIONS:
        if one.kind == "switch":
            group.addoption(one.flag, action="store_true", default=None, help=one.help)
        elif one.kind in ("words", "values", "paths"):
            group.addoption(one.flag, action="append", metavar=one.metavar, help=one.help)
        else:
            group.addoption(one.flag, metavar=one.metavar, help=one.help)
        parser.addini(one.key, f"as {one.flag}: {one.help}", type=_INI[one.kind])


def value(config: pytest.Config, name: str) -> Any:
    """What was given: a str, Path or None, a list of such, or a bool. The command line goes before the configuration.

    Paths of the configuration are relative to its file.
    """
    option = _BY_NAME[name]
    given = config.getoption(option.key)
    is_configured = given is None
    if is_configured:
        given = config.getini(option.key)
    if option.kind == "switch":
        return bool(given)
    if option.kind in ("path", "paths"):
        folder = config.inipath.parent if is_configured and config.inipath else Path()
        if option.kind == "paths":
            return [folder / Path(one).expanduser() for one in given or ()]
        return folder / Path(given).expanduser() if given else None
    if option.kind == "words":
        return [word.strip() for one in given or () for word in one.split(",") if word.strip()]
    return list(given or ()) if option.kind == "values" else given or ""


def image(config: pytest.Config) -> str:
    """ "" where there is none."""
    name: str = value(config, "image")
    if config.getoption("samebox_image") is None and name and config.inipath:
        beside = config.inipath.parent / name
        return str(beside) if beside.is_file() else name
    return name


def is_on_the_command_line(config: pytest.Config) -> bool:
    """Whether the image is; a configured one is checked in runs of the whole suite alone."""
    return config.getoption("samebox_image") is not None


def check_options(config: pytest.Config) -> CheckOptions:
    """Raises pytest.UsageError, with the message of `samebox check`."""
    from samebox.check import checks
    from samebox.commands import examination
    from samebox.commands.check_options import CheckArguments, validated
    from samebox.commands.outcome import Stop

    claims: list[Claim] = value(config, "claims")
    known = get_args(checks.Claim)
    for claim in claims:
        if claim not in known:
            raise pytest.UsageError(f"{DASHES}claims {claim}: unknown claim; known are {', '.join(known)}.")
    arguments = CheckArguments(
        claims=frozenset(claims),
        data=value(config, "data"),
        model=value(config, "model"),
        payloads=value(config, "payload"),
        hyperparameters=value(config, "hyperparameter"),
        record_io=value(config, "record-io"),
        instance_type=value(config, "instance-type"),
        entrypoint=value(config, "entrypoint"),
        arguments=value(config, "argument"),
        outputs=value(config, "output"),
        dockerfile=value(config, "dockerfile"),
        max_size=value(config, "max-size"),
        only=value(config, "only"),
        skip=value(config, "skip"),
        accept=value(config, "accept"),
        fast=value(config, "fast"),
        cache=examination.user_cache(),
        dashes=DASHES,
    )
    name = image(config)
    if name and examination.looks_like_path(name) and not Path(name).expanduser().exists():
        raise pytest.UsageError(f"{DASHES}image {name}: there is no such file.")
    try:
        return validated(arguments)
    except Stop as stop:
        raise pytest.UsageError(str(stop)) from None
