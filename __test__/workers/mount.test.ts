/** `set.worker()` of a set with `mnt`: which files its thread sees inside, and which libuv's pool sees outside. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { NamespaceSet, type NamespaceWorkerOptions } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { type Place, setPlace, threadPlace } from '../setup/guards/thread-place.ts'
import { mountsBelow } from '../setup/oracles/mounts.ts'
import { inWorker } from '../setup/processes/worker.ts'
import { answerOf, lifeOf, REPORT } from '../setup/processes/worker-life.ts'
import { AS_ROOT_INSIDE, askPlainNode } from '../setup/programs/plain-node.ts'
import { asRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** After Node 20 the thread itself reads them. */
const WHERE_MODULES_ARE_READ = process.versions.node.startsWith('20.') ? 'outside' : 'inside'
const REASON = "an ordinary user's thread may not enter its own namespaces (setns(2))"

const directory = temporaryDirectory()
const target = directory.file('target')
const hosts = directory.file('hosts')
const addon = readdirSync(new URL('../..', import.meta.url)).find((name) => name.endsWith('.node')) ?? ''

/** Two files with the same names: `outside` reports the one outside, and `inside` the other. */
const saying = (where: string) => ({
  'file.cjs': `${REPORT} report('${where}')`,
  'file.mjs': `${REPORT} report('${where}')`,
  'exports.cjs': `module.exports = '${where}'`,
  'exports.mjs': `export default '${where}'`,
})

/** A set whose `target` is another directory than outside, and which knows another host. */
async function makeSet(): Promise<NamespaceSet> {
  const set = await NamespaceSet.unshare(['mnt', 'net', 'uts'], {
    hostname: 'inside',
    loopback: true,
    mounts: [
      { type: 'tmpfs', target },
      { type: 'bind', source: hosts, target: '/etc/hosts' },
    ],
  })
  for (const [name, content] of Object.entries(saying('inside'))) {
    await set.execFile('sh', ['-c', 'printf %s "$1" > "$2"', 'sh', content, join(target, name)])
  }
  return set
}

beforeAll(() => {
  mkdirSync(target)
  writeFileSync(hosts, '127.0.0.7 only-inside\n')
  for (const [name, content] of Object.entries(saying('outside'))) writeFileSync(join(target, name), content)
})
afterAll(() => directory[Symbol.dispose]())

function start(set: NamespaceSet, text: string, options: NamespaceWorkerOptions = {}) {
  return set.worker(`${REPORT}${text}`, { eval: true, execArgv: [], ...options })
}

describe('its thread', () => {
  asRoot('is inside before the first line, and no other thread is', REASON, async () => {
    using set = await makeSet()
    const home = threadPlace()
    const seen = await answerOf<{ place: Place; hostname: string }>(
      start(set, 'report({ place: place(), hostname: os.hostname() })'),
    )
    expect(seen).toEqual({ place: { ...home, ...setPlace(set) }, hostname: 'inside' })
    expect([threadPlace(), mountsBelow(directory.path)]).toEqual([home, []])
    expect(readdirSync(target).sort()).toEqual(Object.keys(saying('')).sort())
  })

  asRoot('enters mnt alone with { kinds }, and everything else without it', REASON, async () => {
    using set = await makeSet()
    const home = threadPlace()
    expect(await answerOf(start(set, 'report(place())', { kinds: 'mnt' }))).toEqual({ ...home, mnt: set.id('mnt') })
    expect(await answerOf(start(set, 'report(place())', { kinds: ['net'] }))).toEqual({ ...home, net: set.id('net') })
  })

  asRoot('does not need the set once it is started', REASON, async () => {
    const set = await makeSet()
    const worker = start(set, 'setTimeout(() => report(os.hostname()), 20)')
    set.close()
    expect(await answerOf(worker)).toBe('inside')
  })
})

