"""Sockets that listen. A leaf module: it imports nothing of ours."""

import socket


def listener_at(host: str, port: int) -> socket.socket:
    """A TCP socket that listens at an address. Raises OSError where it is taken, or not of this machine.

    It listens at once. Clients that connect before it is served wait, and are not refused; and Linux lets several
    sockets be bound to one address until one of them listens, so a taken one would be found out too late.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
