/** The type of the program header that names the interpreter: elf(5), 64 bits. */
const PT_INTERP = 3

/** The path of musl's loader, which every program linked to musl names as its interpreter. */
const OF_MUSL: Record<string, string> = { arm64: '/lib/ld-musl-aarch64.so.1', x64: '/lib/ld-musl-x86_64.so.1' }

/**
 * Returns the C library of this process, by its name in napi-rs, or undefined if it cannot be determined. A system with musl may
 * also have glibc: the program's interpreter says which of them the process uses. `process.report` contains this too, but takes
 * 20 ms. The package detect-libc also reads the interpreter, but first loads 37 modules of Node.js (`child_process`), and closes
 * the program's file later, on libuv's pool.
 */
export function libc(): 'gnu' | 'musl' | undefined {
  const ofMusl = OF_MUSL[process.arch]
  try {
    // An import would load all of `node:fs`. With the permission model, this may throw.
    if (ofMusl !== undefined && !process.getBuiltinModule('node:fs').existsSync(ofMusl)) return 'gnu'
    const interpreter = interpreterOf('/proc/self/exe')
    if (interpreter === undefined) return undefined
    return interpreter.includes('/ld-musl-') ? 'musl' : 'gnu'
  } catch {
    return undefined
  }
}

/** Returns the loader of the program's libraries, such as `/lib64/ld-linux-x86-64.so.2`; undefined for a static program. */
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
