/** The options `limits`, `umask` and `nice`, compared with prlimit(1), umask(1) and nice(1). */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type ExecFileOptions, NamespaceSet, type ProcessLimit, type ProcessLimits, type SpawnOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { hasCapability } from '../setup/processes/proc-status.ts'
import { failureOf, range, refuses, type, untyped, value } from '../setup/sets/failure.ts'
import { asOrdinaryUser, isRoot } from '../setup/sets/privilege.ts'
import { WAYS } from '../setup/sets/ways-to-start.ts'

type Options = Omit<SpawnOptions, 'stdio'>

/** The resource in prlimit(1) for each of the options. */
const RESOURCES: Record<keyof ProcessLimits, string> = {
  openFiles: 'NOFILE',
  processes: 'NPROC',
  fileSize: 'FSIZE',
  addressSpace: 'AS',
  cpuSeconds: 'CPU',
  coreSize: 'CORE',
  stackSize: 'STACK',
  lockedMemory: 'MEMLOCK',
}

const SHOW = ['--noheadings', '--raw', '--output', 'RESOURCE,SOFT,HARD']

function tableOf(stdout: string): Record<string, string> {
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => [line.split(' ')[0], line.split(' ').slice(1).join(':')]),
  )
}

/** The limits of a program, as prlimit(1) shows them. */
async function limitsOf(set: NamespaceSet, options: Options): Promise<Record<string, string>> {
  return tableOf((await set.execFile('prlimit', SHOW, options)).stdout)
}

const own = tableOf(execFileSync('prlimit', SHOW, { encoding: 'utf8' }))

const MIB = 1024 * 1024
const LIMITS = {
  openFiles: { soft: 20, hard: 50 },
  processes: 5000,
  fileSize: 2 * MIB,
  addressSpace: { soft: 512 * MIB, hard: 1024 * MIB },
  cpuSeconds: { soft: 100, hard: 200 },
  coreSize: 0,
  stackSize: 4 * MIB,
  lockedMemory: 0,
} satisfies ProcessLimits

describe.each(WAYS)('%s', (_, create) => {
  test('each limit is what prlimit(1) sets, and the others are the caller’s', async () => {
    using set = create()
    for (const [name, limit] of Object.entries(LIMITS)) {
      const resource = RESOURCES[name as keyof ProcessLimits]
      const [soft, hard] = typeof limit === 'number' ? [limit, limit] : [limit.soft, limit.hard]
      const twin = ['prlimit', [`--${resource.toLowerCase()}=${soft}:${hard}`, 'prlimit', ...SHOW]] as const
      const expected = tableOf((await set.execFile(...twin)).stdout)
      expect(expected[resource]).toBe(`${soft}:${hard}`)
      expect(await limitsOf(set, { limits: { [name]: limit } })).toEqual(expected)
    }
  })

  test('all limits at once, with another umask and niceness', async () => {
    using set = create()
    const script = 'umask; nice; ulimit -Sn; ulimit -Hn; ulimit -c'
    const options = { limits: LIMITS, umask: 0o27, nice: 7 }
    expect((await set.execFile('bash', ['-c', script], options)).stdout).toBe('0027\n7\n20\n50\n0\n')
  })

  test('a limit that is left out stays, and the soft one is at most the hard one', async () => {
    using set = create()
    const soft = await limitsOf(set, { limits: { openFiles: { soft: 30 } } })
    expect(soft['NOFILE']).toBe(`30:${own['NOFILE']?.split(':')[1]}`)
    const hard = await limitsOf(set, { limits: { openFiles: { hard: 30 } } })
    expect(hard['NOFILE']).toBe('30:30')
  })

  test('the caller keeps its own', async () => {
    using set = create()
    const state = () => [process.umask(), readFileSync('/proc/self/limits', 'utf8')]
    const before = state()
    await set.execFile('true', [], { limits: LIMITS, umask: 0o77, nice: 19 })
    expect(state()).toEqual(before)
    expect(process.getBuiltinModule('node:os').getPriority()).toBe(0)
  })
})

describe('the limits hold', () => {
  const set = NamespaceSet.current('uts')

  test('for descriptors', async () => {
    const script = 'exec 3</dev/null 4</dev/null 5</dev/null'
    const options = { limits: { openFiles: 5 }, reject: false } as const
    expect((await set.execFile('bash', ['-c', script], options)).stderr).toMatch(/Too many open files|Bad file/)
  })

  test('for files', async () => {
    const options = { limits: { fileSize: 4096 }, cwd: '/tmp', reject: false } as const
    const { stdout, signal } = await set.execFile(
      'sh',
      ['-c', 'file=$(mktemp); head -c 10000 /dev/zero >"$file"; stat -c %s "$file"; rm "$file"'],
      options,
    )
    expect(stdout).toBe('4096\n')
    expect(signal).toBeNull()
  })

  test('for CPU time: SIGXCPU, and SIGKILL for who does not end', async () => {
    const busy = (script: string, cpuSeconds: ProcessLimit) =>
      set.execFile('bash', ['-c', script], { limits: { cpuSeconds }, reject: false })
    const [ended, killed] = await Promise.all([
      busy('while :; do :; done', { soft: 1, hard: 10 }),
      busy('trap "" XCPU; while :; do :; done', { soft: 1, hard: 2 }),
    ])
    expect([ended.signal, killed.signal]).toEqual(['SIGXCPU', 'SIGKILL'])
  }, 60_000)

  test('for memory', async () => {
    const options = { limits: { addressSpace: 256 * MIB }, reject: false } as const
    const { stderr } = await set.execFile('bash', ['-c', 'x=$(head -c 400M /dev/zero | tr "\\0" x)'], options)
    expect(stderr).toMatch(/allocate/)
  }, 20_000)

  test('for a Node.js process of fork', async () => {
    const script = new URL('../setup/programs/forked.cjs', import.meta.url)
    const child = set.fork(script, [], { limits: { openFiles: 77 }, silent: true })
    const limits = readFileSync(`/proc/${child.pid}/limits`, 'utf8')
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(limits).toMatch(/Max open files +77 +77 /)
  })
})

