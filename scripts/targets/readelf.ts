/** What readelf(1) says of a binary; it reads the files of every architecture. */
import { execFileSync } from 'node:child_process'

export function readelf(option: string, binary: string): string {
  return execFileSync('readelf', [option, '--wide', binary], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, LC_ALL: 'C' },
  })
}
