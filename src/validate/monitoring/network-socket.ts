import { invalidType, invalidValue } from '../../errors.ts'
import { type FieldsOf, oneOrMore, type Parse, type Plain, parseFields, parseOptions } from '../fields.ts'
import { type Family, family, ip } from '../network/values.ts'
import { u16, u32, word } from '../values.ts'

/** The protocol of a socket in {@link NetworkSockets.list}. */
export type SocketProtocol = 'tcp' | 'udp' | 'raw' | 'unix'

/** The state of a socket, in lower case as `ss` names it. UDP and unix sockets are `'unconnected'`, `'established'` or `'listen'`. */
export type SocketState =
  | 'established'
  | 'syn-sent'
  | 'syn-received'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'time-wait'
  | 'unconnected'
  | 'close-wait'
  | 'last-ack'
  | 'listen'
  | 'closing'

/** One end of an {@link InetSocket}. */
export interface SocketEnd {
  address: string
  /** A raw socket has the number of its protocol here. */
  port: number
}

/** What every socket has. */
export interface SocketBase {
  state: SocketState
  /** In bytes; for a listening socket, connections that were not accepted. */
  receiveQueue: number
  /** In bytes; for a listening socket, the most connections that wait (listen(2)). */
  sendQueue: number
  /** The inode of the socket, as in `/proc/PID/fd`; 0 if no process has it open. */
  inode: number
}

/** A socket of TCP or UDP, or a raw one. */
export interface InetSocket extends SocketBase {
  protocol: 'tcp' | 'udp' | 'raw'
  family: Family
  local: SocketEnd
  /** Undefined if the socket is not connected. */
  remote?: SocketEnd
  /** The link to which it is bound (`SO_BINDTODEVICE`). */
  link?: { index: number }
  uid: number
}

/** A unix socket. */
export interface UnixSocket extends SocketBase {
  protocol: 'unix'
  type: 'stream' | 'datagram' | 'seqpacket'
  /** It begins with a NUL if it is abstract. */
  path?: string
  /** The inode of the other end. */
  peer?: number
  /** Linux 5.3 and later. */
  uid?: number
}

/** A socket of {@link NetworkSockets.list}. */
export type NetworkSocket = InetSocket | UnixSocket

/** Selects sockets. A field that you omit matches any value, and an array any of its values. */
export interface SocketFilter {
  protocol?: SocketProtocol | readonly SocketProtocol[] | undefined
  family?: Family | undefined
  state?: SocketState | readonly SocketState[] | undefined
  localAddress?: string | undefined
  localPort?: number | undefined
  remoteAddress?: string | undefined
  remotePort?: number | undefined
  /** Of a unix socket; `\0name` for an abstract one. */
  path?: string | undefined
  uid?: number | undefined
  inode?: number | undefined
}

const parseProtocol = word('tcp', 'udp', 'raw', 'unix')

const parseState = word(
  'established',
  'syn-sent',
  'syn-received',
  'fin-wait-1',
  'fin-wait-2',
  'time-wait',
  'unconnected',
  'close-wait',
  'last-ack',
  'listen',
  'closing',
)

const parsePath: Parse<string> = (value, name) => {
  if (typeof value !== 'string') throw invalidType(name, 'a string', value)
  return value
}

const FILTER = {
  protocol: oneOrMore(parseProtocol),
  family,
  state: oneOrMore(parseState),
  localAddress: ip,
  localPort: u16,
  remoteAddress: ip,
  remotePort: u16,
  path: parsePath,
  uid: u32,
  inode: u32,
} satisfies FieldsOf<SocketFilter>

/** @internal */
export function parseSocketFilter(filter: unknown): Plain {
  return parseOptions(filter, FILTER, 'filter')
}

/** @internal A filter that selects something: one without fields would mean all sockets. */
export function parseDestroyFilter(filter: unknown): Plain {
  const parsed = parseFields(filter, 'filter', FILTER)
  if (Object.keys(parsed).length === 0) throw invalidValue('filter', 'must have at least one field', filter)
  if (parsed.protocol?.includes('unix') === true || parsed.path !== undefined) {
    throw invalidValue('filter', 'cannot select unix sockets, which the kernel does not close', filter)
  }
  return parsed
}
