/**
 * Two installations of the package in one process, as with two versions: each works as if it were alone, the process
 * exits when both are done, and each rejects objects of the other with an error that says so.
 */
import { cpSync, mkdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type BundledApp, bundledApp, type RunOptions } from '../setup/package/bundled-app.ts'
import { AS_ROOT_INSIDE, PLACES_OF_THREADS } from '../setup/programs/plain-node.ts'
import { isRoot } from '../setup/sets/privilege.ts'

const MAKE = isRoot ? "(['net', 'uts'])" : "(['user', 'net', 'uts'], { mapUser: 'root' })"

/** An application, and in a directory below it another one with its own installation: `A` and `B`. */
async function runWithBoth(program: string, options: RunOptions = {}): Promise<unknown> {
  using app = twice()
  const heading = `
    import { createRequire } from 'node:module'
    ${PLACES_OF_THREADS}
    import * as A from 'nsset'
    const require = createRequire(import.meta.url)
    const OTHER = new URL('other/node_modules/nsset/dist/index.js', import.meta.url)
    const net = () => readlinkSync('/proc/thread-self/ns/net')`
  const { value, stdout, stderr, code, signal } = await app.run(`${heading}\n${program}`, {
    timeout: 15_000,
    ...options,
  })
  expect({ code, signal }, stderr + stdout).toEqual({ code: 0, signal: null })
  return value
}

function twice(): BundledApp {
  const app = bundledApp()
  mkdirSync(app.directory.file('other/node_modules'), { recursive: true })
  cpSync(app.directory.file('node_modules/nsset'), app.directory.file('other/node_modules/nsset'), { recursive: true })
  return app
}

const WITH_B = 'const B = await import(OTHER.href)'
const inside: RunOptions = { command: [...AS_ROOT_INSIDE, process.execPath] }

describe('the process exits', () => {
  test.each(['A, B', 'B, A'])('after either copy starts and either ends last: %s', async (order) => {
    const value = await runWithBoth(`${WITH_B}
      const outcomes = []
      const use = async ({ NamespaceSet }, name, seconds) => {
        const set = NamespaceSet.unshareSync${MAKE}
        const child = set.spawn('sh', ['-c', 'sleep ' + seconds + '; exit ' + (name === 'A' ? 3 : 4)])
        const exit = new Promise((resolve) => child.once('exit', resolve))
        const links = await set.network.links.list()
        const code = await exit
        outcomes.push([name, links.length, code])
        set.close()
      }
      const [first, second] = [${order}]
      await Promise.all([use(first, first === A ? 'A' : 'B', 0.1), use(second, second === A ? 'A' : 'B', 0.3)])
      process.once('beforeExit', () => console.log(JSON.stringify(outcomes)))`)
    const names = order.split(', ')
    expect(value).toEqual(names.map((name) => [name, 1, name === 'A' ? 3 : 4]))
  })

  test('after a Worker uses both, repeatedly', async () => {
    const value = await runWithBoth(`${WITH_B}
      import { Worker } from 'node:worker_threads'
      const code = \`
        const { parentPort, workerData } = require('node:worker_threads')
        const make = (N) => N.NamespaceSet.unshareSync${MAKE}
        Promise.all(workerData.map((url) => import(url))).then(async (copies) => {
          const sets = copies.map(make)
          const links = await Promise.all(sets.map((set) => set.network.links.list()))
          await Promise.all(sets.map((set) => set.execFile('true')))
          for (const set of sets) set.close()
          parentPort.postMessage(links.map(({ length }) => length))
        })\`
      const seen = []
      for (let count = 0; count < 5; count++) {
        const worker = new Worker(code, { eval: true, workerData: [import.meta.resolve('nsset'), OTHER.href] })
        worker.on('message', (message) => seen.push(message))
        await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
      }
      console.log(JSON.stringify(seen))`)
    expect(value).toEqual(Array.from({ length: 5 }, () => [1, 1]))
  })

  test('after two bundles of one installation, which share its binding', async () => {
    const value = await runWithBoth(`
      import { copyFileSync } from 'node:fs'
      import { fileURLToPath } from 'node:url'
      const dist = fileURLToPath(new URL('.', import.meta.resolve('nsset')))
      copyFileSync(dist + 'index.js', dist + 'again.js')
      const B = await import(dist + 'again.js')
      const codes = await Promise.all([A, B].map(async ({ NamespaceSet }, index) => {
        const set = NamespaceSet.unshareSync${MAKE}
        const child = set.spawn('sh', ['-c', 'sleep 0.' + (3 - index) + '; exit ' + index])
        const exit = new Promise((resolve) => child.once('exit', resolve))
        await set.network.links.list()
        return await exit
      }))
      console.log(JSON.stringify([A.NamespaceSet === B.NamespaceSet, codes]))`)
    expect(value).toEqual([false, [0, 1]])
  })
})

