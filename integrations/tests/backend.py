"""A shop's own backend behind a Proxy URL: it keeps what reached it and answers as it is told."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

HTML = b"<!doctype html><title>Shop</title><p>Hello</p>"


@dataclass(frozen=True)
class Arrival:
    """One request as it reached the backend."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass
class Reply:
    """What it answers; `write` replaces the body where bytes are to come in a way of their own."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("Content-Type", "text/html; charset=utf-8")])
    body: bytes = HTML
    write: Callable[[socket.socket], None] | None = None


class Backend:
    """Started on a free port of loopback; use as a context manager."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.reply = Reply()
        self.over = threading.Event()  # whoever drips ends with the test
        handler = type("Handler", (_Handler,), {"backend": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def secure(self, wrap: Callable[[socket.socket], socket.socket]) -> None:
        """Speak TLS; before it is started."""
        self._server.socket = wrap(self._server.socket)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    backend: Backend
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.backend.arrivals.append(Arrival(self.command, self.path, dict(self.headers.items()), body))
        reply = self.backend.reply
        self.close_connection = True
        if reply.write:
            reply.write(self.connection)
            return
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer
