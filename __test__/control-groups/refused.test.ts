/** What control groups refuse: arguments, places, and what the system does not have. Nothing is left behind. */
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { ControlGroup, type ControlGroupOptions, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import {
  CGROUP2,
  delegate,
  missingControllers,
  pathInHierarchy,
  plainGroup,
  reasonOf,
  runIn,
  version2Path,
  withoutGroups,
} from '../setup/oracles/control-groups.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { failureOf, range, refuses, type, untyped, value } from '../setup/sets/failure.ts'
import { asOrdinaryUser } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const create = (options: unknown) => () => ControlGroup.create(untyped<ControlGroupOptions>(options))

describe('arguments', () => {
  refuses([
    ['options that are no object', create(5), type('options')],
    ['an unknown option', create({ memoryMax: 1 }), value("Unknown option 'memoryMax'")],
    ['an unknown option that is nearly a known one', create({ proceses: 1 }), value("did you mean 'processes'")],
    ['a name with a slash', create({ name: 'a/b' }), value('options.name', 'slash')],
    ['the name ..', create({ name: '..' }), value('options.name')],
    ['the name .', create({ name: '.' }), value('options.name')],
    ['an empty name', create({ name: '' }), value('options.name')],
    ['a name with a line break', create({ name: 'a\nb' }), value('options.name')],
    ['a name with a NUL byte', create({ name: 'a\0b' }), value('options.name')],
    ['a name that is too long', create({ name: 'ä'.repeat(128) }), value('255 bytes')],
    ['a name that is no text', create({ name: 7 }), type('options.name')],
    ['negative memory', create({ memory: -1 }), range('options.memory')],
    ['a fraction of a byte', create({ memory: 1.5 }), range('options.memory')],
    ['memory as text', create({ memory: '64M' }), type('options.memory')],
    ['memory that is not a number', create({ memory: Number.NaN }), range('options.memory')],
    ['negative swap space', create({ swap: -1 }), range('options.swap')],
    ['more processes than the kernel has', create({ processes: 2 ** 22 + 1 }), range('options.processes')],
    ['no CPUs', create({ cpus: 0 }), range('options.cpus', 'Infinity')],
    ['CPUs as text', create({ cpus: '1' }), type('options.cpus')],
    ['a weight of 0', create({ cpuWeight: 0 }), range('options.cpuWeight')],
    ['an infinite weight', create({ cpuWeight: Number.POSITIVE_INFINITY }), range('options.cpuWeight')],
    ['a parent that is a number', create({ parent: 3 }), type('options.parent', 'ControlGroup')],
    ['a parent that is a set', create({ parent: {} }), type('options.parent')],
  ])

  test('of unshare: the option needs a new cgroup namespace', async () => {
    const failure = await failureOf(() => NamespaceSet.unshareSync('uts', { cgroup: '/sys/fs/cgroup' }))
    expect(failure.code).toBe('ERR_INVALID_ARG_VALUE')
    expect(failure.message).toContain("'cgroup' needs a new cgroup namespace")
  })
})

describe('places', () => {
  test('a parent in another file system, where nothing is created', async () => {
    using directory = temporaryDirectory()
    const failure = await failureOf(create({ parent: directory.path }))
    expect(failure.code).toBe('EINVAL')
    expect(failure.message).toContain('not a directory of control groups of version 2')
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('a parent that does not exist', async () => {
    using directory = temporaryDirectory()
    expect((await failureOf(create({ parent: directory.file('none') }))).code).toBe('ENOENT')
  })

  test('a program in a directory that is no group, or that does not exist', async () => {
    using set = anyonesSet(['uts'])
    using directory = temporaryDirectory()
    const inNone = await failureOf(() => set.execFile('true', { cgroup: directory.path }))
    expect(inNone.code).toBe('EINVAL')
    expect(inNone.message).toContain('control group of version 2')
    const inMissing = await failureOf(() => set.execFile('true', { cgroup: directory.file('none') }))
    expect(inMissing).toMatchObject({ code: 'ENOENT', path: directory.file('none') })
  })

  asOrdinaryUser('a group that is not delegated to the user: the error says what to do', async () => {
    const failure = await failureOf(create({}))
    if (CGROUP2 === undefined) expect(failure.code).toBe('EOPNOTSUPP')
    else expect(failure.message).toMatch(/^E(ACCES|PERM|ROFS): .*(Delegate=yes|read-only)/s)
  })

  asOrdinaryUser('a program in a group that is not delegated to the user', async (context) => {
    if (CGROUP2 === undefined) return context.skip('needs a mount of cgroup2')
    using set = anyonesSet(['uts'])
    const failure = await failureOf(() => set.execFile('true', { cgroup: CGROUP2 as string }))
    expect(failure).toMatchObject({ code: 'EACCES' })
    expect(failure.message).toContain('Delegate=yes')
  })
})

describe.skipIf(withoutGroups !== undefined)(`the system${reasonOf(withoutGroups)}`, () => {
  test('a name that is taken: the other group stays', async () => {
    using group = plainGroup('taken')
    const name = pathInHierarchy(group.path).slice(1)
    const failure = await failureOf(create({ parent: CGROUP2, name }))
    expect(failure).toMatchObject({ code: 'EEXIST', path: group.path })
    expect(existsSync(group.path)).toBe(true)
  })

  test('the name of a file of the kernel', async () => {
    expect((await failureOf(create({ name: 'cgroup.procs' }))).code).toBe('EEXIST')
  })

  test('a limit without its controller: the error says which one, and no group is left', async (context) => {
    const [missing] = missingControllers('memory', 'pids', 'cpu')
    if (missing === undefined) return context.skip('all controllers are in cgroup2')
    const limits = { memory: { memory: 2 ** 20 }, pids: { processes: 5 }, cpu: { cpus: 1 } }
    const name = `nsset-test-${process.pid}-limited`
    const failure = await failureOf(create({ name, ...limits[missing as 'cpu'] }))
    expect(failure.code).toBe('EOPNOTSUPP')
    expect(failure.message).toMatch(new RegExp(`not available in version 2: .*${missing}.*version 1 uses them`))
    expect(existsSync(`${CGROUP2}/${name}`)).toBe(false)
  })

  test('a group that another process has removed', async () => {
    using set = anyonesSet(['uts'])
    const group = await ControlGroup.create()
    rmdirSync(group.path)
    expect(await failureOf(() => group.freeze())).toMatchObject({ code: 'ENODEV', path: group.path })
    expect(await failureOf(() => set.execFile('true', { cgroup: group }))).toMatchObject({ code: 'ENOENT' })
    expect((await failureOf(() => NamespaceSet.unshareSync('cgroup', { cgroup: group }))).code).toBe('ENOENT')
    await group.close()
  })

  test('structuredClone: the error says what to send', async () => {
    await using group = await ControlGroup.create()
    expect(() => structuredClone(group)).toThrow('group.path')
    expect(String(group)).toBe(`ControlGroup(${group.path})`)
  })

  test('an aborted signal', async () => {
    await using group = await ControlGroup.create()
    const signal = AbortSignal.abort(new Error('enough'))
    for (const call of [() => group.freeze({ signal }), () => group.close({ signal })]) {
      expect((await failureOf(call)).message).toBe('enough')
    }
    expect((await group.stat()).frozen).toBe(false)
  })

  test('an ordinary user in a group that is not delegated: neither a new group nor a program in another one', async () => {
    using own = plainGroup('own')
    using other = plainGroup('other')
    delegate(other.path, 1234)
    const codes = await askPlainNode<string[]>(
      `import { ControlGroup, NamespaceSet } from 'nsset'
       const codeOf = (promise) => promise.then(() => 'none', ({ code }) => code)
       const set = NamespaceSet.unshareSync('user', { mapUser: 'root' })
       console.log(JSON.stringify([
         await codeOf(ControlGroup.create()),
         await codeOf(set.execFile('true', { cgroup: ${JSON.stringify(other.path)} })),
         await codeOf(set.unshare('cgroup', { cgroup: ${JSON.stringify(other.path)} })),
       ]))
       set.close()`,
      { prefix: runIn(own.path, 1234) },
    )
    expect(codes).toEqual(['EACCES', 'EACCES', 'EACCES'])
  })

  test('the default parent: Node.js is not moved for a group without limits', async () => {
    using base = plainGroup('unmoved')
    const path = await askPlainNode<string>(
      `import { ControlGroup } from 'nsset'
       import { readFileSync } from 'node:fs'
       const group = await ControlGroup.create()
       console.log(JSON.stringify(readFileSync('/proc/self/cgroup', 'utf8')))
       await group.close()`,
      { prefix: ['sh', '-c', `echo 0 > '${base.path}/cgroup.procs' && exec "$@"`, 'sh'] },
    )
    expect(version2Path(path)).toBe(pathInHierarchy(base.path))
  })
})
