"""The handler contract of sagemaker-inference: which function answers what, the model's own or the image's."""

# ruff: noqa: ARG002  Context has the signatures of multi-model-server

from __future__ import annotations

import importlib.util
import inspect
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samebox_serve import accept, formats, tensorflow_serving
from samebox_serve.errors import NotAcceptable, RequestError, UnsupportedType
from samebox_serve.tensorflow_serving import ServingHandlers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from samebox_serve.settings import ServeSettings

DEFAULTS = Path(__file__).resolve().parent.parent / "inference.py"


@dataclass
class RequestContext:
    """The context that handlers with one more parameter get: the request's headers, and setters for the response's.

    The names are those of multi-model-server's context, for which such handlers are written.
    """

    system_properties: dict[str, Any]
    request_headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    response_status: int = 200

    def get_request_header(self, index: int, name: str) -> str | None:
        return next((value for key, value in self.request_headers.items() if key.lower() == name.lower()), None)

    def get_all_request_header(self, index: int) -> dict[str, str]:
        return dict(self.request_headers)

    def set_response_header(self, index: int, name: str, value: str) -> None:
        self.response_headers[name] = value

    def set_response_content_type(self, index: int, value: str) -> None:
        self.response_headers["Content-Type"] = value

    def set_response_status(self, code: int = 200, phrase: str = "", index: int = 0) -> None:
        self.response_status = code


@dataclass(frozen=True)
class HandlerResponse:
    body: bytes
    content_type: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Handlers:
    """One model and the functions around it."""

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._defaults = load_module("samebox_default_inference", DEFAULTS)
        self._own = load_own(settings)
        transform = self._own and getattr(self._own, "transform_fn", None)
        parts = [name for name in ("input_fn", "predict_fn", "output_fn") if self._own and hasattr(self._own, name)]
        if transform and parts:
            raise ValueError(
                f"{settings.program} defines transform_fn and {', '.join(parts)}: it must be one or the other"
            )
        self._serving: ServingHandlers | None = None
        if self._own is not None and ServingHandlers.are_in(self._own):
            self._serving = ServingHandlers(self._own, self._predict_json)
        self._transform = transform
        self._owns_output = bool(self._own and hasattr(self._own, "output_fn"))
        self._model: Any = None

    def load(self) -> None:
        """Load the model and call it once."""
        folder = str(self._settings.model_dir)
        context = self._context({})
        before = self._own and getattr(self._own, "pre_model_fn", None)
        if before:
            call(before, context, folder)
        self._model = call(self._function("model_fn"), context, folder)
        # The image's own warm-up knows only models that its own model_fn loads.
        owner = self._own if self._own and hasattr(self._own, "model_fn") else self._defaults
        warm_up = getattr(self._own, "model_warmup_fn", None) or getattr(owner, "model_warmup_fn", None)
        if warm_up:
            call(warm_up, context, folder, self._model)

    def answer(
        self, body: bytes, content_type: str | None, accepted: str | None, headers: dict[str, str]
    ) -> HandlerResponse:
        """Raises RequestError for what the client can mend; anything else is an error of the handlers."""
        if self._serving is not None:
            answer, of_type = self._serving.answer(body, content_type, accepted, headers)
            return finished((answer, of_type), of_type, self._context(headers))
        kind = formats.media_type(content_type)
        data: bytes | str = formats.text(body, content_type) if kind in formats.TEXT_TYPES else body
        wanted = self._choose(accepted)
        context = self._context(headers)
        try:
            if self._transform:
                result = call(self._transform, context, self._model, data, kind, wanted)
            else:
                decoded = call(self._function("input_fn"), context, data, kind)
                prediction = call(self._function("predict_fn"), context, decoded, self._model)
                result = call(self._function("output_fn"), context, prediction, wanted)
        except Exception as error:
            known = translated(error)
            if known is error:
                raise
            raise known from error
        return finished(result, wanted, context)

    def _predict_json(self, body: bytes) -> bytes:
        context = self._context({})
        decoded = call(self._defaults.input_fn, context, formats.text(body, formats.JSON), formats.JSON)
        prediction = call(self._defaults.predict_fn, context, decoded, self._model)
        answer, _ = call(self._defaults.output_fn, context, prediction, formats.JSON)
        return tensorflow_serving.columnar(body, answer)

    def _function(self, name: str) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self._own, name, None) or getattr(self._defaults, name)
        return found

    def _choose(self, accepted: str | None) -> str:
        default = self._settings.default_accept or getattr(self._defaults, "ACCEPT", formats.JSON)
        types = getattr(self._defaults, "TYPES", formats.TYPES)
        if self._transform or self._owns_output:
            return accept.first_concrete(accepted, default)
        return accept.choose(accepted, types, default if default in types else types[0])

    def _context(self, headers: dict[str, str]) -> RequestContext:
        return RequestContext({"model_dir": str(self._settings.model_dir), "gpu_id": None}, headers)


def load_own(settings: ServeSettings) -> ModuleType | None:
    path = settings.own_program
    if path is None:
        if settings.program != "inference.py":
            raise FileNotFoundError(f"SAGEMAKER_PROGRAM is {settings.program}, which is not in {settings.code_dir}")
        return None
    # Its neighbours are imported by name.
    if str(settings.code_dir) not in sys.path:
        sys.path.insert(0, str(settings.code_dir))
    return load_module(path.stem, path)


def load_module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def call(function: Callable[..., Any], context: RequestContext, *arguments: Any) -> Any:
    """Call a handler with the context if it takes one argument more, as sagemaker-inference does."""
    takes = len(inspect.signature(function).parameters)
    if takes == len(arguments):
        return function(*arguments)
    if takes == len(arguments) + 1:
        return function(*arguments, context)
    raise TypeError(
        f"{function.__name__} takes {takes} arguments; it is called with {len(arguments)}, or one more (context)"
    )


def finished(result: Any, wanted: str, context: RequestContext) -> HandlerResponse:
    """The response for a handler's result (a body, (body, content type), a Flask response) and its calls of the
    context.
    """
    if hasattr(result, "get_data") and hasattr(result, "status_code"):
        return HandlerResponse(result.get_data(), result.content_type or wanted, result.status_code)
    body, content_type = result if isinstance(result, tuple) and len(result) == 2 else (result, wanted)
    headers = dict(context.response_headers)
    content_type = headers.pop("Content-Type", content_type)
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(f"the handler answered with {type(body).__name__}; it must be bytes or str")
    return HandlerResponse(bytes(body), str(content_type), context.response_status, headers)


def translated(error: Exception) -> Exception:
    """Errors of sagemaker-inference's own classes as ours. Its module is there only if the model's code imported it."""
    toolkit = sys.modules.get("sagemaker_inference.errors")
    if toolkit is None or isinstance(error, RequestError):
        return error
    if isinstance(error, toolkit.UnsupportedFormatError):
        # Raised for both directions; only the traceback shows which.
        frames = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
        output = any(frame.function in ("output_fn", "default_output_fn", "encode") for frame in frames)
        return (NotAcceptable if output else UnsupportedType)(str(error))
    if isinstance(error, toolkit.BaseInferenceToolkitError):
        known = RequestError(str(error.message))
        known.status = int(error.status_code)
        return known
    return error
