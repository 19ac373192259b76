// Runs a program of this folder with everstep or with the official SDK, and gives what it prints.
//
//     node examples/dapr/node/run.mjs hello                          # everstep, in this process's memory
//     node examples/dapr/node/run.mjs hello --sidecar                # everstep, on the sidecar that Dapr's variables name
//     node examples/dapr/node/run.mjs hello --official NODE_MODULES  # the official SDK of that folder, on the same sidecar
//     node examples/dapr/node/run.mjs --build FOLDER [--official NODE_MODULES]
//     node examples/dapr/node/run.mjs hello --built FOLDER           # on the same sidecar, with what FOLDER was built for
//
// The import of "everstep/dapr" decides; for the official SDK it is "@dapr/dapr". `--build` compiles all programs, strictly
// and by the types of what they import, into a folder.

import { execFile, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs, promisify } from "node:util"

const HERE = dirname(fileURLToPath(import.meta.url))
const PACKAGE = join(HERE, "..", "..", "..", "bindings-node")
const PLACES = ["EVERSTEP_ENDPOINT", "DAPR_GRPC_PORT", "DAPR_GRPC_ENDPOINT", "DAPR_HTTP_PORT", "DAPR_HTTP_ENDPOINT"]
const IMPORT = /from "everstep\/dapr"/
// The official SDK says much on the standard output, each line with the time.
const LOGGED = /^\d{4}-\d\d-\d\dT\S+Z (?:INFO|VERBOSE|DEBUG) .*\n/gm
const MOST_MILLISECONDS = 120_000

/** The names of the programs. */
export const programs = readdirSync(HERE)
  .filter((name) => name.endsWith(".ts"))
  .map((name) => name.slice(0, -3))
  .sort()

/** What a program prints with the official SDK on a real sidecar. */
export function expected(program) {
  return readFileSync(join(HERE, "expected", `${program}.txt`), "utf8")
}

/** The program with its import line changed. */
export function officialSource(program) {
  const source = readFileSync(join(HERE, `${program}.ts`), "utf8")
  const changed = source.replace(IMPORT, 'from "@dapr/dapr"')
  if (changed === source || changed.includes("everstep")) {
    throw new Error(`${program}.ts has no import that decides, or imports everstep elsewhere`)
  }
  return changed
}

/** Compiles the programs into a folder from which they can be run. */
export function build(folder, official) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), '{"private":true}\n')
  if (official === undefined) {
    mkdirSync(join(folder, "node_modules"))
    symlinkSync(PACKAGE, join(folder, "node_modules", "everstep"), "junction")
  } else {
    symlinkSync(official, join(folder, "node_modules"), "junction")
  }
  for (const program of programs) {
    const source = official === undefined ? readFileSync(join(HERE, `${program}.ts`), "utf8") : officialSource(program)
    writeFileSync(join(folder, `${program}.ts`), source)
  }
  const options = {
    target: "es2022",
    lib: ["es2023", "esnext.disposable"],
    module: "nodenext",
    strict: true,
    skipLibCheck: official !== undefined,
    typeRoots: [join(PACKAGE, "node_modules", "@types")],
    types: ["node"],
  }
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }))
  const tsc = join(PACKAGE, "node_modules", "typescript", "bin", "tsc")
  const done = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" })
  if (done.status !== 0) throw new Error(`the programs do not compile:\n${done.stdout}${done.stderr}`)
}

/** What a program that was built prints at a place, which these variables name. */
export async function run(folder, program, place) {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !PLACES.includes(name)))
  const options = { env: { ...environment, ...place }, timeout: MOST_MILLISECONDS }
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, `${program}.js`)], options)
  return stdout.replace(LOGGED, "")
}

async function main() {
  const text = { type: "string" }
  const options = { sidecar: { type: "boolean" }, official: text, build: text, built: text }
  const { values, positionals } = parseArgs({ allowPositionals: true, options })
  if (values.build !== undefined) return build(values.build, values.official)
  const [program] = positionals
  if (!programs.includes(program)) throw new Error(`give one of ${programs.join(", ")}`)
  const here = Object.fromEntries(PLACES.filter((name) => name in process.env).map((name) => [name, process.env[name]]))
  const place = values.sidecar || values.official || values.built ? here : { EVERSTEP_ENDPOINT: "memory:" }
  if (values.built !== undefined) return process.stdout.write(await run(values.built, program, place))
  const folder = mkdtempSync(join(tmpdir(), "everstep-programs-"))
  try {
    build(folder, values.official)
    process.stdout.write(await run(folder, program, place))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
