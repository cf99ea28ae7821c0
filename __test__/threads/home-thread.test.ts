/**
 * The home thread makes the namespaces that a thread can have for itself. It shows first that it can come back; one that
 * could not come back all the same is ended and replaced (law 1).
 */
import { describe, expect, test } from 'vitest'
import { traceSetns } from '../setup/oracles/strace.ts'
import { AS_ROOT_INSIDE, askPlainNode } from '../setup/programs/plain-node.ts'

const HEADING = `
  import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
  import { setTimeout as pass } from 'node:timers/promises'
  import { Worker } from 'node:worker_threads'
  import { NamespaceSet } from 'nsset'
  const entry = import.meta.resolve('nsset')
  const KINDS = ['cgroup', 'ipc', 'net', 'uts']
  const placeOf = (tid) => KINDS.map((kind) => readlinkSync('/proc/self/task/' + tid + '/ns/' + kind)).join(' ')
  const home = placeOf(process.pid)
  const nameOf = (tid) => readFileSync('/proc/self/task/' + tid + '/comm', 'utf8').trim()
  const threads = () => readdirSync('/proc/self/task').flatMap((tid) => {
    try { return [{ tid, name: nameOf(tid), isHome: placeOf(tid) === home }] } catch { return [] }
  })
  const homeThreads = () => threads().filter(({ name }) => name === 'nsset-home').map(({ tid }) => tid)
  /** Further threads, which come where work had to wait, are gone after a while. */
  const oneHomeThread = async () => {
    for (let turn = 0; turn < 500 && homeThreads().length !== 1; turn++) await pass(10)
    return homeThreads()
  }
  const strays = () => threads().filter(({ isHome }) => !isHome).map(({ name }) => name)
  const caught = (call) => { try { return call() } catch (error) { return error.code } }
`

function ask<T>(program: string): Promise<T> {
  return askPlainNode<T>(HEADING + program, { prefix: AS_ROOT_INSIDE })
}

/** Runs a program in which these calls of setns(2) fail, of each thread for itself. */
async function askFailing<T>(failing: string, program: string) {
  const { stdout, stderr, code, calls } = await traceSetns(HEADING + program, { failing, prefix: AS_ROOT_INSIDE })
  if (code !== 0) throw new Error(stderr)
  return { output: JSON.parse(stdout) as T, calls }
}

describe('the namespaces are those of a thread where the caller stands:', () => {
  test('new ones, made by one thread that comes back, and by no process', async () => {
    const { after, ids, children } = await ask<{
      after: string[]
      ids: string[]
      children: string
    }>(`
      const sets = Array.from({ length: 20 }, () => NamespaceSet.unshareSync(KINDS))
      const ids = sets.flatMap((set) => KINDS.map((kind) => set.id(kind)))
      const children = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8')
      console.log(JSON.stringify({ after: await oneHomeThread(), ids, children }))`)
    expect(new Set(ids).size).toBe(80)
    expect(after).toHaveLength(1)
    expect(children).toBe('')
  })

  test('copies of the base’s, and of those that the calling thread visits', async () => {
    const seen = await ask<Record<string, string>>(`
      const base = NamespaceSet.unshareSync('uts', { hostname: 'base' })
      const inWorker = async (worker) => {
        const text = await new Promise((resolve) => worker.once('message', resolve).once('error', (error) => resolve(error.message)))
        await worker.terminate()
        return text
      }
      const nameIn = (set) => set.do(() => readFileSync('/proc/sys/kernel/hostname', 'utf8').trim())
      console.log(JSON.stringify({
        ofBase: nameIn(base.unshareSync('uts')),
        ofBaseLater: nameIn(await base.unshare('uts')),
        ofVisit: nameIn(base.do(() => NamespaceSet.unshareSync('uts'))),
        ofWorker: await inWorker(base.worker(\`
          import { parentPort, workerData } from 'node:worker_threads'
          import { readFileSync } from 'node:fs'
          const { NamespaceSet } = await import(workerData)
          const set = NamespaceSet.unshareSync('uts')
          parentPort.postMessage(set.do(() => readFileSync('/proc/sys/kernel/hostname', 'utf8').trim()))
          set.close()\`, { eval: true, workerData: entry })),
        ofBaseNamed: nameIn(base.unshareSync('uts', { hostname: 'named' })),
        outside: readFileSync('/proc/sys/kernel/hostname', 'utf8').trim() === 'base' ? 'base' : 'as before',
        strays: strays().join(' '),
      }))`)
    expect(seen).toEqual({
      ofBase: 'base',
      ofBaseLater: 'base',
      ofVisit: 'base',
      ofWorker: 'base',
      ofBaseNamed: 'named',
      outside: 'as before',
      strays: '',
    })
  })

  test('with a loopback that is up, where that is asked for', async () => {
    const seen = await ask<string[]>(`
      import { networkInterfaces } from 'node:os'
      const addresses = (options) => NamespaceSet.unshareSync('net', options)
        .do(() => Object.values(networkInterfaces()).flat().map(({ address }) => address).join(' '))
      console.log(JSON.stringify([addresses(), addresses({ loopback: true })]))`)
    expect(seen[0]).toBe('')
    expect(seen[1]).toContain('127.0.0.1')
  })

  test('an error names the step, as the helper’s does', async () => {
    const codes = await ask<unknown>(`
      const refused = (call) => { try { call() } catch ({ code, syscall, kind }) { return { code, syscall, kind } } }
      console.log(JSON.stringify([
        refused(() => NamespaceSet.unshareSync('uts', { hostname: 'n'.repeat(65) })),
        refused(() => NamespaceSet.unshareSync(['uts', 'time'], { hostname: 'n'.repeat(65) })),
      ]))`)
    const tooLong = { code: 'EINVAL', syscall: 'sethostname', kind: 'uts' }
    expect(codes).toEqual([tooLong, tooLong])
  })
})

