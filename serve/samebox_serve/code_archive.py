"""The code of a model that is not in its archive: SAGEMAKER_SUBMIT_DIRECTORY as an address of S3.

The SageMaker SDK sets it for AWS's scikit-learn and XGBoost containers, which fetch it when they start.
"""

from __future__ import annotations

import logging
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from samebox_serve.settings import ServeSettings

log = logging.getLogger("samebox.serve")


def fetch(settings: ServeSettings) -> tuple[ServeSettings, str | None]:
    """Settings that name a folder with the code, and what went wrong. Code in the model's archive stays there."""
    if not settings.submit_archive or settings.own_program:
        return settings, None
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    place = urlsplit(settings.submit_archive)
    folder = Path(tempfile.mkdtemp(prefix="code-"))
    archive = folder.with_suffix(".tar.gz")
    log.info("fetching %s", settings.submit_archive)
    try:
        boto3.client("s3").download_file(place.netloc, place.path.lstrip("/"), str(archive))
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        archive.unlink()
    except (BotoCoreError, ClientError, OSError, tarfile.TarError) as error:
        return settings, f"the code at {settings.submit_archive} cannot be used: {error}"
    return replace(settings, submit_directory=folder), None
