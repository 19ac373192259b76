"""Runs one workflow on an installed wheel; `scripts/package.py` calls it where neither a compiler nor the tree is in reach."""

from __future__ import annotations

import everstep


@everstep.activity
def double(number: int) -> int:
    return number * 2


@everstep.workflow
async def twice_doubled(ctx: everstep.WorkflowContext, number: int) -> int:
    return await ctx.call(double, await ctx.call(double, number))


def main() -> None:
    with (
        everstep.Client("memory:") as client,
        everstep.Worker(client, [twice_doubled], [double]),
    ):
        result = client.start_workflow(twice_doubled, 5).result(timeout=30)
    if result != 20:
        raise SystemExit(f"the workflow answered {result!r}, not 20")
    print(f"everstep {everstep.__version__} from the wheel: ok")


if __name__ == "__main__":
    main()
