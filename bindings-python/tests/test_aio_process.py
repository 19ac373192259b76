"""The asyncio client around the interpreter: import, signals, forks, exits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest

from test_process import PROGRAM, run


def test_the_sync_client_does_without_asyncio() -> None:
    code = """
    with everstep.Client("memory:") as client:
        client.start_workflow("nobody-runs-this", instance_id="one")
        client.get_workflow("one")
    say("asyncio" in sys.modules)
    everstep.AsyncClient
    say("asyncio" in sys.modules)
    """
    done = run(code)
    assert (done.stdout, done.stderr) == ("False\nTrue\n", "")


def test_ctrl_c_ends_a_program_that_awaits() -> None:
    code = """
    import asyncio
    from everstep import completions

    async def main():
        async with everstep.AsyncClient("memory:") as client, everstep.Worker(client, [waits]):
            handle = await client.start_workflow(waits)
            await handle.wait_for_start(30)
            say("waiting")
            try:
                await handle.result()
            finally:
                say(len(completions._completions.queue))
    asyncio.run(main())
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
    stdout, stderr = process.communicate(timeout=30)
    assert stdout == "0\n"
    assert stderr.endswith("KeyboardInterrupt\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_use_after_fork_says_so() -> None:
    code = """
    import asyncio, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    client = everstep.AsyncClient("memory:")

    async def begin():
        handle = await client.start_workflow("nobody-runs-this")
        wait = asyncio.ensure_future(handle.result())
        await asyncio.sleep(0)
        wait.cancel()
        return handle

    async def fails(call):
        try:
            await call
        except everstep.EverstepError as error:
            return error.code

    async def own():
        async with everstep.AsyncClient("memory:") as own, everstep.Worker(own, [flow], [echo, echo_async]):
            return await (await own.start_workflow(flow, 5)).result(20)

    handle = asyncio.run(begin())
    child = os.fork()
    if child == 0:
        say([asyncio.run(fails(call)) for call in (client.get_workflow("a"), handle.result(1))])
        say([thread.name for thread in threading.enumerate()])
        asyncio.run(client.close())
        say(asyncio.run(own()))
        del client, handle
        sys.exit(0)
    _, status = os.waitpid(child, 0)
    say((os.waitstatus_to_exitcode(status), asyncio.run(fails(handle.result(0.01)))))
    """
    done = run(code)
    assert done.stderr == ""
    assert done.stdout == "['forked', 'forked']\n['MainThread']\n5\n(0, 'timeout')\n"
    assert done.returncode == 0


EXITS = 12
# CPython 3.12.0 and 3.12.1 start no thread once the main one has ended, whoever asks (mended in 3.12.2).
STARTS_NO_THREADS = (3, 12, 0) <= sys.version_info[:3] <= (3, 12, 1)
LEFT_OPEN = {
    "idle": "asyncio.run(one()); say(1)",
    "cancelled": "asyncio.run(gives_up()); say(1)",
    "task_left": "loop = asyncio.new_event_loop(); loop.run_until_complete(gives_up()); loop.close(); say(1)",
    "loop_left_open": """loop = asyncio.new_event_loop(); left = loop.create_task(waits_for_ever())
    loop.run_until_complete(asyncio.sleep(0)); say(1); os.environ.get("nothing"); left._log_destroy_pending = False""",
    "daemon_thread": "threading.Thread(target=asyncio.run, args=(waits_for_ever(),), daemon=True).start(); say(1)",
}


@pytest.mark.parametrize("name", LEFT_OPEN)
def test_forgetting_to_close_neither_hangs_nor_crashes(name: str) -> None:
    code = f"""
    import asyncio, warnings
    warnings.simplefilter("ignore", ResourceWarning)
    client = everstep.AsyncClient("memory:")
    worker = everstep.Worker(client, [flow, waits], [echo, echo_async])
    worker.start()

    async def one():
        return await (await client.start_workflow(flow, 1)).result(20)

    async def waits_for_ever():
        await (await client.start_workflow(waits)).result()

    async def gives_up():
        await asyncio.wait([asyncio.ensure_future(waits_for_ever())], timeout=0.01)
        for task in asyncio.all_tasks():
            task._log_destroy_pending = False

    {LEFT_OPEN[name]}
    """
    if STARTS_NO_THREADS and name == "daemon_thread":
        pytest.skip("this CPython starts no thread after the main one")
    with ThreadPoolExecutor(4) as pool:
        for done in pool.map(lambda _: run(code), range(EXITS)):
            assert (done.stdout, done.stderr, done.returncode) == ("1\n", "", 0)


@pytest.mark.skipif(STARTS_NO_THREADS, reason="this CPython starts no thread after the main one")
@pytest.mark.parametrize("hook", ["", "del threading._register_atexit"])
def test_a_loop_on_a_thread_goes_on_after_the_main_thread(hook: str) -> None:
    code = f"""
    import asyncio
    {hook}
    async def main():
        async with everstep.AsyncClient("memory:") as client:
            handle = await client.start_workflow("nobody-runs-this")
            wait = asyncio.ensure_future(handle.result())
            while threading.main_thread().is_alive():
                await asyncio.sleep(0.01)
            # Longer than the thread that brings answers looks whether it is over.
            await asyncio.wait([wait], timeout=0.5)
            await handle.terminate()
            try:
                await wait
            except everstep.WorkflowTerminatedError as error:
                say(error.code)

    threading.Thread(target=asyncio.run, args=(main(),)).start()
    """
    done = run(code)
    assert (done.stdout, done.stderr, done.returncode) == ("workflow_terminated\n", "", 0)
