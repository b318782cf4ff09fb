"""The load: a few clients that post one body over and over, each waiting for its answer. Runs as its own process.

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
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.bodies import Webhook
from bench.numbers import percentile
from bench.processes import HOST, ROOT, Broken, clean_env

KEPT_CLIENTS, FRESH_CLIENTS = 8, 8
WARM_UP_SECONDS = 0.5
ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Target:
    """Whom to post to."""

    port: int
    path: str


@dataclass
class Result:
    """What came of it: `rate` and `p99` of the measured time, `answered` of all, warm-up and last answers included."""

    rate: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    answered: int = 0
    refused: int = 0


def run(target: Target, webhook: Webhook, seconds: float) -> Result:
    """Post for so many seconds, in a process of its own."""
    question = {**asdict(target), "head": webhook.headers, "body": webhook.body.decode(), "seconds": seconds}
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
    link: socket.socket | None = None
    received: bytes = b""
    started_at: float = 0.0

    def post(self, webhook_id: str) -> socket.socket:
        """Send the next request and return the socket that its answer comes from."""
        self.started_at, self.received = time.perf_counter(), b""
        if self.link is None:
            self.link = socket.create_connection((HOST, self.target.port), timeout=ANSWER_SECONDS)
            self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head, body = self.request
        self.link.sendall(head + webhook_id.encode() + b"\r\n\r\n" + body)
        return self.link

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
        return status if self.is_kept else self._over(status)

    def _over(self, status: int) -> int:
        assert self.link
        self.link.close()
        self.link = None
        return status


@dataclass
class Load:
    """All clients together."""

    clients: list[Client]
    result: Result = field(default_factory=Result)
    latencies: list[float] = field(default_factory=list)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    _number: int = 0

    def run(self, seconds: float) -> Result:
        """Post until the time is over, then wait for the answers that are under way."""
        begin = time.perf_counter() + WARM_UP_SECONDS
        end = begin + seconds
        for client in self.clients:
            self._post(client)
        while self._selector.get_map():
            ready = self._selector.select(ANSWER_SECONDS)
            if not ready:
                raise SystemExit(f"No answer for {ANSWER_SECONDS} seconds.")
            for key, _ in ready:
                self._answer(key, begin, end)
        self.result.rate = len(self.latencies) / seconds
        self.result.p50, self.result.p99 = percentile(self.latencies, 50), percentile(self.latencies, 99)
        return self.result

    def _post(self, client: Client) -> None:
        self._number += 1
        connection = client.post(f"{self._run}-{self._number:08d}")
        self._selector.register(connection, selectors.EVENT_READ, client)

    def _answer(self, key: selectors.SelectorKey, begin: float, end: float) -> None:
        client: Client = key.data
        status = client.read()
        if not status:
            return
        self._selector.unregister(key.fileobj)
        now = time.perf_counter()
        if status == 200:
            self.result.answered += 1
            if begin <= now < end:
                self.latencies.append(now - client.started_at)
        else:
            self.result.refused += 1
        if now < end:
            self._post(client)


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
    lines = [f"POST {question['path']} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "X-Shopify-Webhook-Id: "]).encode(), body


def main() -> None:
    """Answer the question on standard input."""
    question = json.load(sys.stdin)
    target = Target(question["port"], question["path"])
    kinds = [True] * KEPT_CLIENTS + [False] * FRESH_CLIENTS
    load = Load([Client(target, _request(question, is_kept), is_kept) for is_kept in kinds])
    print(json.dumps(asdict(load.run(question["seconds"]))))


if __name__ == "__main__":
    main()
