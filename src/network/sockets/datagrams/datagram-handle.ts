import type { AsyncResource } from 'node:async_hooks'
import type { Socket } from 'node:dgram'
import { familyOf } from '../../../validate/network/values.ts'
import { EBADF, ECANCELED, EINVAL, openInside, type Refusal } from '../node-handle.ts'
import { SOCK_DGRAM, type SocketMaker, splitZone } from '../socket-maker.ts'
import { type Binding, boundTo } from '../streams/bind.ts'
import { hearsNeighbours, type ReceivingHandle, receiveInside } from './datagram-receiving.ts'
import { type AddressedHandle, knowZones } from './datagram-zones.ts'

type Method = (...args: never[]) => number
type Methods = Record<string, Method>
type Callback = (...answer: unknown[]) => void

/** What Node.js has below a socket of `dgram`. It makes its descriptor, outside, when it binds, and nearly all binds by itself. */
type DatagramHandle = Methods & {
  readonly fd: number
  lookup(address: string, callback: Callback): void
}

/** @internal What a socket of `dgram` keeps of itself. */
export interface State {
  handle: DatagramHandle | null
  /** 0 as long as it is neither bound nor about to be. */
  bindState: number
}

/** What would have libuv bind: `uv__udp_maybe_deferred_bind`. */
const SENDING = ['send', 'send6', 'connect', 'connect6', 'recvStart']
const JOINING = ['addMembership', 'dropMembership', 'addSourceSpecificMembership', 'dropSourceSpecificMembership']

/** @internal Binds a socket of `dgram` to a network for good: it binds inside, and does nothing before that which would bind it. */
export class DatagramInside {
  readonly #socket: Socket
  readonly #maker: SocketMaker
  readonly #state: State
  readonly #handle: DatagramHandle
  readonly #family: 4 | 6
  readonly #how: Binding
  /** Node's own, which are back in their places once there is a descriptor. */
  readonly #usual: Methods
  /** That of what listens: the one in which the socket was made. Of IPv6 only. */
  #context: AsyncResource | undefined
  #isOpen = false
  #hasJoined = false
  #call: 'bind' | 'bindSync' | undefined
  #failure: Error | undefined

  constructor(socket: Socket, state: State, maker: SocketMaker, how: Binding) {
    // One that is closed from the start, by its signal, has none.
    const handle = state.handle ?? ({} as DatagramHandle)
    this.#socket = socket
    this.#maker = maker
    this.#state = state
    this.#handle = handle
    this.#family = Reflect.get(socket, 'type') === 'udp6' ? 6 : 4
    this.#how = how
    // Of IPv4 no address has a zone. One that is closed from the start has no handle.
    if (this.#family === 6 && state.handle !== null) {
      knowZones(state.handle as unknown as AddressedHandle)
      this.#context = new (process.getBuiltinModule('node:async_hooks').AsyncResource)('UDPWRAP')
    }
    this.#usual = Object.fromEntries([...SENDING, ...JOINING].map((name) => [name, handle[name] as Method]))
    this.#guard()
  }

  /** Runs a method of Node's that binds. */
  during<T>(call: 'bind' | 'bindSync', method: () => T): T {
    this.#call = call
    try {
      return method()
    } catch (error) {
      throw this.#failure ?? error
    } finally {
      this.#call = undefined
      this.#failure = undefined
    }
  }

  #guard(): void {
    const { lookup } = this.#handle
    const bind: Method = (address: string, port: number) => this.#bind(address, port)
    const guards: Methods = { bind, bind6: bind }
    for (const name of SENDING) guards[name] = () => EBADF
    for (const name of JOINING) {
      guards[name] = (...args) => this.#join() || Reflect.apply(this.#usual[name] as Method, this.#handle, args)
    }
    Object.assign(this.#handle, guards, {
      lookup: (address: string, callback: Callback) => {
        if (this.#call === undefined) return lookup(address, callback)
        // Node asks for addresses, too. A given lookup need not know those that a socket is bound to.
        if (familyOf(splitZone(address)[0]) !== 0) return process.nextTick(callback, null, address)
        // Of a bind nothing is told before it has returned.
        lookup(address, (...answer) => {
          if (this.#call === undefined) callback(...answer)
          else process.nextTick(callback, ...answer)
        })
      },
    })
  }

  #bind(address: string, port: number): number {
    if (!this.#isOpen) return this.#numberOf(this.#open(address, port))
    // It is bound since it joined a group, and is about to hear of it.
    return this.#hasJoined && port === 0 ? 0 : EINVAL
  }

  /** A socket that joins a group is bound to all addresses. */
  #join(): number {
    if (this.#state.bindState !== 0) return EBADF
    const refusal = this.#open(this.#family === 6 ? '::' : '0.0.0.0', 0)
    if (typeof refusal !== 'number') throw refusal
    if (refusal !== 0) return refusal
    this.#hasJoined = true
    this.#socket.bind({ port: 0 })
    return 0
  }

  #open(address: string, port: number): Refusal {
    if (familyOf(splitZone(address)[0]) !== this.#family) return EINVAL
    const refusal = openInside(this.#maker.native, this.#handle, boundTo(SOCK_DGRAM, address, port, this.#how))
    if (refusal !== 0) return refusal
    this.#isOpen = true
    Object.assign(this.#handle, this.#usual)
    if (this.#context !== undefined && hearsNeighbours(address)) {
      receiveInside(this.#handle as unknown as ReceivingHandle, this.#context)
    }
    return 0
  }

  /** The number that Node is told, and makes an error of; in its place comes an error that has none. */
  #numberOf(refusal: Refusal): number {
    if (typeof refusal === 'number') return refusal
    if (this.#call === 'bindSync') this.#failure = refusal
    else emitInstead(this.#socket, refusal)
    return ECANCELED
  }
}

function emitInstead(socket: Socket, error: Error): void {
  const emit = (event: string, ...args: unknown[]): boolean => {
    Reflect.deleteProperty(socket, 'emit')
    return Reflect.apply(socket.emit, socket, event === 'error' ? [event, error] : [event, ...args])
  }
  Object.defineProperty(socket, 'emit', { value: emit, configurable: true, writable: true })
}
