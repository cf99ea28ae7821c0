import type { LookupFunction } from 'node:net'
import type { NativePlace } from '../../../index.js'
import { NamespaceError } from '../../errors.ts'
import { settled } from '../../native/settled.ts'
import { splitZone } from '../../validate/network/zone.ts'
import {
  type ForwardEnd,
  type ParsedForward,
  parseForwards,
  parseStartForwardingOptions,
} from '../../validate/sockets/forwarding-options.ts'
import { addressesOf } from '../sockets/names/lookup.ts'
import type { SocketMaker } from '../sockets/socket-maker.ts'
import { systemError } from '../sockets/system-error.ts'
import { Forwarding, type Listener } from './forwarding.ts'

/** @internal Which leg listens: the one outside, as with `publish`, or the one inside. */
export type ListeningLeg = 'outside' | 'inside'

/** @internal Starts all listeners, or none. */
export async function start(
  maker: SocketMaker,
  leg: ListeningLeg,
  forwards: unknown,
  options: unknown,
): Promise<Forwarding> {
  const { signal } = parseStartForwardingOptions(options)
  const parsed = parseForwards(forwards)
  signal?.throwIfAborted()
  maker.ensureOpen()
  const listeners: Listener[] = []
  try {
    for (const forward of parsed) listeners.push(await listen(maker, leg, forward, signal))
    signal?.throwIfAborted()
    return new Forwarding(listeners)
  } catch (error) {
    for (const { native } of listeners) native.close(0)
    await Promise.all(listeners.map(({ native }) => native.ended()))
    throw error
  }
}

async function listen(
  maker: SocketMaker,
  leg: ListeningLeg,
  { datagrams, listener, target, backlog, idle }: ParsedForward,
  signal: AbortSignal | undefined,
): Promise<Listener> {
  const { lookup: outside } = process.getBuiltinModule('node:dns')
  const isOutside = leg === 'outside'
  const [listening, connecting] = isOutside ? [outside, maker.lookup] : [maker.lookup, outside]
  const [place] = await placesOf(listener, listening as LookupFunction, signal)
  const targets = await placesOf(target, connecting as LookupFunction, signal)
  signal?.throwIfAborted()
  const forward = { publishes: isOutside, datagrams, listener: place as NativePlace, targets, backlog, idle }
  try {
    const native = await settled(maker.native.forward(forward))
    return { native, protocol: datagrams ? 'udp' : 'tcp' }
  } catch (error) {
    // The directory of a path inside, which may be that of the target.
    if (error instanceof NamespaceError && error.syscall === 'open') throw error
    throw systemError(error, 'listen', { address: listener.path ?? (listener.host as string), port: listener.port })
  }
}

const LOOPBACK = ['127.0.0.1', '::1']

async function placesOf(
  { path, host, port }: ForwardEnd,
  lookup: LookupFunction,
  signal: AbortSignal | undefined,
): Promise<NativePlace[]> {
  if (path !== undefined) return [{ path: path.startsWith('\0') ? path : absolute(path) }]
  const addresses = host === undefined ? LOOPBACK : await addressesOf(lookup, host, signal)
  return addresses.map((text) => {
    const [address, zone] = splitZone(text)
    return { address, port, ...(zone === undefined ? {} : { zone }) }
  })
}

/** The working directory can change before the native side uses the path. */
function absolute(path: string): string {
  return process.getBuiltinModule('node:path').resolve(path)
}
