




import signal
import sys

import everstep


@everstep.activity
def greet(name: str) -> str:
    return f"hello {name}"


@everstep.workflow
async def greeting(ctx: everstep.WorkflowContext, name: str) -> str:
    return await ctx.call(greet, name, retry=everstep.Retry(max_attempts=5), timeout=30)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with (
        everstep.Client("sqlite:service.db") as client,
        everstep.Worker(client, [greeting], [greet]) as worker,
    ):
        client.start_workflow(greeting, "you", instance_id="first")
        print("ready", flush=True)
        worker.wait()


if __name__ == "__main__":
    main()
