/** `set.execFile()` runs a program inside until it exits, and resolves with its output. */
import { chmodSync, readlinkSync, writeFileSync } from 'node:fs'
import { ExecFileError, NamespaceError, type NamespaceKind, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { ALL_KINDS, setPlace, threadPlace } from '../setup/guards/thread-place.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const LINKS = ALL_KINDS.map((kind) => `/proc/self/ns/${kind}`)

async function placeInside(set: NamespaceSet): Promise<Record<string, string>> {
  const { stdout } = await set.execFile('readlink', LINKS)
  const links = stdout.trim().split('\n')
  return Object.fromEntries(ALL_KINDS.map((kind, index) => [kind, links[index] ?? '']))
}

describe('runs inside a set of', () => {
  const CHOICES: NamespaceKind[][] = [...ALL_KINDS.map((kind): NamespaceKind[] => [kind]), [...ALL_KINDS]]
  for (const kinds of CHOICES) {
    test(kinds.join(', '), async () => {
      const home = threadPlace()
      using set = anyonesSet(kinds)
      expect(await placeInside(set)).toEqual({ ...home, ...setPlace(set) })
      expect(threadPlace()).toEqual(home)
    })
  }

  test('the caller’s own namespaces, without any privilege', async () => {
    using set = NamespaceSet.current()
    expect(await placeInside(set)).toEqual(threadPlace())
  })

  test('several kinds, restricted by { kinds }', async () => {
    using set = anyonesSet(['net', 'uts'], { hostname: 'inside' })
    const kinds: NamespaceKind[] = isRoot ? ['uts'] : ['user', 'uts']
    const { stdout } = await set.execFile('readlink', ['/proc/self/ns/net', '/proc/self/ns/uts'], { kinds })
    expect(stdout.split('\n').slice(0, 2)).toEqual([readlinkSync('/proc/self/ns/net'), set.id('uts')])
  })
})

test('users: the program is root inside, and another user outside', async () => {
  using set = NamespaceSet.unshareSync('user', { mapUser: 'root' })
  expect((await set.execFile('id', ['-u'])).stdout).toBe('0\n')
  expect((await set.execFile('cat', ['/proc/self/uid_map'])).stdout.trim().split(/\s+/)).toEqual([
    '0',
    String(process.getuid?.()),
    '1',
  ])
})

describe('resolves with', () => {
  test('the output, and how the program ended', async () => {
    using set = anyonesSet(['uts'], { hostname: 'inside' })
    expect(await set.execFile('sh', ['-c', 'hostname; echo complaint >&2'])).toEqual({
      stdout: 'inside\n',
      stderr: 'complaint\n',
      exitCode: 0,
      signal: null,
    })
  })

  test('bytes, with the encoding buffer', async () => {
    using set = anyonesSet(['uts'])
    const { stdout, stderr } = await set.execFile('printf', ['\\377\\0\\200'], { encoding: 'buffer' })
    expect(stdout).toEqual(Buffer.of(0xff, 0, 0x80))
    expect(stderr).toEqual(Buffer.alloc(0))
  })

  test('text in another encoding', async () => {
    using set = anyonesSet(['uts'])
    expect((await set.execFile('printf', ['\\351'], { encoding: 'latin1' })).stdout).toBe('é')
    expect((await set.execFile('printf', ['\\351'], { encoding: 'hex' })).stdout).toBe('e9')
  })

  test('text whose characters were split on the way', async () => {
    using set = anyonesSet(['uts'])
    const program = 'printf "\\303"; sleep 0.05; printf "\\251"'
    expect((await set.execFile('sh', ['-c', program])).stdout).toBe('é')
  })

  test('megabytes, on both streams at the same time', async () => {
    using set = anyonesSet(['uts'])
    const size = 3_000_000
    const program = `head -c ${size} /dev/zero & head -c ${size} /dev/zero >&2; wait`
    const { stdout, stderr } = await set.execFile('sh', ['-c', program], { encoding: 'buffer', maxBuffer: size })
    expect([stdout.length, stderr.length]).toEqual([size, size])
  })

  test('empty input', async () => {
    using set = anyonesSet(['uts'])
    expect((await set.execFile('cat')).stdout).toBe('')
  })

  test('unchanged arguments, without a shell', async () => {
    using set = anyonesSet(['uts'])
    const args = ['', ' a b ', '$HOME', '"', "'", '*', '\n', 'é']
    const { stdout } = await set.execFile('printf', ['%s|', ...args])
    expect(stdout).toBe(args.map((argument) => `${argument}|`).join(''))
  })

  test('the output of a script without an interpreter line, as execvp(3)', async () => {
    using directory = temporaryDirectory()
    const file = directory.file('script')
    writeFileSync(file, 'echo "$0 $*"\n')
    chmodSync(file, 0o755)
    using set = anyonesSet(['uts'])
    expect((await set.execFile(file, ['one', 'two'])).stdout).toBe(`${file} one two\n`)
  })
})

describe('rejects', () => {
  test('with an ExecFileError for an exit code other than 0', async () => {
    using set = anyonesSet(['uts'])
    const failure = await set.execFile('sh', ['-c', 'echo out; echo why >&2; exit 3']).catch((error) => error)
    expect(failure).toBeInstanceOf(ExecFileError)
    expect(failure).toBeInstanceOf(Error)
    expect(failure).toMatchObject({
      name: 'ExecFileError',
      message: 'sh -c echo out; echo why >&2; exit 3 ended with code 3: why',
      exitCode: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'why\n',
      command: ['sh', '-c', 'echo out; echo why >&2; exit 3'],
    })
  })

  test('with an ExecFileError for a signal', async () => {
    using set = anyonesSet(['uts'])
    const failure = await set.execFile('sh', ['-c', 'kill -TERM $$']).catch((error) => error)
    expect(failure).toBeInstanceOf(ExecFileError)
    expect(failure).toMatchObject({ exitCode: null, signal: 'SIGTERM', message: expect.stringContaining('by SIGTERM') })
  })

  test('with bytes in the error for the encoding buffer', async () => {
    using set = anyonesSet(['uts'])
    const failed = set.execFile('sh', ['-c', 'printf "\\377"; exit 1'], { encoding: 'buffer' })
    await expect(failed).rejects.toMatchObject({ stdout: Buffer.of(0xff) })
  })

  test('with a NamespaceError when the program does not start', async () => {
    using set = anyonesSet(['uts'])
    const failure = await set.execFile('/nonexistent/program').catch((error) => error)
    expect(failure).toBeInstanceOf(NamespaceError)
    expect(failure).toMatchObject({ code: 'ENOENT', errno: -2, syscall: 'spawn /nonexistent/program' })
  })

  test('for a closed set, and for invalid arguments', async () => {
    using set = anyonesSet(['uts'])
    const run = set.execFile.bind(set) as (...args: unknown[]) => Promise<unknown>
    await expect(run('true', [], { encoding: 'utf-9' })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    await expect(run('true', [1])).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    await expect(run('true', ['\0'])).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    await expect(run('true', [], { kinds: 'cgroup' })).rejects.toMatchObject({ code: 'ERR_NSSET_NOT_IN_SET' })
    set.close()
    await expect(run('true')).rejects.toMatchObject({ code: 'ERR_NSSET_CLOSED' })
  })
})

test('100 calls, successful and not, leave nothing open', async () => {
  using set = anyonesSet(['uts', 'net'])
  await set.execFile('true')
  const before = resources()
  for (let turn = 0; turn < 50; turn++) {
    await set.execFile('true')
    await set.execFile('/nonexistent').catch(() => 0)
  }
  expect(await growthSince(before)).toEqual({})
})
