// The same workflow on Restate: its server as a process of its own with its defaults, a service whose handler runs five durable
// steps in this one, and callers that wait for its answer over HTTP, in the same closed loop.

import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { Agent, request } from "node:http"
import { createServer } from "node:http2"
import { createRequire } from "node:module"
import { createServer as listen } from "node:net"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"

import { given, report } from "./given.mjs"
import { closedLoop } from "./loop.mjs"

const { dir, inFlight, seconds } = given({ inFlight: 32, seconds: 5 })
const STARTED_WITHIN = 60_000

// Its SDK expects a Node of which this is a part.
Promise.withResolvers ??= () => {
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}
const peers = createRequire(fileURLToPath(new URL("../../.cache/peers/", import.meta.url)))
const restate = peers("@restatedev/restate-sdk")

const five = restate.service({
  name: "five",
  handlers: {
    activities: async (ctx, number) => {
      for (let step = 0; step < 5; step += 1) number = await ctx.run("add_one", () => number + 1)
      return number
    },
  },
})

/** A port that was free a moment ago. */
async function freePort() {
  const server = listen().listen(0, "127.0.0.1")
  await new Promise((ready) => server.once("listening", ready))
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}

const agent = new Agent({ keepAlive: true, maxSockets: inFlight })

/** What a POST of a value answers. */
function post(port, path, value) {
  const body = JSON.stringify(value)
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method: "POST", headers, agent }, async (answer) => {
      let text = ""
      for await (const part of answer.setEncoding("utf8")) text += part
      if (answer.statusCode < 300) resolve(JSON.parse(text))
      else reject(new Error(`${path} answered ${answer.statusCode}: ${text}`))
    })
    asked.on("error", reject).end(body)
  })
}

/** Tries until it works. */
async function eventually(what) {
  const until = performance.now() + STARTED_WITHIN
  for (;;) {
    try {
      return await what()
    } catch (error) {
      if (performance.now() > until) throw error
      await pause(100)
    }
  }
}

const service = createServer(restate.createEndpointHandler({ services: [five], logger: () => {} }))
const [ingress, admin, node, own] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
await new Promise((ready) => service.listen(own, "127.0.0.1", ready))
const folder = mkdtempSync(join(resolve(dir), "restate-"))
const binary = join(peers.resolve("@restatedev/restate-server-linux-x64/package.json"), "..", "bin", "restate-server")
const server = spawn(binary, ["--base-dir", folder], {
  stdio: "ignore",
  env: {
    ...process.env,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
    DO_NOT_TRACK: "1",
  },
})
const ended = new Promise((end) => server.once("exit", end))
try {
  await eventually(() => post(admin, "/deployments", { uri: `http://127.0.0.1:${own}` }))
  const call = () => post(ingress, "/five/activities", 1)
  await eventually(call)
  report(await closedLoop({ call, inFlight, seconds, warmUp: 3000 }))
} finally {
  server.kill("SIGKILL")
  await ended
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
