/** `set.execFile()` with limits on a program's input, output and time; its rejections have all fields. */
import { getEventListeners } from 'node:events'
import { ExecFileError, type ExecFileOptions, NamespaceError } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { readStat } from '../setup/guards/proc-stat.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { failureOf } from '../setup/sets/failure.ts'

describe('input', () => {
  const bytes = Uint8Array.of(0, 1, 0xff, 0x0a)
  const INPUTS: [string, ExecFileOptions['input'], hex: string][] = [
    ['text', 'é\n', 'c3a90a'],
    ['empty text', '', ''],
    ['a Buffer', Buffer.from(bytes), '0001ff0a'],
    ['a Uint8Array', bytes, '0001ff0a'],
    ['a view of an ArrayBuffer', bytes.subarray(1, 3), '01ff'],
    ['a DataView', new DataView(bytes.buffer, 1, 2), '01ff'],
    ['a Uint16Array', Uint16Array.of(0x0102), '0201'],
    ['undefined, which is empty', undefined, ''],
  ]
  for (const [name, input, hex] of INPUTS) {
    test(`is ${name}`, async () => {
      using set = anyonesSet(['uts'])
      expect((await set.execFile('cat', [], { input, encoding: 'hex' })).stdout).toBe(hex)
    })
  }

  test('is five megabytes, which are echoed', async () => {
    using set = anyonesSet(['uts'])
    const input = Buffer.alloc(5_000_000, 'some text ')
    const { stdout } = await set.execFile('cat', [], { input, encoding: 'buffer', maxBuffer: Infinity })
    expect(stdout.equals(input)).toBe(true)
  })
  test('may remain unread', async () => {
    using set = anyonesSet(['uts'])
    const input = 'x'.repeat(5_000_000)
    expect(await set.execFile('true', [], { input })).toMatchObject({ exitCode: 0 })
    expect(await set.execFile('head', ['-c', '3'], { input })).toMatchObject({ stdout: 'xxx', exitCode: 0 })
  })
  test('to a missing program rejects with the error of the program', async () => {
    using set = anyonesSet(['uts'])
    await expect(set.execFile('/nonexistent', [], { input: 'x'.repeat(5_000_000) })).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })
})

describe('encoding', () => {
  const WORDS: [ExecFileOptions['encoding'], unknown][] = [
    ['utf8', 'é'],
    ['utf-8', 'é'],
    ['latin1', 'Ã©'],
    ['binary', 'Ã©'],
    ['ascii', 'C)'],
    ['hex', 'c3a9'],
    ['base64', 'w6k='],
    ['base64url', 'w6k'],
    ['ucs2', '\ua9c3'],
    ['utf16le', '\ua9c3'],
    [undefined, 'é'],
    ['buffer', Buffer.of(0xc3, 0xa9)],
    [null, Buffer.of(0xc3, 0xa9)],
  ]
  for (const [encoding, expected] of WORDS) {
    test(String(encoding), async () => {
      using set = anyonesSet(['uts'])
      const { stdout, stderr } = await set.execFile('sh', ['-c', 'printf "\\303\\251"; printf "\\303\\251" >&2'], {
        encoding,
      })
      expect([stdout, stderr]).toEqual([expected, expected])
    })
  }
  test('replaces invalid bytes, as Buffer.toString() does', async () => {
    using set = anyonesSet(['uts'])
    expect((await set.execFile('printf', ['a\\377b'])).stdout).toBe('a\ufffdb')
  })
})

