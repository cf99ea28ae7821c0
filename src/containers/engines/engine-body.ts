import { quoted } from '../facts/failures.ts'

/** Thousands of containers fit into it. */
const MOST_BYTES = 16 * 1024 * 1024
/** As do they into these: what JSON.parse takes, in time and in memory, goes by how many values there are. */
const MOST_VALUES = 500_000

/** What values begin or are separated with: `,`, `[` and `{`. */
const COMMA = 0x2c
const BRACKET = 0x5b
const BRACE = 0x7b

/** @internal The JSON of an engine's answer, as it comes. */
export class EngineBody {
  readonly #chunks: Buffer[] = []
  #size = 0
  #values = 0

  /** @throws for more than can be taken. */
  add(chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > MOST_BYTES) throw new Error('its answer does not end')
    for (const byte of chunk) if (byte === COMMA || byte === BRACKET || byte === BRACE) this.#values += 1
    if (this.#values > MOST_VALUES) throw new Error('its answer has too many values in it')
    this.#chunks.push(chunk)
  }

  /** @throws for what is no JSON. */
  parse(status: number): unknown {
    const text = Buffer.concat(this.#chunks).toString()
    try {
      return JSON.parse(text) as unknown
    } catch {
      throw new Error(`its answer (${status}) is no JSON: ${quoted(text)}`)
    }
  }
}