describe('inside', () => {
  asRoot('are synchronous fs, require, children and Workers', REASON, async () => {
    using set = await makeSet()
    const seen = await answerOf<unknown>(
      start(
        set,
        `fs.writeFileSync(workerData + '/made', 'by the Worker')
        const text = "require('node:worker_threads').parentPort.postMessage(require('node:fs').readdirSync(" + JSON.stringify(workerData) + ").length)"
        new (builtin('worker_threads').Worker)(text, { eval: true }).on('message', (ofWorker) => report({
          ofWorker,
          required: require(workerData + '/exports.cjs'),
          ofChild: builtin('child_process').execFileSync('cat', [workerData + '/made'], { encoding: 'utf8' }),
        }))`,
        { workerData: target },
      ),
    )
    expect(seen).toEqual({ ofWorker: 5, required: 'inside', ofChild: 'by the Worker' })
    expect(readdirSync(target)).not.toContain('made')
  })

  asRoot('is its file; a module is read where Node.js reads modules', REASON, async () => {
    using set = await makeSet()
    const say = (name: string | URL) => answerOf(set.worker(name, { execArgv: [] }))
    expect(await say(join(target, 'file.cjs'))).toBe('inside')
    expect(await say(pathToFileURL(join(target, 'file.cjs')))).toBe('inside')
    expect(await say(join(target, 'file.mjs'))).toBe(WHERE_MODULES_ARE_READ)
  })

  asRoot('is its working directory, at the same path', REASON, async () => {
    using set = await makeSet()
    const where = "report([process.cwd(), fs.readlinkSync('/proc/thread-self/cwd')])"
    expect(await answerOf(start(set, where))).toEqual([process.cwd(), process.cwd()])
    // If it is missing, the thread is in the root directory.
    using narrow = await NamespaceSet.unshare('mnt', {
      mounts: [{ type: 'tmpfs', target: '/tmp' }],
    })
    const seen = await askPlainNodeIn(directory.path, narrow)
    expect(seen).toBe('/')
  })
})

/** The directory of a Worker's thread if Node.js was started in a directory that does not exist inside. */
async function askPlainNodeIn(cwd: string, set: NamespaceSet): Promise<string> {
  return askPlainNode<string>(
    `import { NamespaceSet } from 'nsset'
     process.chdir(${JSON.stringify(cwd)})
     const set = NamespaceSet.fromPath(${JSON.stringify(set.path('mnt'))})
     const text = "const { parentPort } = process.getBuiltinModule('node:worker_threads'); " +
       "parentPort.postMessage(process.getBuiltinModule('node:fs').readlinkSync('/proc/thread-self/cwd'))"
     set.worker(text, { eval: true }).on('message', (directory) => console.log(JSON.stringify(directory)))`,
  )
}

describe('outside', () => {
  asRoot('are fs.promises, dns.lookup, and modules up to Node 20, which use the pool', REASON, async () => {
    using set = await makeSet()
    const seen = await answerOf<unknown>(
      start(
        set,
        `Promise.all([
          fs.promises.readFile(workerData + '/exports.cjs', 'utf8'),
          import(workerData + '/exports.mjs').then((namespace) => namespace.default),
          builtin('dns').promises.lookup('only-inside').then(({ address }) => address, ({ syscall }) => syscall),
        ]).then(([read, imported, found]) => report({
          read, imported, found,
          byChild: builtin('child_process').execFileSync('getent', ['hosts', 'only-inside'], { encoding: 'utf8' }),
        }))`,
        { workerData: target },
      ),
    )
    expect(seen).toEqual({
      read: saying('outside')['exports.cjs'],
      imported: WHERE_MODULES_ARE_READ,
      found: 'getaddrinfo',
      byChild: expect.stringMatching(/^127\.0\.0\.7 /),
    })
  })

  asRoot('is the main thread, which stays there', REASON, async () => {
    using set = await makeSet()
    await answerOf(start(set, "fs.promises.readdir('/').then(() => report('read'))"))
    const { readFile } = await import('node:fs/promises')
    const several = Array.from({ length: 8 }, () => readFile(join(target, 'exports.cjs'), 'utf8'))
    expect(new Set(await Promise.all(several))).toEqual(new Set([saying('outside')['exports.cjs']]))
  })
})

