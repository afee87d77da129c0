"""The server's settings, read once from the environment. SAGEMAKER_ names are AWS's (contract.md §2.5)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class BadSetting(ValueError):
    """A variable holds what cannot be used; the message names it."""


@dataclass(frozen=True)
class ServeSettings:
    """One field per variable."""

    model_dir: Path
    """Where the model is: $SAGEMAKER_BASE_DIR/model, which is /opt/ml/model."""
    port: int
    """SAGEMAKER_BIND_TO_PORT: set by the platform where several containers share an instance; else 8080."""
    program: str
    """SAGEMAKER_PROGRAM: the file with the model's own handler functions; inference.py."""
    submit_directory: Path | None
    """SAGEMAKER_SUBMIT_DIRECTORY: where that file is, if not in <model>/code."""
    submit_archive: str
    """SAGEMAKER_SUBMIT_DIRECTORY as an address of S3: a tar.gz with that file, fetched where <model>/code has none."""
    workers: int | None
    """SAGEMAKER_MODEL_SERVER_WORKERS: processes, each with the model loaded; one per core that memory allows."""
    threads: int | None
    """SERVE_MODEL_THREADS: predictions at once in one process; by default 1 for handlers of the model's own."""
    timeout_seconds: int
    """SAGEMAKER_MODEL_SERVER_TIMEOUT[_SECONDS]: how long one prediction may take before its process is replaced; 60."""
    max_payload_megabytes: int
    """SAGEMAKER_MAX_PAYLOAD_IN_MB: larger requests are answered with 413; 0 is no limit of our own."""
    default_accept: str
    """SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: the answer's type where the client names none; "": the image's own."""
    log_level: str
    """SAGEMAKER_CONTAINER_LOG_LEVEL: a number or a name; INFO."""
    multi_model: bool
    """SAGEMAKER_MULTI_MODEL: this server holds one model, and refuses with that message."""

    @property
    def code_dir(self) -> Path:
        return self.submit_directory or self.model_dir / "code"

    @property
    def own_program(self) -> Path | None:
        """The file with the model's own handlers, if it brings one."""
        path = self.code_dir / (self.program if self.program.endswith(".py") else f"{self.program}.py")
        # os.path: a folder that may not be read must become a reason on /ping, not an exception here.
        return path if os.path.isfile(path) else None  # noqa: PTH113

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> ServeSettings:
        """Raises BadSetting naming the variable."""
        base = Path(environment.get("SAGEMAKER_BASE_DIR") or "/opt/ml")
        submit = environment.get("SAGEMAKER_SUBMIT_DIRECTORY") or ""
        timeout = number(environment, "SAGEMAKER_MODEL_SERVER_TIMEOUT", 60, least=1)
        return cls(
            model_dir=base / "model",
            port=number(environment, "SAGEMAKER_BIND_TO_PORT", 8080, least=1, most=65535),
            program=environment.get("SAGEMAKER_PROGRAM") or "inference.py",
            submit_directory=Path(submit) if submit and "://" not in submit else None,
            submit_archive=submit if "://" in submit else "",
            workers=optional_number(environment, "SAGEMAKER_MODEL_SERVER_WORKERS"),
            threads=optional_number(environment, "SERVE_MODEL_THREADS"),
            timeout_seconds=number(environment, "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS", timeout, least=1),
            max_payload_megabytes=number(environment, "SAGEMAKER_MAX_PAYLOAD_IN_MB", 0, least=0),
            default_accept=environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or "",
            log_level=log_level(environment.get("SAGEMAKER_CONTAINER_LOG_LEVEL") or "20"),
            multi_model=(environment.get("SAGEMAKER_MULTI_MODEL") or "").lower() == "true",
        )


def number(environment: Mapping[str, str], name: str, default: int, least: int, most: int = 2**31) -> int:
    text = (environment.get(name) or "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise BadSetting(f"{name} is {text!r}, not a whole number") from None
    if not least <= value <= most:
        raise BadSetting(f"{name} is {value}, not between {least} and {most}")
    return value


def optional_number(environment: Mapping[str, str], name: str) -> int | None:
    return number(environment, name, 0, least=1) if (environment.get(name) or "").strip() else None


def log_level(text: str) -> str:
    names = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
    if text.strip().isdigit():
        return names.get(int(text) // 10 * 10, "INFO")
    return text.strip().upper() if text.strip().upper() in names.values() else "INFO"
