"""One client's session with an FTPS server of the sandbox: the faults of FTP, over TLS."""

from typing import Any

from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler

from sandbox.ftp_session import Session, Transfer


class TlsTransfer(TLS_DTPHandler, Transfer):
    """Carry one file over a data channel with TLS."""


class TlsSession(TLS_FTPHandler, Session):
    """Serve one client that turns to TLS, or that begins with it where `is_implicit`."""

    dtp_handler = TlsTransfer
    tls_control_required = True
    tls_data_required = True
    is_implicit = False

    def handle(self) -> None:
        """Greet the client, or shake hands first."""
        if self.is_implicit:
            self.secure_connection(self.ssl_context)
        else:
            super().handle()

    def handle_ssl_established(self) -> None:
        """Greet the client that began with TLS."""
        if self.is_implicit:
            super().handle()

    def cut(self) -> None:
        """Drop the connection without another word, not even TLS's own."""
        self._error = True
        super().cut()

    def push(self, data: Any) -> None:
        """Send text to the client."""
        Session.push(self, data)
