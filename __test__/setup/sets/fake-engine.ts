/** An engine that answers what the test says, on a socket of its own, as Docker and Podman do. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Server, Socket } from 'node:net'
import { temporaryDirectory } from './temporary-directory.ts'

/** What is said to a path: an object with 200, another status, or whatever the function does. */
export type Reply =
  | object
  | [status: number, body: unknown]
  | ((request: IncomingMessage, response: ServerResponse) => void)

export interface FakeEngine extends AsyncDisposable {
  readonly socketPath: string
  /** `127.0.0.1:PORT`, where it listens too. */
  readonly host: string
  /** The paths that were asked for. */
  readonly asked: string[]
  /** How many connections are open. */
  connections(): number
  reply(path: string, reply: Reply): void
}

/** A container as GET /containers/ID/json has it. */
export function inspected(id: string, name: string, state: object): object {
  return { Id: id, Name: `/${name}`, Created: '2026-01-01T00:00:00Z', State: state, HostConfig: {} }
}

export async function fakeEngine(replies: Record<string, Reply> = {}): Promise<FakeEngine> {
  const directory = temporaryDirectory()
  const socketPath = directory.file('engine.sock')
  const table = new Map(Object.entries(replies))
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? ''
    asked.push(path)
    const reply = table.get(path) ?? [404, { message: `No such container: ${path.split('/')[2]}` }]
    if (typeof reply === 'function') {
      reply(request, response)
      return
    }
    const [status, body] = Array.isArray(reply) && typeof reply[0] === 'number' ? reply : [200, reply]
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
  const overTcp: Server = createServer(answer).listen(0, '127.0.0.1')
  const servers: Server[] = [createServer(answer).listen(socketPath), overTcp]
  for (const server of servers) {
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
  }
  await Promise.all(servers.map((server) => once(server, 'listening')))
  return {
    socketPath,
    host: `127.0.0.1:${(overTcp.address() as AddressInfo).port}`,
    asked,
    connections: () => sockets.size,
    reply: (path, reply) => table.set(path, reply),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
      directory[Symbol.dispose]()
    },
  }
}
