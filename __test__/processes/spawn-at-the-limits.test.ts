/** A thousand children at the same time, several Workers, and exhausted limits. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { NamespaceSet } from 'nsset'
import { expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { readStat } from '../setup/guards/proc-stat.ts'
import { childrenOf, eventually, resources } from '../setup/guards/resources.ts'
import { ALL_KINDS } from '../setup/guards/thread-place.ts'
import { inWorker } from '../setup/processes/worker.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { asOrdinaryUser, isRoot } from '../setup/sets/privilege.ts'

const MODULE = fileURLToPath(new URL('../setup/programs/forked.cjs', import.meta.url))

test('1,000 children at the same time exit as expected, and nothing is left', async () => {
  using set = NamespaceSet.unshareSync([...ALL_KINDS], { mapUser: 'root' })
  await set.execFile('true')
  const before = resources()
  const children = Array.from({ length: 1_000 }, (_, index) =>
    set.spawn('sh', ['-c', `exit ${index % 256}`], { stdio: 'ignore' }),
  )
  const ends = await Promise.all(children.map((child) => once(child, 'close')))
  expect(ends).toEqual(children.map((_, index) => [index % 256, null]))
  expect(new Set(children.map((child) => child.pid)).size).toBe(1_000)
  expect(await growthSince(before)).toEqual({})
}, 60_000)

test('execFile runs 300 times at the same time, with output', async () => {
  using set = anyonesSet(['uts'])
  await set.execFile('true')
  const before = resources()
  const all = Array.from({ length: 300 }, (_, index) => set.execFile('echo', [String(index)]))
  expect((await Promise.all(all)).map(({ stdout }) => Number(stdout))).toEqual(all.map((_, index) => index))
  expect(await growthSince(before)).toEqual({})
}, 60_000)

test('spawn, execFile and fork run in three Workers at the same time', async () => {
  const body = `
    const set = nsset.NamespaceSet.unshareSync(['user', 'net', 'uts'], { mapUser: 'root', hostname: data.name })
    const { stdout } = await set.execFile('hostname')
    const codes = await Promise.all(Array.from({ length: 20 }, (_, code) =>
      new Promise((resolve) => set.spawn('sh', ['-c', 'exit ' + code], { stdio: 'ignore' }).on('exit', resolve))))
    const child = set.fork(data.module, ['echo'], { execArgv: [] })
    const closed = new Promise((resolve) => child.on('exit', (...end) => resolve(end)))
    child.send({ some: 'message' })
    const message = await new Promise((resolve) => child.once('message', resolve))
    child.disconnect()
    const end = await closed
    set.close()
    return { stdout, codes, message, end }`
  const names = ['one', 'two', 'three']
  const seen = await Promise.all(names.map((name) => inWorker(body, { name, module: MODULE })))
  const codes = Array.from({ length: 20 }, (_, code) => code)
  expect(seen).toEqual(
    names.map((name) => ({ stdout: `${name}\n`, codes, message: { some: 'message' }, end: [0, null] })),
  )
})

test('a terminated Worker leaves its children running, and no zombies', async () => {
  const set = isRoot ? "'uts'" : "['user', 'uts'], { mapUser: 'root' }"
  const worker = new Worker(
    `import('nsset').then(({ NamespaceSet }) => {
      const set = NamespaceSet.unshareSync(${set})
      const children = Array.from({ length: 20 }, () => set.spawn('sleep', ['60']))
      require('node:worker_threads').parentPort.postMessage(children.map((child) => child.pid))
    })`,
    { eval: true, execArgv: [] },
  )
  const pids = await new Promise<number[]>((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await worker.terminate()
  expect(pids.map((pid) => readStat(pid)?.comm)).toEqual(pids.map(() => 'sleep'))
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  const left = () => childrenOf().filter((pid) => pids.includes(pid))
  expect(await eventually(left, (some) => some.length === 0)).toEqual([])
})

/** How many processes and threads this user has: all count against RLIMIT_NPROC (getrlimit(2)). */
function tasksOfThisUser(): number {
  const uid = `${process.getuid?.()}`
  return readdirSync('/proc').reduce((count, pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1')
      if (/^Uid:\t(\d+)/m.exec(status)?.[1] !== uid) return count
      return count + Number(/^Threads:\t(\d+)/m.exec(status)?.[1])
    } catch {
      return count
    }
  }, 0)
}

asOrdinaryUser('at the limit of processes it is EAGAIN, with an explanation, and later it works again', async () => {
  const program = `
    import { readdirSync } from 'node:fs'
    import { NamespaceSet } from 'nsset'
    const set = NamespaceSet.current('uts')
    await set.execFile('true')
    const count = () => readdirSync('/proc/self/fd').length
    const ended = (child) => new Promise((resolve) => child.on('error', resolve).on('close', () => resolve()))
    const running = []
    let failure
    for (let turn = 0; turn < 500 && failure === undefined; turn++) {
      const before = count()
      const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
      if (child.pid !== undefined) running.push(child)
      else failure = { ...await ended(child), isFlat: count() === before }
    }
    const message = failure?.message ?? (await set.execFile('true').catch((error) => error)).message
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await Promise.all(running.map((child) => { child.kill('SIGKILL'); return ended(child) }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    clearInterval(timer)
    const { exitCode } = await set.execFile('true')
    console.log(JSON.stringify({ ...failure, message, isRunning: ticks > 0, some: running.length > 0, exitCode }))`
  const limit = tasksOfThisUser() + 40
  const seen = await askPlainNode<object>(program, { prefix: ['prlimit', `--nproc=${limit}`] })
  expect(seen).toMatchObject({ code: 'EAGAIN', isFlat: true, isRunning: true, some: true, exitCode: 0 })
  expect(seen).toMatchObject({ message: expect.stringContaining('RLIMIT_NPROC') })
})

test('at the limit of descriptors each function is EMFILE, and the event loop continues', async () => {
  const set = isRoot ? "'uts'" : "['user', 'uts'], { mapUser: 'root' }"
  const program = `
    import { closeSync, openSync } from 'node:fs'
    import { NamespaceSet } from 'nsset'
    const set = NamespaceSet.unshareSync(${set})
    await set.execFile('true')
    const outcomeOf = (child) => new Promise((resolve) => {
      child.on('error', ({ code }) => resolve(code)).on('exit', (code) => resolve(code))
    })
    // What is needed once is loaded before.
    await outcomeOf(set.fork('./__test__/setup/programs/forked.cjs', ['exit', '0'], { execArgv: [], silent: true, cwd: process.cwd() }))
    const held = []
    try { for (;;) held.push(openSync('/dev/null')) } catch {}
    const codes = [
      await outcomeOf(set.spawn('true')),
      await outcomeOf(set.spawn('true', [], { stdio: 'ignore' })),
      await set.execFile('true').catch(({ code, exitCode, command }) => [code, exitCode, command]),
      await outcomeOf(set.fork('/nonexistent.js', [], { execArgv: [] })),
    ]
    for (const fd of held) closeSync(fd)
    codes.push((await set.execFile('true')).exitCode)
    console.log(JSON.stringify(codes))`
  const codes = await askPlainNode(program, { prefix: ['prlimit', '--nofile=100'] })
  expect(codes).toEqual(['EMFILE', 'EMFILE', ['EMFILE', null, ['true']], 'EMFILE', 0])
})
