import type * as Dgram from 'node:dgram'
import type { LookupFunction } from 'node:net'
import { invalidValue } from '../errors.ts'
import { familyOf } from '../network/values.ts'
import { parseInteger } from '../options.ts'
import { bindInside } from './bind.ts'
import { addressOf } from './lookup.ts'
import { ensureNodesOwn } from './nodes-own.ts'
import { closeSocket, SOCK_DGRAM, type SocketMaker, splitZone } from './socket-maker.ts'
import { bindError, refusal } from './system-error.ts'

type Options = Dgram.SocketOptions & { reusePort?: boolean }
type Listener = (message: Buffer, from: Dgram.RemoteInfo) => void
type SocketClass = new (maker: SocketMaker, options: Options, listener?: Listener) => Dgram.Socket

/** @internal As `dgram.createSocket`, inside. */
export function createSocket(
  maker: SocketMaker,
  typeOrOptions: Dgram.SocketType | Options,
  listener?: Listener,
): Dgram.Socket {
  maker.ensureOpen()
  ensureNodesOwn('createSocket', ['deno'])
  const options = typeof typeOrOptions === 'string' ? { type: typeOrOptions } : typeOrOptions
  SocketInside ??= makeClass()
  return new SocketInside(maker, options, listener)
}

/** What the kernel says of an address of another family. */
const EINVAL = -22
/** And of a socket that is none yet. */
const EBADF = -9

let SocketInside: SocketClass | undefined

