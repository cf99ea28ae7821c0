/** The option `seccomp`: filters from names and as BPF, with a program in C that makes each system call. */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import fc from 'fast-check'
import { NamespaceSet, type SystemCallCondition, type SystemCallFilter, sandboxSystemCalls, systemCalls } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileSystemCallFilter } from '../../index.js'
import { parseFilter } from '../../src/validate/processes/confinement/system-calls.ts'
import type { CProgram } from '../setup/c-programs/c-program.ts'
import { compileSystemCalls, numbersOf } from '../setup/c-programs/system-calls.ts'
import { statusField, statusOf } from '../setup/processes/proc-status.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { WAYS } from '../setup/sets/ways-to-start.ts'

const { EPERM, ENOSYS, EDOM, EBADF, EAFNOSUPPORT } = constants.errno
const here = NamespaceSet.current(['net', 'uts'])

let program: CProgram | undefined
beforeAll(() => {
  program = compileSystemCalls()
})
afterAll(() => {
  program?.[Symbol.dispose]()
  here.close()
})

/** What each of these calls returns under a filter. */
async function results(calls: readonly string[], seccomp: SystemCallFilter | Buffer, set = here): Promise<number[]> {
  if (program === undefined) throw new Error('there is no C compiler')
  const { stdout } = await set.execFile(program.path, calls, { seccomp })
  return stdout.trim().split('\n').map(Number)
}

/** All names of the preset, as data. */
const preset = sandboxSystemCalls()
const unconditional = (preset.deny ?? []).filter((rule) => typeof rule === 'string')

describe('the preset for sandboxes', () => {
  test('each of its names is refused by the filter, and by nothing before it', async () => {
    const numbers = numbersOf(unconditional)
    const known = unconditional.filter((name) => numbers[name] !== undefined)
    expect(known.length).toBeGreaterThan(45)
    // An error that no such call has: without the filter, the kernel refuses most of them to an ordinary user.
    const marked = { ...preset, errno: 'EDOM' }
    const errors = await results(
      known.map(String).map((name) => String(numbers[name])),
      marked,
    )
    expect(Object.fromEntries(known.map((name, index) => [name, errors[index]]))).toEqual(
      Object.fromEntries(known.map((name) => [name, EDOM])),
    )
  })

  test('with conditions: namespaces, sockets, personalities and terminals', async () => {
    const { clone, clone3, unshare, socket, personality, ioctl } = numbersOf([
      'clone',
      'clone3',
      'unshare',
      'socket',
      'personality',
      'ioctl',
    ])
    const CLONE_NEWUSER = 0x1000_0000
    const cases: [call: string, error: number][] = [
      [`${unshare},${CLONE_NEWUSER}`, EPERM],
      [`${unshare},${CLONE_NEWUSER | 0x4000_0000}`, EPERM],
      [`${unshare},0`, 0],
      [`${clone},${CLONE_NEWUSER | 17}`, EPERM],
      [`${clone},17`, 0],
      [`${clone3}`, ENOSYS],
      [`${socket},40,1`, EAFNOSUPPORT],
      [`${socket},17,3`, EAFNOSUPPORT],
      [`${socket},38,5`, EAFNOSUPPORT],
      // The kernel reads the low half of an int.
      [`${socket},${2n ** 32n + 40n},1`, EAFNOSUPPORT],
      [`${socket},1,1`, 0],
      [`${socket},2,1`, 0],
      [`${socket},10,1`, 0],
      [`${socket},16,3`, 0],
      [`${personality},0x0040000`, 0],
      [`${personality},0xffffffff`, 0],
      [`${personality},0x0400000`, EPERM],
      [`${ioctl},0,0x5412`, EPERM],
      [`${ioctl},0,${2n ** 32n + 0x5412n}`, EPERM],
      [`${ioctl},99,0x5401`, EBADF],
      ['9999', ENOSYS],
    ]
    const errors = await results(
      cases.map(([call]) => call),
      preset,
    )
    expect(cases.map(([call], index) => [call, errors[index]])).toEqual(cases)
  })

  test('userNamespaces, allow and deny change it', async () => {
    const { unshare, ptrace, getppid, mount } = numbersOf(['unshare', 'ptrace', 'getppid', 'mount']) as Record<
      string,
      number
    >
    const calls = [`${unshare},0x10000000`, `${ptrace},0`, `${getppid}`]
    const marked = (filter: SystemCallFilter) => ({ ...filter, errno: 'EDOM' })
    expect(await results(calls, marked(preset))).toEqual([EDOM, EDOM, 0])
    const changed = marked(sandboxSystemCalls({ userNamespaces: true, allow: ['ptrace'], deny: ['getppid'] }))
    const [unshared, traced, parent, mounted] = await results([...calls, `${mount}`], changed)
    expect([unshared, traced, parent]).toEqual([0, 0, EDOM])
    expect(mounted).not.toBe(EDOM)
  })

  test('ordinary programs work', async () => {
    const options = { seccomp: preset, capabilities: [], noNewPrivileges: true, cwd: '/tmp' } as const
    const sources = 'int main() { return 0; }'
    const script = `file=$(mktemp) && echo '${sources}' | cc -x c - -o "$file" && chmod +x "$file" && "$file" && rm "$file" && echo compiled`
    expect((await here.execFile('bash', ['-c', script], options)).stdout).toBe('compiled\n')
    const node = `
      const { Worker } = require('worker_threads')
      require('fs').promises.readFile('/etc/hostname').then(() =>
        require('child_process').execFile('true', (error) => new Worker('0', { eval: true }).once('exit', () => console.log('ran', error))))`
    expect((await here.execFile(process.execPath, ['-e', node], options)).stdout).toBe('ran null\n')
    const python =
      'import subprocess, threading, socket; subprocess.run(["true"]); threading.Thread().start(); socket.socket(); print("ran")'
    expect((await here.execFile('python3', ['-c', python], options)).stdout).toBe('ran\n')
  }, 30_000)

  test('a Node.js process of fork has it', async () => {
    const script = new URL('../setup/programs/forked.cjs', import.meta.url)
    const child = here.fork(script, ['echo'], { seccomp: preset })
    const answer = new Promise((resolve) => child.once('message', resolve))
    child.send('hello')
    expect(await answer).toBe('hello')
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect([statusField(status, 'Seccomp'), statusField(status, 'NoNewPrivs')]).toEqual(['2', '1'])
  })
})

