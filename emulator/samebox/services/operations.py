"""Every operation we run, by service and name, bound to what it uses: what the gateway is given.

The modules of a service are loaded by its first request, or a moment after the start: to load them all takes longer
than the rest of a start does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial, wraps
from importlib import import_module
from threading import Lock
from typing import Any

from samebox.resources.derived import Derived
from samebox.resources.kind import Kind
from samebox.resources.store import Changed
from samebox.services.context import Operation, Services
from samebox.services.iam import pass_role
from samebox.wire.caller import Caller
from samebox.wire.gateway import Handler, Handlers

_SAGEMAKER = "sagemaker"
# By botocore's names; SageMaker's follow from its nouns.
_MODULES: Mapping[str, str] = {
    "ecr": "ecr",
    "logs": "logs",
    "cloudwatch": "cloudwatch.operations",
    "events": "events.operations",
    "ssm": "ssm.operations",
    "secretsmanager": "secretsmanager.operations",
    "sts": "sts",
    "iam": "iam.operations",
}
Around = Callable[[str, Handler], Handler]  # (name of an operation, handler) -> what is called in its place


def _as_it_is(_name: str, handler: Handler) -> Handler:
    return handler


class LoadedOperations(Mapping[str, Mapping[str, Handler]]):
    """Service -> operation -> handler(params, caller); a service is loaded when it is asked for.

    Threads may share it.
    """

    def __init__(self, services: Services, around: Around = _as_it_is) -> None:
        self._services = services
        self._around = around
        self._lock = Lock()
        self._loaded: dict[str, Mapping[str, Handler]] = {}

    def __getitem__(self, service: str) -> Mapping[str, Handler]:
        found = self._loaded.get(service)
        if found is None:
            with self._lock:
                found = self._loaded.get(service) or self._load(service)
                self._loaded[service] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter((_SAGEMAKER, *_MODULES))

    def __len__(self) -> int:
        return len(_MODULES) + 1

    def _load(self, service: str) -> Mapping[str, Handler]:
        resources = self._services.resources
        return {
            name: self._around(name, partial(pass_role.checked(_begun_anew(operation)), self._services))
            for name, operation in _table(service, resources.kinds, resources.derived).items()
        }


def operations(services: Services, around: Around = _as_it_is) -> Handlers:
    """The handlers of every service; `around` replaces each."""
    return LoadedOperations(services, around)


def routed(kinds: Iterable[Kind], derived_of: Callable[[Kind], Derived]) -> Mapping[str, Mapping[str, Operation]]:
    """The same, not bound to what they use: which operations there are can be asked without an emulator."""
    return {service: _table(service, kinds, derived_of) for service in (_SAGEMAKER, *_MODULES)}


def _table(service: str, kinds: Iterable[Kind], derived_of: Callable[[Kind], Derived]) -> Mapping[str, Operation]:
    if service == _SAGEMAKER:
        from samebox.services.sagemaker import operations as sagemaker

        return sagemaker.operations(kinds, derived_of)
    # KeyError for a service that is not run.
    found: Mapping[str, Operation] = import_module(f"samebox.services.{_MODULES[service]}").OPERATIONS
    return found


def _begun_anew(operation: Operation) -> Operation:
    """The operation, begun a second time where a row went meanwhile: it is then missing, in the service's own words."""

    @wraps(operation)
    def run(services: Services, params: dict[str, Any], caller: Caller) -> dict[str, Any] | None:
        try:
            return operation(services, dict(params), caller)
        except Changed:
            return operation(services, params, caller)

    return run
