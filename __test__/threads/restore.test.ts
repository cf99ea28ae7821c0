/**
 * Law 1, when restoring a thread fails: strace(1) makes `setns` fail (`inject=setns:error=EPERM:when=N`), or the
 * function drops its own privileges.
 */
import { describe, expect, test } from 'vitest'
import { type SetnsCall, traceSetns } from '../setup/oracles/strace.ts'
import { AS_ROOT_INSIDE, askPlainNode, type PlainNodeOptions } from '../setup/programs/plain-node.ts'
import { asOrdinaryUser } from '../setup/sets/privilege.ts'

/**
 * What each program uses; `outer` and `inner` are sets of a new uts namespace, `several` has four kinds. The helper creates them,
 * together with a time namespace: the home thread would return by its own `setns`.
 */
const HEADING = `
  import { readlinkSync } from 'node:fs'
  import { Worker } from 'node:worker_threads'
  import { NamespaceError, NamespaceSet } from 'nsset'
  const place = () => ['cgroup', 'ipc', 'net', 'uts'].map((kind) => readlinkSync('/proc/thread-self/ns/' + kind)).join(' ')
  const where = () => {
    const names = { [home]: 'home', [inOuter]: 'outer', [inInner]: 'inner' }
    return names[place()] ?? place()
  }
  const caught = (fn) => {
    try { return { value: fn() } } catch (error) {
      const { code, syscall, kind, errno } = Object(error)
      return code === undefined ? { thrown: error } : {
        code, syscall, kind, errno, isOurs: error instanceof NamespaceError,
        ...('cause' in error ? { cause: error.cause?.code ?? error.cause?.message ?? error.cause } : {}),
      }
    }
  }
  const home = place()
  const make = (...kinds) => NamespaceSet.unshareSync([...kinds, 'time']).dup(kinds)
  const outer = make('uts')
  const inner = make('uts')
  const several = make('cgroup', 'ipc', 'net', 'uts')
  const inOuter = home.replace(/uts:.*/, outer.id())
  const inInner = home.replace(/uts:.*/, inner.id())
  const report = []
  const record = (value) => report.push({ ...value, where: where() })
  process.on('exit', () => console.log(JSON.stringify(report)))
`

interface Report {
  value?: unknown
  code?: string
  syscall?: string
  kind?: string
  errno?: number
  cause?: unknown
  thrown?: unknown
  isOurs?: boolean
  where: string
}

async function run(program: string, options: PlainNodeOptions): Promise<Report[]> {
  return askPlainNode<Report[]>(HEADING + program, options)
}

/** Runs a program whose `setns` number N fails; no helper of its sets calls it. */
async function runFailing(failing: string, program: string): Promise<{ reports: Report[]; calls: SetnsCall[] }> {
  const { stdout, stderr, code, calls } = await traceSetns(HEADING + program, { failing, prefix: AS_ROOT_INSIDE })
  if (code !== 0) throw new Error(stderr)
  return { reports: JSON.parse(stdout), calls }
}

const LOST = { code: 'ERR_NSSET_RESTORE', syscall: 'setns', kind: 'uts', errno: -1, isOurs: true, where: 'outer' }
const TAINTED = { code: 'ERR_NSSET_TAINTED_THREAD', syscall: 'setns', kind: 'uts', errno: -1, isOurs: true }

describe('a restore that fails once', () => {
  test('is reported, and the next call restores the thread first', async () => {
    const { reports, calls } = await runFailing(
      '2',
      `
      record(caught(() => outer.do(() => 'lost')))
      record(caught(() => NamespaceSet.current('uts').id()))
      record(caught(() => outer.do(where)))`,
    )
    expect(reports).toEqual([
      LOST,
      { value: expect.stringMatching(/^uts:/), where: 'home' },
      { value: 'outer', where: 'home' },
    ])
    expect(calls.map((call) => call.isFailed)).toEqual([false, true, false, false, false])
  })

  const THROWN: [string, string, unknown][] = [
    ['an Error', "new Error('mine')", 'mine'],
    ['no object', '42', 42],
    ['null', 'null', null],
  ]
  for (const [name, expression, cause] of THROWN) {
    test(`has the thrown value as its cause: ${name}`, async () => {
      const { reports } = await runFailing('2', `record(caught(() => outer.do(() => { throw ${expression} })))`)
      expect(reports).toEqual([{ ...LOST, cause }])
    })
  }
})

