/** Reads pcapng, block by block, as the draft of the IETF describes it; and tcpdump(8), which reads it, too. */
import { execFileSync } from 'node:child_process'

export interface CapturedPacket {
  /** In nanoseconds since 1970. */
  time: bigint
  bytes: Buffer
  length: number
  /** `epb_flags`: bits 0 and 1 are the direction. */
  flags: number
}

export interface CapturedFile {
  linkType: number
  snapLength: number
  /** The options of the interface, by their codes. */
  options: Map<number, Buffer>
  packets: CapturedPacket[]
  /** The options of the statistics; undefined if the capture did not come to its end. */
  statistics: Map<number, Buffer> | undefined
}

/** Throws if a block is not complete. */
export function readCapture(file: Buffer): CapturedFile {
  const [section, description, ...blocks] = blocksOf(file)
  if (section?.type !== 0x0a0d0d0a || section.body.readUInt32LE(0) !== 0x1a2b3c4d) throw new Error('no section header')
  if (description?.type !== 1) throw new Error('no interface description')
  const statistics = blocks.at(-1)?.type === 5 ? blocks.pop() : undefined
  if (blocks.some(({ type }) => type !== 6)) throw new Error('a block that is not a packet')
  return {
    linkType: description.body.readUInt16LE(0),
    snapLength: description.body.readUInt32LE(4),
    options: optionsOf(description.body.subarray(8)),
    packets: blocks.map(({ body }) => readPacket(body)),
    statistics: statistics && optionsOf(statistics.body.subarray(12)),
  }
}

function* blocksOf(file: Buffer): Generator<{ type: number; body: Buffer }> {
  for (let offset = 0; offset < file.length; ) {
    const length = file.readUInt32LE(offset + 4)
    const end = offset + length
    if (length % 4 !== 0 || file.readUInt32LE(end - 4) !== length) throw new Error(`a wrong length at ${offset}`)
    yield { type: file.readUInt32LE(offset), body: file.subarray(offset + 8, end - 4) }
    offset = end
  }
}

function optionsOf(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>()
  for (let offset = 0; ; ) {
    const [code, length] = [bytes.readUInt16LE(offset), bytes.readUInt16LE(offset + 2)]
    if (code === 0) return options
    options.set(code, bytes.subarray(offset + 4, offset + 4 + length))
    offset += 4 + Math.ceil(length / 4) * 4
  }
}

function readPacket(body: Buffer): CapturedPacket {
  const taken = body.readUInt32LE(12)
  const flags = optionsOf(body.subarray(20 + Math.ceil(taken / 4) * 4)).get(2)
  return {
    time: (BigInt(body.readUInt32LE(4)) << 32n) + BigInt(body.readUInt32LE(8)),
    bytes: body.subarray(20, 20 + taken),
    length: body.readUInt32LE(16),
    flags: flags?.readUInt32LE() ?? 0,
  }
}

/** The lines that tcpdump prints for a capture. */
export function tcpdump(file: Buffer, ...options: string[]): string[] {
  const args = ['-n', '-r', '-', ...options]
  const text = execFileSync('tcpdump', args, { input: file, encoding: 'utf8', stdio: 'pipe', timeout: 10_000 })
  return text.split('\n').filter((line) => line !== '')
}

/** The program that tcpdump compiles a filter to, for packets with an Ethernet header. */
export function compiledByTcpdump(filter: string): Buffer {
  const fileHeader = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex')
  const [, ...lines] = tcpdump(fileHeader, '-ddd', filter)
  const instructions = lines.map((line) => {
    const [code = 0, jumpTrue = 0, jumpFalse = 0, value = 0] = line.split(' ').map(Number)
    const instruction = Buffer.alloc(8)
    instruction.writeUInt16LE(code, 0)
    instruction.set([jumpTrue, jumpFalse], 2)
    instruction.writeUInt32LE(value, 4)
    return instruction
  })
  return Buffer.concat(instructions)
}
