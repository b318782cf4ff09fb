"""The mailbox's SMTP server."""

import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.sockets import HOST, listen


class SmtpServer:
    """Take every mail on loopback and hand it on; refuse recipients on demand."""

    def __init__(self, deliver: Callable[[str, list[str], bytes], None], port: int = 0) -> None:
        self.deliver, self.port = deliver, port
        self._refusals: deque[str] = deque()
        self._lock = threading.Lock()
        self._controller: _Controller | None = None

    def start(self) -> Self:
        """Start, or come back on the same port."""
        if not self._controller:
            listener = listen(self.port)
            self.port = listener.getsockname()[1]
            self._controller = _Controller(self, HOST, self.port, server_hostname="mailbox.test")
            self._controller.listener = listener
            self._controller.start()
        return self

    def stop(self) -> None:
        """Stop."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    def refuse_next(self, code: int, text: str, times: int) -> None:
        """Refuse the next recipients with this reply."""
        with self._lock:
            self._refusals.extend([f"{code} {text}"] * times)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a recipient, or refuse it where that was asked for."""
        with self._lock:
            if self._refusals:
                return self._refusals.popleft()
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Hand a mail on."""
        content = envelope.content or b""
        self.deliver(envelope.mail_from or "", list(envelope.rcpt_tos), content if isinstance(content, bytes) else b"")
        return "250 Mail taken"


class _Controller(Controller):
    # aiosmtpd checks itself by a connection to its port, so port 0 only works with a socket that is bound already.
    listener: socket.socket | None = None

    def _create_server(self) -> Any:
        assert self.listener
        return self.loop.create_server(self._factory_invoker, sock=self.listener)
