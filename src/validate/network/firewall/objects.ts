import { invalidValue } from '../../../errors.ts'
import { type Fields, type FieldsOf, type Parse, type Plain, parseFields } from '../../fields.ts'
import { boolean, u8, u16, whole, word } from '../../values.ts'
import { text } from '../values.ts'
import { byName, comment } from './matching/names.ts'
import { type FirewallLimit, type FirewallSynproxy, LIMIT, SYNPROXY } from './statement-options.ts'

/** A counter of a table, which several rules can use. */
export interface FirewallCounter {
  comment?: string | undefined
}

/** A quota of a table, which several rules can use. */
export interface FirewallNamedQuota {
  bytes: number
  /** Whether it matches packets after that number instead (`over`). Default: `false`. */
  over?: boolean | undefined
  comment?: string | undefined
}

/** A limit of a table, which several rules can use. */
export interface FirewallNamedLimit extends FirewallLimit {
  comment?: string | undefined
}

/** Options of `synproxy` that several rules can use. */
export interface FirewallNamedSynproxy extends FirewallSynproxy {
  comment?: string | undefined
}

/** For which connections an object is. */
interface OfConnections {
  protocol: 'tcp' | 'udp'
  /** Default: that of the table. */
  family?: 'inet' | 'ip' | 'ip6' | undefined
  comment?: string | undefined
}

/**
 * A helper of connection tracking: it reads what the packets of a protocol say about further connections, such as those of the data of
 * FTP, which are `'related'` then. Rules use it as `{ set: { 'ct helper': name } }`, after connection tracking, so not in a chain of the
 * priority `'raw'`.
 */
export interface FirewallHelper extends OfConnections {
  /** The name in the kernel, such as `'ftp'`, `'sip'` or `'tftp'`. The kernel loads the module `nf_conntrack_ftp`. */
  type: string
}

/**
 * How long connection tracking remembers connections in each of their states, in milliseconds, as whole seconds. Those of TCP are
 * `synSent` to `unacknowledged`, and those of UDP `unreplied` and `replied`.
 */
export interface FirewallTimeoutPolicy {
  synSent?: number | undefined
  synRecv?: number | undefined
  established?: number | undefined
  finWait?: number | undefined
  closeWait?: number | undefined
  lastAck?: number | undefined
  timeWait?: number | undefined
  close?: number | undefined
  synSent2?: number | undefined
  retransmitted?: number | undefined
  unacknowledged?: number | undefined
  unreplied?: number | undefined
  replied?: number | undefined
}

/** How long connection tracking remembers connections. Rules use it as `{ set: { 'ct timeout': name } }`. */
export interface FirewallTimeout extends OfConnections {
  /** States that you omit have the default values of the kernel. */
  policy: FirewallTimeoutPolicy
}

/**
 * A connection to the same host that is expected after another one, and is `'related'` then. Rules use it as
 * `{ set: { 'ct expectation': name } }`.
 */
export interface FirewallExpectation extends OfConnections {
  port: number
  /** In milliseconds: how long the connection is expected. */
  timeout: number
  /** How many connections can be expected at once. */
  size: number
}

/** A mark of a security module. Rules use it as `{ set: { 'meta secmark': name } }`. */
export interface FirewallSecmark {
  /** The context of SELinux, such as `'system_u:object_r:ssh_server_packet_t:s0'`. */
  context: string
  comment?: string | undefined
}

/** The named objects of a table. */
export interface FirewallObjects {
  counters?: Readonly<Record<string, FirewallCounter>> | undefined
  quotas?: Readonly<Record<string, FirewallNamedQuota>> | undefined
  limits?: Readonly<Record<string, FirewallNamedLimit>> | undefined
  helpers?: Readonly<Record<string, FirewallHelper>> | undefined
  timeouts?: Readonly<Record<string, FirewallTimeout>> | undefined
  expectations?: Readonly<Record<string, FirewallExpectation>> | undefined
  synproxies?: Readonly<Record<string, FirewallNamedSynproxy>> | undefined
  secmarks?: Readonly<Record<string, FirewallSecmark>> | undefined
}

/** A kind of object of a table. */
export type FirewallObjectKind =
  | 'counter'
  | 'quota'
  | 'limit'
  | 'helper'
  | 'timeout'
  | 'expectation'
  | 'synproxy'
  | 'secmark'

/** @internal Where a table has the objects of a kind. */
export const OBJECTS_OF = {
  counter: 'counters',
  quota: 'quotas',
  limit: 'limits',
  helper: 'helpers',
  timeout: 'timeouts',
  expectation: 'expectations',
  synproxy: 'synproxies',
  secmark: 'secmarks',
} as const satisfies Record<FirewallObjectKind, keyof FirewallObjects>

