// A workflow with personal data, and what its file holds: nothing that can be read without the key.
//
// npm start

import { randomBytes } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { ActivityError, activity, Client, Worker, workflow } from "everstep"

import { Compressing } from "./compressing.js"
import { Encrypting } from "./encrypting.js"

interface Patient {
  name: string
  findings: string[]
}

const summarize = activity("summarize", ({ name, findings }: Patient) => `${name}: ${findings.join(", ")}`)

const send = activity("send", async (summary: string): Promise<void> => {
  throw new TypeError(`no route for ${JSON.stringify(summary)}`)
})

const report = workflow("report", async (ctx, patient: Patient) => {
  ctx.setCustomStatus({ patient: patient.name })
  const summary = await ctx.call(summarize, patient)
  try {
    await ctx.call(send, summary)
  } catch (error) {
    if (!(error instanceof ActivityError)) throw error
    // The type of an error stays clear, so that retry policies can match it; its message does not.
    return `not sent (${error.errorType}): ${summary}`
  }
  return summary
})

const codec = new Encrypting({ "2026-11": randomBytes(32) }, "2026-11", { inner: new Compressing({ above: 256 }) })
const directory = mkdtempSync(join(tmpdir(), "codecs-"))
{
  await using client = new Client(`sqlite:${join(directory, "workflows.db")}`, { codec })
  await using _ = await Worker.start(client, { workflows: [report], activities: [summarize, send] })
  const patient = { name: "Ada Morgenstern", findings: ["hay fever"] }
  const handle = await client.startWorkflow(report, patient, { instanceId: "report-1" })
  console.log("the program sees:", await handle.result({ timeout: 30_000 }))
  console.log("the file holds:  ", (await handle.state()).rawOutput?.slice(0, 60), "…")
}
const found = readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes("Morgenstern"))
console.log("the name is in the file:", found)
rmSync(directory, { recursive: true })
