"""Starts a container although requests for it may be lost or still in progress, also those of an earlier emulator
process.

An engine continues a request for a while after its client has died. A container of that name may be half made, or be
started just now; its start may have been given up, with an error that has nothing to do with the container.
"""

from collections.abc import Callable

from samebox.containers.engine import (
    ARN_LABEL,
    ContainerApi,
    ContainerMissing,
    ContainerSpec,
    ContainerState,
    EngineUnavailable,
    NameTaken,
    StartFailed,
)


def holder_of(engine: ContainerApi, spec: ContainerSpec) -> ContainerState:
    """The container that has the name of `spec`. Raises StartFailed if that is not for the same resource.

    Raises EngineUnavailable while there is none to be seen: its name is taken before a container can be asked for, and
    for a moment longer than it can be. Either ends soon.
    """
    name = str(spec.name)
    try:
        state = engine.inspect(name)
    except ContainerMissing as error:
        raise EngineUnavailable(f"The engine is busy with the container {name} for an earlier request.") from error
    if not is_of(state, spec):
        raise StartFailed(
            f'The name "{name}" is in use by the container {state.id[:12]}, which is not of this resource'
        )
    return state


def is_of(state: ContainerState, spec: ContainerSpec) -> bool:
    """Whether a container was made for the resource that `spec` is for."""
    return state.labels.get(ARN_LABEL) == spec.labels.get(ARN_LABEL)


def afresh(engine: ContainerApi, spec: ContainerSpec) -> str:
    """A new container in place of one of its name that never ran; one that did is taken over. Raises as `create`."""
    for _ in range(2):
        try:
            return engine.create(spec)
        except NameTaken:
            state = holder_of(engine, spec)
            if state.has_run:
                return state.id
            engine.remove(state.id)
    raise EngineUnavailable(f"The name {spec.name} is taken again as soon as it is free.")


def once(engine: ContainerApi, container: str, is_new: bool) -> Callable[[], None]:
    """A start that may be tried again when its answer was lost, without starting anew what has ended meanwhile.

    `is_new`: no earlier process can have started it. Raises StartFailed.
    """
    asked = not is_new

    def start() -> None:
        nonlocal asked
        if asked and engine.inspect(container).has_run:
            return
        asked = True
        engine.start(container)

    return start
