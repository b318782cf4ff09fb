"""A relay on loopback that adds latency, to measure what a far supplier costs."""

import asyncio
import selectors
import socket
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Self

from sandbox.delay_line import DelayLine
from sandbox.relay_ends import End, FtpServerEnd
from sandbox.sockets import HOST, listen


class DelayRelay:
    """Relay TCP to a target, each byte `delay_seconds` late in each direction.

    A client's connect returns at once, for no program can hold it up; what the handshake would take is
    charged to the first bytes: they reach the target three delays after the connect at the earliest.
    """

    def __init__(self, target_host: str, target_port: int, delay_seconds: float, port: int = 0) -> None:
        self.target = (target_host, target_port)
        self.delay_seconds = delay_seconds
        self.host, self.port = HOST, port
        self._ends: weakref.WeakSet[End] = weakref.WeakSet()
        self._servers: set[asyncio.Server] = set()
        self._tasks: set[asyncio.Task] = set()
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Start, or come back on the same port."""
        if self._thread is None:
            listener = listen(self.port)
            self.port = listener.getsockname()[1]
            # select() keeps microseconds, whereas epoll rounds each wait up to a millisecond.
            self._loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
            self._loop.run_until_complete(self._accept(listener, self._client_end))
            self._thread = threading.Thread(target=self._loop.run_forever, name=f"relay-{self.port}", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Stop and cut what is being relayed."""
        if self._thread:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._thread = None
            self._loop.run_until_complete(self._close())
            self._loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def _server_end(self) -> End:
        return End()

    def _client_end(self) -> End:
        return self._link(self.target, self._server_end())

    def _link(self, target: tuple[str, int], server_end: End) -> End:
        client_end = End()
        opens_at = self._loop.time() + 3 * self.delay_seconds
        client_end.line = DelayLine(self.delay_seconds, server_end.deliver, opens_at)
        server_end.line = DelayLine(self.delay_seconds, client_end.deliver)
        self._ends.update((client_end, server_end))
        self._loop.call_at(opens_at, lambda: self._do(self._connect(target, client_end, server_end)))
        return client_end

    async def _accept(self, listener: socket.socket, end: Callable[[], End]) -> asyncio.Server:
        server = await self._loop.create_server(end, sock=listener)
        self._servers.add(server)
        return server

    async def _connect(self, target: tuple[str, int], client_end: End, server_end: End) -> None:
        try:
            await self._loop.create_connection(lambda: server_end, *target)
        except OSError:
            client_end.abort()

    def _do(self, work: Coroutine) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        # A client that was just let in has no transport yet that could be aborted.
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=1)
        for end in list(self._ends):
            end.abort()
        self._servers.clear()
        # The transports close their sockets on the next turn of the loop.
        await asyncio.sleep(0)


class FtpDelayRelay(DelayRelay):
    """Relay FTP: the control connection and, with the same delay, every passive data channel."""

    def _server_end(self) -> End:
        return FtpServerEnd(self._open_data_port)

    def _open_data_port(self, host: str, port: int) -> int:
        listener = listen(0)
        self._do(self._accept_once(listener, (host or self.target[0], port)))
        return listener.getsockname()[1]

    async def _accept_once(self, listener: socket.socket, target: tuple[str, int]) -> None:
        accepted = asyncio.Event()

        def client_end() -> End:
            accepted.set()
            return self._link(target, End())

        server = await self._accept(listener, client_end)
        await accepted.wait()
        server.close()
        self._servers.discard(server)
