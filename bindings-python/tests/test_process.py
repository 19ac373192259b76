"""What happens around the interpreter: import, signals, forks, exits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

PROGRAM = """
import everstep, os, signal, sys, threading, time

@everstep.activity
def echo(value: int) -> int:
    return value

@everstep.activity
async def echo_async(value: int) -> int:
    return value

@everstep.workflow
async def flow(ctx: everstep.WorkflowContext, value: int) -> int:
    return await ctx.call(echo_async, await ctx.call(echo, value))

@everstep.workflow
async def waits(ctx: everstep.WorkflowContext) -> None:
    await ctx.wait_for_event("go")

def say(text):
    print(text, flush=True)
"""


def run(code: str, timeout: float = 60, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end."""
    program = PROGRAM + textwrap.dedent(code)
    environment = {**os.environ, **(env or {})}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment,
        check=False,
    )


def test_nothing_happens_at_import() -> None:
    code = """
    import sys, threading
    before = set(sys.modules)
    import everstep
    assert threading.active_count() == 1
    heavy = {"asyncio", "dataclasses", "json", "logging", "inspect", "everstep._native"} & set(sys.modules)
    print(sorted(heavy))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_import_is_quick() -> None:
    code = "import time; t = time.perf_counter(); import everstep; print(time.perf_counter() - t)"
    times = [
        float(
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
        )
        for _ in range(5)
    ]
    assert min(times) < 0.040


def test_every_public_name_is_there() -> None:
    import everstep

    for name in dir(everstep):
        assert getattr(everstep, name) is not None
    with pytest.raises(AttributeError):
        _ = everstep.nothing  # type: ignore[attr-defined]


BLOCKING = {
    "result": "client.start_workflow(waits).result()",
    "result_timeout": "client.start_workflow(waits).result(timeout=100)",
    "wait_for_completion": "client.start_workflow(waits).wait_for_completion()",
    "wait_for_start": "client.start_workflow('nobody').wait_for_start()",
    "worker_wait": "worker.wait()",
    "close": "blocked.wait(30), worker.close(60)",
}


@pytest.mark.parametrize("name", BLOCKING)
def test_ctrl_c_ends_every_blocking_call(name: str) -> None:
    code = f"""
    blocked, release = threading.Event(), threading.Event()

    @everstep.activity
    def stuck() -> None:
        blocked.set()
        release.wait(60)

    @everstep.workflow
    async def sticks(ctx: everstep.WorkflowContext) -> None:
        await ctx.call(stuck)

    client = everstep.Client("memory:")
    worker = everstep.Worker(client, [waits, sticks], [stuck], shutdown_timeout=0.1)
    worker.start()
    if {name!r} == "close":
        client.start_workflow(sticks)
        blocked.wait(30)
    # The signal comes while the call blocks; a call that has not begun would be interrupted as well.
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    try:
        {BLOCKING[name]}
    except KeyboardInterrupt:
        say(f"interrupted {{time.monotonic() - started < 30}}")
    release.set()
    worker.close()
    client.close()
    """
    done = run(code)
    assert (done.stdout, done.stderr, done.returncode) == ("interrupted True\n", "", 0)


def test_ctrl_c_ends_a_program_that_waits() -> None:
    code = """
    with everstep.Client("memory:") as client, everstep.Worker(client, [waits]) as worker:
        handle = client.start_workflow(waits)
        handle.wait_for_start(30)
        say("waiting")
        handle.result()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM + textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_use_after_fork_says_so(tmp_path: Path) -> None:
    code = f"""
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    client = everstep.Client("sqlite:{tmp_path}/w.db")
    worker = everstep.Worker(client, [flow], [echo, echo_async])
    worker.start()
    handle = client.start_workflow(flow, 1)
    child = os.fork()
    if child == 0:
        codes = []
        for call in (lambda: client.get_workflow("a"), lambda: client.start_workflow(flow, 2),
                     lambda: handle.result(1), lambda: everstep.Worker(client, [flow]).start()):
            try:
                call()
            except everstep.EverstepError as error:
                codes.append(error.code)
        worker.close()
        client.close()
        with everstep.Client("memory:") as own, everstep.Worker(own, [flow], [echo, echo_async]):
            codes.append(own.start_workflow(flow, 5).result(20))
        say(codes)
        del client, worker, handle
        sys.exit(0)
    _, status = os.waitpid(child, 0)
    say((os.waitstatus_to_exitcode(status), handle.result(timeout=20)))
    worker.close()
    client.close()
    """
    done = run(code)
    assert done.stderr == ""
    assert done.stdout == "['forked', 'forked', 'forked', 'forked', 5]\n(0, 1)\n"
    assert done.returncode == 0


EXITS = 40
LEFT_OPEN = {
    "idle": "say(client.start_workflow(flow, 1).result(20))",
    "at_work": "handles = [client.start_workflow(flow, n) for n in range(50)]; say(1)",
    "raised": "say(1); raise SystemExit(0)",
    "thread_waits": "threading.Thread(target=client.start_workflow(waits).result, daemon=True).start(); say(1)",
    "dropped": "client.start_workflow(flow, 1).result(20); del client, worker; say(1)",
}


@pytest.mark.parametrize("name", LEFT_OPEN)
def test_forgetting_to_close_neither_hangs_nor_crashes(name: str) -> None:
    code = f"""
    client = everstep.Client("memory:")
    worker = everstep.Worker(client, [flow, waits], [echo, echo_async])
    worker.start()
    {LEFT_OPEN[name]}
    """
    # 5 ways x 40 exits, some at a time: a crash at exit needs bad luck.
    with ThreadPoolExecutor(4) as pool:
        for done in pool.map(lambda _: run(code), range(EXITS)):
            assert (done.stdout, done.stderr, done.returncode) == ("1\n", "", 0)


def test_forgetting_to_close_without_a_hook_at_exit() -> None:
    code = """
    del threading._register_atexit
    client = everstep.Client("memory:")
    worker = everstep.Worker(client, [flow, waits], [echo, echo_async])
    worker.start()
    say(client.start_workflow(flow, 1).result(20))
    """
    done = run(code)
    assert (done.stdout, done.stderr, done.returncode) == ("1\n", "", 0)


def test_the_default_file_is_made_and_said_once(tmp_path: Path) -> None:
    code = f"""
    os.chdir({str(tmp_path)!r})
    for _ in range(2):
        with everstep.Client() as client:
            say(client.endpoint)
    """
    hidden = ("EVERSTEP_ENDPOINT", "DAPR_", "KUBERNETES_SERVICE_HOST")
    env = {key: "" for key in os.environ if key.startswith(hidden)}
    done = run(code, env=env)
    path = tmp_path / ".everstep" / "workflows.db"
    assert done.stdout == f"sqlite:{path}\n" * 2
    assert done.stderr.count(str(path)) == 1
    assert path.exists()
