
































from dataclasses import dataclass

import everstep


@dataclass
class Resize:
    picture: str
    width: int


@everstep.activity
def resize(job: Resize) -> str:
    return f"{job.picture}@{job.width}"


@everstep.activity
def publish(pictures: list[str]) -> str:
    return f"published {', '.join(pictures)}"


RETRY = everstep.Retry(max_attempts=6, first_interval=1, backoff=2, non_retryable=(ValueError,))


@everstep.workflow
async def gallery(ctx: everstep.WorkflowContext, picture: str) -> str:
    sizes = await ctx.all(ctx.call(resize, Resize(picture, width), retry=RETRY) for width in (100, 200))
    return await ctx.call(publish, sizes)


with everstep.Client("sqlite:shop.db") as client, everstep.Worker(client, [gallery], [resize, publish]):
    print(client.start_workflow(gallery, "cat.png").result(timeout=30))




































@everstep.workflow
async def careful(ctx: everstep.WorkflowContext, picture: str) -> str:
    preview = await ctx.call(resize, Resize(picture, 50), retry=RETRY)
    ctx.set_custom_status({"preview": preview})
    if not await ctx.wait_for_event("approved", bool):
        return "not wanted"
    return await ctx.call(gallery, picture)


with (
    everstep.Client("sqlite:shop.db") as client,
    everstep.Worker(client, [careful, gallery], [resize, publish]),
):
    handle = client.start_workflow(careful, "dog.png")
    handle.raise_event("approved", True)
    print(handle.result(timeout=30))
