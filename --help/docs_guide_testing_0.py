






import everstep


class NoSuchCard(everstep.NonRetryableError):
    pass


@everstep.activity
def charge(card: str) -> str:
    if not card.startswith("card-"):
        raise NoSuchCard(card)
    return f"charged {card}"


@everstep.workflow
async def pay(ctx: everstep.WorkflowContext, card: str) -> str:
    try:
        return await ctx.call(charge, card)
    except everstep.ActivityError as error:
        return f"refused: {error.error_type}"


assert charge("card-1") == "charged card-1"









def test_pay() -> None:
    with everstep.Client("memory:") as client, everstep.Worker(client, [pay], [charge]):
        assert client.start_workflow(pay, "card-1").result(timeout=10) == "charged card-1"
        assert client.start_workflow(pay, "cash").result(timeout=10) == "refused: NoSuchCard"


test_pay()







calls: list[str] = []


@everstep.activity(name="charge")
def fake_charge(card: str) -> str:
    calls.append(card)
    raise TimeoutError("the bank does not answer")


def test_a_bank_that_does_not_answer() -> None:
    with everstep.Client("memory:") as client, everstep.Worker(client, [pay], [fake_charge]):
        assert client.start_workflow(pay, "card-1").result(timeout=10) == "refused: TimeoutError"
    assert calls == ["card-1"]


test_a_bank_that_does_not_answer()








seen: set[str] = set()


@everstep.workflow
async def remembers(ctx: everstep.WorkflowContext, card: str) -> str:
    if card not in seen:  # wrong: a replay sees what an earlier turn left behind
        seen.add(card)
        await ctx.call(charge, card)
    return await ctx.call(pay, card)


with (
    everstep.Client("memory:") as client,
    everstep.Worker(client, [remembers, pay], [charge], max_cached=0),
):
    try:
        client.start_workflow(remembers, "card-1").result(timeout=10)
    except everstep.WorkflowStalledError as error:
        print(error.code)
