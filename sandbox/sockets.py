"""Listening sockets on loopback."""

import errno
import socket

HOST = "127.0.0.1"


class PortTaken(OSError):
    """Say that another program listens on a wanted port."""

    def __init__(self, port: int) -> None:
        super().__init__(errno.EADDRINUSE, f"port {port} is already in use by another program")
        self.port = port


def listen(port: int) -> socket.socket:
    """Return a socket that listens on loopback; port 0 picks a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A server that was stopped must be able to come back while its old sessions are still in TIME_WAIT.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port) from error
        raise
    return listener
