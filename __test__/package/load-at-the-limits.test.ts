/**
 * Without enough descriptors, threads or memory, loading and each call succeed or fail with an error, and succeed again
 * once there are enough. The process never crashes.
 */
import { describe, expect, test } from 'vitest'
import { askPlainNode, runPlainNode } from '../setup/programs/plain-node.ts'
import { asRoot } from '../setup/sets/privilege.ts'

type Outcomes = Record<string, string>

/** Imports the package, makes one call of each kind, and reports each outcome by name: `'ok'`, or the error code. */
const PROGRAM = `
  const args = process.getuid() === 0 ? [['net', 'uts']] : [['user', 'net', 'uts'], { mapUser: 'root' }]
  const attempt = async (outcomes, name, call) => {
    try {
      const value = await call()
      outcomes[name] = 'ok'
      return value
    } catch (error) {
      outcomes[name] = error.code ?? String(error.stack)
    }
  }
  const callAll = async () => {
    const outcomes = {}
    const nsset = await attempt(outcomes, 'import', () => import('nsset'))
    if (nsset === undefined) return outcomes
    const { NamespaceSet } = nsset
    const here = await attempt(outcomes, 'current', () => NamespaceSet.current('uts'))
    const made = await attempt(outcomes, 'unshareSync', () => NamespaceSet.unshareSync(...args))
    const later = await attempt(outcomes, 'unshare', () => NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' }))
    if (here !== undefined) await attempt(outcomes, 'do', () => here.do(() => 'inside'))
    if (made !== undefined) {
      await attempt(outcomes, 'execFile', () => made.execFile('true'))
      await attempt(outcomes, 'links', () => made.network.links.list())
    }
    for (const set of [here, made, later]) set?.close()
    return outcomes
  }`

const ALL_WELL: Outcomes = Object.fromEntries(
  ['import', 'current', 'unshareSync', 'unshare', 'do', 'execFile', 'links'].map((name) => [name, 'ok']),
)

describe('descriptors', () => {
  const program = `
    import fs from 'node:fs'
    ${PROGRAM}
    const held = []
    try { for (;;) held.push(fs.openSync('/dev/null')) } catch {}
    for (let free = Number(process.env.FREE); free > 0; free--) fs.closeSync(held.pop())
    const few = await callAll()
    for (const fd of held) try { fs.closeSync(fd) } catch {}
    console.log(JSON.stringify([few, await callAll()]))`

  test.each([2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 32, 40])('%i free descriptors', async (free) => {
    const prefix = ['prlimit', '--nofile=80:80']
    const [few, enough] = await askPlainNode<[Outcomes, Outcomes]>(program, { prefix, env: { FREE: String(free) } })
    for (const [name, outcome] of Object.entries(few)) expect(['ok', 'EMFILE'], name).toContain(outcome)
    if (free >= 40) expect(few).toEqual(ALL_WELL)
    expect(enough).toEqual(ALL_WELL)
  })
})

describe('threads', () => {
  /** Of a user without other processes. */
  const limited = (most: number) => [
    'setpriv',
    ...['--reuid=51234', '--regid=51234', '--clear-groups'],
    ...['prlimit', `--nproc=${most}`],
  ]
  const program = `
    ${PROGRAM}
    console.log(JSON.stringify(await callAll()))`
  const nodeItself = "await (await import('node:fs/promises')).readFile('/etc/hostname')"

  asRoot('as few as Node.js needs to start, and more', 'it changes the user id', async () => {
    let started = 0
    for (let most = 8; most <= 26; most++) {
      const env = { HOME: '/' }
      const { code: alone } = await runPlainNode(nodeItself, { prefix: limited(most), env })
      if (alone !== 0) continue
      started++
      const { code, signal, stdout, stderr } = await runPlainNode(program, { prefix: limited(most), env })
      expect({ code, signal }, `${most}: ${stderr}`).toEqual({ code: 0, signal: null })
      const outcomes = JSON.parse(stdout) as Outcomes
      for (const [name, outcome] of Object.entries(outcomes)) expect(['ok', 'EAGAIN'], name).toContain(outcome)
      if (most === 26) expect(outcomes).toEqual(ALL_WELL)
    }
    expect(started).toBeGreaterThan(10)
  })

  asRoot('enough again for a later call', 'it changes a limit', async () => {
    const outcomes = await askPlainNode<[Outcomes, Outcomes]>(`
      import { execFileSync, spawn } from 'node:child_process'
      import { createRequire } from 'node:module'
      const limit = (most) => execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=' + most + ':100'])
      limit(100)
      // This helper is ready before the limit is low: it raises the limit when its input ends.
      const user = ['--reuid=51235', '--regid=51235', '--clear-groups']
      const script = 'read line; exec prlimit --pid ' + process.pid + ' --nproc=100:100'
      const raise = spawn('setpriv', [...user, 'sh', '-c', script])
      const ended = new Promise((resolve) => raise.once('exit', resolve))
      limit(1)
      process.setgid(51235)
      process.setuid(51235)
      // Not imported: Node.js reads modules on libuv's pool, and aborts when it cannot start that.
      const require = createRequire(process.cwd() + '/')
      ${PROGRAM.replace("import('nsset')", "require('nsset')")}
      const few = await callAll()
      raise.stdin.end('\\n')
      await ended
      console.log(JSON.stringify([few, await callAll()]))`)
    expect(outcomes[0]['do']).toBe('EAGAIN')
    expect(outcomes[1]).toEqual(ALL_WELL)
  })
})

test.each(['1', '16', '1024', '0', '-1', 'many'])('a pool of %s threads', async (size) => {
  const program = `${PROGRAM}
    console.log(JSON.stringify(await callAll()))`
  expect(await askPlainNode(program, { env: { UV_THREADPOOL_SIZE: size } })).toEqual(ALL_WELL)
})

/** V8 aborts the process when its heap gets no memory. An addon cannot prevent it. */
const V8_ENDED_IT = /FATAL ERROR: .*JavaScript heap out of memory/

test('an address space of any size in which Node.js starts', async () => {
  const program = `${PROGRAM}
    console.log(JSON.stringify(await callAll()))`
  let ends = 0
  for (let size = 800; size <= 1600; size += 100) {
    const prefix = ['prlimit', `--as=${size << 20}`]
    const { code: alone } = await runPlainNode("await import('node:fs/promises')", { prefix })
    if (alone !== 0) continue
    const { code, stdout, stderr } = await runPlainNode(program, { prefix })
    if (code === null && V8_ENDED_IT.test(stderr)) continue
    expect(code, `${size} MiB: ${stderr}`).toBe(0)
    ends += 1
    const outcomes = JSON.parse(stdout) as Outcomes
    for (const [name, outcome] of Object.entries(outcomes)) expect(['ok', 'EAGAIN', 'ENOMEM'], name).toContain(outcome)
  }
  expect(ends).toBeGreaterThan(3)
})
