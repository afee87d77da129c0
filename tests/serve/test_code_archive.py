"""The code of a model that SAGEMAKER_SUBMIT_DIRECTORY names in S3: fetched, left where the archive has it, refused."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from samebox_serve import code_archive
from samebox_serve.settings import ServeSettings
from tests import s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3_server.S3Server]:
    """A server with a bucket that has the code of one script, which boto3 reaches by the variables of a container."""
    with s3_server.serving(tmp_path / "s3") as server:
        for name, value in (
            ("AWS_ENDPOINT_URL", server.url),
            ("AWS_ACCESS_KEY_ID", s3_server.ACCOUNT),
            ("AWS_SECRET_ACCESS_KEY", "any"),
            ("AWS_DEFAULT_REGION", s3_server.REGION),
        ):
            monkeypatch.setenv(name, value)
        server.client().create_bucket(Bucket="code")
        server.client().put_object(Bucket="code", Key="job/sourcedir.tar.gz", Body=tar(**{"handle.py": b"x = 1\n"}))
        server.client().put_object(Bucket="code", Key="job/text", Body=b"text")
        yield server


def tar(**files: bytes) -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return spool.getvalue()


def settings(base: Path, address: str) -> ServeSettings:
    return ServeSettings.read(
        {"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_SUBMIT_DIRECTORY": address, "SAGEMAKER_PROGRAM": "handle.py"}
    )


@pytest.mark.usefixtures("s3")
def test_an_archive_in_s3_is_fetched(tmp_path: Path) -> None:
    found, problem = code_archive.fetch(settings(tmp_path, "s3://code/job/sourcedir.tar.gz"))
    assert problem is None
    assert found.own_program is not None
    assert found.own_program.read_text() == "x = 1\n"


def test_code_in_the_archive_of_the_model_is_used_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "model" / "code" / "handle.py"
    own.parent.mkdir(parents=True)
    own.write_text("x = 2\n")
    given = settings(tmp_path, "s3://code/job/sourcedir.tar.gz")
    assert code_archive.fetch(given) == (given, None)
    assert given.own_program == own


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("key", ["never", "text"])
def test_what_is_not_there_or_not_an_archive_is_why_the_model_does_not_load(tmp_path: Path, key: str) -> None:
    _, problem = code_archive.fetch(settings(tmp_path, f"s3://code/job/{key}"))
    assert problem is not None
    assert problem.startswith(f"the code at s3://code/job/{key} cannot be used: ")