describe('where the thread', () => {
  test('has no way back, it does not go, and the helper does', async () => {
    const { output, calls } = await askFailing<{ id: string; strays: string[] }>(
      '1+',
      `
      const id = NamespaceSet.unshareSync('uts').id()
      console.log(JSON.stringify({ id, strays: strays() }))`,
    )
    expect(output.id).toMatch(/^uts:/)
    expect(output.strays).toEqual([])
    expect(calls.map((call) => call.isFailed)).toEqual([true])
  })

  test('does not come back at once, it tries once more', async () => {
    const { output, calls } = await askFailing<string[]>(
      '2',
      `
      NamespaceSet.unshareSync('uts').close()
      console.log(JSON.stringify(strays()))`,
    )
    expect(output).toEqual([])
    expect(calls.map((call) => call.isFailed)).toEqual([false, true, false])
  })

  test('does not come back, it has ended when the call returns, another one takes its place, and no call fails', async () => {
    const { output } = await askFailing<{ seen: string[][]; ids: string[]; homeThreads: string[][] }>(
      '2+',
      `
      const [seen, ids, all] = [[], [], [homeThreads()]]
      for (let turn = 0; turn < 5; turn++) {
        const set = turn % 2 === 0 ? NamespaceSet.unshareSync('uts') : await NamespaceSet.unshare('uts')
        seen.push(strays())
        ids.push(set.id())
        all.push(await oneHomeThread())
      }
      console.log(JSON.stringify({ seen, ids, homeThreads: all }))`,
    )
    expect(output.seen).toEqual([[], [], [], [], []])
    expect(new Set(output.ids).size).toBe(5)
    expect(output.homeThreads.map((threads) => threads.length)).toEqual([1, 1, 1, 1, 1, 1])
    expect(new Set(output.homeThreads.flat()).size).toBeGreaterThanOrEqual(6)
  })

  test('ends while the calling thread is inside, the next one starts at home', async () => {
    const { output } = await askFailing<{ strays: string[][]; threads: number }>(
      '4..6',
      `
      // Two proofs and a way in, and then the ways back of both kinds, which fail, the first of them twice.
      const outer = NamespaceSet.unshareSync(['net', 'time']).dup('net')
      const seen = []
      outer.do(() => {
        for (let turn = 0; turn < 4; turn++) {
          NamespaceSet.unshareSync('uts').close()
          seen.push(strays().filter((name) => name === 'nsset-home'))
        }
      })
      const { length } = await oneHomeThread()
      seen.push(strays())
      console.log(JSON.stringify({ strays: seen, threads: length }))`,
    )
    expect(output.strays).toEqual([[], [], [], [], []])
    expect(output.threads).toBe(1)
  })
})

