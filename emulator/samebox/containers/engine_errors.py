"""Why an engine did not do what it was asked for: the errors of the Engine protocols."""


class EngineError(Exception):
    """The engine could not do it; the message is for a person."""


class EngineUnavailable(EngineError):
    """No engine answers, or not in time. Nothing is known of what was asked; asking again later is right."""


class ImageMissing(EngineError):
    """The engine does not hold the image, or the registry does not give it."""

    def __init__(self, reference: str, message: str = "") -> None:
        super().__init__(message or f"No such image: {reference}")
        self.reference = reference


class StartFailed(EngineError):
    """It could not be started, in the runtime's words: `exec: "train": executable file not found in $PATH`."""


class ContainerMissing(EngineError):
    """There is no such container."""


class PathMissing(EngineError):
    """There is no such path in the container."""


class NameTaken(EngineError):
    """A container or network of this name is there already."""


class OutOfSpace(EngineError):
    """The engine's disk is full."""
