"""From an endpoint's row to a session with its server."""

from suppliers.models import Endpoint
from suppliers.transports import opening
from suppliers.transports.session import Profile, Server

CHECK_SECONDS = 10


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
        profile=profile(endpoint),
    )


def profile(endpoint: Endpoint) -> Profile:
    """Return what the last check found, as far as the transport obeys it."""
    found = {name: endpoint.profile.get(name, True) for name in ("has_size", "can_list", "can_pipeline")}
    most = min(endpoint.max_sessions, endpoint.profile.get("max_sessions") or endpoint.max_sessions)
    return Profile(**found, max_sessions=most)


def path(folder: str, name: str) -> str:
    """Join a folder and a file name as FTP wants them."""
    return f"{folder.rstrip('/')}/{name}" if folder else name


def check(endpoint: Endpoint) -> str:
    """Log in, list the endpoint's folders and say what was seen. Raises TransportError; a person waits for it."""
    endpoint.connect_timeout = min(endpoint.connect_timeout, CHECK_SECONDS)
    endpoint.data_timeout = min(endpoint.data_timeout, CHECK_SECONDS)
    session = opening.open_session(server(endpoint))
    try:
        folders = [folder for folder in (endpoint.orders_folder, endpoint.replies_folder) if folder]
        counts = [f"{len(session.listing(folder))} in “{folder}”" for folder in folders]
    finally:
        session.close()
    return f"Logged in to {endpoint.host} as {endpoint.username}. Files: {', '.join(counts) or 'not looked for'}."
