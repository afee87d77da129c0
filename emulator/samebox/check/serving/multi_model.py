"""The requests with which a multi-model endpoint loads, lists and unloads models. Contract §2.8."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from samebox.check.checks import CannotCheck, Check, Claim, Context, Need
from samebox.check.findings import Finding, Rule
from samebox.check.serving.served import ENGINE, payload
from samebox.check.serving.server import WINDOW_SECONDS, Boot, RunningServer, Setup, start
from samebox.check.serving.wire import HttpResponse, NoResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

MULTI_MODEL: frozenset[Claim] = frozenset({"multi-model"})
MODEL: frozenset[Need] = ENGINE | {"model"}
NAME = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"  # opaque to the container, as the platform's are
SECOND = "1f1e2d3c4b5a69788796a5b4c3d2e1f0"
OTHER = "samebox-model-1"  # opaque, too, and of another form
COPIES = tuple(f"{number:032x}" for number in range(1, 13))  # to fill memory with
UNKNOWN = "there-is-no-such-model"
LOAD_SECONDS = 360.0
_MOST_PAGES = 100

STARTS = Rule(
    "multi-model-starts",
    "The server starts with SAGEMAKER_MULTI_MODEL=true and no model loaded",
    "contract §2.8",
    "fail",
    "multi-model",
    "Answer /ping with 200 before any model is loaded; models come by POST /models.",
)
UNLOADED = Rule(
    "multi-model-unknown-model",
    "Requests for a model that is not loaded are answered 404",
    "contract §2.8",
    "fail",
    "multi-model",
    "GET and DELETE /models/<name> and POST /models/<name>/invoke answer 404: the platform then loads the model.",
)
LOAD = Rule(
    "multi-model-load",
    "POST /models loads models, and answers 409 for one that is loaded",
    "contract §2.8",
    "fail",
    "multi-model",
    'Load from "url" under "model_name"; 409 when that name is loaded, 507 when memory is short.',
)
LIST = Rule(
    "multi-model-list",
    "GET /models and GET /models/<name> show what is loaded",
    "contract §2.8",
    "fail",
    "multi-model",
    'GET /models: {"models": [{"modelName": …, "modelUrl": …}]}, the url as it was given; GET /models/<name>: one of '
    "these. A nextPageToken comes back as ?next_page_token=.",
)
NAMES = Rule(
    "multi-model-names",
    "A model's name is taken as it is",
    "contract §2.8 (opaque identifiers)",
    "warn",
    "multi-model",
    "Accept any letters and any length in a name; it is neither a file name nor the model's own name.",
)
INVOKE = Rule(
    "multi-model-invoke",
    "POST /models/<name>/invoke answers for a loaded model",
    "contract §2.8",
    "fail",
    "multi-model",
    "Have a route POST /models/<name>/invoke that does what /invocations does, with this model.",
)
UNLOAD = Rule(
    "multi-model-unload",
    "DELETE /models/<name> unloads a model",
    "contract §2.8",
    "fail",
    "multi-model",
    "Answer 200 once its memory is free; the name is then unknown (404), and can be loaded again.",
)


def starts(context: Context) -> Finding:
    boot = _boot(context)
    if boot.server is None:
        return boot.quoted_in(STARTS.broken(boot.with_log))
    return STARTS.passed(f"ready after {boot.seconds:.1f} s")


def unknown_model(context: Context) -> Finding:
    one = payload(context)
    asked: tuple[tuple[str, str, bytes | None], ...] = (
        ("GET", f"/models/{UNKNOWN}", None),
        ("DELETE", f"/models/{UNKNOWN}", None),
        ("POST", f"/models/{UNKNOWN}/invoke", one.body),
    )
    for method, path, body in asked:
        try:
            answer = _ask(context, method, path, body, one.headers if body is not None else None)
        except NoResponse as error:
            return UNLOADED.broken(f"{method} {path}: {error}")
        if answer.status != 404:
            return UNLOADED.broken(f"{method} {path}: {answer.words}")
    return UNLOADED.passed("404")


def load(context: Context) -> Finding:
    try:
        first, again, second = _loaded(context)
    except NoResponse as error:
        return LOAD.broken(f"POST /models: {error}")
    if first.status != 200:
        return LOAD.broken(f"POST /models: {first.words}")
    if again.status != 409:
        return LOAD.broken(f"POST /models of the same model again: {again.words}")
    if second.status not in (200, 507):
        return LOAD.broken(f"POST /models of a second model: {second.words}")
    return LOAD.passed(f"200 after {first.seconds:.1f} s, then 409; {second.status} for a second model")


def show(context: Context) -> Finding:
    _must_be_loaded(context)
    loaded = {NAME} if _loaded(context)[2].status == 507 else {NAME, SECOND}
    found: dict[Any, Any] = {}
    path, pages = "/models", 0
    try:
        while path:
            page = _ask(context, "GET", path)
            models = _json(page).get("models")
            if page.status != 200 or not isinstance(models, list) or not all(isinstance(one, dict) for one in models):
                return LIST.broken(f"GET {path}: {page.words}")
            found |= {one.get("modelName"): one.get("modelUrl") for one in models}
            token, pages = _json(page).get("nextPageToken"), pages + 1
            if pages == _MOST_PAGES:
                return LIST.broken(f"GET /models: there is a nextPageToken still on page {pages}")
            path = f"/models?next_page_token={quote(str(token), safe='')}" if token else ""
        one = _ask(context, "GET", f"/models/{NAME}")
    except NoResponse as error:
        return LIST.broken(str(error))
    if missing := loaded - set(found):
        return LIST.broken(f"{', '.join(sorted(missing))} is loaded, and GET /models does not show it: {page.words}")
    if wrong := [f"{found[name]!r} and not {folder(name)}" for name in sorted(loaded) if found[name] != folder(name)]:
        return LIST.broken(f"GET /models: the modelUrl is {wrong[0]}")
    if one.status != 200 or _json(one) != {"modelName": NAME, "modelUrl": folder(NAME)} | _json(one):
        return LIST.broken(f"GET /models/{NAME}: {one.words}")
    return LIST.passed(f"{len(found)} loaded, on {pages} {'page' if pages == 1 else 'pages'}")


def names(context: Context) -> Finding:
    _must_be_loaded(context)
    path = f"/models/{OTHER}"
    try:
        loaded = post(_server(context), OTHER, LOAD_SECONDS)
        if loaded.status == 507:
            return NAMES.skipped("memory is short (507)")
        if loaded.status != 200:
            return NAMES.broken(f"POST /models of {OTHER}: {loaded.words}")
        shown, gone = _ask(context, "GET", path), _ask(context, "DELETE", path)
    except NoResponse as error:
        return NAMES.broken(f"of a model named {OTHER}: {error}")
    if shown.status != 200 or _json(shown).get("modelName") != OTHER:
        return NAMES.broken(f"{OTHER} is loaded, and GET {path}: {shown.words}")
    if gone.status != 200:
        return NAMES.broken(f"{OTHER} is loaded, and DELETE {path}: {gone.words}")
    return NAMES.passed(path)


def invoke(context: Context) -> Finding:
    _must_be_loaded(context)
    one = payload(context)
    headers = {**one.headers, "X-Amzn-SageMaker-Target-Model": "a/model.tar.gz"}
    try:
        answer = _ask(context, "POST", f"/models/{NAME}/invoke", one.body, headers)
    except NoResponse as error:
        return INVOKE.broken(f"{one.name}: {error}")
    if answer.status in (404, 405) or (one.is_given and not answer.is_good):
        return INVOKE.broken(f"{one.name}: {answer.words}")
    return INVOKE.passed(f"{one.name}: {answer.status}")


def unload(context: Context) -> Finding:
    _must_be_loaded(context)
    one = payload(context)
    try:
        first, then = _ask(context, "DELETE", f"/models/{NAME}"), _ask(context, "GET", f"/models/{NAME}")
        asked = _ask(context, "POST", f"/models/{NAME}/invoke", one.body, one.headers)
        again = post(_server(context), NAME, LOAD_SECONDS)
    except NoResponse as error:
        return UNLOAD.broken(str(error))
    if first.status != 200:
        return UNLOAD.broken(f"DELETE /models/{NAME}: {first.words}")
    if then.status != 404:
        return UNLOAD.broken(f"once unloaded, GET /models/{NAME}: {then.words}")
    if asked.status != 404:
        return UNLOAD.broken(f"once unloaded, POST /models/{NAME}/invoke: {asked.words}")
    if again.status != 200:
        return UNLOAD.broken(f"once unloaded, it is not loaded again: {again.words}")
    return UNLOAD.passed("200, then 404; and it can be loaded again")


def folder(name: str) -> str:
    return f"/opt/ml/models/{name}/model"


# One model under many names: they differ for the server, and no other is at hand.
SETUP = Setup(
    environment={"SAGEMAKER_MULTI_MODEL": "true"},
    models_at=tuple(folder(name) for name in (NAME, SECOND, OTHER, *COPIES)),
)


def post(server: RunningServer, name: str, seconds: float) -> HttpResponse:
    """Load a model. Raises NoResponse."""
    body = json.dumps({"model_name": name, "url": folder(name)}).encode()
    headers = {"Content-Type": "application/json", "X-Amzn-SageMaker-Target-Model": "a/model.tar.gz"}
    return server.ask("POST", "/models", body, headers, seconds=seconds)


def _boot(context: Context) -> Boot:
    return context.shared.get("multi-model server", lambda: start(context, SETUP), _remove)


def _remove(boot: Boot) -> None:
    if boot.server is not None:
        boot.server.remove()


def _server(context: Context) -> RunningServer:
    server = _boot(context).server
    if server is None:
        raise CannotCheck(f"the server never became ready: see {STARTS.id}")
    return server


def _loaded(context: Context) -> tuple[HttpResponse, HttpResponse, HttpResponse]:
    """How one model was loaded, how it was again, and how a second was."""

    def load_them() -> tuple[HttpResponse, HttpResponse, HttpResponse]:
        server = _server(context)
        first, again = post(server, NAME, LOAD_SECONDS), post(server, NAME, LOAD_SECONDS)
        return first, again, post(server, SECOND, LOAD_SECONDS)

    return context.shared.get("loaded models", load_them)


def _must_be_loaded(context: Context) -> None:
    try:
        first, _, _ = _loaded(context)
    except NoResponse:
        raise CannotCheck(f"no model could be loaded: see {LOAD.id}") from None
    if first.status != 200:
        raise CannotCheck(f"no model could be loaded: see {LOAD.id}")


def _ask(
    context: Context, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    return _server(context).ask(method, path, body, headers, seconds=60)


def _json(answer: HttpResponse) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_SECONDS = WINDOW_SECONDS + 60
CHECKS = (
    Check(STARTS, starts, ENGINE, MULTI_MODEL, seconds=_SECONDS),
    Check(UNLOADED, unknown_model, ENGINE, MULTI_MODEL, seconds=_SECONDS),
    Check(LOAD, load, MODEL, MULTI_MODEL, seconds=3 * LOAD_SECONDS + 60),
    Check(LIST, show, MODEL, MULTI_MODEL, seconds=3 * LOAD_SECONDS + 60),
    Check(NAMES, names, MODEL, MULTI_MODEL, seconds=3 * LOAD_SECONDS + 60),
    Check(INVOKE, invoke, MODEL, MULTI_MODEL, seconds=2 * LOAD_SECONDS + 60),
    Check(UNLOAD, unload, MODEL, MULTI_MODEL, seconds=3 * LOAD_SECONDS + 60),
)
