/** What is built: the targets that package.json names for napi-rs, as its CLI reads them. */
import { readFileSync } from 'node:fs'
import { parseTriple } from '@napi-rs/cli'

export type Target = ReturnType<typeof parseTriple>

/** The oldest glibc that a binary may need: that of Debian 10, RHEL 8, and Node.js 20 itself. */
export const OLDEST_GLIBC = '2.28'

const { napi } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  napi: { targets: string[] }
}

export const TARGETS: readonly Target[] = napi.targets.map(parseTriple)

export function targetOf(triple: string | undefined): Target {
  const target = TARGETS.find((each) => each.triple === triple)
  if (target === undefined) throw new RangeError(`TARGET is one of ${TARGETS.map((each) => each.triple).join(', ')}`)
  return target
}

/** The binary's place in the project, which is what its package takes. */
export function binaryOf({ platformArchABI }: Target): string {
  return `npm/${platformArchABI}/nsset.${platformArchABI}.node`
}
