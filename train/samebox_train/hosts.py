"""Waits until the names of the job's hosts resolve: on a fresh cluster they may not at once (contract.md §1.1)."""

from __future__ import annotations

import socket
import time

from samebox_train.signals import say

LIMIT_SECONDS = 15 * 60  # the toolkit's own limit; it logs nothing while it waits
TELL_EVERY_SECONDS = 15


def wait_until_resolvable(hosts: list[str], limit_seconds: float = LIMIT_SECONDS) -> None:
    """Raises OSError naming the host that did not resolve in time."""
    deadline = time.monotonic() + limit_seconds
    for host in hosts:
        pause, tell_at = 0.1, time.monotonic() + 1
        while True:
            try:
                socket.gethostbyname(host)
                break
            except OSError as error:
                now = time.monotonic()
                if now + pause > deadline:
                    raise OSError(
                        f"host {host} of resourceconfig.json did not resolve in {limit_seconds:.0f} s: {error}"
                    ) from error
                if now >= tell_at:
                    say(f"waiting for the host name {host} to resolve ({deadline - now:.0f} s left)")
                    tell_at = now + TELL_EVERY_SECONDS
                time.sleep(pause)
                pause = min(pause * 2, 5.0)
