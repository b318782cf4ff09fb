"""A supplier's FTPS server on loopback, explicit or implicit, with the faults of the FTP server."""

from pathlib import Path
from typing import Any

from OpenSSL import SSL

from sandbox import certificates
from sandbox.certificates import Certificate
from sandbox.ftp import FtpSandbox
from sandbox.ftp_options import FtpOptions
from sandbox.ftps_session import TlsSession


class FtpsSandbox(FtpSandbox):
    """Run an FTP server that lets nobody log in, and sends no file, without TLS."""

    protocol = "ftps"
    session_class = TlsSession

    def __init__(
        self,
        root: Path,
        user: str,
        password: str,
        port: int = 0,
        options: FtpOptions | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        super().__init__(root, user, password, port, options)
        self.certificate = certificate or certificates.make()

    @property
    def identity(self) -> str:  # type: ignore[override]
        """Return the fingerprint of its certificate."""
        return self.certificate.fingerprint

    def _attributes(self) -> dict[str, Any]:
        return {**super()._attributes(), "ssl_context": self._context(), "is_implicit": False}

    def _context(self) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.use_certificate(self.certificate.certificate)
        context.use_privatekey(self.certificate.key)
        context.set_session_id(b"sandbox")
        return context


class ImplicitFtpsSandbox(FtpsSandbox):
    """The same with TLS from the first byte."""

    protocol = "ftps_implicit"

    def _attributes(self) -> dict[str, Any]:
        return {**super()._attributes(), "is_implicit": True}
