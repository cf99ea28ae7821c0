/**
 * Objects with resources of this process cannot be sent to other threads and processes: structuredClone() and
 * postMessage() reject them, and name what to send in their place. Everything else that reads objects works as usual.
 */
import assert from 'node:assert'
import { once } from 'node:events'
import { inspect } from 'node:util'
import { serialize } from 'node:v8'
import { MessageChannel, Worker } from 'node:worker_threads'
import { action, type FdSet, NamespacePool, NamespaceSet, type Network } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../setup/guards/resources.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { isRoot } from '../setup/sets/privilege.ts'

let set: NamespaceSet
let other: NamespaceSet
let pool: NamespacePool
let fds: FdSet
let network: Network
beforeAll(async () => {
  const unshare = () => NamespaceSet.unshare(isRoot ? 'net' : ['user', 'net'])
  ;[set, other] = await Promise.all([unshare(), unshare()])
  pool = new NamespacePool('net', { size: 1, unshare: {} })
  fds = set.fds()
  network = set.network
  // The pool creates its set in the background: no test must find it among what it has left.
  await eventually(
    () => pool.length,
    (length) => length === 1,
  )
})
afterAll(async () => {
  fds?.close()
  set?.close()
  other?.close()
  await pool?.close()
})

const OBJECTS: [name: string, object: () => object, remedy: string][] = [
  ['a NamespaceSet', () => set, 'NamespaceSet: send set.path(kind) in its place, and open it there'],
  ['a Network', () => network, "Network: send set.path('net') in its place"],
  ['the links of one', () => network.links, "Network: send set.path('net') in its place"],
  ['the addresses', () => network.addresses, "Network: send set.path('net')"],
  ['the routes', () => network.routes, "Network: send set.path('net')"],
  ['the qdiscs', () => network.qdiscs, "Network: send set.path('net')"],
  ['the sysctls', () => network.sysctls, "Network: send set.path('net')"],
  ['the WireGuard links', () => network.wireguard, "Network: send set.path('net')"],
  ['the blocking methods', () => network.sync, "Network: send set.path('net')"],
  ['those of its links', () => network.sync.links, "Network: send set.path('net')"],
  ['an FdSet', () => fds, 'FdSet: send the numbers, [...fds]'],
  ['a NamespacePool', () => pool, 'NamespacePool: create one there'],
  ['an Action', () => action.links.list(), 'Action: send its arguments'],
]

describe.each(OBJECTS)('%s', (_, object, remedy) => {
  const refused = { name: 'DataCloneError', message: expect.stringContaining(remedy) }

  test('is rejected by structuredClone, alone and within another object', async () => {
    expect(await failureOf(() => structuredClone(object()))).toMatchObject(refused)
    expect(await failureOf(() => structuredClone({ config: [1, object()] }))).toMatchObject(refused)
  })

  test('is rejected by postMessage and as workerData', async () => {
    const { port1, port2 } = new MessageChannel()
    expect(await failureOf(() => port1.postMessage(object()))).toMatchObject(refused)
    port1.close()
    port2.close()
    expect(await failureOf(() => new Worker('', { eval: true, workerData: object() }))).toMatchObject(refused)
    expect(await failureOf(() => serialize(object()))).toMatchObject({ message: expect.stringContaining(remedy) })
  })

  test('is printed without the reason', () => {
    expect(inspect(object(), { depth: 10, showHidden: true })).not.toContain('in its place')
    expect(inspect({ object: object() }, { depth: 10 })).not.toContain('uncloneable')
  })
})

test('objects are printed with their own properties', () => {
  expect(inspect(set)).toBe(String(set))
  expect(inspect(pool)).toBe(String(pool))
  expect(inspect(network)).toBe(String(set).replace('NamespaceSet', 'Network'))
  expect(inspect({ network }, { depth: 0 })).toBe(`{ network: ${network} }`)
  expect(inspect(network.sync)).toMatch(/^NetworkSync \{\s+links: SyncLinks \{\},\s+addresses: SyncAddresses \{\}/)
  expect(inspect(action.links.list())).toBe("Action { name: 'links.list' }")
  expect(inspect(fds)).toBe('FdSet {}')
})

test('a path is sent to a Worker in its place, and descriptors by their numbers', async () => {
  await using worker = workerOf(`
    const { parentPort } = require('node:worker_threads')
    import(${JSON.stringify(import.meta.resolve('nsset'))}).then(({ NamespaceSet }) => {
      parentPort.once('message', ({ path, entries }) => {
        const opened = [NamespaceSet.fromPath(path), ...entries.map(([kind, fd]) => NamespaceSet.fromFd(fd, kind))]
        const ids = opened.map((each) => each.id(each.kinds[0]))
        for (const each of opened) each.close()
        parentPort.postMessage(ids)
      })
    })`)
  worker.thread.postMessage({ path: set.path('net'), entries: [...fds] })
  const [ids] = await once(worker.thread, 'message')
  expect(ids).toEqual([set.id('net'), ...set.kinds.map((kind) => set.id(kind))])
})

function workerOf(code: string): { thread: Worker } & AsyncDisposable {
  const thread = new Worker(code, { eval: true })
  return {
    thread,
    [Symbol.asyncDispose]: async () => {
      await thread.terminate()
    },
  }
}

describe('other ways to read objects', () => {
  test('JSON does not include it', () => {
    expect(JSON.stringify({ set, fds })).toBe('{"set":{},"fds":{}}')
    expect(JSON.stringify(action.links.list())).toBe('{"name":"links.list"}')
  })

  test('objects of a class are compared as before', () => {
    assert.deepStrictEqual(set, other)
    assert.deepStrictEqual(action.links.list(), action.links.list())
    assert.notDeepStrictEqual(action.links.list(), action.routes.list())
    expect({ set }).toEqual({ set })
    expect({ set }).toStrictEqual({ set: other })
    expect(action.links.list()).toEqual(action.links.list())
    expect(action.links.list()).not.toEqual(action.routes.list())
  })

  test('a copy by spread is a plain object, and is rejected, too', async () => {
    const copy = { ...set }
    expect(copy).not.toBeInstanceOf(NamespaceSet)
    expect(Object.keys(copy)).toEqual(['uncloneable'])
    expect(await failureOf(() => structuredClone(copy))).toMatchObject({ name: 'DataCloneError' })
    expect(Object.assign({}, network)).toMatchObject({ links: network.links })
  })
})
