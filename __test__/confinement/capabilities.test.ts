/** The option `capabilities`, read from /proc/PID/status, and compared with setpriv(1), capsh(1) and bwrap(1). */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, readFileSync } from 'node:fs'
import { type Capability, type ExecFileOptions, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { capabilitySetsOf, hasCapability, statusField, statusOf } from '../setup/processes/proc-status.ts'
import { failureOf, refuses, type, untyped, value } from '../setup/sets/failure.ts'
import { asOrdinaryUser, asRoot, isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { WAYS } from '../setup/sets/ways-to-start.ts'

const everywhere = (names: readonly Capability[]) => {
  const text = names.join(',').toLowerCase()
  return { Inh: text, Prm: text, Eff: text, Bnd: text, Amb: text }
}

const CASES: readonly (readonly Capability[])[] = [
  [],
  ['CAP_NET_BIND_SERVICE'],
  ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_ADMIN', 'CAP_SYS_ADMIN'],
  ['CAP_SETUID', 'CAP_SETPCAP', 'CAP_BPF', 'CAP_CHECKPOINT_RESTORE'],
]

/** Where the program has all capabilities, or the caller has them. */
const CAPABLE = isRoot ? WAYS : WAYS.slice(1)

describe.each(CAPABLE)('%s', (_, create) => {
  for (const names of CASES) {
    test(`the program has exactly [${names}], in every set`, async () => {
      using set = create()
      const status = await statusOf(set, { capabilities: names })
      expect(capabilitySetsOf(status)).toEqual(everywhere(names))
      expect(statusField(status, 'NoNewPrivs')).toBe('0')
    })

    test(`[${names}] stay over an exec, with noNewPrivileges too`, async () => {
      using set = create()
      const script = 'exec sh -c "cat /proc/self/status; true"'
      for (const noNewPrivileges of [false, true]) {
        const { stdout } = await set.execFile('sh', ['-c', script], { capabilities: names, noNewPrivileges })
        expect(capabilitySetsOf(stdout)).toEqual(everywhere(names))
      }
    })
  }

  test('a Node.js process of fork has exactly the named ones', async () => {
    using set = create()
    const script = new URL('../setup/programs/forked.cjs', import.meta.url)
    const child = set.fork(script, [], { capabilities: ['CAP_CHOWN'], silent: true })
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(capabilitySetsOf(status)).toEqual(everywhere(['CAP_CHOWN']))
  })

  test('the secure bits keep user 0 from getting others, and are locked', async () => {
    using set = create()
    const { stdout } = await set.execFile('setpriv', ['--dump'], { capabilities: [] })
    expect(stdout).toMatch(/^Securebits: noroot,noroot_locked$/m)
  })
})

describe('for another user', () => {
  const mapped = () =>
    NamespaceSet.unshareSync('user', {
      uidMaps: [{ containerId: 0, hostId: 100_000, size: 2000 }],
      gidMaps: [{ containerId: 0, hostId: 100_000, size: 2000 }],
    })
  const SETS = [mapped, () => NamespaceSet.current('uts')]

  asRoot('the named capabilities stay over the change', 'it requires CAP_SETUID', async () => {
    for (const create of SETS) {
      using set = create()
      const options = { uid: 1000, gid: 1000, capabilities: ['CAP_NET_RAW', 'CAP_CHOWN'] } as const
      const status = await statusOf(set, options)
      expect(statusField(status, 'Uid')).toMatch(/^1000\t1000/)
      expect(capabilitySetsOf(status)).toEqual(everywhere(['CAP_CHOWN', 'CAP_NET_RAW']))
      const none = await statusOf(set, { uid: 1000, gid: 1000, capabilities: [] })
      expect(capabilitySetsOf(none)).toEqual(everywhere([]))
    }
  })

  asRoot('a set-user-ID program of root gets none', 'it requires a file of root', async () => {
    using directory = temporaryDirectory()
    const cat = directory.file('cat')
    copyFileSync('/usr/bin/cat', cat)
    chmodSync(directory.path, 0o755)
    chmodSync(cat, 0o4755)
    using set = NamespaceSet.current('uts')
    const ids = { uid: 1000, gid: 1000 }
    const before = (await set.execFile(cat, ['/proc/self/status'], ids)).stdout
    expect(statusField(before, 'Uid')).toMatch(/^1000\t0\t/)
    expect(statusField(before, 'CapEff')).not.toMatch(/^0+$/)
    const { stdout } = await set.execFile(cat, ['/proc/self/status'], { ...ids, capabilities: [] })
    expect(statusField(stdout, 'Uid')).toMatch(/^1000\t0\t/)
    expect(capabilitySetsOf(stdout)).toEqual(everywhere([]))
  })
})

test('what a capability allows works with it, and without it does not', async () => {
  const server = `require('net').createServer().listen(80, '127.0.0.1', function () { this.close(); console.log('listens') })`
  using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 1000, loopback: true })
  const run = (capabilities: readonly Capability[]) =>
    set.execFile(process.execPath, ['-e', server], { capabilities, reject: false })
  expect((await run(['CAP_NET_BIND_SERVICE'])).stdout).toBe('listens\n')
  expect((await run([])).stderr).toContain('EACCES')
})

