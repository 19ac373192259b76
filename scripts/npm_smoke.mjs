// Runs one workflow on the installed package; `scripts/release-packages` calls it where nothing of the tree is in reach.

import { activity, Client, Worker, workflow } from "everstep"

const double = activity("double", (number) => 2 * number)
const twiceDoubled = workflow("twice_doubled", async (ctx, number) => ctx.call(double, await ctx.call(double, number)))

const client = new Client("memory:")
const worker = await Worker.start(client, { workflows: [twiceDoubled], activities: [double] })
const handle = await client.startWorkflow(twiceDoubled, 5)
const result = await handle.result({ timeout: 30_000 })
await worker.close()
await client.close()
if (result !== 20) throw new Error(`the workflow answered ${result}, not 20`)
console.log("everstep from the npm packages: ok")
