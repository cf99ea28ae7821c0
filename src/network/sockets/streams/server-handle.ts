import type { Server, Socket } from 'node:net'
import type { StreamHandle } from '../handles/node-handle.ts'
import { nameInside } from '../names/link-local-names.ts'

type HandleClass = new (type: number) => StreamHandle

/** Node's constant `SERVER` of its handle classes. */
const SERVER = 1

let classes: { tcp: HandleClass; pipe: HandleClass } | undefined

/** @internal Creates a handle for a TCP server or a pipe server, as Node.js does. It has no descriptor yet. */
export function serverHandle(isPipe: boolean): StreamHandle {
  classes ??= { tcp: classOf({ port: 1 }), pipe: classOf({ path: '\0' }) }
  return new (isPipe ? classes.pipe : classes.tcp)(SERVER)
}

/** Node does not export its handle classes. This takes one from a socket at the moment when it gets its handle. */
function classOf(place: object): HandleClass {
  const socket: Socket = new (process.getBuiltinModule('node:net').Socket)()
  let made: StreamHandle | undefined
  const take = (handle: StreamHandle) => {
    made = handle
    throw new Held()
  }
  Object.defineProperty(socket, '_handle', { get: () => null, set: take })
  try {
    socket.connect(place as { port: number })
  } catch (error) {
    if (!(error instanceof Held)) throw error
  }
  made?.close()
  return made?.constructor as HandleClass
}

class Held extends Error {}

/** @internal Makes a server listen with a handle that has its descriptor. */
export function listenBy(handle: StreamHandle, server: Server, isPipe: boolean, backlog: number | undefined): void {
  // For a pipe, `listen` would use the number as a descriptor without a handle.
  if (!isPipe) return void server.listen(handle, backlog)
  Reflect.set(server, '_handle', handle)
  const listen2 = Reflect.get(server, '_listen2') as Listen2
  listen2.call(server, null, NO_PORT, NO_PORT, backlog)
}

/** @internal Makes the handle of a server, and those of its connections, return names of links inside. */
export function namePeersInside(handle: StreamHandle): void {
  nameInside(handle)
  const { onconnection } = handle
  handle.onconnection = (status, client) => {
    if (client !== undefined) nameInside(client)
    onconnection?.call(handle, status, client)
  }
}

/** The internal method that `server.listen` calls in the end. */
type Listen2 = (address: null, port: number, type: number, backlog: number | undefined) => void

/** The port in Node's errors about a path. */
export const NO_PORT = -1
