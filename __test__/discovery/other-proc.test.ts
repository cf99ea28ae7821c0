/** `namespaces()` where `/proc` hides something, is masked, or is none, and where processes come and go all the time. */
import { type NamespaceSet, namespaces } from 'nsset'
import { expectNoLeaks } from 'nsset/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { askPlainNode, byNsenter } from '../setup/programs/plain-node.ts'
import { hide } from '../setup/sets/hiding-places.ts'

const { useNamespace } = expectNoLeaks({ beforeEach, afterEach })

type Mounts = NonNullable<NonNullable<Parameters<typeof NamespaceSet.unshare>[1]>['mounts']>

interface Found {
  /** The kinds that this process is a holder of. */
  own: string[]
  incomplete: string[]
  failure?: { code: string; message: string }
}

/** What a Node.js process finds inside, with these mounts. */
async function foundWith(mounts: Mounts): Promise<Found> {
  const place = await useNamespace(['user', 'mnt', 'pid'], { mapUser: 'root', mounts })
  const program = `
    import { namespaces } from 'nsset'
    const isOwn = (holder) => holder.type === 'process' && holder.pid === process.pid
    try {
      const found = await namespaces()
      const own = found.filter(({ holders }) => holders.some(isOwn)).map(({ kind }) => kind)
      // PID 1 of the set protects itself: its namespaces cannot be read.
      const others = found.incomplete.filter(({ what, count }) => what !== 'processes' || count > 1)
      console.log(JSON.stringify({ own, incomplete: others.map(({ what }) => what) }))
    } catch ({ code, message }) {
      console.log(JSON.stringify({ own: [], incomplete: [], failure: { code, message } }))
    }`
  const kinds = place.kinds.map((kind) => `--${kind === 'mnt' ? 'mount' : kind}=${place.path(kind)}`)
  return askPlainNode<Found>(program, { prefix: byNsenter('--preserve-credentials', ...kinds) })
}

const PROC = { type: 'proc', target: '/proc' } as const

describe('a /proc of another pid namespace', () => {
  test('shows its own processes, and the list says so', async () => {
    const { own, incomplete } = await foundWith([PROC])
    expect(own).toEqual(expect.arrayContaining(['mnt', 'net', 'pid', 'user']))
    expect(incomplete).toEqual(['pid-namespace'])
  })

  test.each(['noaccess', 'invisible', 'ptraceable'])('with hidepid=%s is said to hide processes', async (hidepid) => {
    const { own, incomplete } = await foundWith([{ ...PROC, options: { hidepid } }])
    expect(own).toEqual(expect.arrayContaining(['mnt', 'net', 'pid', 'user']))
    expect(incomplete).toEqual(['hidepid', 'pid-namespace'])
  })

  test('that is masked as container engines mask it shows as much', async () => {
    const { own, incomplete } = await foundWith([
      PROC,
      { type: 'bind', source: '/proc/sys', target: '/proc/sys', readOnly: true },
      { type: 'mask', target: '/proc/kcore' },
      { type: 'mask', target: '/proc/timer_list' },
      { type: 'mask', target: '/proc/bus' },
    ])
    expect(own).toEqual(expect.arrayContaining(['mnt', 'net', 'pid', 'user']))
    expect(incomplete).toEqual(['pid-namespace'])
  })

  test('that is no procfs is an error, and not an empty list', async () => {
    const { failure } = await foundWith([{ type: 'tmpfs', target: '/proc' }])
    expect(failure).toEqual({ code: 'ENOENT', message: expect.stringContaining('nsset needs a mounted /proc') })
  })
})

test('a /proc whose pids are those of an outer pid namespace shows the processes by these pids', async () => {
  const place = await useNamespace(['user', 'pid'], { mapUser: 'root' })
  await using inside = await hide('number = 0', place)
  const program = `
    import { readlinkSync } from 'node:fs'
    import { namespaces } from 'nsset'
    const own = Number(readlinkSync('/proc/self'))
    const found = await namespaces()
    const pids = found.flatMap(({ holders }) => holders.flatMap(({ type, pid }) => (type === 'process' ? [pid] : [])))
    const ofOwn = found.filter(({ holders }) => holders.some(({ type, pid }) => type === 'process' && pid === own))
    const opens = (each) => {
      const set = each.open()
      try {
        return set.id() === each.id
      } finally {
        set.close()
      }
    }
    const opened = ofOwn.map(opens)
    const sockets = found.flatMap(({ holders }) => holders.filter(({ type }) => type === 'socket'))
    const hidden = found.incomplete.filter(({ what }) => what === 'sockets')
    console.log(JSON.stringify({
      ...{ own, pid: process.pid, kinds: ofOwn.map(({ kind }) => kind), pids, opened },
      ...{ sockets, codes: hidden.map(({ code }) => code) },
    }))`
  const kinds = place.kinds.map((kind) => `--${kind}=${place.path(kind)}`)
  const found = await askPlainNode<{
    own: number
    pid: number
    kinds: string[]
    pids: number[]
    opened: boolean[]
    sockets: unknown[]
    codes: string[]
  }>(program, { prefix: byNsenter('--preserve-credentials', ...kinds) })
  expect(found.own).not.toBe(found.pid)
  expect(found.kinds).toEqual(expect.arrayContaining(['mnt', 'net', 'pid', 'user']))
  expect(found.opened).not.toContain(false)
  expect(found.pids).toContain(inside.pid)
  // By their pids, the descriptors of other processes would be copied.
  expect(found.sockets).toEqual([])
  expect(found.codes).toEqual(['EXDEV'])
})

test('while processes with namespaces of their own come and go, about 200 a second, those that stay are found', async () => {
  const set = await useNamespace(['user', 'uts'], { mapUser: 'root' })
  await using _busy = await hide(BUSY)
  await using inside = await hide('number = 0', set)
  for (let round = 0; round < 5; round++) {
    const all = await namespaces({ kinds: ['user', 'uts'] })
    const one = all.find(({ id }) => id === set.id('uts'))
    expect(one?.holders).toContainEqual(expect.objectContaining({ type: 'process', pid: inside.pid }))
    expect(all.find(({ id }) => id === set.id('user'))?.holders).not.toEqual([])
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  }
})

/** A thread starts processes, each of which makes two namespaces and ends. */
const BUSY = `
def come_and_go():
    while True:
        child = os.fork()
        if child == 0:
            libc.unshare(0x10000000 | 0x04000000)
            os._exit(0)
        os.waitpid(child, 0)
        time.sleep(0.005)
threading.Thread(target=come_and_go, daemon=True).start()
number = 0
`
