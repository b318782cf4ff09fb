"""A small web server on loopback for the sandbox's own pages."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote, urlsplit

from sandbox.sockets import HOST, listen

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}td,th{padding:.2rem .8rem .2rem 0}"
)
# Mails are other people's HTML: nothing in a page may run or be loaded from elsewhere.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'self'"


@dataclass(frozen=True)
class Request:
    """Describe what was asked; `target` is path and query as they came."""

    method: str
    path: str
    body: bytes = b""
    target: str = ""
    headers: Message = field(default_factory=Message)


@dataclass(frozen=True)
class Answer:
    """Describe what to send back; `headers` come in addition, and may replace the policy."""

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class BadRequest(ValueError):
    """Say what is wrong with a request; `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def page(title: str, body: str) -> Answer:
    """Return an HTML page; both title and body are markup already."""
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>"
    return Answer(f"{head}<h1>{title}</h1>{body}</html>".encode())


def as_json(value: object, status: int = 200) -> Answer:
    """Return a value as JSON."""
    return Answer(json.dumps(value, indent=1, ensure_ascii=False).encode(), "application/json", status)


class WebServer:
    """Serve one function that turns a request into an answer."""

    def __init__(self, answer: Callable[[Request], Answer], port: int = 0) -> None:
        self.answer, self.port = answer, port
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Return the address, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> Self:
        """Start, or come back on the same port."""
        if self._server:
            return self
        listener = listen(self.port)
        self.port = listener.getsockname()[1]
        handler = type("Handler", (_Handler,), {"answer": staticmethod(self.answer)})
        self._server = ThreadingHTTPServer((HOST, self.port), handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listener
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop; requests under way are let go."""
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.socket.close()
            self._server = self._thread = None


class _Handler(BaseHTTPRequestHandler):
    answer: Callable[[Request], Answer]
    timeout = 10

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the console belongs to the demo."""

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, unquote(urlsplit(self.path).path), body, self.path, self.headers)
        try:
            answer = self.answer(request)
        except BadRequest as error:
            answer = as_json({"error": str(error)}, error.status)
        self.send_response(answer.status)
        headers = {"Content-Security-Policy": POLICY, **answer.headers, "Content-Length": str(len(answer.body))}
        if answer.content_type:
            headers["Content-Type"] = answer.content_type
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
