/** `set.fork()` runs JavaScript in every kind of namespace, also for an ordinary user. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type ForkOptions, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { ALL_KINDS, setPlace } from '../setup/guards/thread-place.ts'
import { failureOf } from '../setup/sets/failure.ts'

const MODULE = fileURLToPath(new URL('../setup/programs/forked.cjs', import.meta.url))
const OPTIONS = { execArgv: [], cwd: process.cwd(), timeout: 20_000, killSignal: 'SIGKILL' } satisfies ForkOptions

/** The return value of a function's body inside. */
async function runInside<T>(set: NamespaceSet, body: string): Promise<T> {
  const child = set.fork(MODULE, ['run', body], OPTIONS)
  const closed = once(child, 'close')
  const [message] = await once(child, 'message')
  await closed
  return message as T
}

describe('JavaScript in a user set', () => {
  test('has the ids of the maps', async () => {
    using set = NamespaceSet.unshareSync('user', { mapUser: 'root' })
    expect(await runInside(set, 'return [process.getuid(), process.getgid(), process.geteuid()]')).toEqual([0, 0, 0])
    using other = NamespaceSet.unshareSync('user', { mapUser: 1000 })
    expect(await runInside(other, 'return process.getuid()')).toBe(1000)
  })
  test('uses the set’s network, and not the caller’s', async () => {
    using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root', loopback: true })
    const inside = await runInside<Record<string, unknown>>(set, "return require('os').networkInterfaces()")
    expect(Object.keys(inside)).toEqual(['lo'])
    expect(Object.keys(networkInterfaces()).length).toBeGreaterThanOrEqual(1)
    const port = await runInside<number>(
      set,
      `const server = require('net').createServer().listen(8080)
      const { port } = server.address()
      server.close()
      return port`,
    )
    expect(port).toBe(8080)
  })
  test('has the set’s hostname, pid and uptime', async () => {
    using set = NamespaceSet.unshareSync(['user', 'uts', 'pid', 'time'], {
      mapUser: 'root',
      hostname: 'inside',
      timeOffsets: { boottime: 1_000_000_000 },
    })
    const body = "return [require('os').hostname(), process.pid, require('fs').readFileSync('/proc/uptime', 'utf8')]"
    const [hostname, pid, uptime] = await runInside<[string, number, string]>(set, body)
    expect([hostname, pid < 100]).toEqual(['inside', true])
    expect(Number.parseFloat(uptime)).toBeGreaterThan(1_000_000_000)
  })
  test('is in all kinds of a set, with all of its threads', async () => {
    using set = NamespaceSet.unshareSync([...ALL_KINDS], { mapUser: 'root' })
    const place = await runInside<Record<string, string>[]>(
      set,
      `const { readdirSync, readlinkSync } = require('fs')
      const kinds = ${JSON.stringify(ALL_KINDS)}
      return readdirSync('/proc/self/task').map((tid) =>
        Object.fromEntries(kinds.map((kind) => [kind, readlinkSync('/proc/self/task/' + tid + '/ns/' + kind)])))`,
    )
    expect(place.length).toBeGreaterThan(3)
    for (const one of place) expect(one).toEqual(setPlace(set, ALL_KINDS))
  })
})

test('the errors of do and enter suggest fork', async () => {
  using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
  for (const call of [() => set.do(() => 0), () => set.enter({ mainThread: true })]) {
    expect(await failureOf(call)).toMatchObject({
      code: 'ERR_NSSET_NOT_ENTERABLE',
      message: expect.stringContaining('fork'),
    })
  }
})

test('a server’s handle sent inside accepts connections from outside', async () => {
  using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
  const child = set.fork(MODULE, ['handles'], OPTIONS)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const received = once(child, 'message')
  child.send('from outside', server)
  await received
  await new Promise((resolve) => server.close(resolve))
  expect(await text(connect(port, '127.0.0.1'))).toBe('served inside: from outside')
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
})

test('a server created inside and sent here accepts connections from inside', async () => {
  using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root', loopback: true })
  const child = set.fork(MODULE, ['listen'], OPTIONS)
  const closed = once(child, 'close')
  const [port, server] = await once(child, 'message')
  server.on('connection', (socket: Socket) => socket.end('answered outside'))
  await closed
  const script = `require('net').connect(${port}, '127.0.0.1').pipe(process.stdout)`
  const { stdout } = await set.execFile(process.execPath, ['--eval', script], { timeout: 20_000 })
  expect(stdout).toBe('answered outside')
  await new Promise((resolve) => server.close(resolve))
})

test('ten run at the same time, and nothing is left of them', async () => {
  using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
  const all = (count: number) => Promise.all(Array.from({ length: count }, () => runInside(set, 'return process.pid')))
  await all(2)
  const before = resources()
  expect(new Set(await all(10)).size).toBe(10)
  expect(await growthSince(before)).toEqual({})
})

test('await using ends it', async () => {
  using set = NamespaceSet.unshareSync(['user', 'net'], { mapUser: 'root' })
  let child: ReturnType<typeof set.fork>
  {
    await using one = set.fork(MODULE, ['wait'], { ...OPTIONS, killSignal: 'SIGTERM' })
    child = one
    await once(one, 'message')
  }
  expect(child.signalCode).toBe('SIGTERM')
})
