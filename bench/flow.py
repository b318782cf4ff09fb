"""From a webhook to the file on the supplier's server, with every process as `manage.py serve` starts it."""

import http.client
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import bodies
from bench.numbers import percentile
from bench.processes import HOST, Broken, Processes, free_port
from bench.report import Report, Row
from bench.stacks import Stack
from sandbox.supplier import SupplierSandbox
from sandbox.supplier_documents import ReceivedOrder

ORDERS_PER_SECOND = 10
SECONDS = 30
FIRST_SECONDS = 60  # for the first order, which also waits for the workers to start
LAST_SECONDS = 30
P50_GOAL, P99_GOAL = 1.0, 5.0
VENDORS = {"northwind": ("Northwind", "NORTH"), "suedhaus": ("Südhaus", "SUED")}
_ORDER_ID = re.compile(rb"<OrderId>(\d+)</OrderId>")


@dataclass
class Arrivals:
    """When each order's file got its final name at one supplier's server."""

    supplier: SupplierSandbox
    at: dict[str, float] = field(default_factory=dict)

    def watch(self) -> None:
        """Note each arrival the moment the server has renamed the file, then let the supplier read it."""
        self.supplier.ftp.on_arrival = self._arrived

    def by_order(self) -> dict[int, float]:
        """Return the moment by order id."""
        return {_order_id(order): self.at[order.file_name] for order in self.supplier.orders}

    def _arrived(self, path: Path) -> None:
        if path.suffix == ".xml":
            self.at.setdefault(path.name, time.time())
        self.supplier.back_office.look(path)


@dataclass
class Flow:
    """What one stack did with the orders."""

    posted_at: dict[int, float]
    refused: int
    waits: list[float]
    wrong: list[str]
    hops: dict[str, float]


def measure(stacks: Sequence[Stack], folder: Path, report: Report) -> None:
    """Run the orders through each stack, one after the other, and write what came out."""
    report.part(f"Webhook to file on the server, {ORDERS_PER_SECOND} orders a second for {SECONDS} s, two suppliers")
    flows = {stack.key: _run(stack, folder) for stack in stacks}
    for title, share, goal in (("p50", 50, P50_GOAL), ("p99", 99, P99_GOAL)):
        row = Row(title, goal=f"< {goal:g} s")
        for key, flow in flows.items():
            value = percentile(flow.waits, share)
            row.cells[key], row.values[key] = f"{value:.2f} s", round(value, 4)
            row.held[key] = bool(flow.waits) and value < goal
        report.add(row)
    report.add(_proof(flows))
    report.add(_hops(flows))


def _run(stack: Stack, folder: Path) -> Flow:
    with ExitStack() as world:
        root = folder / f"{stack.key}-suppliers"
        watched = [Arrivals(world.enter_context(SupplierSandbox(name, root / name))) for name in VENDORS]
        for arrivals in watched:
            arrivals.watch()
        rows = {"do": "make", "suppliers": [_as_rows(arrivals.supplier) for arrivals in watched]}
        path = stack.ask("flow", "bench.rows", rows)["path"]
        port = free_port()
        processes = world.enter_context(Processes(folder))
        serve = [sys.executable, "manage.py", "serve", "--host", HOST, "--port", str(port)]
        processes.start(f"{stack.key}-serve", serve, stack.env("flow"), port=port)
        _post(port, path, 1)
        _wait_for(watched, 1, FIRST_SECONDS)
        posted_at, refused = _post_all(port, path, range(2, 2 + ORDERS_PER_SECOND * SECONDS))
        _wait_for(watched, len(posted_at) + 1, LAST_SECONDS)
        time.sleep(1)  # whatever came twice may come now
        hops = stack.ask("flow", "bench.rows", {"do": "hops"})
        return Flow(posted_at, refused, _waits(posted_at, watched), _wrong(posted_at, watched), hops)


def _post_all(port: int, path: str, numbers: range) -> tuple[dict[int, float], int]:
    """Post the orders at their random moments; return when each was posted, and how many were refused."""
    rng = random.Random(1)
    # Random moments: orders at a fixed beat would always meet the pollers at the same place of theirs.
    moments = sorted(rng.uniform(0, len(numbers) / ORDERS_PER_SECOND) for _ in numbers)
    begin = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        futures = []
        for number, moment in zip(numbers, moments, strict=True):
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            futures.append(pool.submit(_post, port, path, number))
        answers = [future.result() for future in futures]
    accepted = {bodies.order_id(number): at for number, (at, ok) in zip(numbers, answers, strict=True) if ok}
    return accepted, len(numbers) - len(accepted)


def _post(port: int, path: str, number: int) -> tuple[float, bool]:
    webhook = bodies.order(number)
    headers = {**webhook.headers, "X-Shopify-Webhook-Id": f"order-{number}"}
    posted_at = time.time()
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("POST", path, webhook.body, headers)
        return posted_at, connection.getresponse().status == 200
    finally:
        connection.close()


def _wait_for(watched: Sequence[Arrivals], count: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if all(len(arrivals.supplier.orders) >= count for arrivals in watched):
            return
        time.sleep(0.1)
    if count == 1:
        raise Broken(f"The first order did not reach both suppliers within {seconds} seconds.")


def _waits(posted_at: dict[int, float], watched: Sequence[Arrivals]) -> list[float]:
    found = [arrivals.by_order() for arrivals in watched]
    return [moments[order] - at for order, at in posted_at.items() for moments in found if order in moments]


def _wrong(posted_at: dict[int, float], watched: Sequence[Arrivals]) -> list[str]:
    """Return a sentence for each order that is not exactly once at each supplier, and for each broken file."""
    wrong = []
    for arrivals in watched:
        name = arrivals.supplier.name
        counts = Counter(_order_id(order) for order in arrivals.supplier.orders)
        wrong += [f"{order} is {counts[order]} times at {name}" for order in posted_at if counts[order] != 1]
        strangers = set(counts) - set(posted_at) - {bodies.order_id(1)}
        wrong += [f"{order} is at {name}, but was never accepted" for order in strangers]
        wrong += arrivals.supplier.broken
    return wrong


def _order_id(order: ReceivedOrder) -> int:
    match = _ORDER_ID.search(order.content)
    return int(match[1]) if match else 0


def _as_rows(supplier: SupplierSandbox) -> dict:
    ftp = supplier.ftp
    vendor, code = VENDORS[supplier.name]
    server = {"host": ftp.host, "port": ftp.port, "username": ftp.user, "password": ftp.password}
    return {"name": supplier.name, "vendor": vendor, "code": code, "server": server}


def _proof(flows: dict[str, Flow]) -> Row:
    row = Row("every order exactly once at each supplier, by id", goal="all")
    for key, flow in flows.items():
        row.held[key] = not flow.wrong and not flow.refused
        row.cells[key] = f"{len(flow.posted_at)} orders, {len(flow.wrong)} wrong"
        row.values[key] = {"accepted": len(flow.posted_at), "refused": flow.refused, "wrong": flow.wrong}
    return row


def _hops(flows: dict[str, Flow]) -> Row:
    row = Row("medians of the hops: order, part, document, upload, sent")
    for key, flow in flows.items():
        row.cells[key] = " + ".join(f"{seconds * 1000:.0f}" for seconds in flow.hops.values()) + " ms"
        row.values[key] = {name: round(seconds, 4) for name, seconds in flow.hops.items()}
    return row
