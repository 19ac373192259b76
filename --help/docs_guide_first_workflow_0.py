

















import os
import signal
from pathlib import Path

import everstep


@everstep.activity
def book(thing: str) -> str:
    print("booking", thing, flush=True)
    if thing == "hotel" and not Path("killed").exists():
        Path("killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)  # once, in the middle of the work
    return f"{thing} is booked"


@everstep.workflow
async def trip(ctx: everstep.WorkflowContext, city: str) -> str:
    flight = await ctx.call(book, f"flight to {city}")
    hotel = await ctx.call(book, "hotel")
    return f"{flight}, {hotel}"


with everstep.Client("sqlite:trips.db") as client, everstep.Worker(client, [trip], [book]):
    try:
        handle = client.start_workflow(trip, "Lisbon", instance_id="trip-1", reuse="never")
    except everstep.AlreadyExistsError:
        handle = client.get_handle("trip-1", trip)
    print(handle.result(timeout=30))
