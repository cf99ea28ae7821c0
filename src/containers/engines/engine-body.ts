import { quoted } from '../facts/failures.ts'

/** Enough for thousands of containers. */
const MOST_BYTES = 16 * 1024 * 1024
/** Also enough for thousands of containers. The number of values determines the time and memory of JSON.parse. */
const MOST_VALUES = 500_000

/** The characters that begin or separate values: `,`, `[` and `{`. */
const COMMA = 0x2c
const BRACKET = 0x5b
const BRACE = 0x7b

/** @internal Collects the JSON text of an engine's answer. */
export class EngineBody {
  readonly #chunks: Buffer[] = []
  #size = 0
  #values = 0

  /** @throws if the answer is larger than the limits. */
  add(chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > MOST_BYTES) throw new Error(`its answer is longer than ${MOST_BYTES} bytes`)
    for (const byte of chunk) if (byte === COMMA || byte === BRACKET || byte === BRACE) this.#values += 1
    if (this.#values > MOST_VALUES) throw new Error(`its answer has more than ${MOST_VALUES} values`)
    this.#chunks.push(chunk)
  }

  /** @throws if the text is not JSON. */
  parse(status: number): unknown {
    const text = Buffer.concat(this.#chunks).toString()
    try {
      return JSON.parse(text) as unknown
    } catch {
      throw new Error(`its answer (${status}) is not JSON: ${quoted(text)}`)
    }
  }
}
