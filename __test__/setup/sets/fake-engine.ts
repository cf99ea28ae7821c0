/** An engine with the answers of a test, on its own socket, like Docker and Podman. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Server, Socket } from 'node:net'
import { temporaryDirectory } from './temporary-directory.ts'

/** The answer for a path: an object with status 200, another status, or a function that answers. */
export type Reply =
  | object
  | [status: number, body: unknown]
  | ((request: IncomingMessage, response: ServerResponse) => void)

export interface FakeEngine extends AsyncDisposable {
  readonly socketPath: string
  /** `127.0.0.1:PORT`, its second address. */
  readonly host: string
  /** The requested paths. */
  readonly asked: string[]
  /** The number of open connections. */
  connections(): number
  reply(path: string, reply: Reply): void
}

/** A container in the format of GET /containers/ID/json. */
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
