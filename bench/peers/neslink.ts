/** Go's neslink: `peers/neslink`. Since version 0.3 its module path is neaas's, and no longer willfantom's. */
import { buildGo } from './go-program.ts'
import { PeerProgram } from './program.ts'

export async function openNeslink(): Promise<PeerProgram | undefined> {
  const program = buildGo('neslink', { neslink: 'github.com/neaas/neslink' })
  return program === undefined ? undefined : new PeerProgram([program])
}
