"""From a webhook to the file on the supplier's server, with every process as `manage.py serve` starts it."""

import http.client
import os
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

IS_QUICK = bool(os.environ.get("BENCH_QUICK"))
RATES = {10: 10 if IS_QUICK else 20, 50: 5}  # orders a second: for so many seconds
BURST = 150  # orders at once, to see how many a second the machine takes
SHARE, STEADY_SECONDS = 0.9, 5 if IS_QUICK else 10  # then so much of that, for so long
FIRST_SECONDS = 60  # for the first order, which also waits for the workers to start
LAST_SECONDS = 60
GOALS = {50: 1.0, 99: 5.0}  # seconds by percentile, at ten orders a second
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
    """What one stack did with the orders of one pace."""

    posted_at: dict[int, float] = field(default_factory=dict)
    refused: int = 0
    waits: list[float] = field(default_factory=list)
    rate: float = 0.0  # orders a second: as they came, or for a burst as their last files arrived
    hops: dict[str, float] = field(default_factory=dict)


@dataclass
class Course:
    """All paces of one stack, one after the other, and what was wrong at the end."""

    port: int
    path: str
    watched: list[Arrivals]
    flows: dict[str, Flow] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _next: int = 2

    def run(self, title: str, count: int, seconds: float) -> Flow:
        """Post orders at random moments within so many seconds and wait for their files."""
        numbers = range(self._next, self._next + count)
        self._next += count
        posted_at, refused = _post_all(self.port, self.path, numbers, seconds)
        self.flows[title] = flow = Flow(posted_at, refused)
        _wait_for(self.watched, sum(len(flow.posted_at) for flow in self.flows.values()) + 1, LAST_SECONDS)
        time.sleep(1)  # whatever came twice may come now
        flow.waits = _waits(posted_at, self.watched)
        flow.rate = count / seconds if seconds else _rate(posted_at, self.watched)
        return flow


def measure(stacks: Sequence[Stack], folder: Path, report: Report) -> None:
    """Run the orders through each stack, one after the other, and write what came out."""
    report.part("Webhook to file on the server, two suppliers with a file each for every order")
    courses = {stack.key: _run(stack, folder) for stack in stacks}
    for title in next(iter(courses.values())).flows:
        flows = {key: course.flows[title] for key, course in courses.items()}
        report.add(_percentiles(title, flows))
    for share, goal in GOALS.items():
        report.add(_goal(share, goal, courses))
    report.add(_proof(courses))
    report.add(_hops({key: next(iter(course.flows.values())) for key, course in courses.items()}))


def _run(stack: Stack, folder: Path) -> Course:
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
        course = Course(port, path, watched)
        for rate, seconds in RATES.items():
            flow = course.run(f"{rate} orders a second", rate * seconds, seconds)
            if len(course.flows) == 1:
                flow.hops = stack.ask("flow", "bench.rows", {"do": "hops"})
        most = SHARE * course.run("a burst", BURST, 0).rate
        course.run(f"{SHARE:.0%} of what a burst showed", max(1, round(most * STEADY_SECONDS)), STEADY_SECONDS)
        course.wrong = _wrong(
            {at: when for flow in course.flows.values() for at, when in flow.posted_at.items()}, watched
        )
        return course


def _rate(posted_at: dict[int, float], watched: Sequence[Arrivals]) -> float:
    """Return the orders a second from the first that was posted to the last file that arrived."""
    moments = [at for arrivals in watched for order, at in arrivals.by_order().items() if order in posted_at]
    return len(posted_at) / (max(moments) - min(posted_at.values())) if moments else 0.0


def _post_all(port: int, path: str, numbers: range, seconds: float) -> tuple[dict[int, float], int]:
    """Post the orders at their random moments; return when each was posted, and how many were refused."""
    rng = random.Random(1)
    # Random moments: orders at a fixed beat would always meet the pollers at the same place of theirs.
    moments = sorted(rng.uniform(0, seconds) for _ in numbers)
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


def _percentiles(title: str, flows: dict[str, Flow]) -> Row:
    row = Row(f"{title}: p50 and p99")
    for key, flow in flows.items():
        p50, p99 = percentile(flow.waits, 50), percentile(flow.waits, 99)
        files = len(VENDORS) * len(flow.posted_at)
        late = f", {files - len(flow.waits)} of {files} later" * (len(flow.waits) < files)
        row.cells[key] = f"{p50:.2f} and {p99:.2f} s at {flow.rate:.0f}/s{late}"
        values = {"orders_per_second": round(flow.rate, 1), "p50": round(p50, 4), "p99": round(p99, 4)}
        row.values[key] = {**values, "files": files, "arrived": len(flow.waits), "refused": flow.refused}
    return row


def _goal(share: int, goal: float, courses: dict[str, Course]) -> Row:
    row = Row(f"p{share} at 10 orders a second", goal=f"< {goal:g} s")
    for key, course in courses.items():
        waits = next(iter(course.flows.values())).waits
        value = percentile(waits, share)
        row.cells[key], row.values[key] = f"{value:.2f} s", round(value, 4)
        row.held[key] = bool(waits) and value < goal
    return row


def _proof(courses: dict[str, Course]) -> Row:
    row = Row("every order exactly once at each supplier, by id", goal="all")
    for key, course in courses.items():
        accepted = sum(len(flow.posted_at) for flow in course.flows.values())
        refused = sum(flow.refused for flow in course.flows.values())
        row.held[key] = not course.wrong  # a shop posts again what was refused
        row.cells[key] = f"{accepted} orders, {len(course.wrong)} wrong" + f", {refused} refused" * bool(refused)
        row.values[key] = {"accepted": accepted, "refused": refused, "wrong": course.wrong}
    return row


def _hops(flows: dict[str, Flow]) -> Row:
    row = Row("medians of the hops: order, part, document, upload, sent")
    for key, flow in flows.items():
        row.cells[key] = " + ".join(f"{seconds * 1000:.0f}" for seconds in flow.hops.values()) + " ms"
        row.values[key] = {name: round(seconds, 4) for name, seconds in flow.hops.items()}
    return row
