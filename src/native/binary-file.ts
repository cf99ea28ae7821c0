/** Of elf(5): what a file of 64 bits and little-endian order begins with, and where in its header the rest is. */
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1])
const HEADER = 64
const MACHINE = 18
const SECTIONS = { at: 40, size: 58, count: 60 }

/** As elf(5) numbers them. */
const MACHINES: Record<string, number> = { arm64: 183, x64: 62 }

/**
 * @internal What is wrong with the file of a binary, as far as its header says. The dynamic linker does not look: a file that was
 * cut short ends the process (SIGBUS), and one for another processor it takes for one that is not there.
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
    // The last section has a type. A download, or a copy, that broke off may have its size already.
    const last = Buffer.alloc(header.readUInt16LE(SECTIONS.size))
    readSync(fd, last, 0, last.length, whole - last.length)
    return last.every((byte) => byte === 0) ? 'file truncated: it ends in zeros' : undefined
  } finally {
    closeSync(fd)
  }
}

/** The table of sections comes last. */
function endOfSections(header: Buffer): number {
  const { at, size, count } = SECTIONS
  return Number(header.readBigUInt64LE(at)) + header.readUInt16LE(size) * header.readUInt16LE(count)
}
