/** Of a header of a program: elf(5), for 64 bits. */
const PT_INTERP = 3

/** Where musl has its loader, and so every program that is linked to it. */
const OF_MUSL: Record<string, string> = { arm64: '/lib/ld-musl-aarch64.so.1', x64: '/lib/ld-musl-x86_64.so.1' }

/**
 * The C library of this process, as napi-rs calls it; undefined where it cannot be told. Where musl is there, glibc may be
 * too: the program's interpreter says which of them it is. `process.report` knows it as well, and takes 20 ms. The package
 * detect-libc reads the interpreter too, but loads 37 modules of Node.js before (`child_process`), and closes the program's file on
 * libuv's pool, later.
 */
export function libc(): 'gnu' | 'musl' | undefined {
  const ofMusl = OF_MUSL[process.arch]
  try {
    // Not imported: that would load all that `node:fs` can have. The permission model may have it throw.
    if (ofMusl !== undefined && !process.getBuiltinModule('node:fs').existsSync(ofMusl)) return 'gnu'
    const interpreter = interpreterOf('/proc/self/exe')
    if (interpreter === undefined) return undefined
    return interpreter.includes('/ld-musl-') ? 'musl' : 'gnu'
  } catch {
    return undefined
  }
}

/** What loads the program's libraries: `/lib64/ld-linux-x86-64.so.2`. None for a program that has none. */
function interpreterOf(program: string): string | undefined {
  const { closeSync, openSync, readSync } = process.getBuiltinModule('node:fs')
  const fd = openSync(program, 'r')
  try {
    const read = (length: number, position: number) => {
      const bytes = Buffer.alloc(length)
      readSync(fd, bytes, 0, length, position)
      return bytes
    }
    const file = read(64, 0)
    const is64Bits = file[4] === 2
    const isLittleEndian = file[5] === 1
    if (!is64Bits || !isLittleEndian) return undefined
    const [size, count] = [file.readUInt16LE(54), file.readUInt16LE(56)]
    const headers = read(size * count, Number(file.readBigUInt64LE(32)))
    for (let at = 0; at < headers.length; at += size) {
      if (headers.readUInt32LE(at) !== PT_INTERP) continue
      const path = read(Number(headers.readBigUInt64LE(at + 32)), Number(headers.readBigUInt64LE(at + 8)))
      return path.toString('latin1').replace(/\0$/, '')
    }
    return undefined
  } finally {
    closeSync(fd)
  }
}
