"""From an endpoint's row to a session with its server."""

from suppliers import profiles
from suppliers.models import Endpoint
from suppliers.transports.session import Server


def server(endpoint: Endpoint) -> Server:
    """Return where the endpoint's files go, as the transport wants to know it."""
    return Server(
        host=endpoint.host,
        port=endpoint.port,
        username=endpoint.username,
        password=str(endpoint.password),
        protocol=endpoint.protocol,
        private_key=str(endpoint.private_key),
        key_passphrase=str(endpoint.key_passphrase),
        identity=endpoint.host_identity,
        name_encoding=endpoint.name_encoding,
        connect_timeout=endpoint.connect_timeout,
        data_timeout=endpoint.data_timeout,
        is_plain_accepted=endpoint.is_plain_accepted,
        profile=profiles.obeyed(endpoint),
    )


def path(folder: str, name: str) -> str:
    """Join a folder and a file name as FTP wants them."""
    return f"{folder.rstrip('/')}/{name}" if folder else name
