"""A server of an image for tests, started as an endpoint starts it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from samebox.check.checks import CannotCheck, Deadline, OutOfTime, Shared
from samebox.check.serving import server
from samebox.check.serving.waiting import PING_SECONDS
from samebox.check.serving.wire import NoResponse
from samebox.commands import model_archive
from samebox.containers.engine import EngineError
from samebox.testing.training import TrainRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samebox.check.checks import Context, Options
    from samebox.check.serving.server import RunningServer
    from samebox.check.serving.wire import HttpResponse
    from samebox.testing.kit import Kit

INVOCATION_SECONDS = 60.0  # contract §2.2
_START_SECONDS = server.WINDOW_SECONDS + 60


@dataclass(frozen=True)
class EndpointResponse:
    """What the server answered. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def content_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    def json(self) -> Any:
        return json.loads(self.body)


class Endpoint:
    """A server that starts at its first use. Calling it gives another server, with the arguments changed."""

    def __init__(self, kit: Kit, context: Context, setup: server.Setup) -> None:
        self._kit, self._context, self._setup = kit, context, setup
        self._others: list[Endpoint] = []

    def __call__(
        self,
        *,
        image: str | None = None,
        model: Path | str | TrainRun | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Endpoint:
        """Start a server of its own now, and wait until it is ready.

        `image` in place of the fixture's. `model` is a model.tar.gz, a folder, or a training run that made one;
        without, --samebox-model.
        """
        context = self._context if image is None else self._kit.bench(image)
        options = context.options
        if model is not None:
            path = model.model_archive if isinstance(model, TrainRun) else Path(model)
            if not path.exists():
                raise FileNotFoundError(f"endpoint: there is no {path}")
            options = dataclasses.replace(options, model=path, unpack=_unpack)
        setup = server.Setup(environment=dict(environment or {}))
        other = Endpoint(self._kit, _apart(context, options), setup)
        self._others.append(other)
        _ = other._server
        return other

    def __repr__(self) -> str:
        is_started = "_server" in self.__dict__
        return f"<Endpoint {self.url}>" if is_started else "<Endpoint, not started>"

    @property
    def url(self) -> str:
        """Where this machine reaches it, without a slash at its end."""
        host, port = self._server.address
        return f"http://{host}:{port}"

    def ping(self, seconds: float = PING_SECONDS) -> EndpointResponse:
        return self._ask("GET", "/ping", None, {}, seconds)

    def invoke(
        self,
        body: bytes | str,
        content_type: str,
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
        seconds: float = INVOCATION_SECONDS,
    ) -> EndpointResponse:
        """POST /invocations as the platform sends it. Whatever status it answers is given; no answer is a failure."""
        data = body.encode() if isinstance(body, str) else body
        all_headers = {"Content-Type": content_type, "Accept": accept, **(headers or {})}
        return self._ask("POST", "/invocations", data, all_headers, seconds)

    def logs(self) -> tuple[str, ...]:
        """The lines that it has written so far."""
        found = self._server
        with contextlib.closing(found.engine.logs(found.container)) as stream:
            return tuple(line.text for line in stream)

    def close(self) -> None:
        """Remove it, and those that were made of it."""
        self.close_others()
        with contextlib.suppress(EngineError):  # what is left is swept at the end of the session
            if "_server" in self.__dict__:
                self._server.remove()
        self._context.shared.close()  # its network, after the server is gone

    def close_others(self) -> None:
        while self._others:
            self._others.pop().close()

    @functools.cached_property
    def _server(self) -> RunningServer:
        context = dataclasses.replace(self._context, deadline=Deadline(_START_SECONDS))
        try:
            boot = server.start(context, self._setup)
        except (CannotCheck, OutOfTime, EngineError) as error:
            pytest.fail(f"the server could not be started: {error}", pytrace=False)
        if boot.server is None:
            pytest.fail(f"the server never became ready: {boot.with_log}", pytrace=False)
        return boot.server

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> EndpointResponse:
        found = self._server
        try:
            answer: HttpResponse = found.ask(method, path, body, headers, seconds=seconds)
        except NoResponse as error:
            said = " / ".join(self.logs()[-5:]) or "nothing"
            pytest.fail(f"{method} {path}: {error}; the server's log: {said}", pytrace=False)
        return EndpointResponse(answer.status, answer.headers, answer.body, answer.seconds)


def of(kit: Kit, image: str) -> Endpoint:
    """The image's plain server, the same one in the whole session."""
    key = f"server of {image}"
    if key not in kit.kept:
        bench = kit.bench(image)
        made = Endpoint(kit, _apart(bench, bench.options), server.Setup())
        kit.at_the_end(made.close)
        kit.kept[key] = made
    found = kit.kept[key]
    assert isinstance(found, Endpoint)
    return found


def _apart(context: Context, options: Options) -> Context:
    """With a network and a model folder of its own; what it starts is still the run's, and goes with it."""
    assert context.scratch is not None  # a run that has an engine has one
    # Its name becomes the network's.
    scratch = context.scratch / f"{context.scratch.name}-{uuid.uuid4().hex[:8]}"
    scratch.mkdir()
    return dataclasses.replace(context, options=options, shared=Shared(), scratch=scratch)


def _unpack(model: Path, folder: Path) -> None:
    """Unpacks an archive as an endpoint does. A folder is copied: the server's user may be unable to read it."""
    if not model.is_dir():
        model_archive.unpack(model, folder)
        return
    shutil.copytree(model, folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o111 else 0o644)
