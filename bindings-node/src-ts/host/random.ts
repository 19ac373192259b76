// Random numbers and UUIDs that are the same at every replay, and in every language.

import type * as Crypto from "node:crypto"

const MASK = (1n << 64n) - 1n
const NAMESPACE_OID = "6ba7b812-9dad-11d1-80b4-00c04fd430c8"
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** @internal SplitMix64. */
export class WorkflowRandom {
  #state: bigint

  constructor(seed: bigint) {
    this.#state = seed & MASK
  }

  /** The next 64 bits. */
  nextU64(): bigint {
    this.#state = (this.#state + 0x9e3779b97f4a7c15n) & MASK
    let z = this.#state
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK
    return z ^ (z >> 31n)
  }

  /** The next number in [0, 1). */
  next(): number {
    return Number(this.nextU64() >> 11n) / 2 ** 53
  }
}

/** @internal UUID v5 of 1, 2, 3 … in the run's name space. */
export class WorkflowUuids {
  readonly #space: Buffer
  #count = 0

  constructor(executionId: string) {
    this.#space = bytes(UUID.test(executionId) ? executionId : v5(bytes(NAMESPACE_OID), executionId))
  }

  /** The next one. */
  next(): string {
    this.#count += 1
    return v5(this.#space, String(this.#count))
  }
}

function bytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex")
}

function v5(space: Buffer, name: string): string {
  // Loading it takes longer than all of this package, and few programs ask for a UUID.
  const { createHash } = require("node:crypto") as typeof Crypto
  const hash = createHash("sha1").update(space).update(name, "utf8").digest().subarray(0, 16)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = hash.toString("hex")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}