describe.each(WAYS)('%s', (_, create) => {
  test('a filter is in effect, and no new privileges', async () => {
    using set = create()
    const status = await statusOf(set, { seccomp: { default: 'allow', deny: ['ptrace'] } })
    expect(statusField(status, 'Seccomp')).toBe('2')
    expect(statusField(status, 'Seccomp_filters')).toBe('1')
    expect(statusField(status, 'NoNewPrivs')).toBe('1')
    const { getppid } = numbersOf(['getppid'])
    const filter = systemCalls({ default: 'allow', deny: [{ name: 'getppid', errno: 'EDOM' }] })
    expect(await results([`${getppid}`], filter, set)).toEqual([EDOM])
  })

  test('a filter that is almost as long as the kernel accepts', async () => {
    using set = create()
    const deny = Array.from({ length: 810 }, (_, index) => ({ name: 1000 + index, errno: 'EDOM' }))
    expect(await results(['1000', '1809', '999'], { default: 'allow', deny }, set)).toEqual([EDOM, EDOM, ENOSYS])
  })

  test('a program that is missing is an error all the same', async () => {
    using set = create()
    // Not even what the helper reports errors with is allowed.
    const seccomp = systemCalls({ default: 'deny', allow: ['execve', 'exit_group'] })
    for (const file of ['/nowhere/program', 'no-such-program']) {
      const error = await failureOf(() => set.execFile(file, [], { seccomp, env: { PATH: '/usr/bin:/bin' } }))
      expect(error).toMatchObject({ code: 'ENOENT', syscall: `spawn ${file}` })
    }
    expect(await failureOf(() => set.execFile('/etc/passwd', [], { seccomp }))).toMatchObject({ code: 'EACCES' })
  })
})

