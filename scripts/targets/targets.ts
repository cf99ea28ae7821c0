/** What is built: Rust's name of a target, napi-rs' name of its package, and what it is linked against. */
export interface Target {
  /** As Rust has it: `aarch64-unknown-linux-musl`. */
  triple: string
  /** As the directories in `npm/` have it: `linux-arm64-musl`. */
  platform: string
  libc: 'glibc' | 'musl'
}

/** The oldest glibc that a binary may need: that of Debian 10, RHEL 8, and Node.js 20 itself. */
export const OLDEST_GLIBC = '2.28'

export const TARGETS: readonly Target[] = [
  { triple: 'x86_64-unknown-linux-gnu', platform: 'linux-x64-gnu', libc: 'glibc' },
  { triple: 'aarch64-unknown-linux-gnu', platform: 'linux-arm64-gnu', libc: 'glibc' },
  { triple: 'x86_64-unknown-linux-musl', platform: 'linux-x64-musl', libc: 'musl' },
  { triple: 'aarch64-unknown-linux-musl', platform: 'linux-arm64-musl', libc: 'musl' },
]

export function targetOf(triple: string | undefined): Target {
  const target = TARGETS.find((each) => each.triple === triple)
  if (target === undefined) throw new RangeError(`TARGET is one of ${TARGETS.map((each) => each.triple).join(', ')}`)
  return target
}

/** The binary's place in the project, which is what its package takes. */
export function binaryOf({ platform }: Target): string {
  return `npm/${platform}/nsset.${platform}.node`
}
