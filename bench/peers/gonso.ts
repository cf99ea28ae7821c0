/**
 * Go's gonso: `peers/gonso`. Some proxies do not have it. `GONSO_SOURCE` names a directory with a copy of its repository, at
 * the version of `peers/gonso/go.mod`.
 */
import { buildGo } from './go-program.ts'
import { PeerProgram } from './program.ts'

const MODULE = 'github.com/cpuguy83/gonso'

export async function openGonso(): Promise<PeerProgram | undefined> {
  const source = process.env['GONSO_SOURCE']
  const program = buildGo('gonso', { gonso: MODULE }, source === undefined ? {} : { [MODULE]: source })
  return program === undefined ? undefined : new PeerProgram([program])
}
