/** A Worker that is terminated at any moment of an operation leaves no descriptor, thread, child or namespace. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { isRoot } from '../setup/sets/privilege.ts'

const FORKED = fileURLToPath(new URL('../setup/programs/says-and-listens.cjs', import.meta.url))

/** What a Worker does repeatedly, several at a time, until it is terminated. */
const OPERATIONS: Record<string, string> = {
  'server inside': `
    const server = net.createServer()
    await network.listen(server, { port: 0, host: '127.0.0.1' })
    await new Promise((resolve) => server.close(resolve))`,
  'server by name': `
    const server = net.createServer()
    await network.listen(server, { path: '\\0' + Math.random() })
    await new Promise((resolve) => server.close(resolve))`,
  'socket of UDP': `
    const socket = network.createSocket('udp4')
    await new Promise((resolve) => socket.bind(0, resolve))
    socket.addMembership('239.1.2.3', '127.0.0.1')
    await new Promise((resolve) => socket.close(resolve))`,
  'socket of UDP that binds by itself': `
    const socket = network.createSocket('udp4')
    await new Promise((resolve) => socket.send('x', 9, '127.0.0.1', resolve))
    await new Promise((resolve) => socket.close(resolve))`,
  connection: `
    const socket = network.connect({ host: '127.0.0.1', port: 9 })
    await new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve))`,
  'connection to a link-local address': `
    const socket = network.connect({ host: 'fe80::1%lo', port: 9 })
    await new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve))`,
  'connection of TLS, through an agent': `
    const request = https.get({ host: '127.0.0.1', port: 9, agent: network.httpsAgent() })
    await new Promise((resolve) => request.once('error', resolve))`,
  // Node 20 has crashed here: in V8's compiler, without nsset on the stack. A completed earlier request avoids that.
  'request of fetch': `
    globalThis.answered ??= (async () => {
      const server = http.createServer((request, response) => response.end())
      await network.listen(server, { port: 0, host: '127.0.0.1' })
      await (await network.fetch('http://127.0.0.1:' + server.address().port)).text()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })()
    await globalThis.answered
    await network.fetch('http://127.0.0.1:9/').catch(() => undefined)`,
  program: `
    const child = set.spawn('true', [], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] })
    await new Promise((resolve) => child.once('close', resolve))`,
  'output of a program': `await set.execFile('echo', ['x'])`,
  'forked process': `
    const child = set.fork(process.env.FORKED, [], { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] })
    await new Promise((resolve) => child.once('message', resolve))
    child.disconnect()
    await new Promise((resolve) => child.once('close', resolve))`,
  set: `
    const other = await NamespaceSet.unshare(kinds, options)
    await other.network.links.list()
    other.fds().close()
    other.close()`,
  'set below another': `
    const other = await set.unshare(['uts', 'ipc'], { hostname: 'below' })
    other.close()`,
  'descriptors of a set': `
    const fds = set.fds()
    globalThis.kept.push(fds, set.dup())
    await new Promise(setImmediate)`,
  pool: `
    const pool = new NamespacePool(kinds, { size: 2, unshare: options })
    const other = await pool.get()
    await other.network.links.list()
    other.close()
    await pool.close()`,
  name: `
    network.setServers(['127.0.0.1'])
    await new Promise((resolve) => network.lookup('x.test', {}, resolve))`,
}

const ROUNDS = 5

const WORKER = `
  import http from 'node:http'
  import https from 'node:https'
  import net from 'node:net'
  import { parentPort, workerData } from 'node:worker_threads'
  import { NamespacePool, NamespaceSet } from 'nsset'
  const [kinds, options] = workerData.where
  const set = await NamespaceSet.unshare(kinds, options)
  const { network } = set
  globalThis.kept = []
  const given = { http, https, net, NamespacePool, NamespaceSet, kinds, options, set, network }
  const AsyncFunction = (async () => undefined).constructor
  const operation = new AsyncFunction(...Object.keys(given), workerData.operation)
  const once = () => operation(...Object.values(given))
  await once()
  parentPort.postMessage('going')
  for (;;) await Promise.all([once(), once(), once()])`

/** What has grown after the Workers, and their errors. */
const PROGRAM = `
  import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
  import { setTimeout as pass } from 'node:timers/promises'
  import { Worker } from 'node:worker_threads'
  const [WORKER, operations, where, rounds] = GIVEN

  async function live(workerData, moment) {
    const worker = new Worker(WORKER, { eval: true, workerData })
    await new Promise((resolve, reject) => {
      worker.once('error', reject).once('exit', resolve).once('message', () => setTimeout(() => worker.terminate(), moment))
    })
  }
  const numbers = (path) => readdirSync(path).filter((name) => /^\\d+$/.test(name))
  const linkOf = (path) => { try { return readlinkSync(path) } catch { return undefined } }
  const childrenOf = () => numbers('/proc').filter((pid) => {
    try {
      const stat = readFileSync('/proc/' + pid + '/stat', 'latin1')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === process.pid
    } catch { return false }
  })
  const look = () => ({
    descriptors: numbers('/proc/self/fd').flatMap((fd) => linkOf('/proc/self/fd/' + fd) ?? []).map((to) => to.replace(/\\d+/g, '')),
    threads: numbers('/proc/self/task').length,
    children: childrenOf().length,
  })
  const leftSince = (before) => {
    const now = look()
    const descriptors = [...now.descriptors]
    for (const to of before.descriptors) if (descriptors.includes(to)) descriptors.splice(descriptors.indexOf(to), 1)
    const left = { descriptors, threads: Math.max(0, now.threads - before.threads), children: Math.max(0, now.children - before.children) }
    return Object.fromEntries(Object.entries(left).filter(([, value]) => value.length !== 0 && value !== 0))
  }
  // What is created once: Node's pool, the helper.
  await live({ where, operation: 'set.spawn("true")' }, 5)
  const left = {}
  for (const [name, operation] of Object.entries(operations)) {
    const before = look()
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all([live({ where, operation }, round * 2), live({ where, operation }, round / 3)])
    }
    const end = Date.now() + 5_000
    while (Object.keys(leftSince(before)).length > 0 && Date.now() < end) await pass(10)
    left[name] = leftSince(before)
  }
  console.log(JSON.stringify(left))`

const PLACES: Record<string, unknown> = {
  ...(isRoot ? { net: ['net', { loopback: true }] } : {}),
  'user, net': [['user', 'net'], { mapUser: 'root', loopback: true }],
}

for (const [place, where] of Object.entries(PLACES)) {
  test(`termination during each operation leaves nothing, in sets of ${place}`, async () => {
    const given = JSON.stringify([WORKER, OPERATIONS, where, ROUNDS])
    const left = await askPlainNode(
      PROGRAM.replace('GIVEN', () => given),
      { env: { FORKED }, timeLimit: 150_000 },
    )
    expect(left).toEqual(Object.fromEntries(Object.keys(OPERATIONS).map((name) => [name, {}])))
  }, 160_000)
}
