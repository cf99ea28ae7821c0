/** Go's lxkns, by thediveo: `peers/lxkns`. */
import { buildGo } from './go-program.ts'
import { PeerProgram } from './program.ts'

export async function openLxkns(): Promise<PeerProgram | undefined> {
  const program = buildGo('lxkns', { lxkns: 'github.com/thediveo/lxkns' })
  return program === undefined ? undefined : new PeerProgram([program])
}
