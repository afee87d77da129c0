"""The verbs by which a multi-model endpoint loads, lists and unloads models. Contract §2.8."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from emulator.check.checks import CannotCheck, Check, Claim, Context, Need
from emulator.check.findings import Finding, Rule
from emulator.check.serving.served import ENGINE, payload
from emulator.check.serving.server import WINDOW_SECONDS, Boot, Server, Setup, start
from emulator.check.serving.wire import Answer, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

MULTI_MODEL: frozenset[Claim] = frozenset({"multi-model"})
MODEL: frozenset[Need] = ENGINE | {"model"}
NAME = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"  # opaque to the container, as the platform's are
FOLDER = f"/opt/ml/models/{NAME}/model"
UNKNOWN = "there-is-no-such-model"
LOAD_SECONDS = 360.0

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
    "What is asked of a model that is not loaded is answered 404",
    "contract §2.8",
    "fail",
    "multi-model",
    "GET and DELETE /models/<name> and POST /models/<name>/invoke answer 404: the platform then loads the model.",
)
LOAD = Rule(
    "multi-model-load",
    "POST /models loads a model, and answers 409 the second time",
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
    'GET /models: {"models": [{"modelName": …, "modelUrl": …}]}; GET /models/<name>: one of these.',
)
INVOKE = Rule(
    "multi-model-invoke",
    "POST /models/<name>/invoke answers for a loaded model",
    "contract §2.8",
    "fail",
    "multi-model",
    "It is /invocations of this one model.",
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
        return STARTS.broken(boot.with_log)
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
        except NoAnswer as error:
            return UNLOADED.broken(f"{method} {path}: {error}")
        if answer.status != 404:
            return UNLOADED.broken(f"{method} {path}: {answer.words}")
    return UNLOADED.passed("404")


def load(context: Context) -> Finding:
    try:
        first, second = _loaded(context)
    except NoAnswer as error:
        return LOAD.broken(f"POST /models: {error}")
    if first.status != 200:
        return LOAD.broken(f"POST /models: {first.words}")
    if second.status != 409:
        return LOAD.broken(f"POST /models a second time: {second.words}")
    return LOAD.passed(f"200 after {first.seconds:.1f} s, then 409")


def show(context: Context) -> Finding:
    _must_be_loaded(context)
    try:
        every, one = _ask(context, "GET", "/models"), _ask(context, "GET", f"/models/{NAME}")
    except NoAnswer as error:
        return LIST.broken(str(error))
    found = _json(every).get("models")
    if every.status != 200 or not isinstance(found, list):
        return LIST.broken(f"GET /models: {every.words}")
    if not any(isinstance(model, dict) and model.get("modelName") == NAME for model in found):
        return LIST.broken(f"GET /models does not show the loaded model: {every.words}")
    if one.status != 200 or _json(one).get("modelName") != NAME:
        return LIST.broken(f"GET /models/{NAME}: {one.words}")
    return LIST.passed(f"{len(found)} loaded")


def invoke(context: Context) -> Finding:
    _must_be_loaded(context)
    one = payload(context)
    headers = {**one.headers, "X-Amzn-SageMaker-Target-Model": "a/model.tar.gz"}
    try:
        answer = _ask(context, "POST", f"/models/{NAME}/invoke", one.body, headers)
    except NoAnswer as error:
        return INVOKE.broken(f"{one.name}: {error}")
    if answer.status in (404, 405) or (one.is_given and not answer.is_good):
        return INVOKE.broken(f"{one.name}: {answer.words}")
    return INVOKE.passed(f"{one.name}: {answer.status}")


def unload(context: Context) -> Finding:
    _must_be_loaded(context)
    try:
        first, then = _ask(context, "DELETE", f"/models/{NAME}"), _ask(context, "GET", f"/models/{NAME}")
        again = _post(_server(context))
    except NoAnswer as error:
        return UNLOAD.broken(str(error))
    if first.status != 200:
        return UNLOAD.broken(f"DELETE /models/{NAME}: {first.words}")
    if then.status != 404:
        return UNLOAD.broken(f"once unloaded, GET /models/{NAME}: {then.words}")
    if again.status != 200:
        return UNLOAD.broken(f"once unloaded, it is not loaded again: {again.words}")
    return UNLOAD.passed("200, then 404; and it can be loaded again")


def _boot(context: Context) -> Boot:
    setup = Setup(environment={"SAGEMAKER_MULTI_MODEL": "true"}, model_at=FOLDER)
    return context.shared.get("multi-model server", lambda: start(context, setup), _remove)


def _remove(boot: Boot) -> None:
    if boot.server is not None:
        boot.server.remove()


def _server(context: Context) -> Server:
    server = _boot(context).server
    if server is None:
        raise CannotCheck(f"the server never became ready: see {STARTS.id}")
    return server


def _loaded(context: Context) -> tuple[Answer, Answer]:
    def post_twice() -> tuple[Answer, Answer]:
        server = _server(context)
        return _post(server), _post(server)

    return context.shared.get("loaded model", post_twice)


def _must_be_loaded(context: Context) -> None:
    try:
        first, _ = _loaded(context)
    except NoAnswer:
        raise CannotCheck(f"no model could be loaded: see {LOAD.id}") from None
    if first.status != 200:
        raise CannotCheck(f"no model could be loaded: see {LOAD.id}")


def _post(server: Server) -> Answer:
    body = json.dumps({"model_name": NAME, "url": FOLDER}).encode()
    headers = {"Content-Type": "application/json", "X-Amzn-SageMaker-Target-Model": "a/model.tar.gz"}
    return server.ask("POST", "/models", body, headers, seconds=LOAD_SECONDS)


def _ask(
    context: Context, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    return _server(context).ask(method, path, body, headers, seconds=60)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_SECONDS = WINDOW_SECONDS + 60
CHECKS = (
    Check(STARTS, starts, ENGINE, MULTI_MODEL, seconds=_SECONDS),
    Check(UNLOADED, unknown_model, ENGINE, MULTI_MODEL, seconds=_SECONDS),
    Check(LOAD, load, MODEL, MULTI_MODEL, seconds=2 * LOAD_SECONDS + 60),
    Check(LIST, show, MODEL, MULTI_MODEL, seconds=2 * LOAD_SECONDS + 60),
    Check(INVOKE, invoke, MODEL, MULTI_MODEL, seconds=2 * LOAD_SECONDS + 60),
    Check(UNLOAD, unload, MODEL, MULTI_MODEL, seconds=3 * LOAD_SECONDS + 60),
)
