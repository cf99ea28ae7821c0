/** A name server inside a set that sends the answers of a test, valid or invalid, over UDP and TCP. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { NamespaceSet } from 'nsset'

export interface Query {
  name: string
  type: 'A' | 'AAAA'
  transport: 'udp' | 'tcp'
  /** The size of datagrams that EDNS allows; 0 without it. */
  edns: number
  trustsAd: boolean
}

/** An answer; undefined for silence. */
export type Reply =
  | undefined
  | {
      /** Of RFC 1035: 3 is NXDOMAIN. */
      code?: number
      records?: Buffer[]
      /** The answer is truncated: the rest is available over TCP. */
      truncated?: boolean
      /** Whether it offers recursion. Default: `true`. */
      recursive?: boolean
      /** Replaces the question. */
      question?: Buffer
      /** Sent before the answer, as by another sender. */
      before?: (id: number, question: Buffer) => Buffer
      /** Transforms the message. */
      spoil?: (message: Buffer) => Buffer
      /** Closes the connection, instead of an answer over TCP. */
      hangUp?: boolean
    }

export type Script = (query: Query) => Reply

export interface ScriptedServer extends AsyncDisposable {
  /** The queries that it received, in order: `A web.test`, `A web.test tcp`. */
  queries: string[]
}

const TYPES = { A: 1, AAAA: 28 }

/** A name in wire format. */
export const wire = (name: string) =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')),
    Buffer.alloc(1),
  ])

function record(owner: string, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(1, 2)
  head.writeUInt32BE(60, 4)
  head.writeUInt16BE(data.length, 8)
  return Buffer.concat([wire(owner), head, data])
}

export const a = (owner: string, address: string) => record(owner, 1, Buffer.from(address.split('.').map(Number)))
export const alias = (owner: string, target: string) => record(owner, 5, wire(target))
export const text = (owner: string) => record(owner, 16, Buffer.from('\x01x'))
export const broken = (owner: string) => record(owner, 1, Buffer.from([10, 0, 0]))

export function aaaa(owner: string, address: string): Buffer {
  const [head = '', tail = ''] = address.split('::')
  const words = (half: string) => half.split(':').filter((word) => word !== '')
  const [first, last] = [words(head), words(tail)]
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last]
  return record(owner, 28, Buffer.from(all.map((word) => word.padStart(4, '0')).join(''), 'hex'))
}

/** Listens at port 53 of an address inside. */
export async function startScriptedServer(set: NamespaceSet, address: string, script: Script): Promise<ScriptedServer> {
  const queries: string[] = []
  const respond = (message: Buffer, transport: Query['transport']) => {
    const { question, ...rest } = read(message)
    queries.push([rest.type, rest.name, ...(transport === 'tcp' ? ['tcp'] : [])].join(' '))
    const reply = script({ ...rest, transport })
    if (reply === undefined) return []
    if (reply.hangUp) return undefined
    const id = message.readUInt16BE(0)
    const before = reply.before === undefined ? [] : [reply.before(id, question)]
    return [...before, (reply.spoil ?? ((whole) => whole))(write(id, question, reply))]
  }
  const udp = set.network.createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', reuseAddr: true })
  udp.on('message', (message, from) => {
    for (const answer of respond(message, 'udp') ?? []) udp.send(answer, from.port, from.address)
  })
  udp.bind(53, address)
  await once(udp, 'listening')
  const sockets = new Set<Socket>()
  const tcp = await set.network.listen(
    createServer((socket) => {
      sockets.add(socket)
      let got = Buffer.alloc(0)
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        got = Buffer.concat([got, chunk])
        while (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) {
          const end = 2 + got.readUInt16BE(0)
          const answers = respond(got.subarray(2, end), 'tcp')
          got = got.subarray(end)
          if (answers === undefined) return void socket.destroy()
          for (const answer of answers) socket.write(Buffer.concat([sized(answer), answer]))
        }
      })
    }),
    { host: address, port: 53 },
  )
  const end = async () => {
    udp.close()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => tcp.close(resolve))
  }
  return { queries, [Symbol.asyncDispose]: end }
}

function sized(message: Buffer): Buffer {
  const size = Buffer.alloc(2)
  size.writeUInt16BE(message.length)
  return size
}

function read(message: Buffer): Omit<Query, 'transport'> & { question: Buffer } {
  const labels: string[] = []
  let at = 12
  for (; message[at] !== 0; at += (message[at] ?? 0) + 1) {
    labels.push(message.toString('latin1', at + 1, at + 1 + (message[at] ?? 0)))
  }
  const type = message.readUInt16BE(at + 1) === TYPES.A ? 'A' : 'AAAA'
  const edns = message.readUInt16BE(10) === 0 ? 0 : message.readUInt16BE(at + 8)
  const trustsAd = ((message[3] ?? 0) & 0x20) !== 0
  return { name: labels.join('.'), type, edns, trustsAd, question: message.subarray(12, at + 5) }
}

function write(id: number, question: Buffer, reply: NonNullable<Reply>): Buffer {
  const { code = 0, records = [], truncated = false, recursive = true } = reply
  const head = Buffer.alloc(12)
  head.writeUInt16BE(id, 0)
  head.writeUInt16BE(0x8100 | (truncated ? 0x0200 : 0) | (recursive ? 0x0080 : 0) | code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(records.length, 6)
  return Buffer.concat([head, reply.question ?? question, ...records])
}
