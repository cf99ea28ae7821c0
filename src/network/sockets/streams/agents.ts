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

/** @internal An agent whose connections are inside. */
export function httpAgent(maker: SocketMaker, options?: AgentOptions): Agent {
  const agent = new (process.getBuiltinModule('node:http').Agent)(
    parseOptions(options ?? undefined, HTTP_AGENT) as AgentOptions,
  )
  const createConnection = (given: ClientRequestArgs) => {
    // A request listens to its socket from the next round on only, and is to hear of what fails at once.
    const held = hold(given.lookup ?? maker.lookup)
    process.nextTick(held.release)
    return orBroken(() => connectBy(maker, { ...placeOf(given), lookup: held.lookup }))
  }
  return Object.assign(agent, { createConnection })
}

/** A request's own path is not one of a socket. */
function placeOf({ path: _, socketPath, ...options }: ClientRequestArgs): NetConnectOpts {
  return { ...options, ...(socketPath ? { path: socketPath } : {}) } as NetConnectOpts
}

type CreateConnection = (options: object, onCreate?: unknown) => TLSSocket

/** @internal An agent whose connections are inside, and encrypted. */
export function httpsAgent(maker: SocketMaker, options?: Https.AgentOptions): Https.Agent {
  const { Agent } = process.getBuiltinModule('node:https')
  const usual = Reflect.get(Agent.prototype, 'createConnection') as CreateConnection
  return Object.assign(new Agent(parseOptions(options ?? undefined, HTTPS_AGENT) as Https.AgentOptions), {
    createConnection(this: Https.Agent, given: ConnectionOptions, onCreate?: unknown): Socket {
      return orBroken(() => connectSecurely(maker, given, (complete) => usual.call(this, complete, onCreate)))
    },
  })
}

/** An agent makes connections where nobody could catch what is thrown: for requests that have waited. */
function orBroken<S extends Socket>(make: () => S): S | Socket {
  try {
    return make()
  } catch (error) {
    const socket = new (process.getBuiltinModule('node:net').Socket)()
    process.nextTick(() => socket.destroy(error as Error))
    return socket
  }
}
