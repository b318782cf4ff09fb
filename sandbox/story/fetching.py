"""Read the order files from a supplier's server, whatever it speaks."""

import asyncio
import ftplib
import socket
import ssl

import asyncssh

TIMEOUT_SECONDS = 10

asyncssh.set_log_level("WARNING")  # the story tells its steps, not each packet of its connections


def read_all(server: dict) -> dict[str, bytes]:
    """Return the XML files of the orders folder by name. Raises OSError, EOFError, ftplib's and asyncssh's errors."""
    if server["protocol"] == "sftp":
        return asyncio.run(asyncio.wait_for(_over_ssh(server), TIMEOUT_SECONDS))
    with _client(server) as client:
        client.login(server["user"], server["password"])
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        client.cwd(server["orders_folder"])
        return {name: _read(client, name) for name in _names(client) if name.endswith(".xml")}


def _client(server: dict) -> ftplib.FTP:
    if server["protocol"] == "ftp":
        client = ftplib.FTP(timeout=TIMEOUT_SECONDS)
        client.connect(server["host"], server["port"])
        return client
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # its own certificate, made at its start
    client = ftplib.FTP_TLS(timeout=TIMEOUT_SECONDS, context=context)
    if server["protocol"] == "ftps":
        client.connect(server["host"], server["port"])
        return client
    plain = socket.create_connection((server["host"], server["port"]), timeout=TIMEOUT_SECONDS)
    client.af, client.sock = plain.family, context.wrap_socket(plain)
    client.host, client.file = server["host"], client.sock.makefile("r", encoding=client.encoding)
    client.welcome = client.getresp()
    return client


def _names(client: ftplib.FTP) -> list[str]:
    names: list[str] = []
    try:
        client.retrlines("NLST", names.append)
    except ssl.SSLError:  # ftplib says goodbye on a channel of an empty folder, which the server has ended already
        client.voidresp()
    return names


def _read(client: ftplib.FTP, name: str) -> bytes:
    chunks: list[bytes] = []
    client.retrbinary(f"RETR {name}", chunks.append)
    return b"".join(chunks)


async def _over_ssh(server: dict) -> dict[str, bytes]:
    access = {"username": server["user"], "password": server["password"], "known_hosts": None, "client_keys": None}
    folder, found = server["orders_folder"], {}
    async with (
        asyncssh.connect(server["host"], server["port"], config=None, **access) as connection,
        connection.start_sftp_client() as client,
    ):
        for name in map(str, await client.listdir(folder)):
            if name.endswith(".xml"):
                async with client.open(f"{folder}/{name}", "rb") as file:
                    content = await file.read()
                    found[name] = content if isinstance(content, bytes) else content.encode()
    return found
