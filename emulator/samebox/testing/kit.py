"""The state of one pytest session: one engine, and one run of the kit per image, for the checks and the fixtures.

It is a plugin itself, so that pytest calls it to clean up at the end. What a killed session leaves, the next run of the
kit removes, as with `samebox check`.
"""

from __future__ import annotations

import contextlib
import functools
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from samebox.check import accepted, guess
from samebox.check.checks import FURTHER
from samebox.check.runner import sweep_old
from samebox.commands import examination
from samebox.commands.outcome import Stop
from samebox.containers.docker import DockerEngine
from samebox.containers.engine import EngineError
from samebox.testing import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.check.checks import Check, Claim, Context
    from samebox.check.findings import Finding
    from samebox.check.runner import Run
    from samebox.commands.check_options import CheckOptions
    from samebox.containers.engine import Engine

_NAME = "samebox-kit"
GUESSED: frozenset[Claim] = frozenset({"train", "serve", "multi-model"})  # what guess.claims may come to


class Unusable(Exception):
    """The image cannot be examined or run; the message has the reason."""


class Kit:
    """Starts nothing, and connects to no engine, before the first use."""

    def __init__(self, image: str, check_options: CheckOptions) -> None:
        self.image = image
        self.check_options = check_options
        self.kept: dict[str, object] = {}  # what fixtures share in a session
        self.chosen: list[Check] = []  # the checks that this process will run; empty if unknown
        self._stack = contextlib.ExitStack()
        self._runs: dict[str, Run] = {}
        self._unusable: tuple[str, str] | None = None  # the first check that came upon it, and the sentence
        self._read = False
        self._note = ""

    @property
    def checks(self) -> list[Check]:
        """The checks that apply; without claims, also those that may prove to."""
        claims = self.check_options.options.claims
        claims = claims | GUESSED if self._is_guessed else claims
        return [check for check in self.check_options.checks if check.is_of_interest(claims)]

    def look(self, check: Check) -> tuple[list[Finding], list[str]]:
        """The findings of a check, and notes on its acceptances.

        Raises Unusable for the first check if the image cannot be examined; the others are skipped.
        """
        if self._unusable is not None:
            return [check.rule.skipped(f"the image cannot be examined: see {self._unusable[0]}")], []
        try:
            run = self._opened()
            self._prepare(run, check)
        except (Stop, EngineError) as error:
            self._unusable = (check.rule.id, str(error))
            raise Unusable(str(error)) from None
        if not check.is_of_interest(run.context.claims):
            return [check.rule.skipped(f"of no interest: {self._note}")], []
        mine = [one for one in self.check_options.acceptances if one.rule_id == check.rule.id]
        return accepted.apply(run.one(check), mine, datetime.now(UTC).date())

    def bench(self, image: str) -> Context:
        """To run an image in, for fixtures: apart from the checks, which do not treat what they run with care.

        Raises what pytest calls failed; or skipped, where it is an archive.
        """
        if _is_archive(image):
            pytest.skip("an archive is read and not run: load it into an engine (docker load)")
        if image not in self._runs:
            try:
                self._runs[image] = self._open(image)
            except (Stop, EngineError) as error:
                pytest.fail(str(error), pytrace=False)
        return self._runs[image].context

    def at_the_end(self, close: Callable[[], None]) -> None:
        self._stack.callback(close)

    def close(self) -> None:
        """Remove everything that was started; a second time is none."""
        self._stack.close()
        self._runs.clear()

    @pytest.hookimpl(trylast=True)  # after the last fixture is torn down
    def pytest_sessionfinish(self) -> None:
        self.close()

    def pytest_unconfigure(self) -> None:
        self.close()

    def _opened(self) -> Run:
        key = f"the checks of {self.image}"
        if key not in self._runs:
            self._runs[key] = self._open(self.image)
            self._runs[key].expect(self.chosen)
        return self._runs[key]

    def _open(self, image: str) -> Run:
        engine, why_no_engine = self._engine
        return self._stack.enter_context(
            examination.opened(image, engine, why_no_engine, self.check_options, lambda _: None)
        )

    def _prepare(self, run: Run, check: Check) -> None:
        """Read the image before the first check that needs it, so that a fault in it is reported once."""
        if self._read or not (self._is_guessed or "files" in check.needs):
            return
        examination.read(run.context.subject, lambda _: None, run.context.engine)
        self._read = True
        if self._is_guessed:
            claims, self._note = guess.claims(run.context.subject)
            run.claim(claims | self.check_options.options.claims)

    @property
    def _is_guessed(self) -> bool:
        """Whether no claim was given."""
        return not self.check_options.options.claims - FURTHER

    @functools.cached_property
    def _engine(self) -> tuple[Engine | None, str]:
        self._stack.callback(end_at_sigterm())
        engine = DockerEngine()
        self._stack.callback(engine.close)
        why_not = engine.available()
        return (None, why_not) if why_not else (engine, "")


def of(config: pytest.Config) -> Kit:
    """The session's. Raises pytest.UsageError."""
    found: Kit | None = config.pluginmanager.get_plugin(_NAME)
    if found is None:
        found = Kit(options.image(config), options.check_options(config))
        config.pluginmanager.register(found, _NAME)
    return found


def sweep() -> None:
    """What workers that were killed have left."""
    engine = DockerEngine()
    try:
        if engine.available() is None:
            sweep_old(engine)
    except EngineError:
        pass  # the next run does it
    finally:
        engine.close()


def end_at_sigterm() -> Callable[[], None]:
    """As Ctrl-C does: `timeout` and CI systems end a program so, and pytest would die at once. Gives its undoing."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return lambda: None

    def undo() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, _ended)
    return undo


def _is_archive(name: str) -> bool:
    """A folder may have the name of an image; that must not skip a test."""
    is_other_folder = Path(name).is_dir() and not (Path(name) / "oci-layout").exists()
    return examination.looks_like_path(name) and not is_other_folder


def _ended(*_: object) -> NoReturn:
    raise pytest.exit.Exception("ended by SIGTERM", returncode=128 + signal.SIGTERM)