describe('a restore that keeps failing', () => {
  /** Every call that reaches the kernel, or could start something inside. */
  const CALLS = [
    'NamespaceSet.current()',
    "NamespaceSet.unshareSync('ipc')",
    "NamespaceSet.fromPid(process.pid, 'net')",
    'NamespaceSet.fromThread(process.pid, process.pid)',
    "NamespaceSet.fromDirectory('/proc/self/ns', 'net')",
    "NamespaceSet.fromPath('/proc/self/ns/net')",
    'NamespaceSet.fromFd(0)',
    "NamespaceSet.unmountSync('/nonexistent')",
    'outer.do(() => 0)',
    "outer.do(() => 0, { kinds: 'uts' })",
    'outer.enter({ mainThread: true })',
    "outer.unshareSync('net')",
    'outer.dup()',
    'outer.fds()',
    'outer.owner()',
    "outer.mountSync({ uts: '/nonexistent' })",
  ]

  test('makes every call throw', async () => {
    const tries = CALLS.map((call) => `record(caught(() => ${call}))`).join('\n')
    const { reports } = await runFailing('2+', `record(caught(() => outer.do(() => 0)))\n${tries}`)
    expect(reports[0]).toEqual(LOST)
    const answers = Object.fromEntries(CALLS.map((call, index) => [call, reports[index + 1]]))
    expect(answers).toEqual(Object.fromEntries(CALLS.map((call) => [call, { ...TAINTED, where: 'outer' }])))
  })

  test('makes spawn() throw, and starts nothing', async () => {
    const { reports } = await runFailing(
      '2+',
      `
      record(caught(() => outer.do(() => 0)))
      record(caught(() => outer.spawn('true').on('error', () => record({ value: 'reported later' })) && 'started'))`,
    )
    expect(reports).toEqual([LOST, { ...TAINTED, where: 'outer' }])
  })

  test('makes every promise reject', async () => {
    const { reports } = await runFailing(
      '2+',
      `
      const later = (promise) => promise.then((value) => ({ value }), (error) => caught(() => { throw error }))
      record(caught(() => outer.do(() => 0)))
      record(await later(NamespaceSet.unshare('ipc')))
      record(await later(outer.unshare('ipc')))
      record(await later(outer.execFile('true')))`,
    )
    expect(reports).toEqual([LOST, ...Array.from({ length: 3 }, () => ({ ...TAINTED, where: 'outer' }))])
  })

  test('ends with a successful retry', async () => {
    const { reports } = await runFailing(
      '2..4',
      `
      for (let turn = 0; turn < 4; turn++) record(caught(() => outer.do(where)))`,
    )
    const tainted = { ...TAINTED, where: 'outer' }
    expect(reports).toEqual([LOST, tainted, tainted, { value: 'outer', where: 'home' }])
  })

  test('allows sets to be closed and inspected', async () => {
    const { reports } = await runFailing(
      '2+',
      `
      record(caught(() => outer.do(() => 0)))
      record(caught(() => outer.close()))
      record(caught(() => [outer.closed, inner.closed, outer.kinds]))`,
    )
    expect(reports.slice(1)).toEqual([{ where: 'outer' }, { value: [true, false, ['uts']], where: 'outer' }])
  })

  test('affects one thread: others continue', async () => {
    const { reports } = await runFailing(
      '2..3',
      `
      record(caught(() => outer.do(() => 0)))
      const worker = new Worker(\`
        import { parentPort } from 'node:worker_threads'
        import { NamespaceSet } from 'nsset'
        parentPort.postMessage(NamespaceSet.current('uts').id() !== undefined)\`, { eval: true })
      record(await new Promise((resolve) => worker.once('message', (value) => resolve({ value })).once('error', (error) => resolve({ value: error.message }))))
      record(caught(() => outer.dup()))`,
    )
    expect(reports).toEqual([LOST, { value: true, where: 'outer' }, { ...TAINTED, where: 'outer' }])
  })
})

describe('a restore of several kinds', () => {
  test('takes every possible step', async () => {
    // Four in, and then cgroup, ipc (which fails), net and uts.
    const { reports, calls } = await runFailing(
      '6',
      `
      const after = caught(() => several.do(() => 0))
      report.push({ code: after.code, kind: after.kind, where: place() === home.replace(/ipc:\\S+/, several.id('ipc')) })
      record(caught(() => NamespaceSet.current() && 'back'))`,
    )
    expect(reports).toEqual([
      { code: 'ERR_NSSET_RESTORE', kind: 'ipc', where: true },
      { value: 'back', where: 'home' },
    ])
    expect(calls.map((call) => call.flag.slice('CLONE_NEW'.length))).toEqual([
      ...['CGROUP', 'IPC', 'NET', 'UTS'],
      ...['CGROUP', 'IPC', 'NET', 'UTS'],
      'IPC',
    ])
  })
})

