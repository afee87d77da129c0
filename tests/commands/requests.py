"""Requests judged by botocore's own model: would a client send them?"""

from typing import Any

import botocore.session
from botocore.validate import ParamValidator

SESSION = botocore.session.get_session()


def complaints(service: str, operation: str, params: dict[str, Any]) -> str:
    """What botocore has to say against a request; '' when nothing."""
    shape = SESSION.get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    return str(ParamValidator().validate(params, shape).generate_report())
