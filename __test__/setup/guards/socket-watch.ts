/** Events and properties of sockets and servers of `node:net`, as values that can be compared and sent. */
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

/** All events of a socket until its `'close'`, in order; consecutive data events are merged. */
export function watch(socket: Socket): Promise<unknown[]> {
  const events: unknown[] = []
  let data = ''
  const record = (...event: unknown[]) => {
    if (data !== '') events.push(['data', data])
    data = ''
    events.push(event.map((each) => (each instanceof Error ? tellError(each) : each)))
  }
  for (const event of EVENTS) socket.on(event, (...details) => record(event, ...details))
  for (const event of LATER_EVENTS) socket.on(event, (...details) => record(event, ...details))
  socket.on('error', (error) => record('error', error))
  socket.on('data', (chunk) => (data += String(chunk)))
  const limit = setTimeout(() => socket.destroy(new Error('it did not close')), TIME_LIMIT)
  return new Promise((resolve) => {
    socket.once('close', () => {
      clearTimeout(limit)
      // Events after the end would be recorded, too.
      setTimeout(() => resolve(events), 20)
    })
  })
}

/** The fields that Node.js documents for socket errors, including aggregated errors. */
export function tellError(error: unknown): object {
  const { name, message, code, errno, syscall, ...rest } = error as NodeJS.ErrnoException
  const { address, port, hostname, localAddress, localPort } = rest as Record<string, unknown>
  const { errors } = error as AggregateError
  const fields = { name, message, code, errno, syscall, address, port, hostname, localAddress, localPort }
  return errors === undefined ? fields : { ...fields, errors: errors.map(tellError) }
}

/** The error that a call throws, or with which its promise rejects. */
export async function failure(call: () => unknown): Promise<object> {
  try {
    await call()
  } catch (error) {
    return tellError(error)
  }
  return { name: 'nothing failed' }
}

/** The address of a server, and whether it is listening. */
export function placeOf(server: Server): unknown[] {
  return [server.listening, server.address()]
}

/** The addresses at both ends of a connection. */
export function namesOf(socket: Socket): object {
  const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = socket
  return { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily }
}
