"""Calls: how what runs inside the emulator uses the API, as a client does."""

from collections.abc import Mapping
from typing import Any, Protocol

from samebox.wire.caller import Caller


class Call(Protocol):
    """An operation, called in process; `wire.gateway.Gateway.call` keeps the promise.

    Params are checked, and the answer is cut to the operation's output, as over HTTP; a refusal is an AwsError. The
    handler runs in the calling thread, which may wait for disk and locks: so it is not to be the event loop's. Work on
    a resource calls as its `Caller(account, region, parent=arn)`, which makes what is created its child.
    """

    def __call__(
        self, service: str, operation: str, params: Mapping[str, Any], caller: Caller, /
    ) -> dict[str, Any]: ...
