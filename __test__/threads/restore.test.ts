/**
 * Law 1, when the way back fails: strace(1) makes the kernel refuse it (`inject=setns:error=EPERM:when=N`), or the
 * function gives its own privilege away.
 */
import { describe, expect, test } from 'vitest'
import { type SetnsCall, traceSetns } from '../setup/oracles/strace.ts'
import { AS_ROOT_INSIDE, askPlainNode, type PlainNodeOptions } from '../setup/programs/plain-node.ts'
import { asOrdinaryUser } from '../setup/sets/privilege.ts'

/**
 * What each program sees; `outer` and `inner` are sets of a new uts namespace, `several` has four kinds. The helper makes them,
 * together with a time namespace: the home thread would come back by a `setns` of its own.
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
  const tell = (value) => report.push({ ...value, where: where() })
  process.on('exit', () => console.log(JSON.stringify(report)))
`

interface Told {
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

async function run(program: string, options: PlainNodeOptions): Promise<Told[]> {
  return askPlainNode<Told[]>(HEADING + program, options)
}

/** Runs a program whose `setns` number N fails; no helper of its sets makes one. */
async function runFailing(failing: string, program: string): Promise<{ told: Told[]; calls: SetnsCall[] }> {
  const { stdout, stderr, code, calls } = await traceSetns(HEADING + program, { failing, prefix: AS_ROOT_INSIDE })
  if (code !== 0) throw new Error(stderr)
  return { told: JSON.parse(stdout), calls }
}

const LOST = { code: 'ERR_NSSET_RESTORE', syscall: 'setns', kind: 'uts', errno: -1, isOurs: true, where: 'outer' }
const TAINTED = { code: 'ERR_NSSET_TAINTED_THREAD', syscall: 'setns', kind: 'uts', errno: -1, isOurs: true }

