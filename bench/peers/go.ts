/** Go's netns and netlink, by vishvananda: `peers/go`. */
import type { NamespaceSet } from 'nsset'
import { buildGo } from './go-program.ts'
import { PeerProgram } from './program.ts'

const LIBRARIES = { netns: 'github.com/vishvananda/netns', netlink: 'github.com/vishvananda/netlink' }

/** Started by this process, or in a set. */
export async function openGo(set?: NamespaceSet): Promise<PeerProgram | undefined> {
  const program = buildGo('go', LIBRARIES)
  return program === undefined ? undefined : new PeerProgram([program], set)
}
