/** The API of scenes: the functions of `node:net`, or those of a set's network, and functions that record events. */
import * as dgram from 'node:dgram'
import { once } from 'node:events'
import * as net from 'node:net'
import { setTimeout as pass } from 'node:timers/promises'
import type { Network, NetworkListenOptions } from 'nsset'
import { failure, namesOf, placeOf, tellError, watch } from '../guards/socket-watch.ts'

/** The functions of either. */
export interface SocketApi {
  connect(options: net.NetConnectOpts, listener?: () => void): net.Socket
  listen<S extends net.Server>(server: S, options: NetworkListenOptions | number): Promise<S>
  createSocket(options: dgram.SocketType | dgram.SocketOptions): dgram.Socket
}

/** The arguments of a scene: it may use nothing else but globals, since it is sent to another process. */
export interface Stage extends SocketApi {
  net: typeof net
  once: typeof once
  pass: (milliseconds: number) => Promise<unknown>
  watch: typeof watch
  failure: typeof failure
  tellError: typeof tellError
  placeOf: typeof placeOf
  namesOf: typeof namesOf
  /** An echo server. */
  echo(options: NetworkListenOptions | number, given?: net.ServerOpts): Promise<net.Server>
  /** Closes it, and waits until it is closed. */
  end(server: net.Server): Promise<unknown>
}

export type Scene<T = unknown> = (stage: Stage, value: T) => unknown

/** Runs it with Node's own functions, or with a network's; its result can be sent. */
export async function play(scene: Scene, api: SocketApi, value: unknown): Promise<unknown> {
  const echo: Stage['echo'] = (options, given = {}) =>
    api.listen(
      net.createServer(given, (socket) => socket.on('error', () => undefined).pipe(socket)),
      options,
    )
  const end: Stage['end'] = (server) => {
    const closed = once(server, 'close')
    server.close()
    return closed
  }
  const stage = { ...api, net, once, pass, watch, failure, tellError, placeOf, namesOf, echo, end } as Stage
  const seen = await scene(stage, value)
  if (seen === undefined) throw new Error('a scene returns what it observed')
  return JSON.parse(JSON.stringify(seen))
}

export const NODES_OWN: SocketApi = {
  connect: (options, listener) => net.connect(options, listener),
  listen: (server, options) =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(options as net.ListenOptions, () => {
        server.removeListener('error', reject)
        resolve(server)
      })
    }),
  createSocket: (options) => dgram.createSocket(options as dgram.SocketOptions),
}

export const apiOf = (network: Network): SocketApi => ({
  connect: (options, listener) => network.connect(options, listener),
  listen: (server, options) => network.listen(server, options),
  createSocket: (options) => network.createSocket(options),
})