describe('the end of a Worker', () => {
  asRoot('before it has entered leaves nothing', REASON, async () => {
    const before = resources()
    for (let count = 0; count < 20; count += 1) {
      using set = NamespaceSet.unshareSync(['mnt', 'net'])
      const worker = start(set, 'setInterval(() => {}, 1_000)')
      const life = lifeOf(worker)
      if (count % 2 === 1) await new Promise((resolve) => setTimeout(resolve, 2 * count))
      await worker.terminate()
      await life
      set.close()
      // Immediately, and not by the garbage collector.
      expect(resources().descriptors).toBeLessThanOrEqual(before.descriptors)
    }
    expect(await growthSince(before)).toEqual({})
  })

  asRoot('among 30 simultaneous ones leaves nothing', REASON, async () => {
    const before = resources()
    const names = Array.from({ length: 30 }, (_, index) => `host-${index}`)
    const answers = names.map((name) => {
      using set = NamespaceSet.unshareSync(['uts', 'mnt'], { hostname: name })
      return answerOf(start(set, 'report(os.hostname())'))
    })
    expect(await Promise.all(answers)).toEqual(names)
    expect(await growthSince(before)).toEqual({})
  })

  asRoot('together with the Worker that started it leaves nothing', REASON, async () => {
    const before = resources()
    for (let count = 0; count < 15; count += 1) {
      const seen = await inWorker<string>(
        `const set = nsset.NamespaceSet.unshareSync(['mnt', 'net'])
         for (let count = 0; count < 3; count += 1) set.worker('setInterval(() => {}, 1_000)', { eval: true })
         set.close()
         await new Promise((resolve) => setTimeout(resolve, data))
         setTimeout(() => process.exit(), 1)
         return 'started'`,
        count,
      )
      expect(seen).toBe('started')
    }
    expect(await growthSince(before)).toEqual({})
  })
})

describe('a failure', () => {
  asRoot('during creation leaves nothing', REASON, async () => {
    using set = await makeSet()
    const before = resources()
    for (let count = 0; count < 20; count += 1) {
      expect(() => start(set, '', { execArgv: ['--no-such-flag'] })).toThrow(
        expect.objectContaining({ code: 'ERR_WORKER_INVALID_EXEC_ARGV' }),
      )
      expect(() => start(set, '', { workerData: () => {} })).toThrow('could not be cloned')
    }
    expect(await growthSince(before)).toEqual({})
  })

  asRoot('while entering is an error of the Worker, and no code of the user runs', REASON, async () => {
    using set = await makeSet()
    // Preloaded, it takes the place of the thread.
    const thief = directory.file('thief.cjs')
    writeFileSync(
      thief,
      `const { enterAdmitted } = require(${JSON.stringify(fileURLToPath(new URL(`../../${addon}`, import.meta.url)))})
       for (let ticket = 0; ticket < 10_000; ticket += 1) enterAdmitted(ticket)`,
    )
    for (const [filename, options] of [
      [`${REPORT} report('ran')`, { eval: true }],
      [
        'import "node:fs"; process.getBuiltinModule("node:worker_threads").parentPort.postMessage("ran")',
        { eval: true },
      ],
      [join(target, 'file.cjs'), {}],
      [new URL('data:text/javascript,process.exit(5)'), {}],
    ] as const) {
      const { messages, error, exitCode } = await lifeOf(
        set.worker(filename, { ...options, execArgv: ['--require', thief] }),
      )
      expect({ messages, exitCode }).toEqual({ messages: [], exitCode: 1 })
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining('admission') })
    }
  })

  test('a thread is admitted only with an assigned number', () => {
    const { enterAdmitted } = createRequire(import.meta.url)(`../../${addon}`) as {
      enterAdmitted(ticket: number): { code: string } | null
    }
    const here = threadPlace()
    for (const ticket of [0, 1, 2 ** 32 - 1]) expect(enterAdmitted(ticket)?.code).toBe('ERR_INVALID_ARG_VALUE')
    expect(threadPlace()).toEqual(here)
  })
})

test('a Worker of root in a user namespace sees the mounts inside', async () => {
  const seen = await askPlainNode<string[][]>(
    `import { readdirSync } from 'node:fs'
     import { NamespaceSet } from 'nsset'
     const target = ${JSON.stringify(target)}
     const set = NamespaceSet.unshareSync('mnt', { mounts: [{ type: 'tmpfs', target }] })
     const text = "const builtin = (name) => process.getBuiltinModule('node:' + name); " +
       "builtin('worker_threads').parentPort.postMessage(builtin('fs').readdirSync(builtin('worker_threads').workerData))"
     set.worker(text, { eval: true, workerData: target })
       .on('message', (names) => console.log(JSON.stringify([names, readdirSync(target).sort()])))`,
    { prefix: AS_ROOT_INSIDE },
  )
  expect(seen).toEqual([[], Object.keys(saying('')).sort()])
})
