"""Storefront requests: verified JSON answers a second beside bare Django views, and what passing the proxy adds.

The bare view does the same reads, statement by statement, and believes everything; another reads nothing. All stand
side by side, each idle while another is measured, turn by turn; a ratio is taken within a round, then the median.
"""

import json
import os
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from bench import shoppers
from bench.bodies import Webhook
from bench.load import Target
from bench.numbers import spread
from bench.processes import HOST, Broken, Processes, free_port
from bench.report import Report, Row
from bench.stacks import Stack, gunicorn
from bench.webhooks import Contest, rates, ratio

IS_QUICK = bool(os.environ.get("BENCH_QUICK"))
ROUNDS = 2 if IS_QUICK else 5
SECONDS = 1.0 if IS_QUICK else 2.0
READS_GOAL = 0.6
ADDED_GOAL_SECONDS = 0.010
ONE_AT_A_TIME = (1, 0)  # one client that keeps its connection
CUSTOMER = {"X-Storefront-Customer": shoppers.CUSTOMER}  # the sandbox's word for who is logged in
PAIRS = {"Hemi's own page": ("direct", "passed"), "another app": ("app", "app passed")}


def measure(stacks: Sequence[Stack], folder: Path, report: Report) -> None:
    """Start everybody, run both contests and write what came out into the report."""
    answers = Contest(request=Webhook(b"", {"Accept": "application/json"}))
    way = Contest(request=Webhook(b"", {"Accept": "application/json", **CUSTOMER}), clients=ONE_AT_A_TIME)
    reads: dict[str, int] = {}
    with Processes(folder) as processes:
        for stack in stacks:
            bare_port = _start_bare(stack, processes)
            reads[stack.key] = _make_rows(stack, bare_port)
            port = _start_hemi(stack, processes)
            _aim(stack.key, port, bare_port, answers, way)
        for contest in (answers, way):
            _check(contest)
            contest.run(ROUNDS, SECONDS)
    _write(stacks, answers, reads, report)
    _write_way(stacks, way, report)


def _start_bare(stack: Stack, processes: Processes) -> int:
    port = free_port()
    env = stack.env("storefront", HEMI_PORT=str(port))
    # It opens the database with its first request, when Hemi has made the tables.
    processes.start(f"{stack.key}-shop-bare", gunicorn("bench.bare.shop_wsgi"), env, port=port)
    return port


def _make_rows(stack: Stack, bare_port: int) -> int:
    """Return how many reads an answer takes."""
    stack.ask("storefront", "bench.storefront_rows", {"do": "make", "proxy_url": f"http://{HOST}:{bare_port}"})
    question = {"do": "compare", "query": shoppers.signed_query()}
    return stack.ask("storefront", "bench.storefront_rows", question)["reads"]


def _start_hemi(stack: Stack, processes: Processes) -> int:
    port = free_port()
    own = {"HEMI_BASE_URL": f"http://{HOST}:{port}", "ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8"}
    env = stack.env("storefront", HEMI_PORT=str(port), **own)
    processes.start(f"{stack.key}-shop-hemi", gunicorn("hemi.wsgi"), env, port=port)
    return port


def _aim(key: str, port: int, bare_port: int, answers: Contest, way: Contest) -> None:
    query = shoppers.signed_query()
    direct = Target(port, f"/shopline/proxy/status.json?{query}", "GET")
    answers.targets |= {
        f"{key} hemi": direct,
        f"{key} reads": Target(bare_port, f"/status.json?{query}", "GET"),
        f"{key} nothing": Target(bare_port, f"/nothing.json?{query}", "GET"),
    }
    way.targets |= {
        f"{key} direct": direct,
        f"{key} passed": Target(port, shoppers.shop_path(shoppers.MERCHANT, "status.json"), "GET"),
        f"{key} app": Target(bare_port, f"/nothing.json?{query}", "GET"),
        f"{key} app passed": Target(port, shoppers.shop_path(shoppers.OTHER_MERCHANT, "nothing.json"), "GET"),
    }


def _check(contest: Contest) -> None:
    """Ask each once: a fast wrong answer is none."""
    for name, target in contest.targets.items():
        request = urllib.request.Request(f"http://{HOST}:{target.port}{target.path}", headers=contest.request.headers)
        with urllib.request.urlopen(request, timeout=15) as answer:
            said = json.load(answer)
        wanted = 0 if "nothing" in target.path else shoppers.ORDERS
        if len(said["orders"]) != wanted:
            raise Broken(f"{name} answered {len(said['orders'])} orders instead of {wanted}.")


def _write(stacks: Sequence[Stack], contest: Contest, reads: dict[str, int], report: Report) -> None:
    count = max(reads.values())
    report.part(f"Storefront: verified status.json a second ({shoppers.ORDERS} orders, {count} reads)")
    for name, title in (
        ("hemi", "Hemi"),
        ("reads", f"bare Django view, the same {count} reads"),
        ("nothing", "bare Django view, no reads"),
    ):
        report.add(rates(title, {stack.key: f"{stack.key} {name}" for stack in stacks}, contest))
    pairs = {stack.key: contest.ratios(f"{stack.key} hemi", f"{stack.key} reads") for stack in stacks}
    report.add(ratio("Hemi : the same reads", pairs, READS_GOAL))


def _write_way(stacks: Sequence[Stack], contest: Contest, report: Report) -> None:
    report.part("Storefront side: what a request through the proxy takes longer than a direct one, p50")
    for title, (direct, passed) in PAIRS.items():
        row = Row(title, goal=f"< {ADDED_GOAL_SECONDS * 1000:g} ms")
        for stack in stacks:
            before, after = contest.of(f"{stack.key} {direct}"), contest.of(f"{stack.key} {passed}")
            if any(result.refused or result.unanswered or not result.answered for result in before + after):
                raise Broken(f"{title} on {stack.title}: not every request was answered.")
            added = spread([late.p50 - early.p50 for early, late in zip(before, after, strict=True)])
            p50 = spread([result.p50 for result in before]).median
            row.cells[stack.key] = f"{added.median * 1000:.1f} ms over {p50 * 1000:.1f} ms"
            row.values[stack.key] = {
                "direct_p50_seconds": [round(result.p50, 5) for result in before],
                "passed_p50_seconds": [round(result.p50, 5) for result in after],
            }
            row.held[stack.key] = added.median < ADDED_GOAL_SECONDS
        report.add(row)
