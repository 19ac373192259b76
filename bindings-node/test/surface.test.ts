// Every public name of Python's package is here in this language's casing, or is different on purpose and listed below.

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { suite, test } from "node:test"

import * as everstep from "everstep"
import * as testing from "everstep/testing"

const PYTHON = join(__dirname, "..", "..", "..", "bindings-python", "python", "everstep")

/** What stands here for a name of Python's, or why nothing does. `docs/guide/languages.md` says so to readers. */
const DIFFERENT: Record<string, string> = {
  AsyncClient: "Client: every call is asynchronous",
  AsyncWorkflowHandle: "WorkflowHandle",
  DurableFuture: "DurablePromise",
  Retry: "a type: policies are plain objects",
  WorkflowBlocked: "nothing can interrupt code that holds the event loop",
  current_activity: "the context is the second parameter of every activity",
  "Client.start_workflow": "startWorkflow: the name or the workflow is the first argument",
  "WorkflowHandle.get": "state",
  "Failure.revealed": "what a client gives has been unsealed",
  "Worker.start": "Worker.start is static",
  "Worker.wait": "closed",
  "Worker.is_closed": "isClosed",
  "ActivityContext.is_cancelled": "signal.aborted",
  "ActivityContext.wait_cancelled": "signal",
  "RuntimeStatus.is_terminal": "isTerminal(status), and state.isTerminal",
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const source = (file: string): string => readFileSync(join(PYTHON, file), "utf8").replaceAll(/""".*?"""/gs, "")

/** The public methods, properties and fields that the text of a Python class defines. */
function members(file: string, name: string): string[] {
  const [, body = ""] = source(file).split(new RegExp(`^class ${name}\\b.*:\\n`, "m"))
  const own = body.split(/^\S/m)[0] ?? ""
  const found = [...own.matchAll(/^ {4}(?:async )?(?:def )?([a-z]\w*)(?:\(|: )/gm)].map(([, member]) => String(member))
  const assigned = [...own.matchAll(/^ {8}self\.([a-z]\w*)(?:: [^=]+)? = /gm)].map(([, member]) => String(member))
  return [...new Set([...found, ...assigned])].filter((member) => member !== "cancel")
}

/** What an object of a class has: what its class defines, and what the declaration says of its fields. */
function has(kind: { prototype: object }, declared: string, member: string): boolean {
  const field = new RegExp(`^ {4}(?:readonly |get )?${member}[?:(]`, "m")
  return member in kind.prototype || field.test(readFileSync(join(__dirname, "..", "..", "dist", declared), "utf8"))
}

const CLASSES: [file: string, python: string, kind: { prototype: object }, declared: string][] = [
  ["client.py", "Client", everstep.Client, "client.d.ts"],
  ["handle.py", "WorkflowHandle", everstep.WorkflowHandle, "handle.d.ts"],
  ["handle.py", "BaseHandle", everstep.WorkflowHandle, "handle.d.ts"],
  ["context.py", "WorkflowContext", everstep.WorkflowContext, "context.d.ts"],
  ["fanout.py", "FanOut", everstep.WorkflowContext, "context.d.ts"],
  ["worker.py", "Worker", everstep.Worker, "worker.d.ts"],
  ["activities.py", "ActivityContext", everstep.ActivityContext, "activities.d.ts"],
  ["models.py", "WorkflowState", everstep.WorkflowState, "models.d.ts"],
  ["models.py", "Failure", everstep.Failure, "failure.d.ts"],
  ["history.py", "History", everstep.History, "history.d.ts"],
  ["history.py", "HistoryEvent", everstep.HistoryEvent, "history.d.ts"],
  ["codecs.py", "Codec", everstep.Codec, "codecs.d.ts"],
  ["errors.py", "EverstepError", everstep.EverstepError, "errors.d.ts"],
  ["testing.py", "Environment", testing.Environment, "testing.d.ts"],
]

suite("the members of Python's classes", () => {
  for (const [file, python, kind, declared] of CLASSES) {
    test(python, () => {
      const names = members(file, python)
      assert.ok(names.length >= 2, `the text of ${python} is not understood: ${names}`)
      const missing = names.filter((name) => !(`${python}.${name}` in DIFFERENT) && !has(kind, declared, camel(name)))
      assert.deepEqual(missing, [])
    })
  }
})

test("the names of Python's packages", () => {
  const homes = source("__init__.py").split("_HOMES = {")[1]?.split("\n}\n")[0] ?? ""
  const names = [...homes.matchAll(/"([A-Za-z]\w*)"(?=[,)])/g)].map(([, name]) => String(name))
  assert.ok(names.length > 40, String(names))
  const missing = names.filter((name) => !(name in DIFFERENT) && !(camel(name) in everstep))
  assert.deepEqual(missing, [])
  const aids = source("testing.py").match(/^__all__ = \[(.*)\]$/m)?.[1] ?? ""
  for (const [, name] of aids.matchAll(/"(\w+)"/g)) assert.ok(String(name) in testing, name)
})

test("what is listed as different is Python's", () => {
  const all = Object.keys(DIFFERENT)
  const stale = all.filter((name) => {
    const [kind, member] = name.split(".")
    if (member === undefined) return !source("__init__.py").includes(`"${name}"`)
    const files = ["client.py", "handle.py", "worker.py", "activities.py", "models.py"]
    return !files.some((file) => source(file).includes(`class ${kind}`) && source(file).includes(`def ${member}(`))
  })
  assert.deepEqual(stale, [])
})
