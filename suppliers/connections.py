"""From an endpoint's row to a session with its server."""

from suppliers.models import Endpoint
from suppliers.transports.ftp import FtpSession, Server

CHECK_SECONDS = 10


def server(endpoint: Endpoint) -> Server:
    """Return where the endpoint's files go, as the transport wants to know it."""
    return Server(
        host=endpoint.host,
        port=endpoint.port,
        username=endpoint.username,
        password=str(endpoint.password),
        connect_timeout=endpoint.connect_timeout,
        data_timeout=endpoint.data_timeout,
        is_plain_accepted=endpoint.is_plain_accepted,
    )


def path(folder: str, name: str) -> str:
    """Join a folder and a file name as FTP wants them."""
    return f"{folder.rstrip('/')}/{name}" if folder else name


def check(endpoint: Endpoint) -> str:
    """Log in, list the endpoint's folders and say what was seen. Raises TransportError; a person waits for it."""
    endpoint.connect_timeout = min(endpoint.connect_timeout, CHECK_SECONDS)
    endpoint.data_timeout = min(endpoint.data_timeout, CHECK_SECONDS)
    session = FtpSession(server(endpoint))
    try:
        folders = [folder for folder in (endpoint.orders_folder, endpoint.replies_folder) if folder]
        counts = [f"{len(session.listing(folder))} in “{folder}”" for folder in folders]
    finally:
        session.close()
    return f"Logged in to {endpoint.host} as {endpoint.username}. Files: {', '.join(counts) or 'not looked for'}."
