"""Arrays as AWS's scikit-learn and XGBoost containers read and write them, which is sagemaker-containers' way.

A JSON answer is a bare list, and one row of CSV is read as one dimension.
"""

from __future__ import annotations

import io
import json
from typing import Any

import numpy

from samebox_serve.errors import BadRequest, UnsupportedType
from samebox_serve.formats import CSV, JSON, NPY, media_type

TYPES = (JSON, CSV, NPY)


def decode(body: bytes | str, content_type: str) -> Any:
    """An array. Raises BadRequest or UnsupportedType."""
    kind = media_type(content_type)
    try:
        if kind == JSON:
            return numpy.array(json.loads(body))
        if kind == CSV:
            text = body if isinstance(body, str) else body.decode()
            return numpy.genfromtxt(io.StringIO(text), dtype=numpy.float32, delimiter=",")
        if kind == NPY and isinstance(body, bytes):
            # AWS's allows pickles, which run code: a client of an endpoint must not.
            return numpy.load(io.BytesIO(body), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise BadRequest(f"the body is not {kind}: {error}") from None
    raise UnsupportedType(f"Content-Type {kind!r} is not supported; send one of {', '.join(TYPES)}")


def encode(prediction: Any, accept: str) -> bytes:
    """The answer's body. `accept` is one of TYPES."""
    array = numpy.asarray(prediction)
    stream = io.BytesIO()
    if accept == NPY:
        numpy.save(stream, array, allow_pickle=False)
    elif accept == CSV:
        numpy.savetxt(stream, array, delimiter=",", fmt="%s")
    else:
        return json.dumps(array.tolist()).encode()
    return stream.getvalue()
