/** The examples of spawn, execFile and fork in the documentation of `node:child_process`, with a set. */
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { readStat } from '../setup/guards/proc-stat.ts'
import { eventually } from '../setup/guards/resources.ts'
import { runPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const set = anyonesSet(['uts', 'net'])
afterAll(() => set.close())

const MODULE = fileURLToPath(new URL('../setup/programs/forked.cjs', import.meta.url))
const FORK = { execArgv: [], timeout: 20_000 }

test('spawn: a listing, with its output, its errors and its exit code', async () => {
  const ls = set.spawn('ls', ['-lh', '/usr'])
  const lines: string[] = []
  ls.stdout.on('data', (data) => lines.push(`stdout: ${data}`))
  ls.stderr.on('data', (data) => lines.push(`stderr: ${data}`))
  const [code] = await once(ls, 'close')
  expect(code).toBe(0)
  expect(lines.join('')).toMatch(/^stdout: total [\s\S]* bin\n/)
})

test('spawn: `ps ax | grep`, piped through Node.js', async () => {
  const ps = set.spawn('ps', ['ax'])
  const grep = set.spawn('grep', ['ps ax'])
  ps.stdout.on('data', (data) => grep.stdin.write(data))
  ps.on('close', () => grep.stdin.end())
  const [found, [code]] = await Promise.all([text(grep.stdout), once(grep, 'close')])
  expect(code).toBe(0)
  expect(found).toMatch(/\bps ax\n/)
})

test('spawn: a missing program', async () => {
  // A directory in PATH without search permission would give EACCES.
  const subprocess = set.spawn('bad_command', { env: { PATH: '/usr/bin:/bin' } })
  const [error] = await once(subprocess, 'error')
  expect(error).toMatchObject({ code: 'ENOENT', path: 'bad_command', syscall: 'spawn bad_command' })
})

test('spawn: a command line, with a shell', async () => {
  const child = set.spawn('echo "a  b" | tr a-z A-Z', { shell: true })
  expect(await text(child.stdout)).toBe('A  B\n')
})

test('spawn: a detached subprocess that outlives Node.js, and writes to a file', async () => {
  using directory = temporaryDirectory()
  const [log, go] = [directory.file('out.log'), directory.file('go')]
  const kinds = isRoot ? "'uts'" : "['user', 'uts'], { mapUser: 'root' }"
  const script = `while [ ! -e ${go} ]; do sleep 0.02; done; echo written after the end`
  const { stdout, code } = await runPlainNode(`
    import { openSync } from 'node:fs'
    import { NamespaceSet } from 'nsset'
    const set = NamespaceSet.unshareSync(${kinds})
    const [out, err] = [openSync(${JSON.stringify(log)}, 'a'), openSync(${JSON.stringify(log)}, 'a')]
    const subprocess = set.spawn('sh', ['-c', ${JSON.stringify(script)}], { detached: true, stdio: ['ignore', out, err] })
    subprocess.unref()
    console.log(subprocess.pid)`)
  expect(code).toBe(0)
  expect(readStat(Number(stdout))).toMatchObject({ comm: 'sh', session: Number(stdout) })
  closeSync(openSync(go, 'w'))
  const written = await eventually(
    () => readFileSync(log, 'utf8'),
    (some) => some !== '',
  )
  expect(written).toBe('written after the end\n')
})

test('spawn: an AbortController', async () => {
  const controller = new AbortController()
  const grep = set.spawn('grep', ['ssh'], { signal: controller.signal })
  const failed = once(grep, 'error')
  controller.abort()
  expect((await failed)[0]).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' })
  if (grep.signalCode === null) await once(grep, 'exit')
  expect(grep.signalCode).toBe('SIGTERM')
})

test('spawn: another argv0', async () => {
  const child = set.spawn('cat', ['/proc/self/cmdline'], { argv0: 'another' })
  expect(await text(child.stdout)).toBe('another\0/proc/self/cmdline\0')
})

test('spawn: an additional pipe', async () => {
  const child = set.spawn('sh', ['-c', 'read line <&3; echo "heard $line" >&4'], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', 'pipe'],
  })
  ;(child.stdio[3] as import('node:stream').Writable).end('this\n')
  expect(await text(child.stdio[4] as Readable)).toBe('heard this\n')
})

test('execFile: the version of Node.js', async () => {
  const { stdout } = await set.execFile('node', ['--version'], {
    env: { PATH: process.execPath.replace(/\/node$/, '') },
  })
  expect(stdout).toBe(`${process.version}\n`)
})

test('fork: a message in each direction', async () => {
  const child = set.fork(MODULE, ['echo'], FORK)
  child.send({ hello: 'world' })
  expect((await once(child, 'message'))[0]).toEqual({ hello: 'world' })
  child.disconnect()
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('fork with advanced serialization', async () => {
  const child = set.fork(MODULE, ['echo'], { ...FORK, serialization: 'advanced' })
  const message = { map: new Map([[1n, new Set(['a'])]]), date: new Date(0), bytes: new Uint8Array([1, 2]) }
  child.send(message)
  expect((await once(child, 'message'))[0]).toEqual(message)
  child.disconnect()
  await once(child, 'exit')
})

test('fork: a shared server', async () => {
  const child = set.fork(MODULE, ['handles'], FORK)
  const server = createServer((socket) => socket.end('handled by the parent'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const message = once(child, 'message')
  child.send('server', server)
  await message
  // Either process may accept it.
  const answers = await Promise.all(Array.from({ length: 20 }, () => text(connect(port, '127.0.0.1'))))
  for (const answer of answers) expect(answer).toMatch(/^(handled by the parent|served inside: server)$/)
  await promisify(server.close.bind(server))()
  expect(await text(connect(port, '127.0.0.1'))).toBe('served inside: server')
  child.kill()
  await once(child, 'exit')
})

test('fork: sockets are passed to one of two processes', async () => {
  const [normal, special] = ['normal', 'special'].map((name) => set.fork(MODULE, ['handles', name], FORK))
  const server = createServer({ pauseOnConnect: true })
  let count = 0
  server.on('connection', (socket: Socket) => {
    if (count++ === 0) special?.send('special', socket)
    else normal?.send('normal', socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  expect(await text(connect(port, '127.0.0.1'))).toBe('answered inside: special')
  expect(await text(connect(port, '127.0.0.1'))).toBe('answered inside: normal')
  server.close()
  for (const child of [normal, special]) {
    child?.disconnect()
    if (child?.exitCode === null) await once(child, 'exit')
  }
})
