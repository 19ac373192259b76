"""The network that can be broken, without a sidecar: what it is told is what happens."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def echo() -> Iterator[int]:
    """A port that says back what it hears."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(4096):
                    connection.sendall(data)
            except OSError:
                pass

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def dial(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def ask(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    got = b""
    while len(got) < len(text):
        got += connection.recv(4096)
    return got


def test_what_passes_is_counted(echo: int) -> None:
    with Proxy(echo) as proxy, dial(proxy) as connection:
        assert ask(connection, b"hello") == b"hello"
        proxy.wait_until(lambda: proxy.down.bytes == 5)
        assert (proxy.up.bytes, proxy.connections, proxy.accepted) == (5, 1, 1)


def test_a_cut_resets_every_connection(echo: int) -> None:
    with Proxy(echo) as proxy, dial(proxy) as one, dial(proxy) as other:
        assert ask(one, b"a") + ask(other, b"b") == b"ab"
        assert proxy.cut() == 2
        for connection in (one, other):
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        with dial(proxy) as third:
            assert ask(third, b"c") == b"c"


def test_a_cut_falls_into_the_middle_of_an_answer(echo: int) -> None:
    with Proxy(echo) as proxy, dial(proxy) as connection:
        proxy.cut_after(3)
        connection.sendall(b"hello")
        with pytest.raises(ConnectionResetError):
            while connection.recv(64):
                pass


def test_what_is_held_comes_late_or_never(echo: int) -> None:
    with Proxy(echo) as proxy, dial(proxy) as connection:
        proxy.hold(down=True)
        connection.sendall(b"hello")
        proxy.wait_until(lambda: proxy.up.bytes == 5)
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(64)
        connection.settimeout(10)
        proxy.release()
        assert connection.recv(64) == b"hello"


def test_answers_are_late_and_narrow(echo: int) -> None:
    with Proxy(echo) as proxy, dial(proxy) as connection:
        proxy.delay(0.2)
        began = time.monotonic()
        assert ask(connection, b"hello") == b"hello"
        assert time.monotonic() - began >= 0.2
        proxy.delay(0)
        proxy.throttle(1000)
        began = time.monotonic()
        assert ask(connection, b"x" * 300) == b"x" * 300
        assert time.monotonic() - began >= 0.3


def test_a_refusal_ends_on_the_same_port(echo: int) -> None:
    with Proxy(echo) as proxy, dial(proxy) as connection:
        assert ask(connection, b"hello") == b"hello"
        proxy.refuse()
        with pytest.raises(ConnectionError):
            connection.recv(1)
        with pytest.raises(ConnectionRefusedError):
            dial(proxy)
        proxy.accept()
        with dial(proxy) as again:
            assert ask(again, b"hello") == b"hello"


def test_waiting_is_bounded(echo: int) -> None:
    with Proxy(echo) as proxy, pytest.raises(TimeoutError):
        proxy.wait_until(lambda: False, timeout=0.05)