describe('what happens at a system call', () => {
  const { getppid = 0, getpgid = 0 } = numbersOf(['getppid', 'getpgid'])

  test('deny: it fails, with EPERM or the given error', async () => {
    const calls = [`${getppid}`, `${getpgid},0`]
    const deny = ['getppid', { name: getpgid, errno: 95 }]
    expect(await results(calls, { default: 'allow', deny })).toEqual([EPERM, 95])
    expect(await results(calls, { default: 'allow', deny, errno: 'EDOM' })).toEqual([EDOM, 95])
  })

  test('kill: SIGSYS ends the process', async () => {
    const { path } = program as CProgram
    const { signal, stdout } = await here.execFile(path, [`${getpgid},0`, `${getppid}`], {
      seccomp: { default: 'allow', kill: ['getppid'] },
      reject: false,
    })
    expect([signal, stdout]).toEqual(['SIGSYS', '0\n'])
  })

  test('log: it runs', async () => {
    expect(await results([`${getppid}`], { default: 'allow', log: ['getppid'] })).toEqual([0])
    expect(await results([`${getppid}`], { default: 'log' })).toEqual([0])
  })

  test('the strictest list decides, and the default what is in none', async () => {
    const allow = [
      'execve',
      'exit_group',
      'brk',
      'arch_prctl',
      'set_tid_address',
      'set_robust_list',
      'rseq',
      'prlimit64',
    ]
    const more = [
      'readlinkat',
      'readlink',
      'getrandom',
      'mprotect',
      'fstat',
      'newfstatat',
      'write',
      'mmap',
      'getpid',
      'uname',
    ]
    const calls = [`${getppid}`, `${getpgid},0`]
    const strict = { default: 'deny', errno: 'EDOM', allow: [...allow, ...more] } as const
    expect(await results(calls, strict)).toEqual([EDOM, EDOM])
    const filter = { ...strict, allow: [...strict.allow, 'getppid', 'getpgid'], deny: [{ name: 'getpgid', errno: 7 }] }
    expect(await results(calls, filter)).toEqual([0, 7])
  })

  test('system calls of other architectures end the process, and those of x32 fail', async (context) => {
    if (process.arch !== 'x64') context.skip('the other architectures are those of x86')
    const seccomp = { default: 'allow' } as const
    const { path } = program as CProgram
    expect(await results([`${0x4000_0000 + 39}`], seccomp)).toEqual([ENOSYS])
    const other = await here.execFile(path, ['i386'], { seccomp, reject: false })
    expect([other.signal, other.stdout]).toEqual(['SIGSYS', ''])
  })

  test('denyUnknown refuses what has no name, unless its number is in a list', async () => {
    const calls = ['468', '600', '601']
    const unknown = { default: 'allow', denyUnknown: true, deny: [{ name: 601, errno: 'EDOM' }] } as const
    const [known, ...others] = await results(calls, unknown)
    expect(known).not.toBe(EDOM)
    expect(others).toEqual([ENOSYS, EDOM])
  })
})

