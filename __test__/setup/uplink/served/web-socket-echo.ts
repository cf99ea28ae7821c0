/** A server of WebSockets (RFC 6455) that sends each short message back. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const HEADER = 2
const MASK = 4

/** For the event `upgrade` of an HTTP server. */
export function webSocketEcho({ headers }: IncomingMessage, socket: Duplex): void {
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${GUID}`).digest('base64')
  const answer = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  socket.write([...answer, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'))
  let waiting = Buffer.alloc(0)
  socket
    .on('error', () => undefined)
    .on('data', (data: Buffer) => {
      waiting = Buffer.concat([waiting, data])
      for (let frame = frameIn(waiting); frame !== undefined; frame = frameIn(waiting)) {
        waiting = waiting.subarray(HEADER + MASK + frame.length)
        socket.write(Buffer.concat([Buffer.from([frame.kind, frame.length]), frame.payload]))
      }
    })
}

/** The first message, whose length fits into one byte. */
function frameIn(bytes: Buffer): { kind: number; length: number; payload: Buffer } | undefined {
  const [kind, second] = bytes
  const length = (second ?? 0) & 0x7f
  if (kind === undefined || bytes.length < HEADER + MASK + length) return undefined
  const mask = bytes.subarray(HEADER, HEADER + MASK)
  const payload = bytes.subarray(HEADER + MASK, HEADER + MASK + length)
  return { kind, length, payload: payload.map((byte, index) => byte ^ (mask[index % MASK] ?? 0)) as Buffer }
}
