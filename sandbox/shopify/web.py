"""A small HTTP/1.1 server with routes; each instance stands alone."""

import json
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from re import Pattern
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """What came in; `query` and forms keep every value of a name."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        """Read the body as a JSON object; ValueError when it is none."""
        data = json.loads(self.body or b"{}")
        if not isinstance(data, dict):
            raise ValueError("The body must be a JSON object.")
        return data

    def form(self) -> dict[str, list[str]]:
        """Read the body as a form."""
        return parse_qs(self.body.decode(), keep_blank_values=True)


@dataclass
class Response:
    """What goes out; status 0 closes the connection without an answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


Route = tuple[str, Pattern, Callable[..., Response]]


def json_response(data: object, status: int = 200, **headers: str) -> Response:
    """Answer with JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, json.dumps(data, ensure_ascii=False).encode(), headers=named)


def html_response(page: str, status: int = 200) -> Response:
    """Answer with a page."""
    return Response(status, page.encode(), "text/html; charset=utf-8")


class WebServer(ThreadingHTTPServer):
    """Serves routes on loopback; stopping cuts the connections that are open."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, routes: list[Route], application: object) -> None:
        self.routes = routes
        self.application = application
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that stop can cut it."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a fault of the sandbox; callers that hang up are none."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def cut(self) -> None:
        """Close every open connection, idle keep-alive ones too."""
        with self._open_lock:
            connections, self._open = self._open, set()
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 60
    server: WebServer

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the console for the demo's own lines."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            self.command,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        self._write(self._find(request))

    def _find(self, request: Request) -> Response:
        for method, pattern, function in self.server.routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return function(self.server.application, request, **match.groupdict())
        return json_response({"errors": "Not Found"}, 404)

    def _write(self, response: Response) -> None:
        if response.status == 0:
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)
