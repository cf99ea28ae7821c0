import { invalidType, invalidValue } from '../../../errors.ts'
import { type FieldsOf, object, type Parse, type Plain, parseArray, parseFields, parseObject } from '../../fields.ts'
import { boolean, parseInteger, u32, whole, word } from '../../values.ts'
import { milliseconds, percentage, rate } from '../values.ts'

/**
 * A table of random numbers, 1 to 16384 of them, from -32768 to 32767: 8192 is one jitter more than the mean. The files of
 * tc-netem(8) in `/usr/lib/tc`, such as `normal.dist`, contain such tables. The kernel does not list it.
 */
export type DistributionTable = readonly number[]

/** A Markov chain of four states, whose transitions have these percentages: packets are lost in the states 3 and 4. */
export interface StateLossModel {
  type: 'state'
  p13: number
  /** Default: what `p13` leaves. */
  p31?: number | undefined
  /** Default: `0`. */
  p32?: number | undefined
  /** Default: `100`. */
  p23?: number | undefined
  /** Default: `0`. */
  p14?: number | undefined
}

/** The model of Gilbert and Elliott: a good and a bad state, in percentages. */
export interface GilbertElliottLossModel {
  type: 'gemodel'
  /** How likely the bad state follows the good one (`p`). */
  toBad: number
  /** How likely the good state follows the bad one (`r`). Default: what `toBad` leaves. */
  toGood?: number | undefined
  /** How likely a packet is lost in the bad state (`1-h`). Default: `100`. */
  lossInBad?: number | undefined
  /** How likely a packet is lost in the good state (`1-k`). Default: `0`. */
  lossInGood?: number | undefined
}

/** A model of loss that comes in bursts. */
export type LossModel = StateLossModel | GilbertElliottLossModel

/** Slots of netem: packets leave in bursts, as on a medium that devices use in turn. */
export interface NetemSlots {
  /** Shortest time between two slots, in milliseconds. */
  minDelay?: number | undefined
  /** Longest time between two slots, in milliseconds. Default: `minDelay`. */
  maxDelay?: number | undefined
  /** Mean time between two slots, in milliseconds, if there is a `distribution`. */
  delay?: number | undefined
  /** Variation of that time, in milliseconds, if there is a `distribution`. */
  jitter?: number | undefined
  /** The distribution of that time. */
  distribution?: DistributionTable | undefined
  /** Maximum number of packets in a slot. Default: unlimited. */
  packets?: number | undefined
  /** Maximum number of bytes in a slot. Default: unlimited. */
  bytes?: number | undefined
}

/**
 * Options of netem, which emulates the properties of a network: tc-netem(8). A correlation is the percentage by which a random
 * decision depends on the one before it.
 */
export interface NetemData {
  /** Delay of each packet in milliseconds (`delay`). Default: `0`. */
  latency?: number | undefined
  /** Random variation of the latency in milliseconds, in either direction. Default: `0`. */
  jitter?: number | undefined
  /** Default: `0`. */
  latencyCorrelation?: number | undefined
  /** The distribution of the latency. Requires a `jitter`. Default: all values of the range are as likely. */
  distribution?: DistributionTable | undefined
  /** Percentage of packets that are lost. Default: `0`. */
  loss?: number | undefined
  /** Default: `0`. */
  lossCorrelation?: number | undefined
  /** Loss that comes in bursts. Not together with `loss`. */
  lossModel?: LossModel | undefined
  /** Whether packets are marked instead of lost if they support it. Default: `false`. */
  ecn?: boolean | undefined
  /** Percentage of packets that are sent twice. Default: `0`. */
  duplicate?: number | undefined
  /** Default: `0`. */
  duplicateCorrelation?: number | undefined
  /** Percentage of packets in which one bit is inverted. Default: `0`. */
  corrupt?: number | undefined
  /** Default: `0`. */
  corruptCorrelation?: number | undefined
  /** Percentage of packets that are sent without delay, before earlier ones. Requires a `latency`. Default: `0`. */
  reorder?: number | undefined
  /** Default: `0`. */
  reorderCorrelation?: number | undefined
  /** Only each packet of this number can be sent without delay. Default: `1`. */
  gap?: number | undefined
  /** Maximum rate in bit/s. Default: unlimited. */
  rate?: number | undefined
  /** How many bytes each packet is longer on the line, for the `rate`; shorter if negative. Default: `0`. */
  packetOverhead?: number | undefined
  /** Size of the cells in which the line sends packets, in bytes. Default: none. */
  cellSize?: number | undefined
  /** How many bytes each cell is longer on the line. Default: `0`. */
  cellOverhead?: number | undefined
  /** Default: packets leave at any time. */
  slots?: NetemSlots | undefined
  /**
   * Seed of the random numbers: with the same seed, the same packets of a sequence are lost. Linux 6.6; older kernels ignore it. A
   * list contains a bigint where a number cannot hold it. Default: chosen by the kernel.
   */
  seed?: number | bigint | undefined
  /** Maximum number of packets in the queue. Default: `1000`. */
  limit?: number | undefined
}