test('an object of the other copy is rejected with an error that says so', async () => {
  const value = await runWithBoth(`${WITH_B}
    import { once } from 'node:events'
    const mine = A.NamespaceSet.unshareSync${MAKE}
    const theirs = B.NamespaceSet.unshareSync${MAKE}
    const calls = {
      equals: () => mine.equals(theirs),
      'links.add peer': () => mine.network.links.add({ kind: 'veth', name: 'v', peer: { name: 'w', set: theirs } }),
      'links.move': () => mine.network.links.move('lo', theirs),
      'action.links.move': () => A.action.links.move('lo', theirs),
      'action.inside': () => A.action.inside(theirs, []),
      'an action': () => mine.network.apply([B.action.links.set('lo', { up: true })]),
      'netns.attach': () => A.netns.attach('nsset-other-copy', theirs, { directory: '/nowhere/at/all' }),
      'new NamespaceSet': () => new A.NamespaceSet(theirs),
    }
    const outcomes = {}
    for (const [name, call] of Object.entries(calls)) {
      outcomes[name] = await (async () => call())().then(() => 'done', ({ name, code, message }) => [name, code, message])
    }
    console.log(JSON.stringify(outcomes))`)
  const outcomes = value as Record<string, [string, string, string]>
  expect(Object.keys(outcomes).length).toBe(8)
  for (const [name, [Class, code, message]] of Object.entries(outcomes)) {
    expect([Class, code], name).toEqual(['TypeError', 'ERR_NSSET_OTHER_COPY'])
    expect(message, name).toMatch(
      /belongs to another copy of nsset \(file:\S+\/other\/node_modules\/nsset\/dist\/index\.js/,
    )
  }
})

test('an object of a version without signed classes is rejected', async () => {
  const value = await runWithBoth(`
    import { readFileSync, writeFileSync } from 'node:fs'
    // The build can continue a string in the next line.
    const source = readFileSync(OTHER, 'utf8').replaceAll('\\\\\\n', '')
    if (!source.includes('nsset.origin')) throw new Error('the classes are not signed')
    writeFileSync(OTHER, source.replaceAll('nsset.origin', 'nsset.unsigned'))
    ${WITH_B}
    const mine = A.NamespaceSet.unshareSync${MAKE}
    const theirs = B.NamespaceSet.unshareSync${MAKE}
    const calls = [
      () => mine.equals(theirs),
      () => mine.network.links.add({ kind: 'veth', name: 'v', peer: { name: 'w', set: theirs } }),
      () => mine.network.apply([B.action.links.list()]),
    ]
    const outcomes = calls.map(async (call) => call())
    console.log(JSON.stringify((await Promise.allSettled(outcomes)).map(({ reason }) => [reason?.code, reason?.message])))`)
  const refused = [
    'ERR_NSSET_OTHER_COPY',
    expect.stringContaining('another copy of nsset (an older version; this one is'),
  ]
  expect(value).toEqual([refused, refused, refused])
})

describe('do() of one copy within do() of the other', () => {
  test('enters each set, and returns to where it was called', async () => {
    const value = await runWithBoth(
      `${WITH_B}
      const home = net()
      const a = A.NamespaceSet.unshareSync('net'), b = B.NamespaceSet.unshareSync('net')
      const homeByB = B.NamespaceSet.current('net')
      const names = new Map([[home, 'home'], [a.id('net').replace(/:?\\[/, ':['), 'a'], [b.id('net'), 'b']])
      const seen = []
      const see = () => seen.push(names.get(net()) ?? net())
      for (let turn = 0; turn < 3; turn++) {
        a.do(() => { see(); b.do(() => { see(); a.do(see); homeByB.do(see); see() }); see() })
        see()
      }
      const ofB = a.do(() => B.NamespaceSet.current('net').id('net') === a.id('net'))
      a.do(() => homeByB.do(see))
      a.do(() => { try { b.do(() => { throw new Error('x') }) } catch {} see() })
      see()
      console.log(JSON.stringify([seen.join(' '), ofB]))`,
      inside,
    )
    const turn = 'a b a home b a home'
    expect(value).toEqual([`${turn} ${turn} ${turn} home a home`, true])
  })

  test('and starting a child: the child is in the namespaces of the thread', async () => {
    const value = await runWithBoth(
      `${WITH_B}
      const a = A.NamespaceSet.unshareSync(['net', 'uts'])
      B.NamespaceSet.current('uts').do(() => 0)
      const host = B.NamespaceSet.current('net')
      // The thread is inside a, and the child must be outside: B must notice the difference.
      const child = a.do(() => host.spawn('readlink', ['/proc/self/ns/net']))
      let text = ''
      for await (const chunk of child.stdout) text += chunk
      console.log(JSON.stringify(text.trim() === net()))`,
      inside,
    )
    expect(value).toBe(true)
  })

  test('and loading a copy inside: it starts its threads outside, later', async () => {
    const value = await runWithBoth(
      `
      const a = A.NamespaceSet.unshareSync(['net', 'uts'])
      const home = net()
      let B
      const code = a.do(() => {
        B = require(OTHER.pathname)
        const here = B.NamespaceSet.current('net')
        try { here.do(() => 0) } catch ({ code, message }) { return code + ' ' + message }
      })
      const set = B.NamespaceSet.unshareSync(['net', 'uts'])
      const links = (await set.network.links.list()).length
      await set.execFile('true')
      const inside = set.do(net) !== home
      const strays = placesOfThreads('net').filter((place) => place !== home)
      console.log(JSON.stringify({ code, links, inside, strays }))`,
      inside,
    )
    expect(value).toEqual({
      code: expect.stringMatching(/^EAGAIN EAGAIN: .*nsset starts its threads outside only/),
      links: 1,
      inside: true,
      strays: [],
    })
  })

  test('after enter() of one copy: the other returns to that set', async () => {
    const value = await runWithBoth(
      `${WITH_B}
      const a = A.NamespaceSet.unshareSync('net'), b = B.NamespaceSet.unshareSync('net')
      B.NamespaceSet.current('net').do(() => 0)
      a.enter({ mainThread: true })
      const where = [net()]
      b.do(() => where.push(net()))
      where.push(net())
      const names = new Map([[a.id('net'), 'a'], [b.id('net'), 'b']])
      console.log(JSON.stringify(where.map((each) => names.get(each) ?? each)))`,
      inside,
    )
    expect(value).toEqual(['a', 'b', 'a'])
  })
})
