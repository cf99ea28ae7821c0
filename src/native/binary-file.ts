/** From elf(5): the first bytes of a 64-bit little-endian file, and the offsets of the other fields in its header. */
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1])
const HEADER = 64
const MACHINE = 18
const SECTIONS = { at: 40, size: 58, count: 60 }

/** `e_machine` of elf(5). */
const MACHINES: Record<string, number> = { arm64: 183, x64: 62 }

/**
 * @internal Returns what is wrong with the file of a binary, according to its header. The dynamic linker does not check this: a
 * truncated file ends the process (SIGBUS), and the linker reports a file for another processor as missing.
 */
export function complaintAbout(path: string): string | undefined {
  const { closeSync, constants, fstatSync, openSync, readSync } = process.getBuiltinModule('node:fs')
  // A FIFO may never have a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return 'not a regular file'
    const header = Buffer.alloc(HEADER)
    if (readSync(fd, header, 0, HEADER, 0) < HEADER) return 'file too short'
    if (!header.subarray(0, MAGIC.length).equals(MAGIC)) return 'invalid ELF header'
    const machine = header.readUInt16LE(MACHINE)
    if (machine !== MACHINES[process.arch]) return `ELF file for another processor (${machine})`
    const whole = endOfSections(header)
    if (stat.size < whole) return `file too short: ${stat.size} of ${whole} bytes`
    // The header of the last section is not zero. An interrupted download or copy may already have the full size.
    const last = Buffer.alloc(header.readUInt16LE(SECTIONS.size))
    readSync(fd, last, 0, last.length, whole - last.length)
    return last.every((byte) => byte === 0) ? 'file truncated: it ends in zeros' : undefined
  } finally {
    closeSync(fd)
  }
}

/** The section headers are the last part of the file. */
function endOfSections(header: Buffer): number {
  const { at, size, count } = SECTIONS
  return Number(header.readBigUInt64LE(at)) + header.readUInt16LE(size) * header.readUInt16LE(count)
}
