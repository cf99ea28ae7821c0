/** The state that new namespaces start with: the host name, the loopback link, how mounts travel. */
import { execFileSync } from 'node:child_process'
import { hostname } from 'node:os'
import { NamespaceSet, type UnshareOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

interface Link {
  ifname: string
  flags: string[]
}

async function linksIn(set: NamespaceSet): Promise<Link[]> {
  const { stdout } = await set.execFile('ip', ['-json', 'link'])
  return JSON.parse(stdout) as Link[]
}

/** The tags of each mount: `shared:N`, `master:N`; see proc_pid_mountinfo(5). */
async function tagsIn(set: NamespaceSet): Promise<string[]> {
  const { stdout } = await set.execFile('cat', ['/proc/self/mountinfo'])
  return stdout.trimEnd().split('\n').map(tagsOf)
}

function tagsOf(line: string): string {
  const fields = line.split(' ')
  return fields.slice(6, fields.indexOf('-')).join(' ')
}

describe('hostname', () => {
  test('is the one inside, and changes nothing outside', async () => {
    const before = hostname()
    using set = await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root', hostname: 'inside' })
    expect((await set.execFile('uname', ['-n'])).stdout).toBe('inside\n')
    expect(hostname()).toBe(before)
  })

  test('defaults to the caller’s', async () => {
    using set = NamespaceSet.unshareSync(['user', 'uts'], { mapUser: 'root' })
    expect((await set.execFile('uname', ['-n'])).stdout).toBe(`${hostname()}\n`)
  })

  test('takes 64 bytes and no more', async () => {
    using set = await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root', hostname: 'n'.repeat(64) })
    expect((await set.execFile('uname', ['-n'])).stdout).toBe(`${'n'.repeat(64)}\n`)
    const tooLong = NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root', hostname: 'n'.repeat(65) })
    await expect(tooLong).rejects.toMatchObject({ code: 'EINVAL', syscall: 'sethostname', kind: 'uts' })
  })

  asRoot('goes without a user namespace', 'a uts namespace alone takes CAP_SYS_ADMIN', async () => {
    using set = await NamespaceSet.unshare('uts', { hostname: 'alone' })
    expect(set.do(hostname)).toBe('alone')
    expect(execFileSync('nsenter', [`--uts=${set.path()}`, 'uname', '-n'], { encoding: 'utf8', timeout: 10_000 })).toBe(
      'alone\n',
    )
  })
})

describe('loopback', () => {
  test('brings lo up', async () => {
    using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
    const links = await linksIn(set)
    expect(links.find((link) => link.ifname === 'lo')?.flags).toEqual(expect.arrayContaining(['LOOPBACK', 'UP']))
    const { stdout } = await set.execFile('ip', ['-brief', 'address', 'show', 'lo'])
    expect(stdout).toContain('127.0.0.1/8')
  })

  test('is down by default, as in the kernel', async () => {
    using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
    using same = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: false })
    for (const each of [set, same]) {
      const lo = (await linksIn(each)).find((link) => link.ifname === 'lo')
      expect(lo?.flags).toContain('LOOPBACK')
      expect(lo?.flags).not.toContain('UP')
    }
  })
})

describe('propagation', () => {
  /** A mount namespace whose mounts are shared, for others to be copied from. */
  const shared = (): Promise<NamespaceSet> =>
    NamespaceSet.unshare(['user', 'mnt'], { mapUser: 'root', propagation: 'shared' })
  const copy = (base: NamespaceSet, propagation?: UnshareOptions['propagation']): Promise<NamespaceSet> =>
    base.unshare('mnt', { propagation })

  test('shared makes every mount a peer group', async () => {
    using base = await shared()
    for (const tags of await tagsIn(base)) expect(tags).toMatch(/^shared:\d+/)
  })

  test('a copy is private by default', async () => {
    using base = await shared()
    using set = await copy(base)
    using same = await copy(base, 'private')
    for (const tags of [...(await tagsIn(set)), ...(await tagsIn(same))]) expect(tags).toBe('')
  })

  test('unchanged leaves a copy among its peers', async () => {
    using base = await shared()
    using set = await copy(base, 'unchanged')
    expect((await tagsIn(set)).sort()).toEqual((await tagsIn(base)).sort())
  })

  test('slave follows the mounts it was copied from', async () => {
    using base = await shared()
    using set = await copy(base, 'slave')
    const masters = (await tagsIn(set)).map((tags) => tags.replace(/^master:/, 'shared:'))
    const peers = (await tagsIn(base)).map((tags) => tags.split(' ')[0])
    expect(masters.sort()).toEqual(peers.sort())
  })

  test('a later mount arrives in a slave and in a peer, not in a private copy', async () => {
    using directory = temporaryDirectory()
    using base = await shared()
    using slave = await copy(base, 'slave')
    using peer = await copy(base, 'unchanged')
    using apart = await copy(base, 'private')
    const isMounted = async (set: NamespaceSet): Promise<boolean> =>
      (await set.execFile('cat', ['/proc/self/mountinfo'])).stdout.includes(` ${directory.path} `)

    await base.execFile('mount', ['-t', 'tmpfs', 'tmpfs', directory.path])
    expect(await isMounted(base)).toBe(true)
    expect(await isMounted(slave)).toBe(true)
    expect(await isMounted(peer)).toBe(true)
    expect(await isMounted(apart)).toBe(false)

    await slave.execFile('umount', [directory.path])
    expect(await isMounted(slave)).toBe(false)
    expect(await isMounted(base)).toBe(true)
  })
})
