/** The versions of glibc's symbols that a binary was linked to: with an older glibc than the newest of them, it does not load. */
import { readelf } from './readelf.ts'
import { OLDEST_GLIBC } from './targets.ts'

/** Throws when the binary needs a newer glibc than we promise. */
export function checkGlibc(binary: string): void {
  const newest = newestGlibc(binary)
  if (compareVersions(newest, OLDEST_GLIBC) > 0) {
    throw new Error(`${binary} needs glibc ${newest}, and is to run with ${OLDEST_GLIBC}`)
  }
}

/** The oldest glibc that the binary loads with. */
export function newestGlibc(binary: string): string {
  // Of each needed version one line: "Name: GLIBC_2.28".
  const text = readelf('--version-info', binary)
  const versions = [...text.matchAll(/Name: GLIBC_([\d.]+)/g)].map(([, version]) => version as string)
  const newest = versions.sort(compareVersions).at(-1)
  if (newest === undefined) throw new Error(`${binary} is not linked to glibc`)
  return newest
}

function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}
