/** Go's neslink: `peers/neslink`. Since its version 0.3 it is no longer willfantom's, by its path, but neaas's. */
import { buildGo } from './go-program.ts'
import { PeerProgram } from './program.ts'

export async function openNeslink(): Promise<PeerProgram | undefined> {
  const program = buildGo('neslink', { neslink: 'github.com/neaas/neslink' })
  return program === undefined ? undefined : new PeerProgram([program])
}