describe('nested', () => {
  test('an uncaught inner failure: the enclosing do() restores the thread and passes it on', async () => {
    const { reports } = await runFailing(
      '3',
      `
      record(caught(() => outer.do(() => inner.do(() => 'lost'))))
      record(caught(() => outer.do(where)))`,
    )
    expect(reports).toEqual([
      { ...LOST, where: 'home' },
      { value: 'outer', where: 'home' },
    ])
  })

  test('a caught inner failure: the next call inside is at the enclosing level', async () => {
    const { reports } = await runFailing(
      '3',
      `
      record(caught(() => outer.do(() => {
        record(caught(() => inner.do(() => 'lost')))
        return NamespaceSet.current('uts').id() === outer.id() && where()
      })))`,
    )
    expect(reports).toEqual([
      { ...LOST, where: 'inner' },
      { value: 'outer', where: 'home' },
    ])
  })

  test('both fail: the outer error has the inner one as its cause', async () => {
    const { reports } = await runFailing(
      '3+',
      `
      record(caught(() => outer.do(() => inner.do(() => { throw new Error('mine') }))))
      record(caught(() => NamespaceSet.current()))`,
    )
    expect(reports).toEqual([
      { ...LOST, cause: 'ERR_NSSET_RESTORE', where: 'inner' },
      { ...TAINTED, where: 'inner' },
    ])
  })
})

describe('a failure to enter', () => {
  test('is not a failed restore: the function is not called, and the thread did not move', async () => {
    const { reports } = await runFailing(
      '3',
      `
      record(caught(() => several.do(() => record({ value: 'called' }))))
      record(caught(() => outer.do(where)))`,
    )
    // cgroup and ipc had been entered, and were left again.
    const refused = { code: 'ERR_NSSET_NOT_ENTERABLE', kind: 'net', isOurs: false, where: 'home' }
    expect(reports).toEqual([refused, { value: 'outer', where: 'home' }])
  })

  test('is a failed restore when the kinds entered before cannot be left', async () => {
    const { reports } = await runFailing(
      '2..3',
      `
      const { code, kind } = caught(() => several.do(() => record({ value: 'called' })))
      report.push({ code, kind, where: place() === home.replace(/cgroup:\\S+/, several.id('cgroup')) })
      record(caught(() => outer.do(where)))`,
    )
    expect(reports).toEqual([
      { code: 'ERR_NSSET_RESTORE', kind: 'cgroup', where: true },
      { value: 'outer', where: 'home' },
    ])
  })

  test('leaves nothing entered in enter(), either', async () => {
    const { reports } = await runFailing(
      '4',
      `
      record(caught(() => several.enter({ mainThread: true })))
      record(caught(() => outer.do(where)))`,
    )
    const refused = { code: 'ERR_NSSET_NOT_ENTERABLE', kind: 'uts', isOurs: false, where: 'home' }
    expect(reports).toEqual([refused, { value: 'outer', where: 'home' }])
  })
})

describe('without strace', () => {
  test('a function that drops its capabilities cannot be restored until it has them again', async () => {
    // If only root is mapped, as for an ordinary user's Node.js here, there is no other user to switch to.
    const reports = await run(
      `
      if (caught(() => process.seteuid(1)).code !== undefined) record({ value: 'unmapped' })
      else {
        process.seteuid(0)
        record(caught(() => outer.do(() => process.seteuid(1))))
        record(caught(() => NamespaceSet.current()))
        process.seteuid(0)
        record(caught(() => outer.do(where)))
      }`,
      { prefix: AS_ROOT_INSIDE },
    )
    const lost = [LOST, { ...TAINTED, where: 'outer' }, { value: 'outer', where: 'home' }]
    expect(reports).toEqual(AS_ROOT_INSIDE.length === 0 ? lost : [{ value: 'unmapped', where: 'home' }])
  })

  asOrdinaryUser('do() does not enter what it could not leave', async () => {
    // Root of a user namespace in a uts namespace of the outside: it can enter, and not return (setns(2)).
    const reports = await run(
      `
      record(caught(() => outer.do(() => record({ value: 'called' }))))
      record(caught(() => NamespaceSet.current() && 'untainted'))`,
      { prefix: ['unshare', '--user', '--map-root-user'] },
    )
    const refused = { code: 'ERR_NSSET_NOT_ENTERABLE', kind: 'uts', isOurs: false, where: 'home' }
    expect(reports).toEqual([refused, { value: 'untainted', where: 'home' }])
  })
})