describe('maxBuffer', () => {
  const TOO_MUCH = 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'
  test('may be reached to the last byte', async () => {
    using set = anyonesSet(['uts'])
    expect((await set.execFile('printf', ['12345'], { maxBuffer: 5 })).stdout).toBe('12345')
    expect((await set.execFile('true', [], { maxBuffer: 0 })).stdout).toBe('')
  })
  test('may not be exceeded by one byte: the error has what fits', async () => {
    using set = anyonesSet(['uts'])
    const failure = await failureOf(() => set.execFile('printf', ['12345'], { maxBuffer: 4 }))
    expect(failure).toBeInstanceOf(ExecFileError)
    expect(failure).toMatchObject({ code: TOO_MUCH, stdout: '1234', stderr: '', command: ['printf', '12345'] })
    expect(failure.message).toContain('maxBuffer')
  })
  test('applies to each stream separately', async () => {
    using set = anyonesSet(['uts'])
    const script = 'printf 12345; printf 67890 >&2'
    expect(await set.execFile('sh', ['-c', script], { maxBuffer: 5 })).toMatchObject({
      stdout: '12345',
      stderr: '67890',
    })
    const failure = set.execFile('sh', ['-c', 'printf 1; printf 67890 >&2; sleep 5'], { maxBuffer: 4 })
    await expect(failure).rejects.toMatchObject({ code: TOO_MUCH, stderr: '6789' })
  })
  test('counts bytes, in any encoding', async () => {
    using set = anyonesSet(['uts'])
    expect((await set.execFile('printf', ['éé'], { maxBuffer: 4 })).stdout).toBe('éé')
    await expect(set.execFile('printf', ['éé'], { maxBuffer: 3 })).rejects.toMatchObject({
      code: TOO_MUCH,
      stdout: 'é\ufffd',
    })
  })
  test('defaults to a mebibyte, and may be infinite', async () => {
    using set = anyonesSet(['uts'])
    const say = (count: number, options: ExecFileOptions = {}) =>
      set.execFile('head', ['-c', `${count}`, '/dev/zero'], options)
    expect((await say(1024 * 1024)).stdout.length).toBe(1024 * 1024)
    await expect(say(1024 * 1024 + 1)).rejects.toMatchObject({ code: TOO_MUCH })
    expect((await say(2_000_000, { maxBuffer: Infinity })).stdout.length).toBe(2_000_000)
  })
  test('kills an endless writer with killSignal', async () => {
    using set = anyonesSet(['uts'])
    await expect(set.execFile('yes')).rejects.toMatchObject({ code: TOO_MUCH })
    // It writes once and sleeps, so that the signal and not the closed pipe ends it.
    const failed = set.execFile('sh', ['-c', 'printf 12345; exec sleep 60'], { maxBuffer: 4, killSignal: 'SIGKILL' })
    await expect(failed).rejects.toMatchObject({ code: TOO_MUCH, signal: 'SIGKILL', exitCode: null })
  })
  test('with reject: false resolves', async () => {
    using set = anyonesSet(['uts'])
    const result = await set.execFile('sh', ['-c', 'printf 12345; exec sleep 60'], { maxBuffer: 4, reject: false })
    const code = 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'
    expect(result).toEqual({ stdout: '1234', stderr: '', exitCode: null, signal: 'SIGTERM', code })
  })
})

describe('timeout', () => {
  test('sends SIGTERM, and rejects with the output so far', async () => {
    using set = anyonesSet(['uts'])
    const failure = await failureOf(() =>
      set.execFile('sh', ['-c', 'echo out; echo err >&2; exec sleep 60'], { timeout: 300 }),
    )
    expect(failure).toBeInstanceOf(ExecFileError)
    expect(failure).toMatchObject({
      code: 'ETIMEDOUT',
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: null,
      signal: 'SIGTERM',
    })
    expect(failure.message).toMatch(/took longer than its timeout.*SIGTERM/)
  })
  test('sends killSignal', async () => {
    using set = anyonesSet(['uts'])
    const failed = set.execFile('sleep', ['60'], { timeout: 50, killSignal: 'SIGUSR2' })
    await expect(failed).rejects.toMatchObject({ code: 'ETIMEDOUT', signal: 'SIGUSR2' })
  })
  test('rejects although the program exited with 0', async () => {
    using set = anyonesSet(['uts'])
    const failed = set.execFile('sh', ['-c', "trap 'kill $!; exit 0' TERM; sleep 60 & wait"], { timeout: 200 })
    await expect(failed).rejects.toMatchObject({ code: 'ETIMEDOUT', exitCode: 0, signal: null })
  })
  test('does not wait for grandchildren that hold the pipe', async () => {
    using set = anyonesSet(['uts', 'pid'])
    const start = Date.now()
    const failed = set.execFile('sh', ['-c', 'sleep 20 & exec sleep 60'], { timeout: 100 })
    await expect(failed).rejects.toMatchObject({ code: 'ETIMEDOUT', signal: 'SIGTERM' })
    expect(Date.now() - start).toBeLessThan(10_000)
  })
  test('that is not reached has no effect', async () => {
    using set = anyonesSet(['uts'])
    expect(await set.execFile('true', [], { timeout: 10_000 })).toMatchObject({ exitCode: 0 })
  })
})