describe('conditions on arguments', () => {
  const { lseek = 0 } = numbersOf(['lseek'])
  /** lseek(-1, OFFSET, WHENCE) fails with EBADF, if it is not refused before. */
  const call = (first: bigint, second: bigint) => `${lseek},${BigInt.asUintN(64, first)},${BigInt.asUintN(64, second)}`

  /** Whether a condition holds, by its description in the reference. */
  function holds({ index, is, value, mask, bits = 32 }: SystemCallCondition, given: readonly bigint[]): boolean {
    const cut = (number: bigint) => BigInt.asUintN(bits, number)
    const [argument, wanted] = [cut(given[index] ?? 0n), cut(BigInt(value))]
    const only = mask === undefined ? 2n ** 64n - 1n : cut(BigInt(mask))
    const outcomes = {
      '==': (argument & only) === (wanted & only),
      '!=': argument !== wanted,
      '<': argument < wanted,
      '<=': argument <= wanted,
      '>': argument > wanted,
      '>=': argument >= wanted,
    }
    return outcomes[is]
  }

  const words = fc.constantFrom(
    0n,
    1n,
    2n,
    5n,
    0x7fff_ffffn,
    0xffff_ffffn,
    2n ** 32n,
    2n ** 32n + 5n,
    2n ** 63n,
    2n ** 64n - 1n,
  )
  const condition: fc.Arbitrary<SystemCallCondition> = fc
    .record({
      index: fc.constantFrom(0, 1),
      is: fc.constantFrom<SystemCallCondition['is']>('==', '!=', '<', '<=', '>', '>='),
      value: words,
      mask: fc.option(words, { nil: undefined }),
      bits: fc.constantFrom<32 | 64>(32, 64),
    })
    .map(({ mask, value, bits, ...rest }) => {
      const cut = (number: bigint) => BigInt.asUintN(bits, number)
      return {
        ...rest,
        bits,
        value: cut(value),
        ...(rest.is === '==' && mask !== undefined ? { mask: cut(mask) } : {}),
      }
    })

  test('each comparison, of 32 and of 64 bits, alone and together', async () => {
    const rules = fc.array(fc.array(condition, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 })
    const given = fc.array(fc.tuple(words, words), { minLength: 20, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(rules, given, async (rules, given) => {
        const deny = rules.map((when) => ({ name: 'lseek', when, errno: 'EDOM' }))
        // The first argument is no descriptor in its low half.
        const pairs = given.map(([first, second]) => [first | 0x7fff_0000n, second] as const)
        const errors = await results(
          pairs.map(([first, second]) => call(first, second)),
          { default: 'allow', deny },
        )
        const expected = pairs.map((pair) =>
          rules.some((when) => when.every((one) => holds(one, pair))) ? EDOM : EBADF,
        )
        expect(errors).toEqual(expected)
      }),
      { numRuns: 25 },
    )
  }, 60_000)

  test('negative values are those of an int', async () => {
    const deny = [{ name: 'lseek', when: [{ index: 0, is: '==', value: -1 }], errno: 'EDOM' }] as const
    expect(await results([call(-1n, 0n), call(-2n, 0n), call(0xffff_ffffn, 0n)], { default: 'allow', deny })).toEqual([
      EDOM,
      EBADF,
      EDOM,
    ])
  })
})

describe('a filter as instructions', () => {
  const instructions = (filter: SystemCallFilter) =>
    compileSystemCallFilter(parseFilter(filter, 'filter')).instructions()

  test('has the effect of the filter that it was compiled from, here and with bwrap(1)', async (context) => {
    const { getppid, ptrace, mount } = numbersOf(['getppid', 'ptrace', 'mount'])
    const filter = { ...preset, deny: [...(preset.deny ?? []), 'getppid'], errno: 'EDOM' }
    const calls = [getppid, ptrace, mount, 9999].map(String)
    const bytes = instructions(filter)
    const expected = [EDOM, EDOM, EDOM, ENOSYS]
    expect(await results(calls, filter)).toEqual(expected)
    expect(await results(calls, bytes)).toEqual(expected)
    using directory = temporaryDirectory()
    const file = directory.file('filter')
    writeFileSync(file, bytes)
    const fd = openSync(file, 'r')
    try {
      const words = ['--dev-bind', '/', '/', '--seccomp', '3', (program as CProgram).path, ...calls]
      const twin = execFileSync('bwrap', words, { stdio: ['ignore', 'pipe', 'pipe', fd], encoding: 'utf8' })
      expect(twin.trim().split('\n').map(Number)).toEqual(expected)
    } catch (error) {
      const { code, stderr } = error as { code?: string; stderr?: string }
      if (code !== 'ENOENT' && !stderr?.includes('bwrap:')) throw error
      context.skip(`bwrap does not run here: ${stderr ?? code}`)
    } finally {
      closeSync(fd)
    }
  })

  test('that is no program is an error', async () => {
    const error = await failureOf(() => here.execFile('true', [], { seccomp: Buffer.alloc(16, 0xff) }))
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'seccomp' })
    expect(error.message).toContain('does not accept this program')
  })

  const always = (outcome: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt16LE(0x06, 0)
    bytes.writeUInt32LE(outcome, 4)
    return bytes
  }

  for (const [way, create] of WAYS) {
    test(`that refuses or kills the exec neither hangs nor ends Node.js, ${way}`, async () => {
      using set = create()
      const killed = await set
        .execFile('true', [], { seccomp: always(0x8000_0000), reject: false })
        .catch((error) => error)
      expect(['SIGSYS', 'ECHILD']).toContain(killed.signal ?? killed.code)
      const refused = await failureOf(() => set.execFile('true', [], { seccomp: always(0x0005_0000 | EPERM) }))
      expect(refused).toBeInstanceOf(Error)
    }, 10_000)
  }

  test.runIf(isRoot)('of a twin: /proc shows one filter', async () => {
    const status = await statusOf(here, { seccomp: instructions({ default: 'allow' }) })
    expect(statusField(status, 'Seccomp_filters')).toBe('1')
  })
})
