import type { Server, Socket } from 'node:net'
import type { StreamHandle } from '../handles/node-handle.ts'
import { nameInside } from '../names/link-local-names.ts'

type HandleClass = new (type: number) => StreamHandle

/** `SERVER`, as Node.js has it beside its classes of handles. */
const SERVER = 1

let classes: { tcp: HandleClass; pipe: HandleClass } | undefined

/** @internal A handle for a server of TCP, or of a pipe, as Node.js makes one. It has no descriptor yet. */
export function serverHandle(isPipe: boolean): StreamHandle {
  classes ??= { tcp: classOf({ port: 1 }), pipe: classOf({ path: '\0' }) }
  return new (isPipe ? classes.pipe : classes.tcp)(SERVER)
}

/** Node's classes are seen only in what has one: here a socket that is held when it gets its handle, before it does anything. */
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

/** @internal Has a server listen by a handle that has its descriptor. */
export function listenBy(handle: StreamHandle, server: Server, isPipe: boolean, backlog: number | undefined): void {
  // Of a pipe `listen` would take the number for a descriptor that has no handle yet.
  if (!isPipe) return void server.listen(handle, backlog)
  Reflect.set(server, '_handle', handle)
  const listen2 = Reflect.get(server, '_listen2') as Listen2
  listen2.call(server, null, NO_PORT, NO_PORT, backlog)
}

/** @internal Has the handle of a server, and those of its connections, name links as they are called inside. */
export function namePeersInside(handle: StreamHandle): void {
  nameInside(handle)
  const { onconnection } = handle
  handle.onconnection = (status, client) => {
    if (client !== undefined) nameInside(client)
    onconnection?.call(handle, status, client)
  }
}

/** What `server.listen` itself calls in the end. */
type Listen2 = (address: null, port: number, type: number, backlog: number | undefined) => void

/** What Node's errors say of a path. */
export const NO_PORT = -1
