import type * as Dgram from 'node:dgram'
import { parseOptions } from '../../../validate/fields.ts'
import { BIND } from '../../../validate/node-options.ts'
import { ensureNodeSockets, hasNodeSockets } from '../nodes-own.ts'
import type { SocketMaker } from '../socket-maker.ts'
import { DatagramInside, type State } from './datagram-handle.ts'
import { classOfBun } from './datagram-of-bun.ts'
import {
  bindingOf,
  type DatagramClass,
  type DatagramListener,
  type DatagramOptions,
  lookupOf,
  parseBind,
  parseDatagramOptions,
} from './datagram-options.ts'

/** @internal Same as `dgram.createSocket`, inside. */
export function createSocket(
  maker: SocketMaker,
  typeOrOptions: Dgram.SocketType | DatagramOptions,
  listener?: DatagramListener,
): Dgram.Socket {
  maker.ensureOpen()
  ensureNodeSockets('createSocket', ['deno'])
  const options = parseDatagramOptions(typeOrOptions)
  SocketInside ??= hasNodeSockets() ? makeClass() : classOfBun()
  return new SocketInside(maker, options, listener)
}

let SocketInside: DatagramClass | undefined

/** Created on first use, because most programs do not need `dgram`. */
function makeClass(): DatagramClass {
  const { Socket } = process.getBuiltinModule('node:dgram')

  const Class = class extends Socket {
    readonly #inside: DatagramInside

    constructor(maker: SocketMaker, options: DatagramOptions, listener?: DatagramListener) {
      // biome-ignore lint/suspicious/noExplicitAny: the types have no constructor, because sockets are created by `createSocket`.
      super(...([{ ...options, lookup: lookupOf(maker, options) }, listener] as any as []))
      this.#inside = new DatagramInside(this, stateOf(this), maker, bindingOf(options))
    }

    override bind(...args: unknown[]): this {
      const { port, address, listener } = parseBind(args)
      // `exclusive`, because the primary of a cluster would bind outside.
      const endpoint = { port, exclusive: true, ...(address === undefined ? {} : { address }) }
      return this.#inside.during('bind', () => super.bind(endpoint, listener as () => void))
    }

    /** Exists since Node.js 24; `connectSync` uses it, too. */
    bindSync(options?: Dgram.BindOptions): unknown {
      const { bindSync } = Socket.prototype as unknown as { bindSync(options?: Dgram.BindOptions): unknown }
      const given = parseOptions(options, BIND) as Dgram.BindOptions
      return this.#inside.during('bindSync', () => bindSync.call(this, given))
    }
  }
  if (!('bindSync' in Socket.prototype)) Reflect.deleteProperty(Class.prototype, 'bindSync')
  return Class as unknown as DatagramClass
}

function stateOf(socket: Dgram.Socket): State {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')
  return Reflect.get(socket, symbol as symbol) as State
}
