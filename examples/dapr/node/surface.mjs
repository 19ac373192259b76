// The surface of the official JavaScript SDK that concerns workflows, as data: what `surface.json` holds.
//
//     node examples/dapr/node/surface.mjs NODE_MODULES > examples/dapr/node/surface.json
//
// A function is told by how many parameters come before the first with a default, a property as "property", an enum by its
// names; types have no more than a name.

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

/** What concerns other parts of Dapr. */
const ELSEWHERE = [
  ...[
    "AbstractActor",
    "ActorId",
    "ActorProxyBuilder",
    "DaprServer",
    "GRPCClient",
    "HTTPClient",
    "HttpMethod",
    "Temporal",
  ],
  ...["DaprInvokerCallbackContent", "TypeDaprInvokerCallback", "InvokerOptions", "DaprPubSubStatusEnum"],
  ...["PubSubBulkPublishMessage", "PubSubBulkPublishResponse", "StateConcurrencyEnum", "StateConsistencyEnum"],
  "StateGetBulkOptions",
]
const OF_THE_CLIENT = ["create", "getIsInitialized", "options", "start", "stop", "workflow"]
const PRIVATE = ["buildInnerClient", "buildInnerWorker", "getTime"]

/** What is public of a class, a function or an enum. */
export function describe(value) {
  if (typeof value === "object")
    return Object.keys(value)
      .filter((name) => Number.isNaN(Number(name)))
      .sort()
  if (!/^class\b/.test(Function.prototype.toString.call(value))) return value.length
  const statics = members(value)
  for (const name of ["length", "name", "prototype"]) delete statics[name]
  return { ...statics, ...members(value.prototype) }
}

function members(home) {
  const found = {}
  for (let at = home; at !== Object.prototype && at !== Function.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name === "constructor" || name.startsWith("_") || PRIVATE.includes(name)) continue
      found[name] ??= get === undefined && typeof value === "function" ? value.length : "property"
    }
  }
  return found
}

/** The surface of the SDK in a folder of packages. */
export function surface(folder) {
  const require = createRequire(join(resolve(folder), "nowhere.js"))
  const sdk = require("@dapr/dapr")
  const declared = readFileSync(require.resolve("@dapr/dapr").replace(/\.js$/, ".d.ts"), "utf8")
  const exported = /export \{([^}]*)\}/
    .exec(declared)[1]
    .split(",")
    .map((name) => name.trim().replace(/^.* as /, ""))
  const concerned = exported.filter((name) => name !== "" && !ELSEWHERE.includes(name)).sort()
  const values = Object.fromEntries(concerned.filter((name) => name in sdk).map((name) => [name, describe(sdk[name])]))
  const client = { ...values.DaprClient, options: "property", workflow: "property" }
  values.DaprClient = Object.fromEntries(OF_THE_CLIENT.map((name) => [name, client[name]]))
  const operations = describe(require("@dapr/dapr/implementation/Client/HTTPClient/workflow.js").default)
  const { version } = require("@dapr/dapr/package.json")
  return { version, values, operations, types: concerned.filter((name) => !(name in sdk)) }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(surface(process.argv[2]), null, 1))
}
