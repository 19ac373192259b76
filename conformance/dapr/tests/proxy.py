"""A network that can be broken: a TCP proxy between a program and a sidecar, in Python's asyncio on a thread of its own."""

from __future__ import annotations

import asyncio
import struct
import threading
from concurrent.futures import Future
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine

    from typing_extensions import Self

T = TypeVar("T")
CHUNK = 64 << 10
CALL_SECONDS = 10
# What makes the end of a connection a reset.
RESET = struct.pack("ii", 1, 0)


class Way:
    """One direction of all connections: how bytes pass, and how many have."""

    def __init__(self) -> None:
        self.bytes = 0
        self.delay = 0.0
        self.bytes_per_second = 0
        self.cut_at: int | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def pass_on(self, size: int) -> None:
        """Waits as this direction makes so many bytes wait."""
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.bytes_per_second:
            await asyncio.sleep(size / self.bytes_per_second)
        await self.open.wait()


class Proxy:
    """Passes connections on to a port, until it is told otherwise. ``up`` leads to the sidecar, ``down`` to the program.

    With ``tls`` it ends TLS itself, as the ingress in front of a sidecar does. All methods may be called from any thread, an
    activity's too, and have happened when they return.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.accepted = 0
        self._target = port
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._changed: asyncio.Condition

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()

    def hold(self, *, up: bool = False, down: bool = False) -> None:
        """Lets nothing pass in these directions, on connections of now and of later, until ``release``."""

        def stop() -> None:
            for way, held in ((self.up, up), (self.down, down)):
                if held:
                    way.open.clear()

        self._now(stop)

    def release(self) -> None:
        """Lets everything pass again, what was held first."""

        def pass_again() -> None:
            for way in (self.up, self.down):
                way.open.set()

        self._now(pass_again)

    def delay(self, seconds: float) -> None:
        """Makes every chunk of answers late; 0 ends it."""
        self.down.delay = seconds

    def throttle(self, bytes_per_second: int) -> None:
        """Makes each direction of each connection narrow; 0 ends it."""
        self.up.bytes_per_second = self.down.bytes_per_second = bytes_per_second

    def cut(self) -> int:
        """Resets all connections, whatever is on its way; says how many there were. What was held is lost."""
        return self._now(self._cut)

    def cut_after(self, answers: int) -> None:
        """Resets all connections when so many more bytes of answers have passed: in the middle of a message."""
        self.down.cut_at = self.down.bytes + answers

    def refuse(self) -> None:
        """Takes no more connections, and resets those that are."""
        self._do(self._refuse())

    def accept(self) -> None:
        """Takes connections again, on the same port."""
        self._do(self._listen())

    def wait_until(self, happened: Callable[[], bool], timeout: float = 30) -> None:
        """Waits until something is so that changes with traffic or with connections; raises ``TimeoutError``."""
        self._do(asyncio.wait_for(self._happened(happened), timeout), timeout + CALL_SECONDS)

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._writers) // 2

    def _do(self, work: Coroutine[Any, Any, T], timeout: float = CALL_SECONDS) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def _now(self, work: Callable[[], T]) -> T:
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return done.result(CALL_SECONDS)

    async def _open(self) -> None:
        self.up, self.down = Way(), Way()
        self._changed = asyncio.Condition()
        await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._cut()

    async def _close(self) -> None:
        await self._refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cut(self) -> int:
        self.down.cut_at = None
        found = self.connections
        for writer in self._writers:
            if not writer.is_closing():
                writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, RESET)
            writer.transport.abort()
        return found

    async def _happened(self, happened: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(happened)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        try:
            onward, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, back}
        self._writers |= pair
        await self._tell()
        ways = [
            asyncio.ensure_future(self._pump(reader, back, self.up)),
            asyncio.ensure_future(self._pump(onward, writer, self.down)),
        ]
        try:
            # A connection that has lost one of its halves is of no use to HTTP/2.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The proxy closes; asyncio would report a handler that says so.
            pass
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers -= pair
            for each in pair:
                each.close()
            await self._tell()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: Way) -> None:
        while data := await source.read(CHUNK):
            await way.pass_on(len(data))
            if way.cut_at is not None and way.bytes + len(data) >= way.cut_at:
                sink.write(data[: way.cut_at - way.bytes])
                self._cut()
                return
            sink.write(data)
            await sink.drain()
            way.bytes += len(data)
            await self._tell()
