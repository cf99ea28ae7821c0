/** Go's gonso: `peers/gonso`. */
import { buildGo } from './go-program.ts'
import { PeerProgram } from './program.ts'

export async function openGonso(): Promise<PeerProgram | undefined> {
  const program = buildGo('gonso', { gonso: 'github.com/cpuguy83/gonso' })
  return program === undefined ? undefined : new PeerProgram([program])
}
