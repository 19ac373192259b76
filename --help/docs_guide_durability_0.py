

















import everstep


@everstep.activity
def double(number: int) -> int:
    return 2 * number


@everstep.workflow
async def wait_and_double(ctx: everstep.WorkflowContext, number: int) -> int:
    await ctx.wait_for_event("go")
    return await ctx.call(double, number)


with everstep.Client("sqlite:work.db") as client:  # no worker: the start waits in the file
    client.start_workflow(wait_and_double, 21, instance_id="one")
    client.raise_workflow_event("one", "go")
    print(client.get_workflow("one").runtime_status)

with everstep.Client("sqlite:work.db", durability="process") as client:
    with everstep.Worker(client, [wait_and_double], [double]):
        print(client.get_handle("one", wait_and_double).result(timeout=30))






















import subprocess
import sys

OTHER = """
import everstep

with everstep.Client("sqlite:work.db") as client:
    print(client.get_workflow("one").runtime_status)
    try:
        client.start_workflow("wait_and_double", 1)
    except everstep.StoreLockedError as error:
        print(error.code)
"""

with everstep.Client("sqlite:work.db") as client, everstep.Worker(client, [wait_and_double], [double]):
    print(
        subprocess.run([sys.executable, "-c", OTHER], check=True, stdout=subprocess.PIPE, text=True).stdout,
        end="",
    )
