/** The shared libraries that a binary needs: nothing but the C library, which Node.js has loaded already. */
import { readelf } from './readelf.ts'

/** musl is one file; glibc was several, until 2.34. */
const OF_LIBC = /^(libc\.so|libc\.so\.6|ld-linux-\S+\.so\.\d|lib(m|dl|rt)\.so\.\d|libpthread\.so\.0)$/

/** Throws when the binary needs a library that a system with its C library may lack. */
export function checkLibraries(binary: string): void {
  const text = readelf('--dynamic', binary)
  const needed = [...text.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name as string)
  const others = needed.filter((name) => !OF_LIBC.test(name))
  if (others.length > 0) throw new Error(`${binary} needs ${others.join(', ')}, and may need nothing but the C library`)
}
