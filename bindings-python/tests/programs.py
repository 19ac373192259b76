"""Runs the fixture programs of ``conformance/fixtures.json`` as ordinary workflows; ``fixtures.md`` is their language."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any

import everstep
from everstep import ActivityContext, NonRetryableError, Retry, WorkflowContext
from everstep.payload import ABSENT

Env = dict[str, Any]


class Return(Exception):
    """A body ends with an output."""

    def __init__(self, value: Any) -> None:
        self.value = value


def program(fixture: dict[str, Any]) -> Any:
    """The workflow of a fixture."""
    known = {"name", "body", "activities", "variant", "version", "about"}
    assert set(fixture) <= known, f"unknown keys {set(fixture) - known}"

    @everstep.workflow(name=fixture["name"], version=fixture.get("version"))
    async def run(ctx: WorkflowContext, input: Any = None) -> Any:
        try:
            await _Run(ctx, {"input": input}).block(fixture["body"])
        except Return as end:
            return end.value
        return None

    return run


class _Run:
    def __init__(self, ctx: WorkflowContext, env: Env) -> None:
        self.ctx = ctx
        self.env = env

    async def block(self, ops: list[dict[str, Any]]) -> None:
        for op in ops:
            await self.operation(op)

    async def operation(self, op: dict[str, Any]) -> None:
        kind = next(iter(op))
        run = getattr(self, f"op_{kind}", None)
        if run is None:
            assert kind in ASKING, f"unknown operation {op}"
            task = self.ask(op)
            value = None if op.get("detached") else await task
        else:
            value = await run(op, op[kind])
            if value is NOTHING:
                return
        if "as" in op and kind not in ("begin", "try"):
            self.env[op["as"]] = value

    async def op_begin(self, op: dict[str, Any], asking: dict[str, Any]) -> Any:
        task = self.ask(asking)
        if "as" in op:
            self.env[op["as"]] = task
        return NOTHING

    async def op_await(self, op: dict[str, Any], task: Any) -> Any:
        return await self.task(task)

    async def op_all(self, op: dict[str, Any], items: list[Any]) -> Any:
        tasks = [self.task(item) for item in items]
        return self.outcomes(await self.ctx.all(tasks, return_exceptions=op.get("return_exceptions", False)))

    async def op_each(self, op: dict[str, Any], array: Any) -> Any:
        tasks = []
        for item in self.compute(array):
            self.env[op["item"]] = item
            tasks.append(self.task(op["do"]))
        return self.outcomes(await self.ctx.all(tasks, return_exceptions=op.get("return_exceptions", False)))

    async def op_map(self, op: dict[str, Any], array: Any) -> Any:
        asking = op["do"]
        kind = next(iter(asking))
        function = declared(asking[kind]) if kind == "child" else asking[kind]
        outcomes = await self.ctx.map(
            function,
            self.inputs(op, asking),
            max_concurrency=self.compute(op.get("max_concurrency")),
            return_exceptions=op.get("return_exceptions", False),
            retry=policy(self.compute(asking["retry"])) if "retry" in asking else None,
        )
        return self.outcomes(outcomes)

    def inputs(self, op: dict[str, Any], asking: dict[str, Any]) -> Any:
        for item in self.compute(op["map"]):
            self.env[op["item"]] = item
            yield self.compute(asking["input"]) if "input" in asking else ABSENT

    def outcomes(self, values: Any) -> list[Any]:
        return [describe(value) if isinstance(value, BaseException) else value for value in values]

    async def op_any(self, op: dict[str, Any], items: list[Any]) -> Any:
        tasks = [self.task(item) for item in items]
        first = await self.ctx.any(*tasks, cancel_rest=not op.get("keep", False))
        return {"index": next(i for i, task in enumerate(tasks) if task is first), "value": first.result()}

    async def op_cancel(self, op: dict[str, Any], task: Any) -> Any:
        self.task(task).cancel()
        return NOTHING

    async def op_send(self, op: dict[str, Any], name: Any) -> Any:
        data = self.compute(op["data"]) if "data" in op else ABSENT
        self.ctx.send_event(self.compute(op["to"]), self.compute(name), data)
        return NOTHING

    async def op_status(self, op: dict[str, Any], status: Any) -> Any:
        self.ctx.set_custom_status(self.compute(status))
        return NOTHING

    async def op_patch(self, op: dict[str, Any], name: Any) -> Any:
        return self.ctx.is_patched(self.compute(name))

    async def op_set(self, op: dict[str, Any], name: str) -> Any:
        self.env[name] = self.compute(op["to"])
        return NOTHING

    async def op_if(self, op: dict[str, Any], condition: Any) -> Any:
        await self.block(op.get("then" if self.compute(condition) else "else", []))
        return NOTHING

    async def op_while(self, op: dict[str, Any], condition: Any) -> Any:
        while self.compute(condition):
            await self.block(op["do"])
        return NOTHING

    async def op_for(self, op: dict[str, Any], name: str) -> Any:
        for item in self.compute(op["in"]):
            self.env[name] = item
            await self.block(op["do"])
        return NOTHING

    async def op_try(self, op: dict[str, Any], ops: list[Any]) -> Any:
        try:
            await self.block(ops)
        except Return:
            raise
        except asyncio.CancelledError:
            error: dict[str, Any] = {"code": "cancelled", "type": "Cancelled", "message": ""}
        except Exception as caught:
            error = describe(caught)
        else:
            return NOTHING
        if "as" in op:
            self.env[op["as"]] = error
        await self.block(op["catch"])
        return NOTHING

    async def op_raise(self, op: dict[str, Any], name: Any) -> Any:
        raise made(self.compute(name))(self.compute(op["message"]))

    async def op_return(self, op: dict[str, Any], value: Any) -> Any:
        raise Return(self.compute(value))

    async def op_continue_as_new(self, op: dict[str, Any], value: Any) -> Any:
        self.ctx.continue_as_new(self.compute(value), keep_events=op.get("keep_events", True))

    async def op_non_durable(self, op: dict[str, Any], value: Any) -> Any:
        await asyncio.to_thread(print)
        return NOTHING

    def task(self, item: Any) -> Any:
        name = item if isinstance(item, str) else item.get("$")
        return self.env[name] if name is not None else self.ask(item)

    def ask(self, op: dict[str, Any]) -> Any:
        kind = next(iter(op))
        main = self.compute(op[kind])
        input = self.compute(op["input"]) if "input" in op else ABSENT
        retry = policy(self.compute(op["retry"])) if "retry" in op else None
        timeout = self.compute(op["timeout_ms"]) / 1000 if "timeout_ms" in op else None
        if kind == "activity":
            return self.ctx.call_activity(main, input, retry=retry, timeout=timeout)
        if kind == "child":
            id = self.compute(op["id"]) if "id" in op else None
            version = self.compute(op["version"]) if "version" in op else None
            if op.get("detached"):
                return self.ctx.start_child(main, input, version=version, instance_id=id)
            return self.ctx.call_child(main, input, version=version, instance_id=id, retry=retry)
        if kind == "timer":
            return self.ctx.sleep(main / 1000)
        if kind == "timer_at":
            return self.ctx.create_timer(datetime.fromtimestamp(main / 1000, timezone.utc))
        assert kind == "event", f"{op} asks for nothing"
        return self.ctx.wait_for_event(main, timeout=timeout)

    def compute(self, expression: Any) -> Any:
        if isinstance(expression, list):
            return [self.compute(item) for item in expression]
        if not isinstance(expression, dict):
            return expression
        key = next(iter(expression), "")
        if len(expression) != 1 or not key.startswith("$"):
            return {name: self.compute(item) for name, item in expression.items()}
        argument = expression[key]
        if key == "$":
            return self.variable(argument)
        if key == "$lit":
            return argument
        return getattr(self, "fn_" + key[1:])(self.compute(argument))

    def variable(self, path: str) -> Any:
        first, *rest = path.split(".")
        value = self.env.get(first)
        for step in rest:
            if isinstance(value, list):
                value = value[int(step)] if step.isdecimal() and int(step) < len(value) else None
            else:
                value = value.get(step) if isinstance(value, dict) else None
        return value

    def fn_add(self, values: list[Any]) -> Any:
        if any(isinstance(value, str) for value in values):
            return "".join(value if isinstance(value, str) else str(value) for value in values)
        return sum(values)

    def fn_eq(self, pair: list[Any]) -> bool:
        return bool(pair[0] == pair[1])

    def fn_lt(self, pair: list[Any]) -> bool:
        return bool(pair[0] < pair[1])

    def fn_not(self, value: Any) -> bool:
        return not value

    def fn_len(self, value: Any) -> int:
        return len(value)

    def fn_push(self, pair: list[Any]) -> list[Any]:
        return [*pair[0], pair[1]]

    def fn_range(self, n: int) -> list[int]:
        return list(range(n))

    def fn_now(self, _: Any) -> int:
        return int(self.ctx.now().timestamp() * 1000)

    def fn_random(self, _: Any) -> float:
        return self.ctx.random.random()

    def fn_uuid(self, _: Any) -> str:
        return str(self.ctx.uuid())

    def fn_version(self, _: Any) -> str | None:
        return self.ctx.version

    def fn_instance_id(self, _: Any) -> str:
        return self.ctx.instance_id


def declared(name: str) -> Any:
    """A workflow that is somewhere else, by its name."""

    @everstep.workflow(name=name)
    async def child(ctx: WorkflowContext, input: Any = None) -> Any: ...

    return child


NOTHING = object()
ASKING = ("activity", "child", "timer", "timer_at", "event")


def made(name: str, base: type[Exception] = Exception) -> type[Exception]:
    """An exception type of this name."""
    return type(name, (base,), {})


def describe(error: BaseException) -> dict[str, Any]:
    """An error as a program sees it."""
    if isinstance(error, everstep.EverstepError):
        failure = error.failure
        if failure is None:
            return {"code": error.code, "type": type(error).__name__, "message": error.message}
        described = _described(failure)
        described["code"] = error.code
        return described
    return {"code": "workflow_failed", "type": type(error).__name__, "message": str(error)}


def _described(failure: everstep.Failure) -> dict[str, Any]:
    described: dict[str, Any] = {
        "code": failure.code or "workflow_failed",
        "type": failure.error_type,
        "message": failure.message,
    }
    if failure.cause is not None:
        described["cause"] = _described(failure.cause)
    return described


def policy(retry: dict[str, Any]) -> Retry:
    """A retry policy from the fixture's form."""
    seconds = {key.removesuffix("_ms"): value / 1000 if key.endswith("_ms") else value for key, value in retry.items()}
    seconds["non_retryable"] = tuple(seconds.get("non_retryable", ()))
    return Retry(**seconds)


@everstep.activity
def echo(value: Any = None) -> Any:
    return value


@everstep.activity
def add(numbers: list[int]) -> int:
    return sum(numbers)


@everstep.activity
def fail(input: dict[str, Any]) -> None:
    error = made(input["type"], NonRetryableError if input.get("retryable") is False else Exception)(input["message"])
    raise error from (made("Inner")("inner") if input.get("cause") else None)


@everstep.activity
async def flaky(ctx: ActivityContext, input: dict[str, Any]) -> dict[str, int]:
    if ctx.attempt <= input["fails"]:
        raise made(input.get("type", "Flaky"))(f"attempt {ctx.attempt}")
    return {"attempt": ctx.attempt}


@everstep.activity
def task_info() -> dict[str, Any]:
    ctx = everstep.current_activity()
    return {"key": ctx.task_key, "attempt": ctx.attempt, "id": ctx.instance_id, "task": ctx.task_id}


@everstep.activity
def until_cancelled(ctx: ActivityContext) -> None:
    ctx.wait_cancelled()


ACTIVITIES = [echo, add, fail, flaky, task_info, until_cancelled]
