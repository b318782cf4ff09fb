"""The world outside Hemi, all on loopback: a Shopify, a SHOPLINE storefront, a mailbox and two suppliers."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from sandbox.control import Control
from sandbox.mailbox import Mailbox
from sandbox.shopify import ShopifySandbox
from sandbox.shopline import ShoplineSandbox
from sandbox.sockets import PortTaken, listen
from sandbox.supplier import SupplierSandbox

SERVERS = {
    "control": "control server",
    "shopify": "Shopify",
    "shopline": "SHOPLINE storefront",
    "mailbox_smtp": "mail server",
    "mailbox_http": "page to read the mails",
    "northwind": "file server of the supplier northwind",
    "suedhaus": "file server of the supplier suedhaus",
}
SUPPLIER_PREFIXES = {"northwind": "NW", "suedhaus": "SH"}


class WorldNotStarted(RuntimeError):
    """Say why the world could not start, and what to do."""


@dataclass(frozen=True)
class Ports:
    """Name the port of each server; 0 means any free one."""

    control: int = 8100
    shopify: int = 8101
    shopline: int = 8102
    northwind: int = 8121
    suedhaus: int = 8122
    mailbox_smtp: int = 8125
    mailbox_http: int = 8126

    @classmethod
    def free(cls) -> Self:
        """Return ports that are all chosen by the system."""
        return cls(**dict.fromkeys(SERVERS, 0))


class World:
    """Start and stop all servers of the sandbox together."""

    def __init__(self, data: Path, ports: Ports | None = None, protocols: dict[str, str] | None = None) -> None:
        self.data = Path(data)
        self.protocols = dict.fromkeys(SUPPLIER_PREFIXES, "ftp") | (protocols or {})
        self.ports = ports or Ports()
        self.shopify = ShopifySandbox(port=self.ports.shopify)
        self.shopline = ShoplineSandbox(self.ports.shopline)
        self.mailbox = Mailbox(self.ports.mailbox_smtp, self.ports.mailbox_http, self.data / "mails")
        self.suppliers = {name: self._supplier(name) for name in SUPPLIER_PREFIXES}
        self.control = Control(self.describe, self.suppliers, self.ports.control)

    @property
    def url(self) -> str:
        """Return the control server's address."""
        return self.control.web.url

    def start(self) -> Self:
        """Start all, or none; write the addresses to `world.json` in the data folder."""
        self._check_ports()
        try:
            for server in self._servers():
                server.start()
        except OSError as error:
            self.stop()
            raise WorldNotStarted(f"The sandbox could not start: {error.strerror or error}.") from error
        self.data.mkdir(parents=True, exist_ok=True)
        (self.data / "world.json").write_text(json.dumps(self.describe(), indent=1))
        return self

    def stop(self) -> None:
        """Stop all."""
        for server in reversed(self._servers()):
            server.stop()
        (self.data / "world.json").unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def describe(self) -> dict:
        """Return every address, and for each supplier its protocol, identity, user name and password."""
        return {
            "control": {"url": self.url},
            "shopify": {"url": self.shopify.url, "shop_url_template": self.shopify.shop_url_template},
            "shopline": {"url": self.shopline.url},
            "mailbox": {"smtp_url": self.mailbox.smtp_url, "url": self.mailbox.url},
            "suppliers": {name: _access(supplier) for name, supplier in self.suppliers.items()},
        }

    def _supplier(self, name: str) -> SupplierSandbox:
        root = self.data / "suppliers" / name
        return SupplierSandbox(
            name,
            root,
            port=getattr(self.ports, name),
            prefix=SUPPLIER_PREFIXES[name],
            protocol=self.protocols[name],
        )

    def _servers(self) -> list:
        return [self.shopify, self.shopline, self.mailbox, *self.suppliers.values(), self.control.web]

    def _check_ports(self) -> None:
        for name, port in asdict(self.ports).items():
            try:
                listen(port).close()
            except PortTaken as error:
                raise WorldNotStarted(
                    f"Port {port} is in use by another program, but the sandbox needs it for its {SERVERS[name]}. "
                    f"End that program (perhaps an earlier sandbox still runs) or choose another port: "
                    f"--port {name}={port + 1000}"
                ) from error


def _access(supplier: SupplierSandbox) -> dict:
    ftp = supplier.ftp
    return {
        "protocol": ftp.protocol,
        "identity": ftp.identity,
        "host": ftp.host,
        "port": ftp.port,
        "user": ftp.user,
        "password": ftp.password,
        "orders_folder": "in",
        "replies_folder": "out",
        "is_running": ftp.is_running,
    }
