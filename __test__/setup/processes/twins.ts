/**
 * The same scene run twice, with `node:child_process` outside and with a set inside: both must return
 * the same.
 */
import * as node from 'node:child_process'
import type { NamespaceKind, NamespaceSet } from 'nsset'
import { afterAll, expect, test } from 'vitest'
import { ALL_KINDS } from '../guards/thread-place.ts'
import { anyonesSet } from '../sets/anyones-set.ts'
import { asRoot, isRoot } from '../sets/privilege.ts'

/** The functions of either. */
export interface Starter {
  spawn(file: string, args?: readonly string[] | null, options?: node.SpawnOptions): node.ChildProcess
  fork(module: string | URL, args?: readonly string[] | null, options?: node.ForkOptions): node.ChildProcess
}

/** Runs with these functions, and returns what it observed. */
export type Scene = (start: Starter) => unknown

/** The kinds of the sets for the second run. */
const PLACES: NamespaceKind[][] = [['uts'], [...ALL_KINDS]]

const open = new Map<NamespaceKind[], NamespaceSet>()
afterAll(() => {
  for (const set of open.values()) set.close()
})

/** Every id is mapped to itself; an ordinary user can map only its own. */
function setOf(kinds: NamespaceKind[]): NamespaceSet {
  const opened = open.get(kinds)
  if (opened !== undefined) return opened
  const identity = [{ containerId: 0, hostId: 0, size: 65_536 }]
  const maps = { uidMaps: identity, gidMaps: identity, mapUser: undefined }
  const set = anyonesSet(kinds, !isRoot ? { mapUser: 'current' } : kinds.includes('user') ? maps : {})
  open.set(kinds, set)
  return set
}

/** A test for each set; `name` is followed by its kinds. */
export function twins(name: string, scene: Scene): void {
  for (const kinds of PLACES) test(`${name} (${placeOf(kinds)})`, () => expectTwins(scene, setOf(kinds)))
}

/** The same for a set with the caller's mounts: in another mount namespace a program starts in its root. */
export function twinsWithSameMounts(name: string, scene: Scene): void {
  test(name, () => expectTwins(scene, setOf(PLACES[0] ?? [])))
}

/** The same for a set with the caller's pids: in another pid namespace a program leads its own session. */
export const twinsWithSamePids = twinsWithSameMounts

/** The same for a scene that requires root, with the reason. */
export function twinsAsRoot(name: string, reason: string, scene: Scene): void {
  for (const kinds of PLACES) asRoot(`${name} (${placeOf(kinds)})`, reason, () => expectTwins(scene, setOf(kinds)))
}

const placeOf = (kinds: NamespaceKind[]) => (kinds.length === ALL_KINDS.length ? 'all kinds' : kinds.join(', '))

/** How often a scene is run until both agree. */
const ATTEMPTS = 3

/**
 * Runs it with both; the result outside is the expected one. The exit of a process and the close of its channel have
 * two sources, whose order may change on a busy machine, outside as well. So a scene that differs is run again.
 */
async function expectTwins(scene: Scene, set: NamespaceSet): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const outside = await scene(node as Starter)
    expect(outside, 'a scene returns what it observed').not.toBeUndefined()
    const inside = await scene(insideOf(set))
    try {
      expect(inside).toEqual(outside)
      return
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
  }
}

/** The set's own functions. */
function insideOf(set: NamespaceSet): Starter {
  return {
    spawn: (...args) => set.spawn(...(args as Parameters<typeof set.spawn>)),
    fork: (...args) => set.fork(...(args as Parameters<typeof set.fork>)),
  }
}
