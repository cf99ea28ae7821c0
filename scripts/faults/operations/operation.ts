/** One thing that a program does with nsset, made ready so that it can be done over and over. */
import type { NamespaceSet } from 'nsset'

export type Nsset = typeof import('nsset')

export interface Tools {
  nsset: Nsset
  /** A directory for files and mounts. */
  scratch: string
}

export interface Operation {
  /** Whether an ordinary user may not do it. */
  isRoots?: boolean
  /** Whether each time takes a fresh Node. */
  isFresh?: boolean
  /** Seconds that one call may take, where the documentation says so; 2 by default. */
  limit?: number
  /** Calls that Node makes for it, and does not clean up after: its own faults, with and without nsset. */
  nodesOwn?: readonly string[]
  prepare(tools: Tools): Round | Promise<Round>
}

export interface Round {
  /** Done before each time, without faults. */
  before?(): unknown
  /** What gets the fault. It undoes what it has done. */
  run(): Promise<unknown>
  /** Undoes, without faults, what a failed call may rightly have left undone: `remove` that threw has not removed. */
  after?(): unknown
}

/** What undoes a call that has succeeded: one that has thrown leaves nothing to undo. */
export function undoneWhenMade(make: () => Promise<unknown>, undo: () => unknown): Round {
  let isMade = false
  return {
    run: async () => {
      await make()
      isMade = true
    },
    after: async () => {
      if (isMade) await undo()
      isMade = false
    },
  }
}

const isRoot = process.getuid?.() === 0

/** Sets that are used for as long as the process lives: a set that nothing holds is closed as garbage. */
const held: NamespaceSet[] = []

/** A set with a network, for as long as the process lives. */
export async function heldNetworkSet(nsset: Nsset, isWithUser: boolean): Promise<NamespaceSet> {
  const set = await networkSet(nsset, isWithUser)
  held.push(set)
  return set
}

/** A new set of one's own, with a network: root's has no user namespace. */
export function networkSet({ NamespaceSet }: Nsset, isWithUser: boolean): Promise<NamespaceSet> {
  return isWithUser || !isRoot
    ? NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
    : NamespaceSet.unshare('net', { loopback: true })
}
