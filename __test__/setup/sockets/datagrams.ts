/** What tests of datagram sockets share. */
import type dgram from 'node:dgram'
import { once } from 'node:events'
import type { Network } from 'nsset'

/** A socket that is closed after its use. */
export async function using<T>(socket: dgram.Socket, use: (socket: dgram.Socket) => T | Promise<T>): Promise<T> {
  try {
    return await use(socket)
  } finally {
    await closed(socket)
  }
}

export async function closed(socket: dgram.Socket): Promise<void> {
  try {
    const end = once(socket, 'close')
    socket.close()
    await end
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING') throw error
  }
}

export const listening = (socket: dgram.Socket) => once(socket, 'listening')

/** The next datagram, and from where. */
export async function received(socket: dgram.Socket): Promise<[text: string, from: string]> {
  const [message, { address, port }] = await once(socket, 'message', { signal: AbortSignal.timeout(8_000) })
  return [String(message), `${address}:${port}`]
}

/** Of either: one that is bound here, and its address there. */
export async function bound(maker: Network, type: dgram.SocketType = 'udp4'): Promise<dgram.Socket> {
  const socket = maker.createSocket(type)
  socket.bind()
  await listening(socket)
  return socket
}

/** What Node reports for its own socket, created in the same way outside. */
export interface Maker {
  createSocket(options: dgram.SocketOptions, listener?: () => void): dgram.Socket
}

/** All properties of an error, without its stack and the ones that nsset adds. */
export function fieldsOf(error: unknown): object {
  const { name, message, cause: _, ...fields } = error as Error
  return { name, message, ...fields }
}

/** The events of a socket, in order, with the properties of errors. */
export function eventsOf(socket: dgram.Socket): unknown[] {
  const events: unknown[] = []
  for (const event of ['listening', 'connect', 'close']) socket.on(event, () => events.push(event))
  socket.on('error', (error) => events.push(fieldsOf(error)))
  return events
}

export const aMoment = () => new Promise((resolve) => setTimeout(resolve, 100))
