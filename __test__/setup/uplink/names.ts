/** A small name server of the other machine, over UDP and TCP. */
import type { Socket as DatagramSocket } from 'node:dgram'
import net from 'node:net'
import type { NamespaceSet } from 'nsset'

/** The addresses of each name. A name that begins with `large` has so many that its answer needs TCP. */
export type Names = Readonly<Record<string, readonly string[]>>

export class Names53 implements Disposable {
  /** The questions that came: `'A web.test'`. */
  readonly questions: string[] = []
  readonly #names: Names
  #datagrams: DatagramSocket | undefined
  #streams: net.Server | undefined

  constructor(names: Names) {
    this.#names = names
  }

  async listen(set: NamespaceSet, host: string): Promise<void> {
    const datagrams = set.network.createSocket('udp4')
    this.#datagrams = datagrams
    datagrams.on('message', (message, { port, address }) => {
      const answer = this.#answer(message)
      // What is too long for a datagram is cut to its question, and marked.
      if (answer.length > 1232) answer.writeUInt16BE(answer.readUInt16BE(2) | 0x0200, 2)
      datagrams.send(answer.length > 1232 ? emptied(answer, message.length) : answer, port, address)
    })
    await new Promise<void>((resolve) => datagrams.bind(53, host, resolve))
    const streams = net.createServer((socket) => {
      socket.once('data', (data) => {
        const answer = this.#answer(data.subarray(2))
        const length = Buffer.alloc(2)
        length.writeUInt16BE(answer.length)
        socket.end(Buffer.concat([length, answer]))
      })
    })
    this.#streams = await set.network.listen(streams, { port: 53, host })
  }

  [Symbol.dispose](): void {
    this.#datagrams?.close()
    this.#streams?.close()
  }

  #answer(message: Buffer): Buffer {
    const { name, type, end } = questionOf(message)
    this.questions.push(`${type === 1 ? 'A' : type === 28 ? 'AAAA' : type} ${name}`)
    const found = this.#names[name]
    const family = type === 1 ? 4 : type === 28 ? 6 : 0
    const addresses = (found ?? []).filter((address) => net.isIP(address) === family)
    const header = Buffer.from(message.subarray(0, 12))
    header.writeUInt16BE(found === undefined ? 0x8183 : 0x8180, 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(addresses.length, 6)
    header.writeUInt32BE(0, 8)
    return Buffer.concat([header, message.subarray(12, end), ...addresses.map((address) => recordOf(address, type))])
  }
}

function emptied(answer: Buffer, length: number): Buffer {
  const cut = Buffer.from(answer.subarray(0, questionOf(answer).end))
  cut.writeUInt16BE(0, 6)
  return cut.subarray(0, Math.max(cut.length, Math.min(length, cut.length)))
}

function questionOf(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 }
}

/** A record for the name of the question, which begins at byte 12. */
function recordOf(address: string, type: number): Buffer {
  const data = type === 1 ? Buffer.from(address.split('.').map(Number)) : bytesOfV6(address)
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length])
  return Buffer.concat([head, data])
}

function bytesOfV6(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::')
  const groups = (text: string) => text.split(':').filter((group) => group !== '')
  const [first, last] = [groups(head), groups(tail)]
  const all = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last]
  return Buffer.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]))
}
