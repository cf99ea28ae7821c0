import type { AsyncResource } from 'node:async_hooks'
import type { Socket } from 'node:dgram'
import { familyOf } from '../../../validate/network/values.ts'
import { splitZone } from '../../../validate/network/zone.ts'
import { type Binding, boundTo } from '../handles/bind.ts'
import { EBADF, ECANCELED, EINVAL, type HandleFailure, openInside } from '../handles/node-handle.ts'
import { SOCK_DGRAM, type SocketMaker } from '../socket-maker.ts'
import { type ReceivingHandle, receiveInside, receivesLinkLocal } from './datagram-receiving.ts'
import { type AddressedHandle, resolveZones } from './datagram-zones.ts'

type Method = (...args: never[]) => number
type Methods = Record<string, Method>
type Callback = (...answer: unknown[]) => void

/** Node's handle below a socket of `dgram`. It creates its descriptor outside when it binds; most methods bind implicitly. */
type DatagramHandle = Methods & {
  readonly fd: number
  lookup(address: string, callback: Callback): void
}

/** @internal The internal state of a socket of `dgram`. */
export interface State {
  handle: DatagramHandle | null
  /** 0 if the socket is neither bound nor being bound. */
  bindState: number
}

/** Methods that make libuv bind the socket: `uv__udp_maybe_deferred_bind`. */
const SENDING = ['send', 'send6', 'connect', 'connect6', 'recvStart']
const JOINING = ['addMembership', 'dropMembership', 'addSourceSpecificMembership', 'dropSourceSpecificMembership']

/** @internal Ties a socket of `dgram` to a network: it binds inside, and before that its handle cannot bind implicitly. */
export class DatagramInside {
  readonly #socket: Socket
  readonly #maker: SocketMaker
  readonly #state: State
  readonly #handle: DatagramHandle
  readonly #family: 4 | 6
  readonly #how: Binding
  /** Node's own methods, which are restored when the handle has a descriptor. */
  readonly #usual: Methods
  /** The context of the listeners: the one in which the socket was created. Only for IPv6. */
  #context: AsyncResource | undefined
  #isOpen = false
  #hasJoined = false
  #call: 'bind' | 'bindSync' | undefined
  #failure: Error | undefined

  constructor(socket: Socket, state: State, maker: SocketMaker, how: Binding) {
    // A socket whose signal is aborted is closed from the start and has no handle.
    const handle = state.handle ?? ({} as DatagramHandle)
    this.#socket = socket
    this.#maker = maker
    this.#state = state
    this.#handle = handle
    this.#family = Reflect.get(socket, 'type') === 'udp6' ? 6 : 4
    this.#how = how
    // IPv4 addresses have no zones.
    if (this.#family === 6 && state.handle !== null) {
      resolveZones(state.handle as unknown as AddressedHandle)
      this.#context = new (process.getBuiltinModule('node:async_hooks').AsyncResource)('UDPWRAP')
    }
    this.#usual = Object.fromEntries([...SENDING, ...JOINING].map((name) => [name, handle[name] as Method]))
    this.#guard()
  }

  /** Runs one of Node's methods that bind. */
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
        // Node looks up addresses, too, but a custom lookup does not have to know the address of a bind.
        if (familyOf(splitZone(address)[0]) !== 0) return process.nextTick(callback, null, address)
        // The result of bind() must not be reported before it returns.
        lookup(address, (...answer) => {
          if (this.#call === undefined) callback(...answer)
          else process.nextTick(callback, ...answer)
        })
      },
    })
  }

  #bind(address: string, port: number): number {
    if (!this.#isOpen) return this.#numberOf(this.#open(address, port))
    // Joining a group has bound it already. The pending bind() will report that.
    return this.#hasJoined && port === 0 ? 0 : EINVAL
  }

  /** A socket that joins a group is bound to all addresses first. */
  #join(): number {
    if (this.#state.bindState !== 0) return EBADF
    const failure = this.#open(this.#family === 6 ? '::' : '0.0.0.0', 0)
    if (typeof failure !== 'number') throw failure
    if (failure !== 0) return failure
    this.#hasJoined = true
    this.#socket.bind({ port: 0 })
    return 0
  }

  #open(address: string, port: number): HandleFailure {
    if (familyOf(splitZone(address)[0]) !== this.#family) return EINVAL
    const failure = openInside(this.#maker.native, this.#handle, boundTo(SOCK_DGRAM, address, port, this.#how))
    if (failure !== 0) return failure
    this.#isOpen = true
    Object.assign(this.#handle, this.#usual)
    if (this.#context !== undefined && receivesLinkLocal(address)) {
      receiveInside(this.#handle as unknown as ReceivingHandle, this.#context)
    }
    return 0
  }

  /** Returns the number from which Node creates an error. An error without a number replaces Node's error. */
  #numberOf(failure: HandleFailure): number {
    if (typeof failure === 'number') return failure
    if (this.#call === 'bindSync') this.#failure = failure
    else emitInstead(this.#socket, failure)
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