/** Made on first use: most who import this need no `dgram`. */
function makeClass(): SocketClass {
  const { Socket } = process.getBuiltinModule('node:dgram')

  /** Binds inside, also where `send`, `connect` and the memberships of groups bind by themselves. */
  const Class = class extends Socket {
    readonly #maker: SocketMaker
    readonly #options: Options
    #state: 'unbound' | 'binding' | 'bound' = 'unbound'
    #isSilent = false

    constructor(maker: SocketMaker, options: Options, listener?: Listener) {
      const lookup = options?.lookup === undefined ? maker.lookup : options.lookup
      // biome-ignore lint/suspicious/noExplicitAny: the types have no constructor, since `createSocket` is the way.
      super(...([{ ...options, lookup }, listener] as any as []))
      this.#maker = maker
      this.#options = options
    }

    override bind(...args: unknown[]): this {
      const { port, address, fd, listener } = parseBind(args)
      if (fd !== undefined) return super.bind(...(args as [Dgram.BindOptions]))
      // Node's own, which has no listener.
      const isImplicit = listener === null
      // Node's own errors.
      if (this.#state === 'bound' || this.#isClosed) return super.bind({ fd: -1 })
      if (this.#state === 'binding') return isImplicit ? this : alreadyBound()
      if (typeof listener === 'function') this.#onceListening(listener as () => void)
      const where = address ?? this.#anywhere
      if (familyOf(splitZone(where)[0]) === 0) {
        this.#state = 'binding'
        this.#bindToName(where, port)
      } else {
        this.#bindNow(where, port)
      }
      return this
    }

    get #family(): 4 | 6 {
      return this.#options.type === 'udp6' ? 6 : 4
    }

    get #anywhere(): string {
      return this.#family === 6 ? '::' : '0.0.0.0'
    }

    get #lookup(): LookupFunction {
      return (this.#options.lookup as LookupFunction | undefined) ?? this.#maker.lookup
    }

    #onceListening(listener: () => void): void {
      const forget = () => {
        this.removeListener('error', forget)
        this.removeListener('listening', onListening)
      }
      const onListening = () => {
        forget()
        listener.call(this)
      }
      this.on('error', forget)
      this.on('listening', onListening)
    }

    #bindToName(name: string, port: number): void {
      addressOf(this.#lookup, name, this.#family).then(
        (address) => this.#isClosed || this.#bindNow(address, port),
        (error) => this.#fail(error),
      )
    }

    #bindNow(address: string, port: number): void {
      try {
        this.#bindAt(address, port)
      } catch (error) {
        this.#fail(error)
      }
    }

    #bindAt(address: string, port: number): void {
      const place = { address, port }
      if (familyOf(splitZone(address)[0]) !== this.#family) throw refusal(EINVAL, 'bind', place)
      const { reuseAddr = false, reusePort = false, ipv6Only = false } = this.#options
      const how = { reuseAddress: reuseAddr, reusePort, ipv6Only }
      this.#take(orBindError(place, () => bindInside(this.#maker, SOCK_DGRAM, address, port, how)))
    }

    /** Node tells at once of a descriptor that it is given; of what it binds itself it tells later. */
    #take(fd: number): void {
      this.#isSilent = true
      try {
        super.bind({ fd, exclusive: true })
        this.#state = 'bound'
      } catch (error) {
        // What Node has taken goes with the socket.
        if (this.#hasDescriptor) this.#state = 'bound'
        else closeSocket(fd)
        throw error
      } finally {
        this.#isSilent = false
      }
      process.nextTick(() => this.#isClosed || this.emit('listening'))
    }

    #fail(error: unknown): void {
      this.#state = 'unbound'
      process.nextTick(() => this.#isClosed || this.emit('error', error))
    }

    get #hasDescriptor(): boolean {
      try {
        this.address()
        return true
      } catch {
        return false
      }
    }

    /** What is closed hears of nothing any more. It is not closed before what it has still to send is on its way. */
    get #isClosed(): boolean {
      try {
        this.address()
        return false
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ERR_SOCKET_DGRAM_NOT_RUNNING'
      }
    }

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (#isSilent in this && this.#isSilent && event === 'listening') return true
      // biome-ignore lint/suspicious/noExplicitAny: the overloads name each event.
      return super.emit(...([event, ...args] as any as ['close']))
    }

    override addMembership(group: string, link?: string): void {
      this.#bindForGroups()
      super.addMembership(group, link)
    }

    override dropMembership(group: string, link?: string): void {
      this.#bindForGroups()
      super.dropMembership(group, link)
    }

    override addSourceSpecificMembership(source: string, group: string, link?: string): void {
      this.#bindForGroups()
      super.addSourceSpecificMembership(source, group, link)
    }

    override dropSourceSpecificMembership(source: string, group: string, link?: string): void {
      this.#bindForGroups()
      super.dropSourceSpecificMembership(source, group, link)
    }

    /** libuv would bind by itself, outside: uv__udp_maybe_deferred_bind(). */
    #bindForGroups(): void {
      if (this.#isClosed || this.#state === 'bound') return
      if (this.#state === 'binding') throw refusal(EBADF, 'addMembership', { address: '' })
      this.#bindAt(this.#anywhere, 0)
    }

    /** From Node 24 on; `connectSync` goes by it. */
    bindSync(options: Dgram.BindOptions = {}): unknown {
      const { port, address } = parseBind([options])
      if (this.#state !== 'unbound' || this.#isClosed) alreadyBound()
      if (address !== undefined && familyOf(splitZone(address)[0]) === 0) {
        throw invalidValue('options.address', 'must be a numeric IP address', address)
      }
      this.#bindAt(address ?? this.#anywhere, port)
      return this.address()
    }
  }
  if (!('bindSync' in Socket.prototype)) Reflect.deleteProperty(Class.prototype, 'bindSync')
  return Class as unknown as SocketClass
}

function orBindError<T>(place: { address: string; port: number }, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw bindError(error, place)
  }
}

function alreadyBound(): never {
  throw Object.assign(new Error('Socket is already bound'), { code: 'ERR_SOCKET_ALREADY_BOUND' })
}

interface ParsedBind {
  port: number
  address: string | undefined
  fd: number | undefined
  /** Null where Node binds by itself. */
  listener: unknown
}

/** `(port?, address?, listener?)` and `(options, listener?)` alike. */
function parseBind([first, second, third]: unknown[]): ParsedBind {
  if (typeof first === 'object' && first !== null) {
    const { port, address, fd } = first as Dgram.BindOptions
    return { port: parsePort(port), address: address || undefined, fd, listener: second }
  }
  const listener = [first, second, third].find((argument) => typeof argument === 'function')
  return {
    port: typeof first === 'function' ? 0 : parsePort(first),
    address: typeof second === 'string' && second !== '' ? second : undefined,
    fd: undefined,
    listener,
  }
}

function parsePort(port: unknown): number {
  return port === undefined || port === null ? 0 : parseInteger(Number(port), 'port', 0, 0xffff)
}
