"""The one way in: call an operation in process, or over HTTP through the ASGI endpoint around it."""

from collections.abc import Callable, Mapping
from typing import Any

from emulator.wire.caller import Caller

Handler = Callable[[dict[str, Any], Caller], dict[str, Any] | None]
Handlers = Mapping[str, Mapping[str, Handler]]  # botocore's service name -> operation name -> handler
