/**
 * Law 1, for implicit threads: those that Node.js starts late (libuv's pool above all) would inherit the namespaces
 * of the thread that starts them, and stay there.
 */
import { describe, expect, test } from 'vitest'
import { AS_ROOT_INSIDE, askPlainNode, type PlainNodeOptions } from '../setup/programs/plain-node.ts'

interface Sight {
  /** How many threads were examined. */
  threads: number
  /** Those in other namespaces than the process had at its start, by name. */
  strays: string[]
}

/**
 * In a new Node.js process: makes a call inside for the first time, returns, and examines every thread; and again when
 * the call is complete. `call` is an expression; its result is awaited outside, and may fail.
 */
function makeInside(call: string, options: PlainNodeOptions = {}): Promise<{ during: Sight; after: Sight }> {
  const program = `
    import child_process from 'node:child_process'
    import crypto from 'node:crypto'
    import dgram from 'node:dgram'
    import dns from 'node:dns'
    import fs from 'node:fs'
    import http from 'node:http'
    import http2 from 'node:http2'
    import net from 'node:net'
    import { setTimeout as delay } from 'node:timers/promises'
    import tls from 'node:tls'
    import { promisify } from 'node:util'
    import vm from 'node:vm'
    import { Worker } from 'node:worker_threads'
    import zlib from 'node:zlib'
    import { NamespaceSet } from 'nsset'

    const ended = (emitter) => new Promise((resolve) => emitter.once('close', resolve).on('error', resolve))
    const placeOf = (tid) => {
      const directory = '/proc/self/task/' + tid + '/ns/'
      return fs.readdirSync(directory).map((kind) => fs.readlinkSync(directory + kind)).join(' ')
    }
    const home = placeOf(process.pid)
    const look = () => {
      const strays = []
      const threads = fs.readdirSync('/proc/self/task')
      for (const tid of threads) {
        try {
          if (placeOf(tid) !== home) strays.push(fs.readFileSync('/proc/self/task/' + tid + '/comm', 'utf8').trim())
        } catch {} // it has ended
      }
      return { threads: threads.length, strays }
    }
    const set = NamespaceSet.unshareSync(['net', 'uts', 'ipc', 'cgroup'])
    let outcome
    set.do(() => { outcome = ${call} })
    const during = look()
    await Promise.race([Promise.resolve(outcome).catch(() => 0), delay(3_000)])
    const after = look()
    process.stdout.write(JSON.stringify({ during, after }), () => process.exit())`
  return askPlainNode(program, { prefix: AS_ROOT_INSIDE, ...options })
}

/** Each kind of asynchronous call of Node.js and nsset, by its mechanism. */
const CALLS: Record<string, string> = {
  'fs.promises.readFile': "fs.promises.readFile('/proc/self/status')",
  'fs.readFile': "promisify(fs.readFile)('/etc/hostname')",
  'fs.createReadStream': "ended(fs.createReadStream('/etc/hostname').resume())",
  'fs.opendir': "fs.promises.opendir('/').then((directory) => directory.close())",
  'fs.watch':
    "(() => { const watcher = fs.watch('/'); setTimeout(() => watcher.close(), 10); return ended(watcher) })()",
  'fs.watchFile':
    "(fs.watchFile('/etc/hostname', { interval: 5 }, () => 0), delay(20).then(() => fs.unwatchFile('/etc/hostname')))",
  'dns.lookup': "dns.promises.lookup('localhost')",
  'dns.resolve': "dns.promises.resolve4('localhost')",
  'dns.lookupService': "dns.promises.lookupService('127.0.0.1', 80)",
  'crypto.pbkdf2': "promisify(crypto.pbkdf2)('secret', 'salt', 1000, 32, 'sha256')",
  'crypto.scrypt': "promisify(crypto.scrypt)('secret', 'salt', 32)",
  'crypto.randomBytes': 'promisify(crypto.randomBytes)(64)',
  'crypto.generateKeyPair': "promisify(crypto.generateKeyPair)('ec', { namedCurve: 'P-256' })",
  'crypto.subtle.digest': "crypto.subtle.digest('SHA-256', new Uint8Array(64))",
  'zlib.gzip': "promisify(zlib.gzip)('text')",
  'zlib.brotliCompress': "promisify(zlib.brotliCompress)('text')",
  'child_process.spawn': "ended(child_process.spawn('true'))",
  'child_process.exec': "promisify(child_process.exec)('true')",
  setTimeout: 'new Promise((resolve) => setTimeout(resolve, 5))',
  setImmediate: 'new Promise((resolve) => setImmediate(resolve))',
  'AbortSignal.timeout': "new Promise((resolve) => AbortSignal.timeout(5).addEventListener('abort', resolve))",
  'Atomics.waitAsync': 'Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20).value',
  'WebAssembly.compile': 'WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))',
  'import()': "import('data:text/javascript,export default 1')",
  'vm timeout': "vm.runInNewContext('for (let turn = 0; turn < 1e5; turn++);', {}, { timeout: 1_000 })",
  fetch: "fetch('http://localhost:9')",
  'net.connect': "ended(net.connect(9, 'localhost'))",
  'tls.connect': "ended(tls.connect(9, 'localhost'))",
  'http.get': "ended(http.get('http://localhost:9'))",
  'http2.connect': "ended(http2.connect('http://localhost:9'))",
  'server.listen':
    "(() => { const server = net.createServer().listen(0, 'localhost', () => server.close()); return ended(server) })()",
  'dgram send':
    "(() => { const socket = dgram.createSocket('udp4'); socket.send('x', 9, 'localhost', () => socket.close()); return ended(socket) })()",
  'NamespaceSet.unshare': "NamespaceSet.unshare(['uts', 'ipc'])",
  'NamespaceSet.unshare of a pid namespace': "NamespaceSet.unshare('pid').then((set) => set.close())",
  'set.unshare': "set.unshare('uts')",
  'set.spawn': "ended(set.spawn('true'))",
  'set.execFile': "set.execFile('true')",
  'set.mount': "set.dup('net').mount('/nonexistent')",
}

describe('leaves every thread in its namespaces, when called for the first time inside do():', () => {
  for (const [name, call] of Object.entries(CALLS)) {
    test.concurrent(name, async () => {
      const { during, after } = await makeInside(call)
      // This thread creates the namespaces: it is in them for that time, and then it returns.
      expect(during.strays.filter((thread) => thread !== 'nsset-home')).toEqual([])
      expect(after.strays).toEqual([])
      expect(during.threads).toBeGreaterThan(5)
    })
  }
})

test('a Worker started inside by the caller stays inside, and the examination finds it', async () => {
  const { during, after } = await makeInside("void new Worker('setTimeout(() => 0, 1e6)', { eval: true })")
  expect([during.strays.length, after.strays.length]).toEqual([1, 1])
})

describe('any size of the pool works:', () => {
  for (const size of [1, 2, 128]) {
    test.concurrent(`UV_THREADPOOL_SIZE=${size}`, async () => {
      const call = `Promise.all(Array.from({ length: ${2 * size} }, () => fs.promises.readFile('/proc/self/status')))`
      const { during, after } = await makeInside(call, { env: { UV_THREADPOOL_SIZE: String(size) } })
      expect([during.strays, after.strays]).toEqual([[], []])
      expect(after.threads).toBeGreaterThan(size + 5)
      expect(after.threads).toBe(during.threads)
    })
  }
})
