"""The server that is packed into an environment variable."""

import base64
import contextlib
import io
import random

import pytest

from bench.servers import LONGEST, SCRIPT, packed


def test_the_server_fits_into_a_models_environment() -> None:
    assert len(SCRIPT) <= LONGEST


def test_a_packed_program_does_what_it_did_even_where_globals_and_locals_are_apart() -> None:
    source = '"""What it is."""\nimport os\n\ndef name():\n    """Say it."""\n    return os.sep\n\nprint(name())\n'
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(packed(source), {}, {})
    assert printed.getvalue() == "/\n"


def test_a_program_that_does_not_fit_is_refused() -> None:
    noise = base64.b64encode(random.Random(0).randbytes(2000)).decode()
    with pytest.raises(ValueError, match="holds 1024"):
        packed(f"print({noise!r})")
