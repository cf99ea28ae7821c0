import { invalidValue } from '../../../errors.ts'
import { type FieldsOf, type Parse, parseArray } from '../../fields.ts'
import { boolean, parseInteger, u16, u32, whole, word } from '../../values.ts'
import { milliseconds, rate } from '../values.ts'
import { type PriorityMap, priorityMapOf } from './prio.ts'

/** Options of fq_codel, fair queueing with controlled delay: tc-fq_codel(8). Default of each option: the kernel's. */
export interface FqCodelData {
  /** Maximum number of packets in the queue. */
  limit?: number | undefined
  /** Acceptable delay of packets in the queue, in milliseconds. */
  target?: number | undefined
  /** In milliseconds: how long the delay can exceed `target` before packets are dropped. */
  interval?: number | undefined
  /** Number of flows (queues). It cannot be changed later. */
  flows?: number | undefined
  /** How many bytes a flow sends in its turn. */
  quantum?: number | undefined
  /** Whether packets are marked instead of dropped if they support it (ECN). */
  ecn?: boolean | undefined
  /** Maximum memory of the queued packets in bytes. */
  memoryLimit?: number | undefined
  /** In milliseconds: packets that wait longer are marked (`ce_threshold`). Default: none. */
  ceThreshold?: number | undefined
  /** How many packets are dropped at once if the queue is full (`drop_batch`). */
  dropBatch?: number | undefined
}

/** Options of fq, fair queueing with pacing: tc-fq(8). Default of each option: the kernel's. */
export interface FqData {
  /** Maximum number of packets in the queue. */
  limit?: number | undefined
  /** Maximum number of packets of a flow in the queue (`flow_limit`). */
  flowLimit?: number | undefined
  /** How many bytes a flow sends in its turn. */
  quantum?: number | undefined
  /** How many bytes a new flow sends in its first turn (`initial_quantum`). */
  initialQuantum?: number | undefined
  /** Whether a flow sends at the rate that its socket has. */
  pacing?: boolean | undefined
  /** Maximum rate of each flow in bit/s (`maxrate`). Default: unlimited. */
  maxRate?: number | undefined
  /** Size of the hash table for flows, a power of two, at most 262144. */
  buckets?: number | undefined
  /** In milliseconds: how long a flow has to be idle to get a new quantum (`refill_delay`). */
  refillDelay?: number | undefined
  /** Which bits of the hash count for packets without a socket (`orphan_mask`). */
  orphanMask?: number | undefined
  /** In bit/s: a flow with a lower rate waits after each packet (`low_rate_threshold`). */
  lowRateThreshold?: number | undefined
  /** In milliseconds: packets that wait longer are marked (`ce_threshold`). Default: none. */
  ceThreshold?: number | undefined
  /** In milliseconds: how inexact the timer can be (`timer_slack`). */
  timerSlack?: number | undefined
  /** In milliseconds: how far in the future the time of a packet can be. */
  horizon?: number | undefined
  /** Whether packets beyond the horizon are dropped; otherwise they are sent at the horizon (`horizon_drop`). */
  horizonDrop?: boolean | undefined
  /** The band of each priority, 0 to 2. Linux 6.7. */
  priorityMap?: PriorityMap | undefined
  /** The weights of the three bands. Linux 6.7. */
  weights?: readonly number[] | undefined
}

/** Options of sfq, stochastic fair queueing: tc-sfq(8). Default of each option: the kernel's. */
export interface SfqData {
  /** Maximum number of packets in the queue. */
  limit?: number | undefined
  /** How many bytes a flow sends in its turn. */
  quantum?: number | undefined
  /** In milliseconds, whole seconds: how often the hash function changes. Default: `0`, never. */
  perturb?: number | undefined
  /** Maximum number of flows. */
  flows?: number | undefined
  /** Size of the hash table for flows, a power of two. It cannot be changed later. */
  divisor?: number | undefined
  /** Maximum number of packets of a flow in the queue. */
  depth?: number | undefined
  /** Whether the oldest packet of a full queue is dropped, and not the newest (`headdrop`). Default: `false`. */
  headDrop?: boolean | undefined
}

