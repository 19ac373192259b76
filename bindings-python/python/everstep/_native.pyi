# The native module, private: see `everstep`.

from typing import Any, Generic, TypeAlias, TypeVar, final

_Answer = TypeVar("_Answer")

_State: TypeAlias = tuple[Any, ...]
_Links: TypeAlias = tuple[int, int | None, int | None, int | None, str | None, int | None, int | None]
_Event: TypeAlias = tuple[int, str, int | None, dict[str, Any], _Links]
_States: TypeAlias = list[_State]
_Events: TypeAlias = list[_Event]
_Names: TypeAlias = list[str]

__version__: str
__all__ = [
    "NativeCall",
    "NativeClient",
    "NativeHistory",
    "NativeQueue",
    "NativeWorker",
    "__version__",
    "error_kinds",
    "report",
]

def error_kinds() -> list[tuple[str, bool]]: ...
def report(endpoint: str | None) -> str: ...

@final
class NativeCall(Generic[_Answer]):
    def wait(self) -> _Answer: ...
    def submit(self, queue: NativeQueue, key: int) -> int: ...

@final
class NativeQueue:
    def __new__(cls) -> NativeQueue: ...
    def __len__(self) -> int: ...
    def take(self, max: int, timeout_ms: int | None) -> list[tuple[int, list[tuple[int, NativeCall[Any]]]]]: ...
    def cancel(self, ticket: int) -> bool: ...
    def rouse(self) -> None: ...

@final
class NativeClient:
    def __new__(
        cls,
        endpoint: str | None,
        components: dict[str, str],
        durability: str,
        call_timeout_ms: int | None,
        max_payload_bytes: int | None,
    ) -> NativeClient: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def is_closed(self) -> bool: ...
    def close(self) -> None: ...
    def start(
        self,
        component: str | None,
        name: str,
        input: str | None,
        instance_id: str | None,
        options: dict[str, str],
        start_at: int | None,
        version: str | None,
        tags: dict[str, str],
        reuse: str,
    ) -> NativeCall[tuple[str, str | None]]: ...
    def rerun(
        self,
        component: str | None,
        instance_id: str,
        from_event: int,
        new_instance_id: str | None,
        input: str | None,
    ) -> NativeCall[tuple[str, str | None]]: ...
    def get(self, component: str | None, instance_id: str, payloads: bool) -> NativeCall[_State]: ...
    def pause(self, component: str | None, instance_id: str, reason: str | None) -> NativeCall[None]: ...
    def resume(self, component: str | None, instance_id: str, reason: str | None) -> NativeCall[None]: ...
    def raise_event(
        self, component: str | None, instance_id: str, event_name: str, data: str | None
    ) -> NativeCall[None]: ...
    def terminate(
        self, component: str | None, instance_id: str, output: str | None, recursive: bool
    ) -> NativeCall[None]: ...
    def purge(self, component: str | None, instance_id: str, recursive: bool) -> NativeCall[int]: ...
    def purge_matching(
        self,
        component: str | None,
        name: str | None,
        statuses: _Names,
        created_from: int | None,
        created_to: int | None,
    ) -> NativeCall[int]: ...
    def wait_for_start(
        self, component: str | None, instance_id: str, timeout_ms: int | None, payloads: bool
    ) -> NativeCall[_State]: ...
    def wait_for_completion(
        self, component: str | None, instance_id: str, timeout_ms: int | None, payloads: bool
    ) -> NativeCall[_State]: ...
    def next_change(
        self, component: str | None, instance_id: str, execution_id: str | None, seen: str | None, payloads: bool
    ) -> NativeCall[tuple[_State, str] | None]: ...
    def result(
        self, component: str | None, instance_id: str, execution_id: str | None, timeout_ms: int | None
    ) -> NativeCall[str | None]: ...
    def list(
        self,
        component: str | None,
        name: str | None,
        statuses: _Names,
        created_from: int | None,
        created_to: int | None,
        cursor: str | None,
        limit: int | None,
    ) -> NativeCall[tuple[_States, str | None]]: ...
    def history(self, component: str | None, instance_id: str, depth: int) -> NativeCall[NativeHistory]: ...

@final
class NativeHistory:
    @property
    def instance_id(self) -> str: ...
    def events(self) -> _Events: ...
    def child_ids(self) -> _Names: ...
    def child(self, instance_id: str) -> NativeHistory | None: ...
    def mermaid(self, depth: int, max_lines: int, max_text: int, payloads: bool) -> str: ...

@final
class NativeWorker:
    @staticmethod
    def open(client: NativeClient, component: str | None, open: str) -> tuple[NativeWorker, str]: ...
    def poll_workflows(self, max: int, max_bytes: int, timeout_ms: int | None) -> str | None: ...
    def poll_activities(self, max: int, max_bytes: int, timeout_ms: int | None) -> str | None: ...
    def complete(self, text: str) -> None: ...
    def repoll(self, batch: str) -> str: ...
    def shutdown(self, deadline_ms: int) -> None: ...
