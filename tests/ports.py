"""Free TCP ports for servers that tests start, so that two tests or test processes do not get the same one."""

import itertools
import os
import random
import socket

# Below the range from which Linux takes ports for outgoing connections (32768 and above): no connection takes the port
# between the look at it and its use.
FIRST, LAST = 15_000, 32_000

_candidates = itertools.count(random.Random(os.getpid() * 1_000_003).randrange(LAST - FIRST))


def free_port() -> int:
    """A port of loopback that is free now and that this process never gave before (until all 17,000 were given)."""
    for number in _candidates:
        port = FIRST + number % (LAST - FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("unreachable: the candidates do not end")