/** Options of cake, which limits the rate and shares it fairly: tc-cake(8). Default of each option: the kernel's. */
export interface CakeData {
  /** Rate of the line in bit/s (`bandwidth`). Default: unlimited. */
  rate?: number | undefined
  /** How many priorities packets have, by their DSCP. Default: `'diffserv3'`. */
  diffserv?: 'diffserv3' | 'diffserv4' | 'diffserv8' | 'besteffort' | 'precedence' | undefined
  /** Between what the rate is shared. Default: `'triple-isolate'`, between hosts of both sides and then flows. */
  isolation?:
    | 'flowblind'
    | 'srchost'
    | 'dsthost'
    | 'hosts'
    | 'flows'
    | 'dual-srchost'
    | 'dual-dsthost'
    | 'triple-isolate'
    | undefined
  /** Round-trip time in milliseconds. Default: `100`. */
  rtt?: number | undefined
  /** Acceptable delay of packets in the queue, in milliseconds. Default: `5`; `tc` sets a twentieth of its `rtt`. */
  target?: number | undefined
  /** How many bytes each packet is longer on the line, from -64 to 256. Default: the size that the kernel knows (`raw`). */
  overhead?: number | undefined
  /** Smallest size of a packet on the line, in bytes. */
  mpu?: number | undefined
  /** The cells in which the line sends packets. Default: `'noatm'`, none. */
  linkLayer?: 'noatm' | 'atm' | 'ptm' | undefined
  /** Whether the rate is estimated from the packets that arrive (`autorate-ingress`). */
  autorate?: boolean | undefined
  /** Whether packets that it drops count for the rate, because they have passed the line. */
  ingress?: boolean | undefined
  /** Whether hosts are distinguished before the translation of their addresses. */
  nat?: boolean | undefined
  /** Whether the DSCP of packets is cleared. */
  wash?: boolean | undefined
  /** Whether acknowledgements of TCP are dropped if later ones wait (`ack-filter`). */
  ackFilter?: 'off' | 'on' | 'aggressive' | undefined
  /** Whether large packets are divided (`split-gso`). */
  splitGso?: boolean | undefined
  /** Which bits of the mark of a packet are its priority (`fwmark`). */
  markMask?: number | undefined
  /** Maximum memory of the queued packets in bytes (`memlimit`). Default: that of the rate. */
  memoryLimit?: number | undefined
}

function powerOfTwo(most: number): Parse<number> {
  return (value, name) => {
    const given = parseInteger(value, name, 2, most)
    if ((given & (given - 1)) === 0) return given
    throw invalidValue(name, 'must be a power of two', value)
  }
}

const weights: Parse<number[]> = (value, name) => {
  const given = parseArray(value, name, whole(1, 0x7fffffff))
  if (given.length === 3) return given
  throw invalidValue(name, 'must have three numbers', value)
}

/** @internal */
export const FQ_CODEL = {
  limit: u32,
  target: milliseconds,
  interval: milliseconds,
  flows: u32,
  quantum: u32,
  ecn: boolean,
  memoryLimit: u32,
  ceThreshold: milliseconds,
  dropBatch: u32,
} satisfies FieldsOf<FqCodelData>

/** @internal */
export const FQ = {
  limit: u32,
  flowLimit: u32,
  quantum: u32,
  initialQuantum: u32,
  pacing: boolean,
  maxRate: rate,
  buckets: powerOfTwo(0x40000),
  refillDelay: milliseconds,
  orphanMask: u32,
  lowRateThreshold: rate,
  ceThreshold: milliseconds,
  timerSlack: milliseconds,
  horizon: milliseconds,
  horizonDrop: boolean,
  priorityMap: priorityMapOf(3),
  weights,
} satisfies FieldsOf<FqData>

/** @internal */
export const SFQ = {
  limit: u32,
  quantum: u32,
  perturb: milliseconds,
  flows: u32,
  divisor: powerOfTwo(0x10000),
  depth: u32,
  headDrop: boolean,
} satisfies FieldsOf<SfqData>

/** @internal */
export const CAKE = {
  rate,
  diffserv: word('diffserv3', 'diffserv4', 'diffserv8', 'besteffort', 'precedence'),
  isolation: word(
    ...(['flowblind', 'srchost', 'dsthost', 'hosts', 'flows'] as const),
    ...(['dual-srchost', 'dual-dsthost', 'triple-isolate'] as const),
  ),
  rtt: milliseconds,
  target: milliseconds,
  overhead: whole(-64, 256),
  mpu: u16,
  linkLayer: word('noatm', 'atm', 'ptm'),
  autorate: boolean,
  ingress: boolean,
  nat: boolean,
  wash: boolean,
  ackFilter: word('off', 'on', 'aggressive'),
  splitGso: boolean,
  markMask: u32,
  memoryLimit: u32,
} satisfies FieldsOf<CakeData>
