"""Open a session with a server, whatever it speaks."""

from collections.abc import Callable

from suppliers.transports.errors import Crowded, Kind, TransportError
from suppliers.transports.ftp import FtpSession
from suppliers.transports.session import Server, Session
from suppliers.transports.sftp import SftpSession

_OPENERS: dict[str, Callable[[Server], Session]] = {
    "sftp": SftpSession,
    "ftp": FtpSession,
    "ftps": FtpSession,
    "ftps_implicit": FtpSession,
}


def open_session(server: Server, *, others: int = 0) -> Session:
    """Log in; `others` is how many sessions of the same account are open now. Raises TransportError.

    A login that is refused while others live was not refused for its password: the server wants fewer of them.
    """
    try:
        return _OPENERS[server.protocol](server)
    except TransportError as error:
        if others and error.step == "login" and error.kind == Kind.ENDPOINT:
            raise Crowded(error.message, error.step) from None
        raise
