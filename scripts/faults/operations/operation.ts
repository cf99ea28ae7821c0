/** One use of nsset by a program, prepared so that it can be repeated. */
import type { NamespaceSet } from 'nsset'

export type Nsset = typeof import('nsset')

export interface Tools {
  nsset: Nsset
  /** A directory for files and mounts. */
  scratch: string
}

export interface Operation {
  /** Whether it requires root. */
  isRoots?: boolean
  /** Whether each time requires a new Node.js process. */
  isFresh?: boolean
  /** Seconds that one call may take according to the documentation. Default: 2. */
  limit?: number
  /** Calls of Node.js itself that it does not clean up after: defects of Node.js, with and without nsset. */
  nodesOwn?: readonly string[]
  prepare(tools: Tools): Round | Promise<Round>
}

export interface Round {
  /** Called before each time, without faults. */
  before?(): unknown
  /** The operation with the fault. It undoes its own effects. */
  run(): Promise<unknown>
  /** Undoes, without faults, what a failed call may leave as documented: a failed `remove` has not removed. */
  after?(): unknown
}

/** Undoes a successful call: a failed one leaves nothing to undo. */
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

/** Sets that are used for the lifetime of the process: unreferenced sets are garbage-collected. */
const held: NamespaceSet[] = []

/** A set with a network, for the lifetime of the process. */
export async function heldNetworkSet(nsset: Nsset, isWithUser: boolean): Promise<NamespaceSet> {
  const set = await networkSet(nsset, isWithUser)
  held.push(set)
  return set
}

/** A new set with a network: that of root has no user namespace. */
export function networkSet({ NamespaceSet }: Nsset, isWithUser: boolean): Promise<NamespaceSet> {
  return isWithUser || !isRoot
    ? NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
    : NamespaceSet.unshare('net', { loopback: true })
}
