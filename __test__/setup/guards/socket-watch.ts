/** What is seen of sockets and servers of `node:net` from outside them, as values that can be compared and sent. */
import type { Server, Socket } from 'node:net'

/** Milliseconds, after which a socket that does not close is destroyed. */
const TIME_LIMIT = 10_000

const EVENTS = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
  'connect',
  'ready',
]
const LATER_EVENTS = ['timeout', 'drain', 'end', 'finish', 'close']

/** All events of a socket until its `'close'`, in order; data that came in pieces is one. */
export function watch(socket: Socket): Promise<unknown[]> {
  const events: unknown[] = []
  let data = ''
  const tell = (...event: unknown[]) => {
    if (data !== '') events.push(['data', data])
    data = ''
    events.push(event.map((each) => (each instanceof Error ? tellError(each) : each)))
  }
  for (const event of EVENTS) socket.on(event, (...details) => tell(event, ...details))
  for (const event of LATER_EVENTS) socket.on(event, (...details) => tell(event, ...details))
  socket.on('error', (error) => tell('error', error))
  socket.on('data', (chunk) => (data += String(chunk)))
  const limit = setTimeout(() => socket.destroy(new Error('it did not close')), TIME_LIMIT)
  return new Promise((resolve) => {
    socket.once('close', () => {
      clearTimeout(limit)
      // What is told after the end would be seen, too.
      setTimeout(() => resolve(events), 20)
    })
  })
}

/** What Node documents of errors of sockets; with those it was made of. */
export function tellError(error: unknown): object {
  const { name, message, code, errno, syscall, ...rest } = error as NodeJS.ErrnoException
  const { address, port, hostname, localAddress, localPort } = rest as Record<string, unknown>
  const { errors } = error as AggregateError
  const told = { name, message, code, errno, syscall, address, port, hostname, localAddress, localPort }
  return errors === undefined ? told : { ...told, errors: errors.map(tellError) }
}

/** What a call throws, or its promise rejects with. */
export async function failure(call: () => unknown): Promise<object> {
  try {
    await call()
  } catch (error) {
    return tellError(error)
  }
  return { name: 'nothing failed' }
}

/** Where it listens, and that it does. */
export function placeOf(server: Server): unknown[] {
  return [server.listening, server.address()]
}

/** Both ends' names of a connection. */
export function namesOf(socket: Socket): object {
  const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = socket
  return { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily }
}
