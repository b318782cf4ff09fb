"""The control server of the sandbox world: what is where, what arrived, and what shall go wrong."""

import json
import threading
from collections.abc import Callable
from html import escape

from sandbox.supplier import SupplierSandbox
from sandbox.supplier_documents import Despatch
from sandbox.web import Answer, BadRequest, Request, WebServer, as_json, page


class Control:
    """Show the world over HTTP and let its suppliers be stopped, started and spoiled."""

    def __init__(self, describe: Callable[[], dict], suppliers: dict[str, SupplierSandbox], port: int = 0) -> None:
        self.describe, self.suppliers = describe, suppliers
        self.web = WebServer(self._answer, port)
        self._lock = threading.Lock()
        self._actions: dict[str, Callable[[SupplierSandbox, dict], None]] = {
            "stop": lambda supplier, wanted: supplier.ftp.stop(),
            "start": lambda supplier, wanted: _start(supplier),
            "fault": lambda supplier, wanted: _add_fault(supplier, wanted),
            "clear": lambda supplier, wanted: supplier.faults.clear(),
            "ship": lambda supplier, wanted: _ship(supplier, wanted),
            "reject": lambda supplier, wanted: supplier.reject_next(str(wanted.get("reason", "Rejected"))),
        }

    def _answer(self, request: Request) -> Answer:
        parts = request.path.strip("/").split("/")
        if request.method == "GET" and request.path == "/":
            return page("Hemi's sandbox", _overview(self.describe()))
        if request.method == "GET" and request.path == "/world.json":
            return as_json(self.describe())
        if len(parts) == 3 and parts[0] == "suppliers":
            return self._of_supplier(request, self._supplier(parts[1]), parts[2])
        raise BadRequest("There is nothing here. The list of what there is is at /.", 404)

    def _of_supplier(self, request: Request, supplier: SupplierSandbox, name: str) -> Answer:
        if request.method == "GET" and name == "orders.json":
            return as_json(_arrivals(supplier))
        if request.method == "POST" and name in self._actions:
            with self._lock:
                self._actions[name](supplier, _json_object(request.body))
            return as_json(_arrivals(supplier))
        raise BadRequest(f"GET orders.json or POST one of {', '.join(self._actions)}.", 404)

    def _supplier(self, name: str) -> SupplierSandbox:
        if name not in self.suppliers:
            raise BadRequest(f"There is no supplier {name}. There are: {', '.join(self.suppliers)}.", 404)
        return self.suppliers[name]


def _start(supplier: SupplierSandbox) -> None:
    try:
        supplier.ftp.start()
    except OSError as error:
        raise BadRequest(f"The supplier cannot come back: {error.strerror}.", 409) from error


def _add_fault(supplier: SupplierSandbox, wanted: dict) -> None:
    try:
        supplier.faults.add(**wanted)
    except (TypeError, ValueError) as error:
        raise BadRequest(f"This is not a fault: {error}") from error


def _ship(supplier: SupplierSandbox, wanted: dict) -> None:
    try:
        lines = tuple((int(number), int(count)) for number, count in wanted.get("lines", ()))
        numbers, urls = (tuple(map(str, wanted.get(name, ()))) for name in ("tracking_numbers", "tracking_urls"))
        despatch = Despatch(str(wanted["number"]), str(wanted.get("carrier", "")), numbers, urls, lines)
        supplier.ship(str(wanted["reference"]), despatch)
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest(f"This is not a shipment: {error}") from error


def _json_object(body: bytes) -> dict:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value


def _arrivals(supplier: SupplierSandbox) -> dict:
    orders = [
        {
            "file_name": order.file_name,
            "reference": order.reference,
            "size": len(order.content),
            "sha256": order.sha256,
            "arrived_at": order.arrived_at.isoformat(),
        }
        for order in supplier.orders
    ]
    ftp = supplier.ftp
    return {
        "name": supplier.name,
        "is_running": ftp.is_running,
        "orders": orders,
        "duplicates": supplier.duplicates,
        "broken": supplier.broken,
        "sessions": ftp.sessions,
        "logins": ftp.logins,
        "failed_logins": ftp.failed_logins,
    }


def _overview(world: dict) -> str:
    places = (("Shopify", "shopify"), ("SHOPLINE storefront", "shopline"), ("Mailbox", "mailbox"))
    servers = [(name, world[place]["url"]) for name, place in places]
    items = "".join(f'<li><a href="{escape(url)}">{escape(name)}</a> {escape(url)}' for name, url in servers)
    rows = "".join(
        f"<tr><td>{escape(name)}<td>{escape(supplier['protocol'])}<td>{escape(supplier['host'])}:{supplier['port']}<td>{escape(supplier['user'])}"
        f"<td>{escape(supplier['password'])}<td>{'up' if supplier['is_running'] else 'down'}"
        f'<td><a href="/suppliers/{escape(name)}/orders.json">orders</a>'
        for name, supplier in world["suppliers"].items()
    )
    return (
        f"<p>Everything here is make-believe and only reachable from this machine.<ul>{items}"
        f'<li>Mail server {escape(world["mailbox"]["smtp_url"])}<li><a href="/world.json">world.json</a></ul>'
        "<h2>Suppliers</h2><table><tr><th>Name<th>Speaks<th>File server<th>User<th>Password<th>State<th>Arrived"
        f"{rows}</table>"
    )