describe('signal', () => {
  test('aborted: rejects with an AbortError with the reason, and all fields', async () => {
    using set = anyonesSet(['uts'])
    const controller = new AbortController()
    const failing = failureOf(() => set.execFile('sh', ['-c', 'echo $$; exec sleep 60'], { signal: controller.signal }))
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 200)
    const failure = await failing
    expect(failure).toMatchObject({
      name: 'AbortError',
      code: 'ABORT_ERR',
      cause: reason,
      exitCode: null,
      signal: null,
    })
    expect(failure).toMatchObject({ command: ['sh', '-c', 'echo $$; exec sleep 60'], stderr: '' })
    const { stdout } = failure as unknown as { stdout: string }
    expect(stdout).toMatch(/^\d+\n$/)
    // It received SIGTERM.
    const pid = Number(stdout)
    expect(
      await eventually(
        () => readStat(pid),
        (stat) => stat === undefined,
      ),
    ).toBeUndefined()
  })
  test('aborted before the start', async () => {
    using set = anyonesSet(['uts'])
    const failed = set.execFile('sleep', ['60'], { signal: AbortSignal.abort('why') })
    await expect(failed).rejects.toMatchObject({ name: 'AbortError', cause: 'why', stdout: '', stderr: '' })
  })
  test('that times out', async () => {
    using set = anyonesSet(['uts'])
    const failure = await failureOf(() => set.execFile('sleep', ['60'], { signal: AbortSignal.timeout(50) }))
    expect(failure).toMatchObject({ name: 'AbortError', cause: { name: 'TimeoutError' } })
  })
  test('aborted when the program has exited, and another process holds its streams', async () => {
    using set = anyonesSet(['uts'])
    const controller = new AbortController()
    const begun = performance.now()
    const failing = failureOf(() =>
      set.execFile('sh', ['-c', 'sleep 20 & echo $!'], { signal: controller.signal, reject: false }),
    )
    setTimeout(() => controller.abort('enough'), 300)
    const failure = await failing
    const { stdout } = failure as unknown as { stdout: string }
    process.kill(Number(stdout), 'SIGKILL')
    expect(performance.now() - begun).toBeLessThan(10_000)
    expect(failure).toMatchObject({ name: 'AbortError', cause: 'enough', exitCode: 0, signal: null })
  })
  test('has a listener only while the program and its streams last', async () => {
    using set = anyonesSet(['uts'])
    const { signal } = new AbortController()
    await set.execFile('true', [], { signal })
    await failureOf(() => set.execFile('/nonexistent', [], { signal }))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
  test('aborted after the exit has no effect', async () => {
    using set = anyonesSet(['uts'])
    const controller = new AbortController()
    const result = await set.execFile('true', [], { signal: controller.signal })
    controller.abort()
    expect(result.exitCode).toBe(0)
  })
  test('rejects with reject: false, too, since there is no exit', async () => {
    using set = anyonesSet(['uts'])
    const failed = set.execFile('sleep', ['60'], { signal: AbortSignal.abort(), reject: false })
    await expect(failed).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('reject: false', () => {
  test('resolves for every exit', async () => {
    using set = anyonesSet(['uts'])
    const run = (script: string, options: ExecFileOptions = {}) =>
      set.execFile('sh', ['-c', script], { reject: false, ...options })
    expect(await run('echo out; exit 3')).toEqual({ stdout: 'out\n', stderr: '', exitCode: 3, signal: null })
    expect(await run('kill -KILL $$')).toEqual({ stdout: '', stderr: '', exitCode: null, signal: 'SIGKILL' })
    expect(await run('exec sleep 60', { timeout: 50 })).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
  })
  test('still rejects for a program that does not start', async () => {
    using set = anyonesSet(['uts'])
    await expect(set.execFile('/nonexistent', [], { reject: false })).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('every rejection has stdout, stderr, exitCode, signal and command:', () => {
  const CASES: [string, file: string, args: string[], ExecFileOptions, expected: object][] = [
    ['a code', 'sh', ['-c', 'exit 9'], {}, { exitCode: 9, signal: null, code: undefined }],
    ['a signal', 'sh', ['-c', 'kill $$'], {}, { exitCode: null, signal: 'SIGTERM', code: undefined }],
    ['a time', 'sleep', ['60'], { timeout: 20 }, { exitCode: null, signal: 'SIGTERM', code: 'ETIMEDOUT' }],
    ['no program', '/nonexistent', ['x'], {}, { exitCode: null, signal: null, code: 'ENOENT' }],
    ['no directory', 'true', ['x'], { cwd: '/nonexistent' }, { exitCode: null, signal: null, code: 'ENOENT' }],
    ['an abort', 'sleep', ['60'], { signal: AbortSignal.abort() }, { exitCode: null, signal: null, code: 'ABORT_ERR' }],
  ]
  for (const [name, file, args, options, expected] of CASES) {
    test(name, async () => {
      using set = anyonesSet(['uts'])
      const failure = await failureOf(() => set.execFile(file, args, options))
      expect(failure).toMatchObject({ stdout: '', stderr: '', command: [file, ...args], ...expected })
      const bytes = await failureOf(() => set.execFile(file, args, { ...options, encoding: 'buffer' }))
      expect(bytes).toMatchObject({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) })
    })
  }
  test('too many arguments', async () => {
    using set = anyonesSet(['uts'])
    const failure = await failureOf(() => set.execFile('true', ['x'.repeat(1_000_000)]))
    expect(failure).toBeInstanceOf(NamespaceError)
    expect(failure).toMatchObject({ code: 'E2BIG', stdout: '', stderr: '', exitCode: null, signal: null })
    expect((failure as unknown as { command: string[] }).command[0]).toBe('true')
  })
})

describe('arguments may be omitted', () => {
  test('with options, and without', async () => {
    using set = anyonesSet(['uts'])
    expect((await set.execFile('pwd', { cwd: '/usr' })).stdout).toBe('/usr\n')
    expect((await set.execFile('pwd', null, { cwd: '/usr' })).stdout).toBe('/usr\n')
    expect((await set.execFile('cat', { input: 'text', encoding: 'buffer' })).stdout).toEqual(Buffer.from('text'))
    expect(await set.execFile('true')).toMatchObject({ exitCode: 0 })
  })
})

test('nothing is left open after all of these', async () => {
  using set = anyonesSet(['uts', 'net'])
  const all = () =>
    Promise.allSettled([
      set.execFile('true', { input: 'x'.repeat(100_000) }),
      set.execFile('sleep', ['60'], { timeout: 10 }),
      set.execFile('sleep', ['60'], { signal: AbortSignal.timeout(10) }),
      set.execFile('yes', { maxBuffer: 1000 }),
      set.execFile('/nonexistent'),
      set.execFile('true', ['x'.repeat(1_000_000)]),
      set.execFile('true', { cwd: '/etc/passwd' }),
    ])
  await all()
  const before = await eventually(resources, (now) => now.children === 0)
  for (let turn = 0; turn < 10; turn++) await all()
  expect(await growthSince(before)).toEqual({})
})
