/**
 * Each hiding place is searched by nsset, by lxkns and by lsns(8): nsset finds them all, and all that the others find.
 * `npm run test:lxkns` builds the program, with modules from Go's proxy.
 */
import { execFileSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { type FoundNamespace, NamespaceSet, NS, namespaces } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import {
  CHILDREN_ELSEWHERE,
  type HidingPlace,
  heldByDescriptor,
  hide,
  LONE_THREAD,
  mountsOwnUts,
  namespaceOfDescriptor,
  PID_NAMESPACE_ABOVE,
  PID_NAMESPACE_FOR_CHILDREN,
  SOCKET_ELSEWHERE,
} from '../setup/sets/hiding-places.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const LXKNS = process.env['NSSET_TEST_LXKNS'] ?? ''

/** A namespace as another program lists it. */
interface Listed {
  id: string
  owner?: string
  parent?: string
}

interface Hidden {
  id: string
  end(): Promise<void> | void
}

interface Place {
  name: string
  /** Why an ordinary user cannot hide something there. */
  needsRoot?: string
  /** Whether lxkns finds it too. */
  lxkns: boolean
  hide(): Promise<Hidden>
}

const PLACES: Place[] = [
  {
    name: 'a process',
    lxkns: true,
    hide: () => {
      const set = anyonesSet(['uts'])
      return inProgram('number = 0', { set, id: set.id('uts') })
    },
  },
  {
    name: 'a lone thread',
    needsRoot: 'a thread enters alone',
    lxkns: true,
    hide: () =>
      inProgram(LONE_THREAD, { idOf: ({ pid, number }) => readlinkSync(`/proc/${pid}/task/${number}/ns/uts`) }),
  },
  {
    name: 'a descriptor',
    lxkns: true,
    hide: () => inProgram(heldByDescriptor('net', NS.NET), { idOf: namespaceOfDescriptor }),
  },
  {
    name: 'a socket',
    needsRoot: 'the program enters a network and comes back',
    lxkns: true,
    hide: () => inProgram(`${SOCKET_ELSEWHERE}number = network`, { idOf: ({ number }) => `net:[${number}]` }),
  },
  {
    name: 'a bind mount here',
    needsRoot: 'mounts require root',
    lxkns: true,
    hide: async () => {
      const directory = temporaryDirectory()
      using set = NamespaceSet.unshareSync('ipc')
      const path = directory.file('ipc')
      await set.mount({ ipc: path })
      const end = async () => {
        await NamespaceSet.unmount(path)
        directory[Symbol.dispose]()
      }
      return { id: set.id(), end }
    },
  },
  {
    name: 'a bind mount in another mount namespace, in which a process is',
    lxkns: true,
    hide: async () => {
      const directory = temporaryDirectory()
      const set = anyonesSet(['mnt', 'uts'])
      const hidden = await inProgram(mountsOwnUts(directory.file('uts')), { set, id: set.id('uts') })
      return withDirectory(hidden, directory)
    },
  },
  {
    name: 'a bind mount in a mount namespace that only a descriptor holds',
    needsRoot: 'an ordinary user may not enter it to see its mounts',
    lxkns: false,
    hide: async () => {
      const directory = temporaryDirectory()
      const set = anyonesSet(['mnt', 'uts'])
      const mounts = set.dup('mnt')
      const hidden = await inProgram(mountsOwnUts(directory.file('uts')), { set, id: set.id('uts') })
      await hidden.end()
      return withDirectory({ id: hidden.id, end: () => mounts.close() }, directory)
    },
  },
  {
    name: 'a user namespace below which there is a network',
    lxkns: false,
    hide: async () => {
      using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
      const below = set.dup('net')
      return { id: set.id('user'), end: () => below.close() }
    },
  },
  {
    name: 'a pid namespace below which there is another one',
    lxkns: true,
    hide: () => inProgram(PID_NAMESPACE_ABOVE, { idOf: ({ number }) => `pid:[${number}]` }),
  },
  {
    name: 'a process whose children will be in the pid namespace',
    lxkns: false,
    hide: () => inProgram(CHILDREN_ELSEWHERE + PID_NAMESPACE_FOR_CHILDREN, { idOf: ({ number }) => `pid:[${number}]` }),
  },
]

type Identity = { set: NamespaceSet; id: string } | { idOf: (program: HidingPlace) => string }

/** Hides it in a program that waits. The set is that in which it runs, and is closed then. */
async function inProgram(code: string, identity: Identity): Promise<Hidden> {
  const end = (program: HidingPlace) => async () => program[Symbol.asyncDispose]()
  if ('idOf' in identity) {
    const program = await hide(code)
    return { id: identity.idOf(program), end: end(program) }
  }
  using set = identity.set
  return { id: identity.id, end: end(await hide(code, set)) }
}

function withDirectory({ id, end }: Hidden, directory: Disposable): Hidden {
  const endAll = async () => {
    await end()
    directory[Symbol.dispose]()
  }
  return { id, end: endAll }
}

const skipped = LXKNS === '' ? ' (skipped: needs lxkns, see npm run test:lxkns)' : ''

describe.skipIf(skipped !== '')(`found by nsset${skipped}`, () => {
  const hidden = new Map<Place, Hidden>()
  let found: Map<string, FoundNamespace>
  let lxkns: Map<string, Listed>
  let lsns: Map<string, Listed>

  beforeAll(async () => {
    for (const place of PLACES) {
      if (isRoot || place.needsRoot === undefined) hidden.set(place, await place.hide())
    }
    const [lxknsBefore, lsnsBefore] = [byLxkns(), byLsns()]
    found = new Map((await namespaces()).map((each) => [each.id, each]))
    // Other programs of the machine may create and close namespaces meanwhile.
    lxkns = inBoth(lxknsBefore, byLxkns())
    lsns = inBoth(lsnsBefore, byLsns())
  })

  afterAll(async () => {
    for (const { end } of hidden.values()) await end()
  })

  for (const place of PLACES) {
    test(place.lxkns ? `${place.name}; by lxkns too` : `${place.name}; not by lxkns`, ({ skip }) => {
      const { id } = hidden.get(place) ?? skip(`needs root: ${place.needsRoot}`)
      expect(found.get(id)?.id).toBe(id)
      expect(lxkns.has(id)).toBe(place.lxkns)
    })
  }

  test('everything that lxkns finds', () => {
    for (const [id, listed] of lxkns) {
      const { owner, parent } = found.get(id) ?? {}
      // It does not know each owner, and an ordinary user may not see every parent.
      expect({ id, owner, parent }).toEqual({ id, owner: listed.owner ?? owner, parent: listed.parent ?? parent })
    }
  })

  test('everything that lsns(8) finds', () => {
    expect([...lsns.keys()].filter((id) => !found.has(id))).toEqual([])
  })
})

function inBoth(before: Map<string, Listed>, after: Map<string, Listed>): Map<string, Listed> {
  return new Map([...before].filter(([id]) => after.has(id)))
}

function byLxkns(): Map<string, Listed> {
  const text = execFileSync(LXKNS, ['list'], { encoding: 'utf8', timeout: 60_000 })
  return new Map((JSON.parse(text) as Listed[]).map((each) => [each.id, each]))
}

function byLsns(): Map<string, Listed> {
  const text = execFileSync('lsns', ['-J', '--output', 'NS,TYPE'], { encoding: 'utf8', timeout: 60_000 })
  const { namespaces: rows } = JSON.parse(text) as { namespaces: { ns: number; type: string }[] }
  return new Map(rows.map(({ ns, type }) => [`${type}:[${ns}]`, { id: `${type}:[${ns}]` }]))
}
