/** Where /proc, or /proc/sys, is mounted read-only, an error of what is written there says so, and what helps. */
import { NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { askPlainNode, byNsenter } from '../setup/programs/plain-node.ts'

/** A place for a program of nsset's user in which this is a read-only mount. */
function placeWithReadOnly(path: string): Promise<NamespaceSet> {
  return NamespaceSet.unshare(['user', 'mnt', 'net', 'pid'], {
    mapUser: 'root',
    loopback: true,
    mounts: [
      { type: 'proc', target: '/proc' },
      { type: 'bind', source: path, target: path, readOnly: true },
    ],
  })
}

interface Said {
  code: string
  message: string
}

/** What a call throws there. */
async function failureIn(place: NamespaceSet, call: string): Promise<Said> {
  const program = `
    import { NamespaceSet } from 'nsset'
    try {
      await (${call})
      console.log(JSON.stringify('it did not fail'))
    } catch ({ code, message }) {
      console.log(JSON.stringify({ code, message }))
    }`
  const kinds = place.kinds.map((kind) => `--${kind === 'mnt' ? 'mount' : kind}=${place.path(kind)}`)
  return askPlainNode<Said>(program, { prefix: byNsenter('--preserve-credentials', ...kinds) })
}

const unshare = (kinds: string, options: string) =>
  `NamespaceSet.unshare(${kinds}, ${options}).then((set) => set.close())`
const sysctl = "NamespaceSet.current('net').network.sysctls.set('net.ipv4.ip_forward', true)"

describe('a read-only /proc is named in the error of', () => {
  const calls: [what: string, call: string, step: string][] = [
    ['a map of users', unshare("'user'", "{ mapUser: 'root', setgroups: undefined }"), 'uid_map'],
    ['a map of groups', unshare("'user'", '{ gidMaps: [{ containerId: 0, hostId: 0, size: 1 }] }'), 'gid_map'],
    ['setgroups', unshare("'user'", "{ setgroups: 'deny' }"), 'setgroups'],
    ['offsets of clocks', unshare("['user', 'time']", '{ timeOffsets: { boottime: 1 } }'), 'timens_offsets'],
    ['a sysctl', sysctl, '/proc/sys/net/ipv4/ip_forward'],
  ]
  for (const [what, call, step] of calls) {
    test(what, async () => {
      using place = await placeWithReadOnly('/proc')
      const { code, message } = await failureIn(place, call)
      expect({ code }, message).toEqual({ code: 'EROFS' })
      expect(message).toContain(step)
      expect(message).toContain('/proc is mounted read-only: mount -o remount,rw /proc')
    })
  }

  test('a map in a set below another', async () => {
    using place = await placeWithReadOnly('/proc/sys')
    const below = `(async () => {
      const base = await NamespaceSet.unshare('user', { mapUser: 'root' })
      process.getBuiltinModule('node:child_process').execFileSync('mount', ['-o', 'remount,ro', '/proc'])
      await base.unshare('user', { mapUser: 'root' })
    })()`
    const { code, message } = await failureIn(place, below)
    expect({ code }, message).toEqual({ code: 'EROFS' })
    expect(message).toContain('uid_map')
    expect(message).toContain('/proc is mounted read-only: mount -o remount,rw /proc')
  })
})

test('a read-only /proc/sys is named, and maps can be written', async () => {
  using place = await placeWithReadOnly('/proc/sys')
  const { code, message } = await failureIn(place, sysctl)
  expect({ code }, message).toEqual({ code: 'EROFS' })
  expect(message).toContain('/proc/sys is mounted read-only')
  expect(await failureIn(place, unshare("'user'", "{ mapUser: 'root' }"))).toBe('it did not fail')
})

test('what the error says to do helps', async () => {
  using place = await placeWithReadOnly('/proc')
  await place.execFile('mount', ['-o', 'remount,rw', '/proc'])
  expect(await failureIn(place, unshare("'user'", "{ mapUser: 'root' }"))).toBe('it did not fail')
})
