import type { Agent, AgentOptions, ClientRequestArgs } from 'node:http'
import type * as Https from 'node:https'
import type { NetConnectOpts, Socket } from 'node:net'
import { bearInside } from './born-inside.ts'
import { connect } from './connect.ts'
import type { SocketMaker } from './socket-maker.ts'

/** @internal An agent whose connections are inside. */
export function httpAgent(maker: SocketMaker, options?: AgentOptions): Agent {
  const agent = new (process.getBuiltinModule('node:http').Agent)(options)
  return Object.assign(agent, { createConnection: (given: ClientRequestArgs) => connectFor(maker, given) })
}

/** A request's own path is not one of a socket. */
function connectFor(maker: SocketMaker, { path: _, socketPath, ...options }: ClientRequestArgs): Socket {
  return connect(maker, { ...options, ...(socketPath ? { path: socketPath } : {}) } as NetConnectOpts)
}

/** @internal An agent whose connections are inside, and encrypted. */
export function httpsAgent(maker: SocketMaker, options?: Https.AgentOptions): Https.Agent {
  const { Agent } = process.getBuiltinModule('node:https')
  const agent = new Agent(options)
  type CreateConnection = (options: object, onCreate?: unknown) => Socket
  const createConnection = Reflect.get(Agent.prototype, 'createConnection') as CreateConnection
  return Object.assign(agent, {
    createConnection(this: Https.Agent, given: ClientRequestArgs, onCreate?: unknown): Socket {
      maker.ensureOpen()
      // It connects in the next round only, when the socket is told to do so inside.
      const socket = createConnection.call(this, { lookup: maker.lookup, ...given }, onCreate)
      return bearInside(socket, maker.native)
    },
  })
}
