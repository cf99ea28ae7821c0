/**
 * The same scene played twice, with `node:child_process` outside and with a set inside: what is seen of both has to be
 * the same.
 */
import * as node from 'node:child_process'
import type { NamespaceKind, NamespaceSet } from 'nsset'
import { afterAll, expect, test } from 'vitest'
import { ALL_KINDS } from '../guards/thread-place.ts'
import { anyonesSet } from '../sets/anyones-set.ts'
import { asRoot, isRoot } from '../sets/privilege.ts'

/** Either's functions. */
export interface Starter {
  spawn(file: string, args?: readonly string[] | null, options?: node.SpawnOptions): node.ChildProcess
  fork(module: string | URL, args?: readonly string[] | null, options?: node.ForkOptions): node.ChildProcess
}

/** Plays with what it is given, and says what it saw. */
export type Scene = (start: Starter) => unknown

/** Where the second is played. */
const PLACES: NamespaceKind[][] = [['uts'], [...ALL_KINDS]]

const open = new Map<NamespaceKind[], NamespaceSet>()
afterAll(() => {
  for (const set of open.values()) set.close()
})

/** Everybody has the name inside that they have outside; an ordinary user can say so of itself only. */
function setOf(kinds: NamespaceKind[]): NamespaceSet {
  const opened = open.get(kinds)
  if (opened !== undefined) return opened
  const everybody = [{ containerId: 0, hostId: 0, size: 65_536 }]
  const maps = { uidMaps: everybody, gidMaps: everybody, mapUser: undefined }
  const set = anyonesSet(kinds, !isRoot ? { mapUser: 'current' } : kinds.includes('user') ? maps : {})
  open.set(kinds, set)
  return set
}

/** A test for each place; `name` is followed by where it is played. */
export function twins(name: string, scene: Scene): void {
  for (const kinds of PLACES) test(`${name} (${placeOf(kinds)})`, () => expectTwins(scene, setOf(kinds)))
}

/** The same where the set has the caller's mounts: in another mount namespace a program starts in its root. */
export function twinsWithSameMounts(name: string, scene: Scene): void {
  test(name, () => expectTwins(scene, setOf(PLACES[0] ?? [])))
}

/** The same where the set has the caller's pids: in another pid namespace a program leads a session of its own. */
export const twinsWithSamePids = twinsWithSameMounts

/** The same for a scene that only root may play, and why. */
export function twinsAsRoot(name: string, reason: string, scene: Scene): void {
  for (const kinds of PLACES) asRoot(`${name} (${placeOf(kinds)})`, reason, () => expectTwins(scene, setOf(kinds)))
}

const placeOf = (kinds: NamespaceKind[]) => (kinds.length === ALL_KINDS.length ? 'all kinds' : kinds.join(', '))

/** How often a scene is played whose twins differ. */
const ATTEMPTS = 3

/**
 * Plays it with both; what is seen outside is what is expected. The end of a process and the end of its channel come from two
 * sources, whose order a busy machine may change, outside as well. So twins that differ are played again.
 */
async function expectTwins(scene: Scene, set: NamespaceSet): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const outside = await scene(node as Starter)
    expect(outside, 'a scene says what it saw').not.toBeUndefined()
    const inside = await scene(insideOf(set))
    try {
      expect(inside).toEqual(outside)
      return
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
  }
}

/** The set's own. */
function insideOf(set: NamespaceSet): Starter {
  return {
    spawn: (...args) => set.spawn(...(args as Parameters<typeof set.spawn>)),
    fork: (...args) => set.fork(...(args as Parameters<typeof set.fork>)),
  }
}