/** @internal */
export const OBJECT_KINDS = Object.keys(OBJECTS_OF) as readonly FirewallObjectKind[]

/** @internal The objects that a rule uses by setting something. */
export const SET_BY = {
  'ct helper': 'helper',
  'ct timeout': 'timeout',
  'ct expectation': 'expectation',
  'meta secmark': 'secmark',
} as const satisfies Readonly<Record<string, FirewallObjectKind>>

const COUNTER = { comment } satisfies FieldsOf<FirewallCounter>

const QUOTA = {
  bytes: whole(0, Number.MAX_SAFE_INTEGER),
  over: boolean,
  comment,
} satisfies FieldsOf<FirewallNamedQuota>

const NAMED_LIMIT = { ...LIMIT, comment } satisfies FieldsOf<FirewallNamedLimit>
const NAMED_SYNPROXY = { ...SYNPROXY, comment } satisfies FieldsOf<FirewallNamedSynproxy>

const OF_CONNECTIONS = {
  protocol: word('tcp', 'udp'),
  family: word('inet', 'ip', 'ip6'),
  comment,
} satisfies FieldsOf<OfConnections>

/** `NF_CT_HELPER_NAME_LEN` of linux/netfilter/nf_conntrack_helper.h, with a NUL. */
const helperName: Parse<string> = (value, name) => {
  const length = Buffer.byteLength(text(value, name))
  if (length >= 1 && length <= 15) return value as string
  throw invalidValue(name, "must be the name of a helper, such as 'ftp', of at most 15 bytes", value)
}

const HELPER = { ...OF_CONNECTIONS, type: helperName } satisfies FieldsOf<FirewallHelper>

const seconds: Parse<number> = (value, name) => {
  const milliseconds = whole(1000, 0xffff_ffff * 1000)(value, name)
  if (milliseconds % 1000 === 0) return milliseconds
  throw invalidValue(name, 'must be whole seconds, as a multiple of 1000 milliseconds', value)
}

const OF_UDP = { unreplied: seconds, replied: seconds } satisfies Partial<FieldsOf<FirewallTimeoutPolicy>>

const OF_TCP = {
  synSent: seconds,
  synRecv: seconds,
  established: seconds,
  finWait: seconds,
  closeWait: seconds,
  lastAck: seconds,
  timeWait: seconds,
  close: seconds,
  synSent2: seconds,
  retransmitted: seconds,
  unacknowledged: seconds,
} satisfies Omit<FieldsOf<FirewallTimeoutPolicy>, keyof typeof OF_UDP>

const TIMEOUT = { ...OF_CONNECTIONS, policy: (value) => value } satisfies FieldsOf<FirewallTimeout>

const timeout: Parse<Plain> = (value, name) => {
  const parsed = parseFields(value, name, TIMEOUT, ['protocol', 'policy'])
  const states: Fields = parsed.protocol === 'tcp' ? OF_TCP : OF_UDP
  return { ...parsed, policy: parseFields(parsed.policy, `${name}.policy`, states) }
}

const EXPECTATION = {
  ...OF_CONNECTIONS,
  port: u16,
  timeout: whole(1, 0xffff_ffff),
  size: u8,
} satisfies FieldsOf<FirewallExpectation>

/** `NFT_SECMARK_CTX_MAXLEN` of linux/netfilter/nf_tables.h, with a NUL. */
const context: Parse<string> = (value, name) => {
  const length = Buffer.byteLength(text(value, name))
  if (length >= 1 && length <= 255) return value as string
  throw invalidValue(name, 'must be a context of a security module, of 1 to 255 bytes', value)
}

const SECMARK = { context, comment } satisfies FieldsOf<FirewallSecmark>

/** @internal */
export const OBJECTS = {
  counters: byName((value, name) => parseFields(value, name, COUNTER)),
  quotas: byName((value, name) => parseFields(value, name, QUOTA, ['bytes'])),
  limits: byName((value, name) => parseFields(value, name, NAMED_LIMIT, ['rate'])),
  helpers: byName((value, name) => parseFields(value, name, HELPER, ['type', 'protocol'])),
  timeouts: byName(timeout),
  expectations: byName((value, name) => parseFields(value, name, EXPECTATION, ['protocol', 'port', 'timeout', 'size'])),
  synproxies: byName((value, name) => parseFields(value, name, NAMED_SYNPROXY)),
  secmarks: byName((value, name) => parseFields(value, name, SECMARK, ['context'])),
} satisfies FieldsOf<FirewallObjects>
