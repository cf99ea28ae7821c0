import { invalidType, invalidValue } from '../../errors.ts'
import { type FieldsOf, type Parse, type Parsed, parseOptions } from '../fields.ts'
import { boolean, signal, whole, word } from '../values.ts'

/** Options of {@link Network.capture}. */
export interface CaptureOptions {
  /**
   * Which packets are captured: an expression in the language of `tcpdump`, or a program of classic BPF with 8 bytes for each
   * instruction (`struct sock_filter`). Default: all packets.
   */
  filter?: string | Uint8Array | undefined
  /** How many bytes of each packet are captured, from 1 to 262,144. Default: 262,144. */
  snapLength?: number | undefined
  /** Whether the link receives frames for others, too, during the capture. Default: `false`. */
  promiscuous?: boolean | undefined
  /** `'in'`: packets that the link receives. `'out'`: packets that it sends. Default: `'both'`. */
  direction?: 'in' | 'out' | 'both' | undefined
  /** The size of the kernel's buffer in bytes, from 1 MiB to 1 GiB. Default: 8 MiB. */
  bufferSize?: number | undefined
  /** Ends the capture: the stream is destroyed with the signal's reason. */
  signal?: AbortSignal | undefined
}

const MIB = 1024 * 1024

/** The bytes of an instruction, and the most instructions of a program: `BPF_MAXINSNS`. */
const INSTRUCTION = 8
const MOST_INSTRUCTIONS = 4096

const parseFilter: Parse<string | Uint8Array> = (value, name) => {
  if (typeof value === 'string') return value
  if (!(value instanceof Uint8Array)) throw invalidType(name, 'a string or a Uint8Array', value)
  const count = value.length / INSTRUCTION
  if (Number.isInteger(count) && count >= 1 && count <= MOST_INSTRUCTIONS) return value
  const reason = `must have ${INSTRUCTION} bytes for each instruction, and 1 to ${MOST_INSTRUCTIONS} instructions`
  throw invalidValue(name, reason, `${value.length} bytes`)
}

const CAPTURE = {
  filter: parseFilter,
  snapLength: whole(1, 262_144),
  promiscuous: boolean,
  direction: word('in', 'out', 'both'),
  bufferSize: whole(MIB, 1024 * MIB),
  signal,
} satisfies FieldsOf<CaptureOptions>

/** @internal With the defaults. */
export interface ParsedCapture extends Required<Omit<Parsed<typeof CAPTURE>, 'signal'>> {
  signal: AbortSignal | undefined
}

/** @internal */
export function parseCaptureOptions(options: unknown): ParsedCapture {
  const {
    filter = '',
    snapLength = 262_144,
    promiscuous = false,
    direction = 'both',
    bufferSize = 8 * MIB,
    signal,
  } = parseOptions(options, CAPTURE)
  return { filter, snapLength, promiscuous, direction, bufferSize, signal }
}
