/** `set.worker()`: a Worker whose thread is inside from the start. See also conformance/worker and workers/mount. */
import { readdirSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { type NamespaceKind, NamespaceSet, type NamespaceWorkerOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { eventually, resources } from '../setup/guards/resources.ts'
import { whereThreadsStand } from '../setup/guards/thread-guard.ts'
import { type Place, setPlace, threadPlace } from '../setup/guards/thread-place.ts'
import { answerOf, lifeOf, REPORT } from '../setup/processes/worker-life.ts'
import { AS_ROOT_INSIDE, askPlainNode, PLACES_OF_THREADS } from '../setup/programs/plain-node.ts'
import { anything, bag, kinds, noText, text } from '../setup/sets/arbitrary.ts'
import { expectFailure, failureOf, refuses, type, untyped, value } from '../setup/sets/failure.ts'
import { asOrdinaryUser, asRoot, isRoot } from '../setup/sets/privilege.ts'

const REASON = "an ordinary user's thread may not enter its own namespaces (setns(2))"

/** A Worker over source text, without the flags of the test runner's Node.js. */
function start(set: NamespaceSet, text: string, options: NamespaceWorkerOptions = {}): Worker {
  return set.worker(`${REPORT}${text}`, { eval: true, execArgv: [], ...options })
}

/** Zero, once the kernel no longer lists the ended ones. */
function threadsLeftIn(set: NamespaceSet, kind: NamespaceKind): Promise<string[]> {
  return eventually(
    () => threadsIn(set, kind),
    (threads) => threads.length === 0,
    1_000,
  )
}

function threadsIn(set: NamespaceSet, kind: NamespaceKind): string[] {
  const id = set.id(kind)
  return [...whereThreadsStand()].filter(([, place]) => place.split(' ').includes(id)).map(([tid]) => tid)
}

describe('the thread', () => {
  asRoot('is inside before the first line, alone, and gone afterwards', REASON, async () => {
    const home = threadPlace()
    const threads = new Set(readdirSync('/proc/self/task'))
    using set = NamespaceSet.unshareSync(['net', 'uts', 'ipc', 'cgroup'], { hostname: 'inside' })
    const worker = start(
      set,
      'report({ place: place(), hostname: os.hostname() }); parentPort.once("message", () => {})',
    )
    expect(worker).toBeInstanceOf(Worker)
    const life = lifeOf<{ place: Place; hostname: string }>(worker)
    const message = await new Promise((resolve) => worker.once('message', resolve))
    expect(message).toEqual({ place: { ...home, ...setPlace(set) }, hostname: 'inside' })
    for (const kind of set.kinds) {
      const inside = threadsIn(set, kind)
      expect(inside.length).toBe(1)
      expect(threads).not.toContain(inside[0])
    }
    expect([threadPlace(), hostname() === 'inside']).toEqual([home, false])
    worker.postMessage('end')
    expect((await life).exitCode).toBe(0)
    expect(await threadsLeftIn(set, 'net')).toEqual([])
  })

  asRoot('enters only { kinds }', REASON, async () => {
    using set = NamespaceSet.unshareSync(['user', 'pid', 'time', 'mnt', 'net', 'uts'], { mapUser: 'root' })
    const seen = await answerOf<Place>(start(set, 'report(place())', { kinds: ['net', 'uts'] }))
    expect(seen).toEqual({ ...threadPlace(), ...setPlace(set, ['net', 'uts']) })
  })

  test('may be in those namespaces already', async () => {
    using set = NamespaceSet.current()
    expect(await answerOf<Place>(start(set, 'report(place())'))).toEqual(threadPlace())
  })

  asRoot('does not need the set once it is started', REASON, async () => {
    const set = NamespaceSet.unshareSync(['net', 'uts'], { hostname: 'kept' })
    const worker = start(set, 'setTimeout(() => report(os.hostname()), 20)')
    set.close()
    expect(await answerOf(worker)).toBe('kept')
  })

  asRoot('starts from there: current, do, and created sets', REASON, async () => {
    using set = NamespaceSet.unshareSync(['net', 'uts'], { hostname: 'inside' })
    using away = NamespaceSet.unshareSync(['uts'], { hostname: 'away' })
    const seen = await answerOf<string[]>(
      start(
        set,
        `import('nsset').then(({ NamespaceSet }) => {
          const away = NamespaceSet.fromPath(workerData)
          const names = [NamespaceSet.current('net').id(), os.hostname(), away.do(() => os.hostname()), os.hostname()]
          away.worker("require('node:worker_threads').parentPort.postMessage(require('node:os').hostname())", { eval: true })
            .on('message', (name) => report([...names, name, os.hostname()]))
        })`,
        { workerData: away.path() },
      ),
    )
    expect(seen).toEqual([set.id('net'), 'inside', 'away', 'inside', 'away', 'inside'])
  })
})

describe('inside, a Worker can use', () => {
  asRoot('servers, sockets and fetch', REASON, async () => {
    using set = NamespaceSet.unshareSync('net', { loopback: true })
    const server = start(
      set,
      `builtin('http').createServer((_, response) => response.end('from inside'))
        .listen(80, '127.0.0.1', () => report('listening'))
       parentPort.on('message', () => process.exit())`,
    )
    const life = lifeOf(server)
    await new Promise((resolve) => server.once('message', resolve))
    const ask = `fetch('http://127.0.0.1/').then((reply) => reply.text())
      .then(report, (error) => report(error.cause.code)).then(() => process.exit())`
    try {
      expect(await answerOf(start(set, ask))).toBe('from inside')
      using other = NamespaceSet.unshareSync('net', { loopback: true })
      expect(await answerOf(start(other, ask))).toBe('ECONNREFUSED')
    } finally {
      server.postMessage('end')
      await life
    }
  })

  asRoot('children, and its own Workers', REASON, async () => {
    using set = NamespaceSet.unshareSync('uts', { hostname: 'inside' })
    const seen = await answerOf<string[]>(
      start(
        set,
        `const ofChild = builtin('child_process').execFileSync('hostname', { encoding: 'utf8' }).trim()
        const text = "require('node:worker_threads').parentPort.postMessage(require('node:os').hostname())"
        new (builtin('worker_threads').Worker)(text, { eval: true }).on('message', (ofWorker) => report([ofChild, ofWorker]))`,
      ),
    )
    expect(seen).toEqual(['inside', 'inside'])
  })
})

describe('the end of a Worker', () => {
  asRoot('comes with terminate(), at any moment', REASON, async () => {
    const before = resources()
    using set = NamespaceSet.unshareSync(['net', 'uts'])
    for (let count = 0; count < 10; count += 1) {
      const worker = start(set, 'setInterval(() => {}, 1000)')
      const life = lifeOf(worker)
      await new Promise((resolve) => setTimeout(resolve, count * 5))
      await worker.terminate()
      // Node.js reports 0 for one that was terminated before it began.
      expect([0, 1]).toContain((await life).exitCode)
    }
    expect(await threadsLeftIn(set, 'net')).toEqual([])
    set.close()
    expect(await growthSince(before)).toEqual({})
  })

  asRoot('is complete for 50 at the same time, each in its own set', REASON, async () => {
    const before = resources()
    const names = Array.from({ length: 50 }, (_, index) => `host-${index}`)
    const answers = names.map((name) => {
      using set = NamespaceSet.unshareSync(['uts', 'net'], { hostname: name })
      return answerOf(start(set, 'report(os.hostname())'))
    })
    expect(await Promise.all(answers)).toEqual(names)
    expect(await growthSince(before)).toEqual({})
  })
})

describe('nothing is started, and the caller did not move,', () => {
  const IMPOSSIBLE: NamespaceKind[] = ['user', 'time', 'pid']
  for (const kind of IMPOSSIBLE) {
    test(`for ${kind}, which only a process can enter: the error suggests fork`, async () => {
      using set = NamespaceSet.unshareSync(kind === 'user' ? kind : ['user', kind], { mapUser: 'root' })
      const before = resources()
      const failure = await failureOf(() => start(set, '', { kinds: kind }))
      expectFailure(failure, ['TypeError', 'ERR_NSSET_NOT_ENTERABLE', kind, 'execFile or fork', '{ kinds }'])
      expect(failure).toMatchObject({ kind })
      expect(await growthSince(before)).toEqual({})
    })
  }

  for (const kind of ['net', 'uts', 'ipc', 'cgroup', 'mnt'] as const) {
    asOrdinaryUser(`for an ordinary user's ${kind}: the error suggests fork`, async () => {
      using set = NamespaceSet.unshareSync(['user', kind], { mapUser: 'root' })
      const before = resources()
      const failure = await failureOf(() => start(set, '', { kinds: kind }))
      const why = ['ordinary user', 'CAP_SYS_ADMIN', 'fork'] as const
      expectFailure(failure, ['TypeError', 'ERR_NSSET_NOT_ENTERABLE', kind, ...why])
      expect(await growthSince(before)).toEqual({})
    })
  }

  const sets = { 'a set without mnt': ['uts'], 'a set with mnt': ['uts', 'mnt'] } as const
  for (const [name, kinds] of Object.entries(sets)) {
    // An ordinary user's namespaces are rejected before the file name is checked.
    const set = isRoot ? NamespaceSet.unshareSync(kinds) : NamespaceSet.current(kinds)
    const worker = (filename: unknown, options?: unknown) => () => set.worker(untyped(filename), untyped(options))
    describe(`of ${name}`, () => {
      refuses([
        ['an invalid file name', worker(5), type('filename')],
        ['a missing file name', worker(undefined), type('filename')],
        ['a file name that could be a package', worker('worker.js'), ['TypeError', 'ERR_WORKER_PATH', 'worker.js']],
        ['a URL in a string', worker('file:///worker.js'), ['TypeError', 'ERR_WORKER_PATH', 'file:///worker.js']],
        ['a URL of the web', worker(new URL('http://localhost/')), ['TypeError', 'ERR_INVALID_URL_SCHEME']],
        ['a URL to evaluate', worker(new URL('file:///a.js'), { eval: true }), value('options.eval')],
        ['invalid options', worker('/a.js', 5), type('options')],
        ['options of null', worker('/a.js', null), type('options')],
        ['invalid kinds', worker('/a.js', { kinds: 'nat' }), value('options.kinds', 'nat')],
        [
          'kinds that are not in the set',
          worker('/a.js', { kinds: 'ipc' }),
          ['RangeError', 'ERR_NSSET_NOT_IN_SET', 'ipc'],
        ],
        ['invalid argv', worker('/a.js', { argv: 5 }), type('options.argv')],
        [
          'flags that Node.js does not have',
          worker('/a.js', { execArgv: ['--no-such'] }),
          ['Error', 'ERR_WORKER_INVALID_EXEC_ARGV'],
        ],
        [
          'data that cannot be cloned',
          worker('/a.js', { workerData: () => {} }),
          ['DataCloneError', untyped(25), 'could not be cloned'],
        ],
      ])
      test('as with Node.js, and nothing is left', async () => {
        const before = resources()
        for (const [filename, options] of [[5], ['worker.js'], ['/a.js', { execArgv: ['--no-such'] }]] as const) {
          await failureOf(worker(filename, options))
        }
        expect(await growthSince(before)).toEqual({})
        set.close()
        expectFailure(await failureOf(worker('/a.js')), ['TypeError', 'ERR_NSSET_CLOSED'])
      })
    })
  }

  asRoot('and no getter of the options has run inside', REASON, async () => {
    using set = NamespaceSet.unshareSync('uts', { hostname: 'inside' })
    const seen: string[] = []
    const options = {
      eval: true,
      execArgv: [],
      get workerData() {
        return seen.push(hostname())
      },
    }
    await lifeOf(set.worker('', options))
    expect(seen).toEqual([hostname()])
    expect(hostname()).not.toBe('inside')
  })
})

test('any arguments are treated as by Node.js', async () => {
  const before = resources()
  using set = isRoot ? NamespaceSet.unshareSync(['uts', 'mnt']) : NamespaceSet.current(['uts', 'mnt'])
  const nowhere = fc.oneof(text, noText, fc.constantFrom('./nowhere.js', '/nowhere.mjs', new URL('file:///nowhere.js')))
  const likelyKinds = fc.oneof(kinds, fc.constantFrom(undefined, 'uts', 'mnt'))
  // Nothing is evaluated: the text could do anything.
  const members = {
    kinds: likelyKinds,
    argv: fc.array(anything),
    env: anything,
    execArgv: anything,
    workerData: anything,
  }
  // Node.js ignores unknown options, and nsset rejects them: unknown-options.test.ts.
  const isKnown = (some: unknown) => Object.keys(Object(some)).every((key) => Object.hasOwn(members, key))
  const options = fc
    .oneof(bag(members), noText)
    .filter((some) => !(some as { eval?: unknown } | undefined | null)?.eval)
    .filter(isKnown)
  // Never both invalid: which one is reported first does not matter.
  const given = fc.oneof(
    fc.tuple(nowhere, bag({ kinds: likelyKinds }).filter(isKnown)),
    fc.tuple(fc.constantFrom<unknown>('./nowhere.js', '/nowhere.mjs'), options),
  )
  const outcomeOf = async (make: () => Worker) => {
    let worker: Worker
    try {
      worker = make()
    } catch (error) {
      return error as { code: unknown; name: string; message: string }
    }
    const { error, exitCode } = await lifeOf(worker)
    return { code: error?.code, name: error?.name, message: '', exitCode }
  }
  await fc.assert(
    fc.asyncProperty(given, async ([filename, some]) => {
      const ours = await outcomeOf(() => set.worker(untyped(filename), untyped(some)))
      const isAboutUs = /^ERR_NSSET|options\.kinds|"options" argument/.test(`${String(ours.code)} ${ours.message}`)
      if (isAboutUs) return
      const theirs = await outcomeOf(() => new Worker(untyped(filename), untyped(some)))
      expect([ours.code, ours.name]).toEqual([theirs.code, theirs.name])
    }),
    { numRuns: 150 },
  )
  set.close()
  expect(await growthSince(before)).toEqual({})
})

describe('in a separate Node.js process', () => {
  const TELL_HOST = `${REPORT} report(os.hostname())`

  test('as root of a user namespace, it enters the namespaces that it owns', async () => {
    const seen = await askPlainNode<{ inside: string; outside: string; threads: number }>(
      `${PLACES_OF_THREADS}
       import { hostname } from 'node:os'
       import { NamespaceSet } from 'nsset'
       const set = NamespaceSet.unshareSync(['uts', 'net'], { hostname: 'inside' })
       const worker = set.worker(${JSON.stringify(TELL_HOST)}, { eval: true })
       let inside
       worker.on('message', (name) => { inside = name })
       worker.on('exit', () => setTimeout(() => {
         const threads = placesOfThreads('uts').filter((place) => place === set.id('uts'))
         console.log(JSON.stringify({ inside, outside: hostname(), threads: threads.length }))
       }, 100))`,
      { prefix: AS_ROOT_INSIDE },
    )
    expect(seen).toEqual({ inside: 'inside', outside: hostname(), threads: 0 })
  })

  test('it enters namespaces that its creator could not leave', async () => {
    // The thread's own network namespace is owned outside of its user namespace: `do` is rejected.
    const seen = await askPlainNode<[string, string]>(
      `import { NamespaceSet } from 'nsset'
       const set = NamespaceSet.unshareSync('uts', { hostname: 'inside' })
       let refusal
       try { set.do(() => {}) } catch ({ code }) { refusal = code }
       set.worker(${JSON.stringify(TELL_HOST)}, { eval: true })
         .on('message', (name) => console.log(JSON.stringify([refusal, name])))`,
      { prefix: ['unshare', '--user', '--map-root-user'] },
    )
    expect(seen).toEqual(['ERR_NSSET_NOT_ENTERABLE', 'inside'])
  })

  test('with an inspector and module hooks, only its thread is inside', async () => {
    const seen = await askPlainNode<{ inside: string; during: number; after: number }>(
      `${PLACES_OF_THREADS}
       import inspector from 'node:inspector'
       import { register } from 'node:module'
       import { NamespaceSet } from 'nsset'
       register('data:text/javascript,export async function resolve(name, context, next) { return next(name, context) }')
       inspector.open(0)
       const set = NamespaceSet.unshareSync(['uts'], { hostname: 'inside' })
       const count = () => placesOfThreads('uts').filter((place) => place === set.id('uts')).length
       const seen = {}
       const worker = set.worker(${JSON.stringify(`${TELL_HOST}; setTimeout(() => {}, 50)`)}, { eval: true })
       worker.on('message', (name) => Object.assign(seen, { inside: name, during: count() }))
       worker.on('exit', () => setTimeout(() => {
         inspector.close()
         console.log(JSON.stringify({ ...seen, after: count() }))
         process.exit()
       }, 100))`,
      { prefix: AS_ROOT_INSIDE },
    )
    expect(seen).toEqual({ inside: 'inside', during: 1, after: 0 })
  })

  test('the last Worker that loaded nsset may end', async () => {
    const life = `import { NamespaceSet } from 'nsset'
      import { parentPort } from 'node:worker_threads'
      const run = (kinds, options) => new Promise((resolve) => {
        const set = NamespaceSet.unshareSync(kinds, options)
        set.worker(${JSON.stringify(TELL_HOST)}, { eval: true }).on('message', resolve)
        set.close()
      })
      parentPort.postMessage([await run('uts', { hostname: 'one' }), await run(['mnt', 'uts'], { hostname: 'two' })])`
    const seen = await askPlainNode<string[][]>(
      `import { Worker } from 'node:worker_threads'
       const seen = []
       for (let count = 0; count < 10; count += 1) {
         const worker = new Worker(${JSON.stringify(life)}, { eval: true })
         worker.on('message', (names) => seen.push(names))
         await new Promise((resolve) => worker.once('exit', resolve))
       }
       console.log(JSON.stringify(seen))`,
      { prefix: AS_ROOT_INSIDE },
    )
    expect(seen).toEqual(Array.from({ length: 10 }, () => ['one', 'two']))
  })
})

test('the links in /proc of this thread are as assumed', () => {
  using set = NamespaceSet.current('net')
  expect(threadsIn(set, 'net').length).toBe(readdirSync('/proc/self/task').length)
  expect(readlinkSync('/proc/self/ns/net')).toBe(set.id('net'))
})
