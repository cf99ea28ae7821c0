/**
 * A terminal, a shell and `kill 0` signal whole process groups. A program belongs to the group of Node.js, as one of
 * child_process does, but not in a pid namespace: `kill 0` would reach Node.js there, so it leads its own session.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type NamespaceKind, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { isRoot } from '../setup/sets/privilege.ts'

const MODULE = fileURLToPath(new URL('../setup/programs/forked.cjs', import.meta.url))
const WITH_PIDS: NamespaceKind[][] = [
  ['user', 'pid'],
  ['user', 'pid', 'mnt', 'time'],
]

interface Place {
  group: number
  session: number
}

/** As ps(1) of the host shows it. */
function placeOf(pid = 0): Place {
  const line = execFileSync('ps', ['-o', 'pgid=,sid=', '-p', String(pid)], { encoding: 'utf8', timeout: 10_000 })
  const [group = Number.NaN, session = Number.NaN] = line.trim().split(/\s+/).map(Number)
  return { group, session }
}

const ownPlace = (pid = 0): Place => ({ group: pid, session: pid })

for (const kinds of [['uts'], ['user', 'net']] as const) {
  test(`in a set of ${kinds.join(', ')} it belongs to Node's group`, () => {
    using set = anyonesSet(kinds)
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    const detached = set.spawn('sleep', ['60'], { stdio: 'ignore', detached: true })
    expect(placeOf(child.pid)).toEqual(placeOf(process.pid))
    expect(placeOf(detached.pid)).toEqual(ownPlace(detached.pid))
    child.kill('SIGKILL')
    detached.kill('SIGKILL')
  })
}

for (const kinds of WITH_PIDS) {
  describe(`in a set of ${kinds.join(', ')} it leads its own session`, () => {
    test('unless it is not detached', () => {
      using set = anyonesSet(kinds)
      for (const detached of [undefined, true]) {
        const child = set.spawn('sleep', ['60'], { stdio: 'ignore', detached })
        expect(placeOf(child.pid)).toEqual(ownPlace(child.pid))
      }
      const attached = set.spawn('sleep', ['60'], { stdio: 'ignore', detached: false })
      expect(placeOf(attached.pid)).toEqual(placeOf(process.pid))
    })

    test('unless pid is not among its kinds', () => {
      using set = anyonesSet(kinds)
      const child = set.spawn('sleep', ['60'], { stdio: 'ignore', kinds: 'user' })
      expect(placeOf(child.pid)).toEqual(placeOf(process.pid))
      child.kill('SIGKILL')
    })

    test('with execFile and fork, too', async () => {
      using set = anyonesSet(kinds)
      const { stdout } = await set.execFile('sh', ['-c', "cut -d' ' -f1,5,6 /proc/self/stat"], {
        kinds: ['user', 'pid'],
      })
      expect(stdout).toMatch(/^\d+ (\d+) \1\n$/)
      const child = set.fork(MODULE, ['wait'], { execArgv: [], silent: true })
      expect(placeOf(child.pid)).toEqual(ownPlace(child.pid))
      child.kill('SIGKILL')
    })
  })
}

test('in the pid namespace of another process it leads its own session, too', async () => {
  using made = anyonesSet(['user', 'pid'])
  const first = made.spawn('sleep', ['60'], { stdio: 'ignore' })
  using joined = NamespaceSet.fromPid(first.pid as number, ['user', 'pid'])
  const child = joined.spawn('sleep', ['60'], { stdio: 'ignore' })
  expect(placeOf(child.pid)).toEqual(ownPlace(child.pid))
})

describe('kill 0 of a program in a pid namespace', () => {
  /** Node.js receives SIGTERM, and so does a child of child_process in its group. */
  const program = (options: string) => `
    import { spawn } from 'node:child_process'
    import { once } from 'node:events'
    import { setTimeout } from 'node:timers/promises'
    import { NamespaceSet } from 'nsset'
    const received = []
    process.on('SIGTERM', () => received.push('node'))
    const beside = spawn('sleep', ['60'], { stdio: 'ignore' }).on('exit', (_, signal) => received.push('beside ' + signal))
    await once(beside, 'spawn')
    const set = NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })
    const { stdout } = await set.execFile('sh', ['-c', 'trap "echo inside" TERM; kill -TERM 0'], ${options})
    await setTimeout(200)
    beside.kill('SIGKILL')
    console.log(JSON.stringify([...received.sort(), stdout.trim()]))
    process.exit()`

  test('reaches nothing outside', async () => {
    expect(await askPlainNode(program('{}'))).toEqual(['inside'])
  })

  test("reaches Node's group when it is not detached", async () => {
    expect(await askPlainNode(program('{ detached: false }'))).toEqual(['beside SIGTERM', 'node', 'inside'])
  })
})

describe('a program that leads a session', () => {
  test('is killed by its signal, timeout and kill() as usual', async () => {
    using set = anyonesSet(['user', 'pid'])
    const late = await set.execFile('sleep', ['60'], { timeout: 20, reject: false })
    expect(late).toMatchObject({ signal: 'SIGTERM', code: 'ETIMEDOUT' })
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', (...end) => resolve(end)))
    expect(child.kill('SIGUSR1')).toBe(true)
    expect(await ended).toEqual([null, 'SIGUSR1'])
  })

  /** script(1) runs Node.js as the leader of a session with its own terminal, with a line of input. */
  const atTerminal = (options: string) => {
    const PROGRAM = `
      import { NamespaceSet } from 'nsset'
      const set = NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })
      const child = set.spawn('sh', ['-c', process.env.SCRIPT], { stdio: 'inherit', ${options} })
      child.on('exit', () => set.close())`
    const SCRIPT =
      'read line; echo "got $line"; (exec < /dev/tty) 2> /dev/null && echo controlled || echo not controlled'
    const output = execFileSync(
      'script',
      ['-q', '-c', 'exec "$NODE" --input-type=module --eval "$PROGRAM"', '/dev/null'],
      {
        cwd: fileURLToPath(new URL('../..', import.meta.url)),
        env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'development', NODE: process.execPath, PROGRAM, SCRIPT },
        input: 'a word\n',
        encoding: 'utf8',
        timeout: 30_000,
      },
    )
    return output.replaceAll('\r', '').trim().split('\n').slice(-2)
  }

  test('reads and writes the terminal of Node.js, which does not control it', () => {
    expect(atTerminal('')).toEqual(['got a word', 'not controlled'])
    expect(atTerminal('detached: false')).toEqual(['got a word', 'controlled'])
  })
})

test("a program that is not detached stays in Node's group even if that has no number in this pid namespace", async () => {
  const program = `
    import { readFileSync } from 'node:fs'
    import { NamespaceSet } from 'nsset'
    const group = (pid) => Number(readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ')[1].split(' ')[2])
    const set = NamespaceSet.unshareSync(['user', 'pid'], { mapUser: 'root' })
    const child = set.spawn('sleep', ['60'], { stdio: 'ignore', detached: false })
    const groups = [group('self'), group(child.pid)]
    child.kill('SIGKILL')
    console.log(JSON.stringify(groups))
    process.exit()`
  const user = isRoot ? [] : ['--user', '--map-root-user']
  const prefix = ['unshare', ...user, '--pid', '--fork', '--mount-proc', '--kill-child']
  expect(await askPlainNode(program, { prefix })).toEqual([0, 0])
})
