"""How an FTP session begins: the connection, TLS where it is wanted, and only then the password."""

import contextlib
import ftplib
import socket
import ssl

from suppliers.transports import addresses, names, tls
from suppliers.transports.control import ControlConnection
from suppliers.transports.errors import IdentityUnknown, Kind, TransportError
from suppliers.transports.session import Seen, Server

_EXPOSED = (
    "Plain FTP shows the password and every order to whoever listens on the way. "
    "If the supplier offers nothing else, tick “send in plain text over the network”."
)


def check(server: Server) -> None:
    """Raise TransportError where user or password cannot be said to a server, whatever it answers."""
    try:
        names.encoded(server.username + server.password, server.name_encoding)
    except TransportError:
        raise TransportError(
            Kind.ENDPOINT,
            "The user or the password contains a line break, or a character that cannot be written in "
            f"{server.name_encoding.upper()}. Choose another encoding of file names, or another password.",
            "login",
        ) from None


def connect(control: ControlConnection, server: Server, seen: Seen) -> None:
    """Connect, be greeted, and turn to TLS. Raises OSError, EOFError, ftplib's errors and TransportError."""
    try:
        _connect(control, server)
    except ssl.SSLCertVerificationError as error:
        control.close()
        raise _unknown(server, error) from None
    seen.greeting = control.welcome or ""
    if isinstance(control.sock, ssl.SSLSocket):
        tls.note(control.sock, seen)


def log_in(control: ControlConnection, server: Server, seen: Seen) -> None:
    """Say user and password, ask for protected data channels and for bytes as they are."""
    control.login(server.username, server.password)
    if isinstance(control.sock, ssl.SSLSocket):
        control.voidcmd("PBSZ 0")
        control.voidcmd("PROT P")
    if server.name_encoding == "utf-8":
        with contextlib.suppress(ftplib.error_perm, ftplib.error_temp):
            control.sendcmd("OPTS UTF8 ON")  # IIS needs it, others answer 5xx
    with contextlib.suppress(ftplib.error_perm, ftplib.error_temp):
        seen.features = tuple(line.strip() for line in control.sendcmd("FEAT").splitlines()[1:-1])
    control.voidcmd("TYPE I")


def _connect(control: ControlConnection, server: Server) -> None:
    connection = _open(server)
    try:
        if server.protocol == "ftps_implicit":
            connection = tls.wrap(connection, server)
        control.attach(connection)
        if server.protocol == "ftps":
            _turn_to_tls(control, server)
    except BaseException:
        connection.close()
        raise


def _open(server: Server) -> socket.socket:
    found = addresses.resolve(server.host, server.port)
    if server.protocol == "ftp" and not server.is_plain_accepted:
        found = [address for address in found if address.ip.is_loopback]
    if not found:
        raise TransportError(Kind.ENDPOINT, _EXPOSED, "connect")
    return addresses.connect(found, server.connect_timeout)


def _turn_to_tls(control: ControlConnection, server: Server) -> None:
    try:
        control.voidcmd("AUTH TLS")
    except ftplib.error_perm as error:
        raise TransportError(
            Kind.ENDPOINT,
            f"The server does not turn to TLS, so the password was not sent: {str(error)[:200]}",
            "connect",
        ) from None
    # Words that came before TLS would be read as if they had come in it.
    if control.has_unread():
        raise TransportError(
            Kind.ENDPOINT, "Something was slipped in before TLS began, so the password was not sent.", "connect"
        )
    assert control.sock
    control.secure(tls.wrap(control.sock, server))


def _unknown(server: Server, error: ssl.SSLCertVerificationError) -> IdentityUnknown:
    shown = _shown(server)
    return IdentityUnknown(
        f"The certificate of {server.host} cannot be trusted, so nothing was sent to it: {error.verify_message}. "
        "Ask the supplier for the fingerprint of its certificate, compare and confirm it.",
        shown,
    )


def _shown(server: Server) -> str:
    """Return the fingerprint of a certificate that was refused; it takes a connection of its own to see it."""
    control = ControlConnection(timeout=server.connect_timeout)
    try:
        connection = _open(server)
        try:
            if server.protocol == "ftps":
                control.attach(connection)
                control.voidcmd("AUTH TLS")
            with tls.context(True).wrap_socket(connection, server_hostname=server.host) as secured:
                return tls.fingerprint(secured)
        finally:
            connection.close()
    except ftplib.all_errors:
        return ""
    except TransportError:
        return ""
