"""nginx in a scratch place, a certificate of the test's own authority, and a client that trusts only that."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.tests.places import NAME, Place
from integrations.tests.webhooks import headers as signed

_NGINX = """
daemon off;
{user}
pid {root}/nginx.pid;
error_log {root}/nginx-error.log;
events {{ worker_connections 2048; }}
http {{
    include /etc/nginx/mime.types;
    gzip on;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    include {root}/site.conf;
}}
"""


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def make_authority(folder: Path) -> Path:
    """Make an authority and a certificate for NAME and localhost by it; returns the authority's file."""
    folder.mkdir(exist_ok=True)
    names = f"subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1"
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for line in (
        f"req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=Rehearsal -days 2",
        f"req {key} -keyout privkey.pem -out asked.pem -subj /CN={NAME} -addext {names}",
        "x509 -req -in asked.pem -CA ca.pem -CAkey ca.key -copy_extensions copy -days 2 -out fullchain.pem",
    ):
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)
    return folder / "ca.pem"


class Nginx:
    """Debian's nginx with Hemi's site."""

    def __init__(self, place: Place) -> None:
        self.place, self.conf = place, place.root / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        self.conf.write_text(_NGINX.format(root=place.root, user=user))
        (place.root / "site.conf").write_text(place.site())

    def check(self) -> subprocess.CompletedProcess[str]:
        """Return what `nginx -t` says."""
        return subprocess.run(["nginx", "-t", "-c", str(self.conf)], capture_output=True, text=True)

    def __enter__(self) -> "Nginx":
        assert self.check().returncode == 0, self.check().stderr
        self.process = subprocess.Popen(["nginx", "-c", str(self.conf)], stderr=subprocess.DEVNULL)
        wait_for(lambda: is_open(self.place.https))
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def reload(self) -> None:
        """Let it read its configuration and certificates again."""
        self.process.send_signal(signal.SIGHUP)


def is_open(port: int) -> bool:
    """Tell whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return each value of a header."""
        return self.headers.get_all(name) or []


@dataclass
class Caller:
    """Speaks TLS with nginx, from one address, trusting one authority."""

    place: Place
    authority: Path
    address: str = "127.0.0.1"
    store: str = ""
    context: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        self.context = ssl.create_default_context(cafile=str(self.authority))

    def connect(self, timeout: float = 60) -> ssl.SSLSocket:
        """Return an open TLS connection to NAME."""
        plain = socket.create_connection(("127.0.0.1", self.place.https), timeout, (self.address, 0))
        return self.context.wrap_socket(plain, server_hostname=NAME)

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Send one request on a connection of its own."""
        line = http.client.HTTPConnection(NAME)
        line.sock = self.connect()
        try:
            line.request(method, path, body or None, headers or {})
            answer = line.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            line.close()

    def webhook(self, number: int, body: bytes | None = None, **changes: str) -> Answer:
        """Post a truly signed webhook of the store."""
        body = body or b'{"id": %d, "name": "#%d", "email": "customer@example.com"}' % (number, number)
        fields = signed(body, Webhook_Id=f"{number:032x}", **changes)
        return self.ask(
            "POST", f"/shopify/webhooks/{self.store}/", body, {**fields, "Content-Type": "application/json"}
        )
