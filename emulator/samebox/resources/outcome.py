"""Why a job ended, and how Describe shows it: one table from outcomes to final stages and FailureReasons."""

import enum
from dataclasses import dataclass

# SM:FailureReason is at most 1024 characters. Whether AWS counts the prefix is unverified (contract.md §1.7);
# the text is cut so that the exit code at the end, which people look for, is kept.
REASON_CHARACTERS = 1024


class Outcome(enum.Enum):
    """Each way a job can end. The values are stored; add, do not rename."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    MAX_RUNTIME = "max-runtime"
    MAX_WAIT = "max-wait"
    ALGORITHM_ERROR = "algorithm-error"
    CANNOT_START = "cannot-start"
    CANNOT_PULL = "cannot-pull"
    DOWNLOAD_FAILED = "download-failed"
    DOWNLOAD_DISK_FULL = "download-disk-full"
    UPLOAD_FAILED = "upload-failed"
    UPLOAD_DISK_FULL = "upload-disk-full"
    NO_CAPACITY = "no-capacity"
    INTERNAL = "internal"
    BAD_MESSAGE = "bad-message"
    NOT_READY = "not-ready"
    PIPELINE_NOT_READY = "pipeline-not-ready"
    BAD_INPUT = "bad-input"
    MODEL_REFUSED = "model-refused"
    NOT_BUILT = "not-built"
    OUT_OF_MEMORY = "out-of-memory"


@dataclass(frozen=True)
class Ending:
    """The final stage of a job and the form of its FailureReason ('' for none)."""

    stage: str
    reason: str = ""


# Texts: contract.md §1.7, each observed there. The rest of CANNOT_START is the container engine's error.
TRAINING_ENDINGS: dict[Outcome, Ending] = {
    Outcome.COMPLETED: Ending("Completed"),
    Outcome.STOPPED: Ending("Stopped"),
    Outcome.MAX_RUNTIME: Ending("MaxRuntimeExceeded"),
    Outcome.MAX_WAIT: Ending("MaxWaitTimeExceeded"),
    Outcome.ALGORITHM_ERROR: Ending("Failed", "AlgorithmError: {text}, exit code: {exit_code}"),
    Outcome.OUT_OF_MEMORY: Ending(
        "Failed",
        "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on an "
        "instance.",
    ),
    Outcome.CANNOT_START: Ending("Failed", "ClientError: Artifact upload failed:API error (400): {text}"),
    Outcome.CANNOT_PULL: Ending(
        "Failed",
        "ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions are "
        "incorrect.",
    ),
    # Ours: AWS has its own images.
    Outcome.NOT_BUILT: Ending("Failed", "ClientError: {text}"),
    Outcome.DOWNLOAD_FAILED: Ending("Failed", "ClientError: Data download failed:{text}"),
    Outcome.DOWNLOAD_DISK_FULL: Ending("Failed", "ClientError: Data download failed:Insufficient disk space"),
    Outcome.UPLOAD_FAILED: Ending("Failed", "ClientError: Artifact upload failed:{text}"),
    Outcome.UPLOAD_DISK_FULL: Ending("Failed", "ClientError: Artifact upload failed:Insufficient disk space"),
    Outcome.NO_CAPACITY: Ending("Failed", "CapacityError: {text}"),
    Outcome.INTERNAL: Ending("Failed", "InternalServerError: We encountered an internal error.  Please try again."),
}

# The first and the reason of a failed download were observed (contract.md §4.4); the other words are ours, after those
# of training jobs. Details are in the log.
PROCESSING_ENDINGS: dict[Outcome, Ending] = {
    Outcome.COMPLETED: Ending("Completed"),
    Outcome.STOPPED: Ending("Stopped"),
    Outcome.MAX_RUNTIME: Ending("Stopped"),
    # The text is the host of several that failed.
    Outcome.ALGORITHM_ERROR: Ending("Failed", "AlgorithmError: {text}See job logs for more information"),
    Outcome.OUT_OF_MEMORY: TRAINING_ENDINGS[Outcome.OUT_OF_MEMORY],
    Outcome.CANNOT_START: Ending("Failed", "ClientError: API error (400): {text}"),
    Outcome.CANNOT_PULL: TRAINING_ENDINGS[Outcome.CANNOT_PULL],
    Outcome.NOT_BUILT: TRAINING_ENDINGS[Outcome.NOT_BUILT],
    Outcome.DOWNLOAD_FAILED: Ending("Failed", "ClientError: Failed to download data. {text}"),
    Outcome.DOWNLOAD_DISK_FULL: Ending("Failed", "ClientError: Failed to download data. Insufficient disk space"),
    Outcome.UPLOAD_FAILED: Ending("Failed", "ClientError: Failed to upload data. {text}"),
    Outcome.UPLOAD_DISK_FULL: Ending("Failed", "ClientError: Failed to upload data. Insufficient disk space"),
    Outcome.NO_CAPACITY: TRAINING_ENDINGS[Outcome.NO_CAPACITY],
    Outcome.INTERNAL: TRAINING_ENDINGS[Outcome.INTERNAL],
    Outcome.BAD_MESSAGE: Ending("Failed", "ClientError: /opt/ml/output/message is not UTF-8 encoded"),
}

# The first two of those that fail were observed (contract.md §3.1, §3.5); the other words are ours.
TRANSFORM_ENDINGS: dict[Outcome, Ending] = {
    Outcome.COMPLETED: Ending("Completed"),
    Outcome.STOPPED: Ending("Stopped"),
    Outcome.MAX_RUNTIME: Ending("Stopped"),
    Outcome.ALGORITHM_ERROR: PROCESSING_ENDINGS[Outcome.ALGORITHM_ERROR],
    Outcome.NOT_READY: Ending(
        "Failed",
        "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is implemented and "
        "responds with an HTTP 200 status code",
    ),
    Outcome.PIPELINE_NOT_READY: Ending("Failed", "ClientError: {text}"),
    Outcome.BAD_INPUT: Ending("Failed", "ClientError: See job logs for more information"),
    Outcome.MODEL_REFUSED: Ending("Failed", "ClientError: {text}"),
    Outcome.CANNOT_START: PROCESSING_ENDINGS[Outcome.CANNOT_START],
    Outcome.CANNOT_PULL: TRAINING_ENDINGS[Outcome.CANNOT_PULL],
    Outcome.NOT_BUILT: TRAINING_ENDINGS[Outcome.NOT_BUILT],
    Outcome.DOWNLOAD_FAILED: PROCESSING_ENDINGS[Outcome.DOWNLOAD_FAILED],
    Outcome.DOWNLOAD_DISK_FULL: PROCESSING_ENDINGS[Outcome.DOWNLOAD_DISK_FULL],
    Outcome.UPLOAD_FAILED: PROCESSING_ENDINGS[Outcome.UPLOAD_FAILED],
    Outcome.UPLOAD_DISK_FULL: PROCESSING_ENDINGS[Outcome.UPLOAD_DISK_FULL],
    Outcome.NO_CAPACITY: TRAINING_ENDINGS[Outcome.NO_CAPACITY],
    Outcome.INTERNAL: TRAINING_ENDINGS[Outcome.INTERNAL],
}


def reason(ending: Ending, text: str = "", exit_code: int | None = None) -> str | None:
    """The FailureReason of an ending: at most 1024 characters, or None when nothing failed.

    `text` is the failure file's content or the engine's words; only as much of it is kept as fits.
    """
    form = ending.reason
    if not form:
        return None
    room = REASON_CHARACTERS - len(form.format(text="", exit_code=exit_code))
    return form.format(text=text[:room], exit_code=exit_code)