const MOST_ENTRIES = 16_384

const table: Parse<number[]> = (value, name) => {
  const entries = parseArray(value, name, whole(-0x8000, 0x7fff))
  if (entries.length > 0 && entries.length <= MOST_ENTRIES) return entries
  throw invalidValue(name, `must have 1 to ${MOST_ENTRIES} numbers`, value)
}

const LOSS_MODELS = {
  state: { p13: percentage, p31: percentage, p32: percentage, p23: percentage, p14: percentage },
  gemodel: { toBad: percentage, toGood: percentage, lossInBad: percentage, lossInGood: percentage },
} as const

const type = word('state', 'gemodel')

const lossModel: Parse<Plain> = (value, name) => {
  const of = type(parseObject(value, name)['type'], `${name}.type`)
  return of === 'state'
    ? parseFields(value, name, { type, ...LOSS_MODELS.state }, ['p13'])
    : parseFields(value, name, { type, ...LOSS_MODELS.gemodel }, ['toBad'])
}

/** Parses a number of 64 bits to its digits, which is how the native side takes and returns it. */
const seed: Parse<string> = (value, name) => {
  if (typeof value === 'number') return String(parseInteger(value, name, 0, Number.MAX_SAFE_INTEGER))
  if (typeof value !== 'bigint') throw invalidType(name, 'a number or a bigint', value)
  if (BigInt.asUintN(64, value) === value) return String(value)
  throw invalidValue(name, 'must be a whole number of 64 bits', value)
}

const i32 = whole(-0x80000000, 0x7fffffff)

/** @internal */
export const NETEM = {
  latency: milliseconds,
  jitter: milliseconds,
  latencyCorrelation: percentage,
  distribution: table,
  loss: percentage,
  lossCorrelation: percentage,
  lossModel,
  ecn: boolean,
  duplicate: percentage,
  duplicateCorrelation: percentage,
  corrupt: percentage,
  corruptCorrelation: percentage,
  reorder: percentage,
  reorderCorrelation: percentage,
  gap: whole(1, 0xffffffff),
  rate,
  packetOverhead: i32,
  cellSize: u32,
  cellOverhead: i32,
  slots: object({
    minDelay: milliseconds,
    maxDelay: milliseconds,
    delay: milliseconds,
    jitter: milliseconds,
    distribution: table,
    packets: whole(1, 0x7fffffff),
    bytes: whole(1, 0x7fffffff),
  } satisfies FieldsOf<NetemSlots>),
  seed,
  limit: u32,
} satisfies FieldsOf<NetemData>

/** @internal Checks options that exclude each other. */
export function checkNetem(netem: Plain, name: string): void {
  if (netem['lossModel'] !== undefined && Number(netem['loss'] ?? 0) > 0) {
    throw invalidValue(`${name}.loss`, "must not be combined with 'lossModel': both decide what is lost", netem['loss'])
  }
  if (netem['distribution'] !== undefined && !(Number(netem['jitter'] ?? 0) > 0)) {
    throw invalidValue(`${name}.distribution`, "needs a 'jitter', whose values it distributes", undefined)
  }
  const overhead = ['packetOverhead', 'cellSize', 'cellOverhead'].find((key) => netem[key] !== undefined)
  if (overhead !== undefined && netem['rate'] === undefined) {
    throw invalidValue(`${name}.${overhead}`, "needs a 'rate', for which it counts", netem[overhead])
  }
}
