import type { Agent, AgentOptions, ClientRequestArgs } from 'node:http'
import type * as Https from 'node:https'
import type { NetConnectOpts, Socket } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { parseOptions } from '../../../validate/fields.ts'
import { HTTP_AGENT, HTTPS_AGENT } from '../../../validate/node-options.ts'
import { hold } from '../names/lookup.ts'
import type { SocketMaker } from '../socket-maker.ts'
import { connectBy } from './connect.ts'
import { connectSecurely } from './secure-connect.ts'

/** @internal Creates an agent whose connections are inside. */
export function httpAgent(maker: SocketMaker, options?: AgentOptions): Agent {
  const agent = new (process.getBuiltinModule('node:http').Agent)(
    parseOptions(options ?? undefined, HTTP_AGENT) as AgentOptions,
  )
  const createConnection = (given: ClientRequestArgs) => {
    // A request adds its listeners in the next tick, and must not miss an error before that.
    const held = hold(given.lookup ?? maker.lookup)
    process.nextTick(held.release)
    return orFailedSocket(() => connectBy(maker, { ...socketOptionsOf(given), lookup: held.lookup }))
  }
  return Object.assign(agent, { createConnection })
}

/** `path` is the path of the request, and `socketPath` that of the socket. */
function socketOptionsOf({ path: _, socketPath, ...options }: ClientRequestArgs): NetConnectOpts {
  return { ...options, ...(socketPath ? { path: socketPath } : {}) } as NetConnectOpts
}

type CreateConnection = (options: object, onCreate?: unknown) => TLSSocket

/** @internal Creates an agent whose connections are inside and use TLS. */
export function httpsAgent(maker: SocketMaker, options?: Https.AgentOptions): Https.Agent {
  const { Agent } = process.getBuiltinModule('node:https')
  const usual = Reflect.get(Agent.prototype, 'createConnection') as CreateConnection
  return Object.assign(new Agent(parseOptions(options ?? undefined, HTTPS_AGENT) as Https.AgentOptions), {
    createConnection(this: Https.Agent, given: ConnectionOptions, onCreate?: unknown): Socket {
      return orFailedSocket(() => connectSecurely(maker, given, (complete) => usual.call(this, complete, onCreate)))
    },
  })
}

/** Returns a socket that fails instead of throwing: for queued requests, an agent connects where no caller can catch an error. */
function orFailedSocket<S extends Socket>(make: () => S): S | Socket {
  try {
    return make()
  } catch (error) {
    const socket = new (process.getBuiltinModule('node:net').Socket)()
    process.nextTick(() => socket.destroy(error as Error))
    return socket
  }
}
