// A codec that stores payloads encrypted with AES-GCM, by keys that can be changed.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"

import { Codec } from "everstep"

const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/
const SEALED = /^"aes-gcm:([A-Za-z0-9_-]{1,64}):([A-Za-z0-9+/]+={0,2})"$/

type Cipher = "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm"

export interface EncryptingOptions {
  /** Lets texts pass that were not encrypted, for as long as a store still holds payloads from before. */
  acceptClear?: boolean
  /** Applied before encryption: compression makes nothing smaller after it. */
  inner?: Codec
}

/**
 * Every text encrypted and authenticated, as a JSON string that begins with the ID of its key.
 *
 * `keys` are by ID, of 16, 24 or 32 bytes each; `current` seals, all of them unseal. To change the key, give the new one to
 * all programs first, then make it the current one; drop the old one when no stored payload needs it any more. What was not
 * encrypted is refused: who can write to the store could else slip anything in.
 */
export class Encrypting extends Codec {
  readonly #keys: ReadonlyMap<string, Uint8Array>
  readonly #current: string
  readonly #acceptClear: boolean
  readonly #inner: Codec | undefined

  constructor(keys: Readonly<Record<string, Uint8Array>>, current: string, options: EncryptingOptions = {}) {
    super()
    this.#keys = new Map(Object.entries(keys))
    if (!this.#keys.has(current) || ![...this.#keys.keys()].every((id) => KEY_ID.test(id))) {
      throw new RangeError("keys need IDs of letters, digits, _ and -, and current must be one of them")
    }
    if (![...this.#keys.values()].every((key) => [16, 24, 32].includes(key.length))) {
      throw new RangeError("keys must have 16, 24 or 32 bytes")
    }
    this.#current = current
    this.#acceptClear = options.acceptClear ?? false
    this.#inner = options.inner
  }

  override seal(text: string): string {
    const [key, nonce] = [this.#key(this.#current), randomBytes(NONCE_BYTES)]
    const cipher = createCipheriv(cipherOf(key), key, nonce)
    // The ID is authenticated too, so that nobody moves a text to another key.
    cipher.setAAD(Buffer.from(this.#current))
    const sealed = [nonce, cipher.update(this.#inner?.seal(text) ?? text, "utf8"), cipher.final(), cipher.getAuthTag()]
    return `"aes-gcm:${this.#current}:${Buffer.concat(sealed).toString("base64")}"`
  }

  override unseal(text: string): string {
    const [, id, encoded] = SEALED.exec(text) ?? []
    if (id === undefined || encoded === undefined) {
      if (this.#acceptClear) return text
      throw new RangeError("it is not encrypted")
    }
    const [key, sealed] = [this.#key(id), Buffer.from(encoded, "base64")]
    const decipher = createDecipheriv(cipherOf(key), key, sealed.subarray(0, NONCE_BYTES))
    decipher.setAAD(Buffer.from(id))
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    const clear = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8")
    return this.#inner?.unseal(clear) ?? clear
  }

  #key(id: string): Uint8Array {
    const key = this.#keys.get(id)
    if (key === undefined) throw new RangeError(`no key ${JSON.stringify(id)}`)
    return key
  }
}

function cipherOf(key: Uint8Array): Cipher {
  return `aes-${(key.length * 8) as 128 | 192 | 256}-gcm`
}
