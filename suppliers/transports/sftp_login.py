"""How an SFTP session begins: the connection, the server's key compared, and only then the password or key."""

import logging
import socket
import struct
import threading

import paramiko
from paramiko.ssh_exception import AuthenticationException, BadAuthenticationType, SSHException

from suppliers.transports import addresses, ssh_keys
from suppliers.transports.errors import IdentityChanged, IdentityUnknown, Kind, TransportError
from suppliers.transports.session import Seen, Server

# What goes wrong is raised and told by Hemi; paramiko would log it once more, with its tracebacks.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

KEEPALIVE_SECONDS = 15
# A server has a key of each kind, and shows the first that the client likes. One that has been given a better kind
# still has the pinned one.
_KINDS = ("ssh-ed25519", "ecdsa-", "rsa-")


def connect(server: Server, seen: Seen) -> paramiko.Transport:
    """Return an encrypted connection to the server that is meant. Raises OSError, SSHException, TransportError."""
    if server.private_key:
        ssh_keys.load(server.private_key, server.key_passphrase)  # one that cannot be read is told without a connection
    transport = _shake_hands(server)
    shown = _note(transport, seen)
    if server.identity and shown != server.identity:
        transport.close()
        transport = _with_pinned_key(server, shown)
        _note(transport, seen)
    if not server.identity:
        transport.close()
        raise IdentityUnknown(
            f"Nobody has confirmed yet that {server.host} is the supplier's server, so the password was not sent. "
            f"It shows the {seen.identity_kind} key {shown}. Compare it with the supplier's and confirm it.",
            shown,
        )
    transport.set_keepalive(KEEPALIVE_SECONDS)
    return transport


def log_in(transport: paramiko.Transport, server: Server) -> paramiko.Channel:
    """Log in once and return the channel on which SFTP is spoken. Raises SSHException and TransportError."""
    try:
        _authenticate(transport, server)
    except BadAuthenticationType as error:
        allowed = ", ".join(error.allowed_types)
        raise TransportError(
            Kind.ENDPOINT, f"The server wants another way to log in; it takes: {allowed}.", "login"
        ) from None
    except (ValueError, LookupError, TypeError, struct.error) as error:
        raise _named(error) from None
    except AuthenticationException as error:
        # Also raised where the connection broke or took too long, which says nothing about the password.
        if not transport.is_active() or "timeout" in str(error).lower():
            raise ConnectionError(str(error)) from None
        what = "private key" if server.private_key else "password"
        raise TransportError(
            Kind.ENDPOINT, f"The server refused (login): the user {server.username} with this {what}.", "login"
        ) from None
    channel = transport.open_session(timeout=server.connect_timeout)
    try:
        channel.invoke_subsystem("sftp")
    except SSHException:
        if not transport.is_active():
            raise
        raise TransportError(Kind.ENDPOINT, "The server offers no SFTP to this user.", "login") from None
    return channel


class Limit:
    """Close the connection after some seconds: paramiko waits for some replies without a limit of its own."""

    def __init__(self, transport: paramiko.Transport, seconds: float) -> None:
        self._transport = transport
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> "Limit":
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self._transport.close()


def _shake_hands(server: Server, kind: str = "") -> paramiko.Transport:
    found = addresses.resolve(server.host, server.port)
    connection = addresses.connect(found, server.connect_timeout)
    # A server that reads no more would hold up a thread of paramiko's for ever.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # requests leave together, replies wait for each
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(server.data_timeout * 1000))
    transport = paramiko.Transport(connection, disabled_algorithms={"keys": _others(kind)} if kind else None)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = server.connect_timeout
    done = threading.Event()
    transport.start_client(done)
    is_in_time = done.wait(server.connect_timeout)
    if is_in_time and transport.is_active():
        return transport
    transport.close()
    if not is_in_time:
        raise TimeoutError("the server did not finish the greeting in time")
    raise _named(transport.get_exception())


def _with_pinned_key(server: Server, shown: str) -> paramiko.Transport:
    for kind in _KINDS:
        try:
            transport = _shake_hands(server, kind)
        except (SSHException, OSError, EOFError):  # it has no key of this kind
            continue
        if transport.get_remote_server_key().fingerprint == server.identity:
            return transport
        transport.close()
    raise IdentityChanged(
        f"{server.host} shows another key ({shown}) than the confirmed one, so the password was not sent. "
        "If the supplier has changed its server, compare the fingerprint with theirs and confirm it.",
        shown,
    )


def _named(error: Exception | None) -> Exception:
    """Return what stopped paramiko's thread, which also passes on whatever garbled packets made it stumble over."""
    if isinstance(error, (SSHException, OSError, EOFError)):
        return error
    return ConnectionError(f"the server's greeting is garbled: {error}" if error else "the connection was closed")


def _others(kind: str) -> list[str]:
    return [name for name in paramiko.Transport._preferred_keys if not name.startswith(kind)]  # type: ignore[attr-defined]


def _note(transport: paramiko.Transport, seen: Seen) -> str:
    key = transport.get_remote_server_key()
    seen.identity, seen.identity_kind = key.fingerprint, key.get_name()
    seen.greeting, seen.encryption = transport.remote_version, getattr(transport, "remote_cipher", "")
    return seen.identity


def _authenticate(transport: paramiko.Transport, server: Server) -> None:
    further: list[str] = ["password"]
    if server.private_key:
        further = transport.auth_publickey(server.username, ssh_keys.load(server.private_key, server.key_passphrase))
    if further and not transport.is_authenticated():
        transport.auth_password(server.username, server.password)