describe('an ordinary user outside of a user namespace', () => {
  asOrdinaryUser('needs noNewPrivileges, with which the bounding set has no effect', async () => {
    using set = NamespaceSet.current('uts')
    const error = await failureOf(() => set.execFile('true', [], { capabilities: [] }))
    expect(error).toMatchObject({ code: 'EPERM', syscall: 'capset' })
    expect(error.message).toContain('set noNewPrivileges')
    const status = await statusOf(set, { capabilities: [], noNewPrivileges: true })
    const { Bnd: _, ...others } = capabilitySetsOf(status)
    expect(others).toEqual({ Inh: '', Prm: '', Eff: '', Amb: '' })
    expect(statusField(status, 'NoNewPrivs')).toBe('1')
  })
})

test('a capability that the caller lacks is named', async (context) => {
  const CAP_SYS_RESOURCE = 24
  if (hasCapability(CAP_SYS_RESOURCE)) context.skip('the caller has all capabilities')
  using set = NamespaceSet.current('uts')
  const options = { capabilities: ['CAP_SYS_RESOURCE'], noNewPrivileges: true } as const
  const error = await failureOf(() => set.execFile('true', [], options))
  expect(error).toMatchObject({ code: 'EPERM', syscall: 'capset' })
  expect(error.message).toContain('the caller does not have CAP_SYS_RESOURCE')
})

describe('as with other tools', () => {
  const names = ['CAP_CHOWN', 'CAP_NET_RAW'] as const

  asRoot('setpriv(1)', 'it requires CAP_SETPCAP', async () => {
    using set = NamespaceSet.current('uts')
    const list = '-all,+chown,+net_raw'
    const words = [`--bounding-set=${list}`, `--inh-caps=${list}`, `--ambient-caps=${list}`]
    const bits = '--securebits=+noroot,+noroot_locked'
    const twin = execFileSync('setpriv', [bits, ...words, 'setpriv', '--dump'], { encoding: 'utf8' })
    expect((await set.execFile('setpriv', ['--dump'], { capabilities: names })).stdout).toBe(twin)
  })

  test('bwrap(1)', async (context) => {
    const files = ['--dev-bind', '/', '/', '--unshare-user', '--uid', '0', '--gid', '0']
    const keep = names.flatMap((name) => ['--cap-add', name])
    const words = [...files, '--cap-drop', 'ALL', ...keep, 'cat', '/proc/self/status']
    let twin: string
    try {
      twin = execFileSync('bwrap', words, { encoding: 'utf8', stdio: 'pipe' })
    } catch (error) {
      return context.skip(`bwrap does not run here: ${(error as Error).message.split('\n').at(-1)}`)
    }
    using set = NamespaceSet.unshareSync(['user', 'mnt'], { mapUser: 'root' })
    const ours = await statusOf(set, { capabilities: names, noNewPrivileges: true })
    expect(capabilitySetsOf(ours)).toEqual(capabilitySetsOf(twin))
    expect(statusField(ours, 'NoNewPrivs')).toBe(statusField(twin, 'NoNewPrivs'))
  })
})

describe('wrong options', () => {
  const set = NamespaceSet.current('uts')
  const run = (options: unknown) => () => set.execFile('true', [], untyped<ExecFileOptions<'utf8'>>(options))
  refuses([
    ['a string', run({ capabilities: 'CAP_CHOWN' }), type('options.capabilities', 'an array')],
    ['a number', run({ capabilities: [5] }), type('options.capabilities[0]')],
    ['a name in lower case', run({ capabilities: ['cap_net_admin'] }), value("did you mean 'CAP_NET_ADMIN'")],
    ['a name without its prefix', run({ capabilities: ['net_admin'] }), value("did you mean 'CAP_NET_ADMIN'")],
    [
      'a name with a mistake',
      run({ capabilities: ['CAP_CHOWN', 'CAP_NET_ADMN'] }),
      value('capabilities[1]', 'CAP_NET_ADMIN'),
    ],
    ['another word', run({ capabilities: ['everything'] }), value("such as 'CAP_NET_ADMIN'")],
    [
      'two options that contradict each other',
      run({ capabilities: [], keepCapabilities: true }),
      value('options.keepCapabilities', "cannot be used with 'capabilities'"),
    ],
  ])
})