test('a call of a tainted thread is not handed over, and those of others are', async () => {
  const { output } = await askFailing<string[]>(
    '2+',
    `
    const outer = NamespaceSet.unshareSync(['net', 'time']).dup('net')
    const lost = caught(() => outer.do(() => 0))
    const tainted = caught(() => NamespaceSet.unshareSync('uts'))
    const worker = new Worker(\`
      import { parentPort, workerData } from 'node:worker_threads'
      const { NamespaceSet } = await import(workerData)
      parentPort.postMessage(NamespaceSet.unshareSync('uts').id().slice(0, 4))\`, { eval: true, workerData: entry })
    const other = await new Promise((resolve) => worker.once('message', resolve).once('error', (error) => resolve(error.message)))
    console.log(JSON.stringify([lost, tainted, other]))`,
  )
  expect(output).toEqual(['ERR_NSSET_RESTORE', 'ERR_NSSET_TAINTED_THREAD', 'uts:'])
})

test('the main thread and Workers that call at once get namespaces of their own, and every thread is home then', async () => {
  const { distinct, total, strays, threads } = await ask<{
    distinct: number
    total: number
    strays: string[]
    threads: number
  }>(`
    const code = \`
      import { parentPort, workerData } from 'node:worker_threads'
      const { NamespaceSet } = await import(workerData)
      const sets = []
      for (let turn = 0; turn < 100; turn++) sets.push(NamespaceSet.unshareSync(['ipc', 'uts']))
      const later = await Promise.all(Array.from({ length: 50 }, () => NamespaceSet.unshare(['ipc', 'uts'])))
      parentPort.postMessage([...sets, ...later].flatMap((set) => [set.id('ipc'), set.id('uts')]))
      // Inode numbers are given anew once a namespace is gone.
      parentPort.once('message', () => process.exit())\`
    const workers = Array.from({ length: 3 }, () => new Worker(code, { eval: true, workerData: entry }))
    const answers = workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)))
    const own = []
    for (let turn = 0; turn < 300; turn++) own.push(NamespaceSet.unshareSync(['ipc', 'uts']))
    own.push(...await Promise.all(Array.from({ length: 50 }, () => NamespaceSet.unshare(['ipc', 'uts']))))
    const ids = [...own.flatMap((set) => [set.id('ipc'), set.id('uts')]), ...(await Promise.all(answers)).flat()]
    for (const worker of workers) worker.postMessage('end')
    const { length } = await oneHomeThread()
    console.log(JSON.stringify({ distinct: new Set(ids).size, total: ids.length, strays: strays(), threads: length }))`)
  expect(total).toBe(2 * (300 + 50 + 3 * 150))
  expect(distinct).toBe(total)
  expect(strays).toEqual([])
  expect(threads).toBe(1)
})

test('a call that is aborted while it waits for its turn makes nothing', async () => {
  const { reasons, descriptors, strays } = await ask<{ reasons: number; descriptors: number; strays: string[] }>(`
    const count = () => readdirSync('/proc/self/fd').length
    ;(await NamespaceSet.unshare('net', { signal: new AbortController().signal })).close()
    // The home thread drops its part of the first call after the answer.
    await pass(100)
    const before = count()
    let reasons = 0
    for (let turn = 0; turn < 100; turn++) {
      const controller = new AbortController()
      const made = NamespaceSet.unshare(['net', 'uts'], { signal: controller.signal })
      setTimeout(() => controller.abort('enough'), Math.random())
      await made.then((set) => set.close(), (error) => { if (error === 'enough') reasons += 1; else throw error })
    }
    for (let turn = 0; turn < 100 && count() > before; turn++) await pass(20)
    console.log(JSON.stringify({ reasons, descriptors: count() - before, strays: strays() }))`)
  expect(reasons).toBeGreaterThan(0)
  expect(descriptors).toBe(0)
  expect(strays).toEqual([])
})

test('a thread that has given up its capabilities leaves the home thread where it is', async () => {
  const seen = await ask<{ refused: string; again: string; strays: string[] }>(`
    if (caught(() => process.seteuid(1)) !== undefined) {
      console.log(JSON.stringify({ refused: 'EPERM', again: 'uts:', strays: strays() }))
    } else {
      const refused = caught(() => NamespaceSet.unshareSync('uts').id())
      process.seteuid(0)
      console.log(JSON.stringify({ refused, again: NamespaceSet.unshareSync('uts').id().slice(0, 4), strays: strays() }))
    }`)
  expect(seen).toEqual({ refused: 'EPERM', again: 'uts:', strays: [] })
})