describe('a way back that fails once', () => {
  test('is told, and the next call brings the thread back first', async () => {
    const { told, calls } = await runFailing(
      '2',
      `
      tell(caught(() => outer.do(() => 'lost')))
      tell(caught(() => NamespaceSet.current('uts').id()))
      tell(caught(() => outer.do(where)))`,
    )
    expect(told).toEqual([
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
    test(`has what the function threw as its cause: ${name}`, async () => {
      const { told } = await runFailing('2', `tell(caught(() => outer.do(() => { throw ${expression} })))`)
      expect(told).toEqual([{ ...LOST, cause }])
    })
  }
})

describe('a way back that goes on failing', () => {
  /** Whatever asks something of the kernel, or could start something inside. */
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
    const tries = CALLS.map((call) => `tell(caught(() => ${call}))`).join('\n')
    const { told } = await runFailing('2+', `tell(caught(() => outer.do(() => 0)))\n${tries}`)
    expect(told[0]).toEqual(LOST)
    const answers = Object.fromEntries(CALLS.map((call, index) => [call, told[index + 1]]))
    expect(answers).toEqual(Object.fromEntries(CALLS.map((call) => [call, { ...TAINTED, where: 'outer' }])))
  })

  test('makes spawn() throw, and start nothing', async () => {
    const { told } = await runFailing(
      '2+',
      `
      tell(caught(() => outer.do(() => 0)))
      tell(caught(() => outer.spawn('true').on('error', () => tell({ value: 'told later' })) && 'started'))`,
    )
    expect(told).toEqual([LOST, { ...TAINTED, where: 'outer' }])
  })

  test('makes every promise reject', async () => {
    const { told } = await runFailing(
      '2+',
      `
      const later = (promise) => promise.then((value) => ({ value }), (error) => caught(() => { throw error }))
      tell(caught(() => outer.do(() => 0)))
      tell(await later(NamespaceSet.unshare('ipc')))
      tell(await later(outer.unshare('ipc')))
      tell(await later(outer.execFile('true')))`,
    )
    expect(told).toEqual([LOST, ...Array.from({ length: 3 }, () => ({ ...TAINTED, where: 'outer' }))])
  })

  test('ends with the retry that succeeds', async () => {
    const { told } = await runFailing(
      '2..4',
      `
      for (let turn = 0; turn < 4; turn++) tell(caught(() => outer.do(where)))`,
    )
    const tainted = { ...TAINTED, where: 'outer' }
    expect(told).toEqual([LOST, tainted, tainted, { value: 'outer', where: 'home' }])
  })

  test('lets sets be closed and looked at', async () => {
    const { told } = await runFailing(
      '2+',
      `
      tell(caught(() => outer.do(() => 0)))
      tell(caught(() => outer.close()))
      tell(caught(() => [outer.closed, inner.closed, outer.kinds]))`,
    )
    expect(told.slice(1)).toEqual([{ where: 'outer' }, { value: [true, false, ['uts']], where: 'outer' }])
  })

  test('is one thread’s trouble: others go on', async () => {
    const { told } = await runFailing(
      '2..3',
      `
      tell(caught(() => outer.do(() => 0)))
      const worker = new Worker(\`
        import { parentPort } from 'node:worker_threads'
        import { NamespaceSet } from 'nsset'
        parentPort.postMessage(NamespaceSet.current('uts').id() !== undefined)\`, { eval: true })
      tell(await new Promise((resolve) => worker.once('message', (value) => resolve({ value })).once('error', (error) => resolve({ value: error.message }))))
      tell(caught(() => outer.dup()))`,
    )
    expect(told).toEqual([LOST, { value: true, where: 'outer' }, { ...TAINTED, where: 'outer' }])
  })
})

describe('a way back of several kinds', () => {
  test('takes every step that can be taken', async () => {
    // Four in, and then cgroup, ipc (which fails), net and uts.
    const { told, calls } = await runFailing(
      '6',
      `
      const after = caught(() => several.do(() => 0))
      report.push({ code: after.code, kind: after.kind, where: place() === home.replace(/ipc:\\S+/, several.id('ipc')) })
      tell(caught(() => NamespaceSet.current() && 'back'))`,
    )
    expect(told).toEqual([
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
  test('an inner failure that is not caught: the enclosing do() brings the thread home and passes it on', async () => {
    const { told } = await runFailing(
      '3',
      `
      tell(caught(() => outer.do(() => inner.do(() => 'lost'))))
      tell(caught(() => outer.do(where)))`,
    )
    expect(told).toEqual([
      { ...LOST, where: 'home' },
      { value: 'outer', where: 'home' },
    ])
  })

  test('an inner failure that is caught: the next call inside is at the enclosing level', async () => {
    const { told } = await runFailing(
      '3',
      `
      tell(caught(() => outer.do(() => {
        tell(caught(() => inner.do(() => 'lost')))
        return NamespaceSet.current('uts').id() === outer.id() && where()
      })))`,
    )
    expect(told).toEqual([
      { ...LOST, where: 'inner' },
      { value: 'outer', where: 'home' },
    ])
  })

  test('both fail: the outer error has the inner one as its cause', async () => {
    const { told } = await runFailing(
      '3+',
      `
      tell(caught(() => outer.do(() => inner.do(() => { throw new Error('mine') }))))
      tell(caught(() => NamespaceSet.current()))`,
    )
    expect(told).toEqual([
      { ...LOST, cause: 'ERR_NSSET_RESTORE', where: 'inner' },
      { ...TAINTED, where: 'inner' },
    ])
  })
})

describe('a way in that fails', () => {
  test('is no failed restore: the function is not called, and the thread is where it was', async () => {
    const { told } = await runFailing(
      '3',
      `
      tell(caught(() => several.do(() => tell({ value: 'called' }))))
      tell(caught(() => outer.do(where)))`,
    )
    // cgroup and ipc had been entered already, and were left again.
    const refused = { code: 'ERR_NSSET_NOT_ENTERABLE', kind: 'net', isOurs: false, where: 'home' }
    expect(told).toEqual([refused, { value: 'outer', where: 'home' }])
  })

  test('and what had been entered before it cannot be left again: then it is one', async () => {
    const { told } = await runFailing(
      '2..3',
      `
      const { code, kind } = caught(() => several.do(() => tell({ value: 'called' })))
      report.push({ code, kind, where: place() === home.replace(/cgroup:\\S+/, several.id('cgroup')) })
      tell(caught(() => outer.do(where)))`,
    )
    expect(told).toEqual([
      { code: 'ERR_NSSET_RESTORE', kind: 'cgroup', where: true },
      { value: 'outer', where: 'home' },
    ])
  })

  test('enter() is all or nothing as well', async () => {
    const { told } = await runFailing(
      '4',
      `
      tell(caught(() => several.enter({ mainThread: true })))
      tell(caught(() => outer.do(where)))`,
    )
    const refused = { code: 'ERR_NSSET_NOT_ENTERABLE', kind: 'uts', isOurs: false, where: 'home' }
    expect(told).toEqual([refused, { value: 'outer', where: 'home' }])
  })
})

describe('without strace', () => {
  test('a function that gives up its capabilities cannot be brought back until it has them again', async () => {
    // Where only root is mapped, as for an ordinary user's Node here, there is nobody else to be.
    const told = await run(
      `
      if (caught(() => process.seteuid(1)).code !== undefined) tell({ value: 'unmapped' })
      else {
        process.seteuid(0)
        tell(caught(() => outer.do(() => process.seteuid(1))))
        tell(caught(() => NamespaceSet.current()))
        process.seteuid(0)
        tell(caught(() => outer.do(where)))
      }`,
      { prefix: AS_ROOT_INSIDE },
    )
    const lost = [LOST, { ...TAINTED, where: 'outer' }, { value: 'outer', where: 'home' }]
    expect(told).toEqual(AS_ROOT_INSIDE.length === 0 ? lost : [{ value: 'unmapped', where: 'home' }])
  })

  asOrdinaryUser('do() does not go where it could not come back from', async () => {
    // Root of a user namespace in a uts namespace of the outside: there is a way in, and none back (setns(2)).
    const told = await run(
      `
      tell(caught(() => outer.do(() => tell({ value: 'called' }))))
      tell(caught(() => NamespaceSet.current() && 'untainted'))`,
      { prefix: ['unshare', '--user', '--map-root-user'] },
    )
    const refused = { code: 'ERR_NSSET_NOT_ENTERABLE', kind: 'uts', isOurs: false, where: 'home' }
    expect(told).toEqual([refused, { value: 'untainted', where: 'home' }])
  })
})
