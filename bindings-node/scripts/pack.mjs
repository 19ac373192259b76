// Packs the package and the native package of this platform: `node scripts/pack.mjs FOLDER`.
//
// The tree's package.json names no native package, since none of this version is on the registry before it is published;
// the packed one names them all, and npm installs the one that fits.

import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = resolve(process.argv[2] ?? join(ROOT, "..", "dist"))
mkdirSync(folder, { recursive: true })

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))
const npm = join(ROOT, "npm")

/** Makes the folders of all native packages, from the list of targets. */
function natives() {
  rmSync(npm, { recursive: true, force: true })
  execFileSync(process.execPath, [join(ROOT, "node_modules/@napi-rs/cli/dist/cli.js"), "create-npm-dirs"], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  })
  return readdirSync(npm)
}

function pack(from) {
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: from,
    encoding: "utf8",
    // There npm is a command file, which only a shell runs.
    shell: process.platform === "win32",
  })
  console.log(join(folder, packed.trim()))
}

const platforms = natives()
for (const built of readdirSync(join(ROOT, "native")).filter((name) => name.endsWith(".node"))) {
  const platform = built.split(".")[1]
  cpSync(join(ROOT, "native", built), join(npm, platform, built))
  cpSync(join(ROOT, "LICENSE"), join(npm, platform, "LICENSE"), { dereference: true })
  pack(join(npm, platform))
}

const staging = mkdtempSync(join(tmpdir(), "everstep-pack-"))
for (const part of ["dist", "README.md", "LICENSE"]) {
  cpSync(join(ROOT, part), join(staging, part), { recursive: true, dereference: true })
}
const { scripts, devDependencies, napi, ...kept } = manifest
const optionalDependencies = Object.fromEntries(
  platforms.map((name) => [`${napi.packageName}-${name}`, manifest.version]),
)
writeFileSync(join(staging, "package.json"), `${JSON.stringify({ ...kept, optionalDependencies }, null, 2)}\n`)
pack(staging)
rmSync(staging, { recursive: true })