test('umask and nice are those of nice(1), and files get their modes', async () => {
  using set = NamespaceSet.current('uts')
  const script = 'file=$(mktemp -u); touch "$file"; stat -c %a "$file"; rm "$file"; nice'
  for (const [umask, mode] of [
    [0, '666'],
    [0o22, '644'],
    [0o777, '0'],
  ] as const) {
    const { stdout } = await set.execFile('sh', ['-c', script], { umask, nice: 3, cwd: '/tmp' })
    expect(stdout).toBe(`${mode}\n3\n`)
  }
})

describe('what the kernel refuses names the step', () => {
  const set = NamespaceSet.current('uts')
  const CAP_SYS_RESOURCE = 24

  test('a hard limit above the caller’s', async (context) => {
    const hard = own['NOFILE']?.split(':')[1]
    if (hasCapability(CAP_SYS_RESOURCE) || hard === 'unlimited')
      context.skip('the caller has CAP_SYS_RESOURCE, or no limit')
    for (const create of [
      () => NamespaceSet.current('uts'),
      () => NamespaceSet.unshareSync('user', { mapUser: 'root' }),
    ]) {
      using inside = create()
      const error = await failureOf(() => inside.execFile('true', [], { limits: { openFiles: Number(hard) + 1 } }))
      expect(error).toMatchObject({ code: 'EPERM', syscall: 'prlimit(RLIMIT_NOFILE)' })
      expect(error.message).toContain('CAP_SYS_RESOURCE')
    }
  })

  test('a soft limit above the hard one of the caller', async (context) => {
    const hard = own['NOFILE']?.split(':')[1]
    if (hard === 'unlimited') context.skip('the caller has no limit')
    const call = () => set.execFile('true', [], { limits: { openFiles: { soft: Number(hard) + 1 } } })
    expect(await failureOf(call)).toMatchObject({ code: 'EINVAL', syscall: 'prlimit(RLIMIT_NOFILE)' })
  })

  asOrdinaryUser('a higher priority', async () => {
    const call = () => set.execFile('true', [], { nice: -5 })
    expect(await failureOf(call)).toMatchObject({ code: 'EACCES', syscall: 'setpriority' })
  })

  test('a stack without room for the arguments', async () => {
    const words = Array.from({ length: 3000 }, () => 'x'.repeat(100))
    const call = () => set.execFile('true', words, { limits: { stackSize: 256 * 1024 } })
    expect(await failureOf(call)).toMatchObject({ code: 'E2BIG', syscall: 'spawn true' })
  })

  test('an error that spawn reports is an event', async () => {
    const child = set.spawn('true', [], { limits: { openFiles: { soft: Number.MAX_SAFE_INTEGER } } })
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve))
    expect(error.syscall).toBe('prlimit(RLIMIT_NOFILE)')
  })
})

describe('wrong options', () => {
  const set = NamespaceSet.current('uts')
  const run = (options: unknown) => () => set.execFile('true', [], untyped<ExecFileOptions<'utf8'>>(options))
  refuses([
    ['limits of another type', run({ limits: 5 }), type('options.limits', 'an object')],
    ['an unknown resource', run({ limits: { openfile: 5 } }), value("did you mean 'openFiles'")],
    ['a limit of another type', run({ limits: { openFiles: '5' } }), type('options.limits.openFiles')],
    ['a limit below 0', run({ limits: { openFiles: -1 } }), range('options.limits.openFiles', 'Infinity')],
    ['a fraction', run({ limits: { cpuSeconds: 0.5 } }), range('options.limits.cpuSeconds')],
    ['not a number', run({ limits: { cpuSeconds: Number.NaN } }), range('options.limits.cpuSeconds')],
    ['an empty pair', run({ limits: { coreSize: {} } }), value('must have soft or hard')],
    ['an unknown part', run({ limits: { coreSize: { Soft: 1 } } }), value("did you mean 'soft'")],
    [
      'a soft limit above the hard one',
      run({ limits: { coreSize: { soft: 2, hard: 1 } } }),
      range('coreSize.soft', 'hard limit, 1'),
    ],
    ['a umask of another type', run({ umask: '022' }), type('options.umask')],
    ['a umask that is too large', run({ umask: 0o1000 }), range('options.umask', '511')],
    ['a niceness that is too high', run({ nice: 20 }), range('options.nice', '-20 to 19')],
    ['a niceness that is too low', run({ nice: -21 }), range('options.nice')],
  ])
})

test('null means undefined, as in child_process', async () => {
  using set = NamespaceSet.current('uts')
  const options = untyped<Options>({ limits: null, umask: null, nice: null, capabilities: null })
  expect(await limitsOf(set, options)).toEqual(await limitsOf(set, {}))
})

test.runIf(isRoot)('root may raise its priority, in a user namespace too', async () => {
  for (const create of [
    () => NamespaceSet.current('uts'),
    () => NamespaceSet.unshareSync('user', { mapUser: 'root' }),
  ]) {
    using set = create()
    expect((await set.execFile('nice', [], { nice: -3 })).stdout).toBe('-3\n')
  }
})
