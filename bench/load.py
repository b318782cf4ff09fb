"""The load: a few clients that send one request over and over, each waiting for its answer. Runs as its own process.

One thread and raw sockets, for on a small machine what the clients use is missing to the servers.
"""

import json
import re
import selectors
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from bench.bodies import Webhook
from bench.numbers import percentile
from bench.processes import HOST, ROOT, Broken, clean_env

CLIENTS = (8, 8)  # that keep their connection, and that make a fresh one each time
WARM_UP_SECONDS = 0.5
ANSWER_SECONDS = 15


@dataclass(frozen=True)
class Target:
    """Whom to ask, and how."""

    port: int
    path: str
    method: str = "POST"


@dataclass
class Result:
    """What came of it: `rate` and `p99` of the measured time, `answered` of all, warm-up and last answers included."""

    rate: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    answered: int = 0
    refused: int = 0
    unanswered: int = 0  # given up after ANSWER_SECONDS


def run(target: Target, webhook: Webhook, seconds: float, clients: tuple[int, int] = CLIENTS) -> Result:
    """Post for so many seconds, in a process of its own; `clients` are those that keep their connection, and others."""
    question = {
        **asdict(target),
        "clients": clients,
        "head": webhook.headers,
        "body": webhook.body.decode(),
        "seconds": seconds,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(question),
        env=clean_env(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds + 2 * ANSWER_SECONDS,
    )
    if done.returncode:
        raise Broken(f"The clients failed:\n{done.stderr[-2000:]}")
    return Result(**json.loads(done.stdout))


@dataclass
class Client:
    """One connection, or one after the other."""

    target: Target
    request: tuple[bytes, bytes]
    is_kept: bool
    selector: selectors.BaseSelector
    link: socket.socket | None = None
    received: bytes = b""
    started_at: float = 0.0

    def post(self, webhook_id: bytes) -> None:
        """Send the next request."""
        self.started_at, self.received = time.perf_counter(), b""
        if self.link is None:
            self.link = socket.create_connection((HOST, self.target.port), timeout=ANSWER_SECONDS)
            self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(self.link, selectors.EVENT_READ, self)
        head, body = self.request
        self.link.sendall(b"%b%b\r\n\r\n%b" % (head, webhook_id, body))

    def read(self) -> int:
        """Read what has come; return the status once the answer is whole, 0 before."""
        assert self.link
        block = self.link.recv(65536)
        if not block:
            return self._over(599)
        self.received += block
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found or not _is_whole(head.lower(), body):
            return 0
        status = int(head[9:12])
        is_closing = not self.is_kept or b"connection: close" in head.lower()
        return self._over(status) if is_closing else status

    def _over(self, status: int) -> int:
        assert self.link
        self.selector.unregister(self.link)
        self.link.close()
        self.link = None
        return status


class Load:
    """All clients together."""

    def __init__(self, clients: list[Client], selector: selectors.BaseSelector) -> None:
        self.clients = clients
        self.result = Result()
        self.latencies: list[float] = []
        self._selector = selector
        self._run = uuid.uuid4().hex[:12].encode()
        self._number = 0

    def run(self, seconds: float) -> Result:
        """Post until the time is over, then wait for the answers that are under way."""
        begin = time.perf_counter() + WARM_UP_SECONDS
        end = begin + seconds
        for client in self.clients:
            self._post(client)
        under_way = len(self.clients)
        while under_way:
            ready = self._selector.select(ANSWER_SECONDS)
            if not ready:
                self.result.unanswered = under_way
                break
            for key, _ in ready:
                under_way -= self._answer(key.data, begin, end)
        self.result.rate = len(self.latencies) / seconds
        self.result.p50, self.result.p99 = percentile(self.latencies, 50), percentile(self.latencies, 99)
        return self.result

    def _post(self, client: Client) -> None:
        self._number += 1
        client.post(b"%b-%08d" % (self._run, self._number))

    def _answer(self, client: Client, begin: float, end: float) -> bool:
        """Take what came for a client; tell whether it has posted for the last time."""
        status = client.read()
        if not status:
            return False
        now = time.perf_counter()
        if status != 200:
            self.result.refused += 1
        else:
            self.result.answered += 1
            if begin <= now < end:
                self.latencies.append(now - client.started_at)
        if now >= end:
            return True
        self._post(client)
        return False


def _is_whole(head: bytes, body: bytes) -> bool:
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return length is None or len(body) >= int(length[1])


def _request(question: dict[str, Any], is_kept: bool) -> tuple[bytes, bytes]:
    body = question["body"].encode()
    fields = {
        "Host": f"{HOST}:{question['port']}",
        "Content-Length": str(len(body)),
        "Connection": "keep-alive" if is_kept else "close",
        **question["head"],
    }
    lines = [
        f"{question['method']} {question['path']} HTTP/1.1",
        *(f"{name}: {value}" for name, value in fields.items()),
    ]
    return "\r\n".join([*lines, "X-Shopify-Webhook-Id: "]).encode(), body


def main() -> None:
    """Answer the question on standard input."""
    question = json.load(sys.stdin)
    target = Target(question["port"], question["path"], question["method"])
    kept, fresh = question["clients"]
    kinds = [True] * kept + [False] * fresh
    selector = selectors.DefaultSelector()
    load = Load([Client(target, _request(question, is_kept), is_kept, selector) for is_kept in kinds], selector)
    print(json.dumps(asdict(load.run(question["seconds"]))))


if __name__ == "__main__":
    main()
