import type { BindOptions } from 'node:dgram'
import { familyOf } from '../../../validate/network/values.ts'
import { splitZone } from '../../../validate/network/zone.ts'
import { type Binding, boundTo } from '../handles/bind.ts'
import { EBADF } from '../handles/node-handle.ts'
import { addressOf } from '../names/lookup.ts'
import { SOCK_DGRAM, type SocketMaker } from '../socket-maker.ts'
import { bindError, errorOf } from '../system-error.ts'
import {
  bindingOf,
  type DatagramClass,
  type DatagramListener,
  type DatagramOptions,
  lookupOf,
  parseBind,
} from './datagram-options.ts'

/** @internal Sockets of Bun's `dgram`. They have no handles, so they get a descriptor whenever they would bind. */
export function classOfBun(): DatagramClass {
  const { Socket } = process.getBuiltinModule('node:dgram')
  const joining = ['addMembership', 'dropMembership', 'addSourceSpecificMembership', 'dropSourceSpecificMembership']

  const Class = class extends Socket {
    readonly #maker: SocketMaker
    readonly #options: DatagramOptions
    readonly #how: Binding
    #state: 'unbound' | 'binding' | 'bound' = 'unbound'

    constructor(maker: SocketMaker, options: DatagramOptions, listener?: DatagramListener) {
      // biome-ignore lint/suspicious/noExplicitAny: the types have no constructor, because sockets are created by `createSocket`.
      super(...([{ ...options, lookup: lookupOf(maker, options) }, listener] as any as []))
      this.#maker = maker
      this.#options = options
      this.#how = bindingOf(options)
    }

    override bind(...args: unknown[]): this {
      const { port, address, listener } = parseBind(args)
      if (this.#state !== 'unbound') throw alreadyBound()
      const where = address ?? this.anywhere
      this.#state = 'binding'
      if (typeof listener === 'function') this.once('listening', listener as () => void)
      this.#bindTo(where, port).catch((error) => {
        this.#state = 'unbound'
        this.emit('error', error)
      })
      return this
    }

    get family(): 4 | 6 {
      return this.#options.type === 'udp6' ? 6 : 4
    }

    get anywhere(): string {
      return this.family === 6 ? '::' : '0.0.0.0'
    }

    async #bindTo(name: string, port: number): Promise<void> {
      const isAddress = familyOf(splitZone(name)[0]) !== 0
      const address = isAddress ? name : await addressOf(lookupOf(this.#maker, this.#options), name, this.family)
      this.bindNow(address, port)
    }

    bindNow(address: string, port: number): void {
      const open = (fd: number): number => {
        super.bind({ fd, exclusive: true } as BindOptions)
        return 0
      }
      try {
        this.#maker.native.openHandle({ open }, boundTo(SOCK_DGRAM, address, port, this.#how))
        this.#state = 'bound'
      } catch (error) {
        throw bindError(error, { address, port })
      }
    }

    bindForGroups(): void {
      if (this.#state === 'binding') throw errorOf(EBADF, 'addMembership', { address: '' })
      if (this.#state === 'unbound') this.bindNow(this.anywhere, 0)
    }
  }
  for (const name of joining) {
    const join = Reflect.get(Socket.prototype, name) as (...args: unknown[]) => unknown
    const value = function (this: InstanceType<typeof Class>, ...args: unknown[]): unknown {
      this.bindForGroups()
      return join.apply(this, args)
    }
    Object.defineProperty(Class.prototype, name, { value, configurable: true, writable: true })
  }
  return Class as unknown as DatagramClass
}

function alreadyBound(): Error {
  return Object.assign(new Error('Socket is already bound'), { code: 'ERR_SOCKET_ALREADY_BOUND' })
}
