"""The asyncio client behind the sync one's methods, so that what is tested of one is tested of the other."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

from everstep import AsyncWorkflowHandle

PATIENCE = 60


class Awaited:
    """Awaits what its subject's methods give, on a loop of its own."""

    def __init__(self, subject: Any, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.subject = subject
        self._loop = loop or asyncio.new_event_loop()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.subject, name)
        return (lambda *args, **more: self._settle(found(*args, **more))) if inspect.ismethod(found) else found

    def _settle(self, value: Any) -> Any:
        if inspect.iscoroutine(value):
            value = self._loop.run_until_complete(asyncio.wait_for(value, PATIENCE))
        if isinstance(value, AsyncWorkflowHandle):
            return Awaited(value, self._loop)
        return self._items(value) if isinstance(value, AsyncIterator) else value

    def _items(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        async def next_one() -> list[Any]:
            try:
                return [await items.__anext__()]
            except StopAsyncIteration:
                return []

        while found := self._settle(next_one()):
            yield found[0]

    def end(self) -> None:
        """Ends the loop."""
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
