/** The ways out that are compared: an uplink, slirp4netns and pasta, each with a network of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type NamespaceChildProcess, NamespaceSet } from 'nsset'

const CLIENT = fileURLToPath(new URL('client.py', import.meta.url))

/** The other machine: its address, and its first port. */
export const SERVER = ['9.1.0.10', '7000'] as const

export interface WayOut extends AsyncDisposable {
  /** Runs client.py inside, and returns the milliseconds that it prints. `words` come before it. */
  run(action: string, count: number, words?: readonly string[]): Promise<number>
  /** Starts client.py inside with connections that stay, until the child is killed. */
  idle(count: number): Promise<NamespaceChildProcess>
  /** The same for questions about names, to the name server of an uplink. */
  names(count: number): Promise<number>
  used(): Used
}

/** What a way out has used. */
export interface Used {
  /** In KiB; now. */
  memory: number
  /** In milliseconds of a processor; until now. */
  time: number
}

/** Starts a way out with an mtu. */
export type Start = (mtu: number) => Promise<WayOut>

export const STARTS = { uplink, slirp4netns, pasta } as const

async function uplink(mtu: number): Promise<WayOut> {
  const set = await emptySet()
  await set.network.uplink({ mtu, dns: { servers: [SERVER[0]] }, allow: ['9.1.0.0/16', 'web.test'] })
  return wayOut(set, usedByUplinks, async () => set.close())
}

async function slirp4netns(mtu: number): Promise<WayOut> {
  const { set, sleeper } = await setWithSleeper()
  const options = ['--configure', `--mtu=${mtu}`, '--ready-fd=3']
  const program = spawn('slirp4netns', [...options, String(sleeper.pid), 'tap0'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  await Promise.race([once(program.stdio[3] as NodeJS.ReadableStream, 'data'), failure(program)])
  return wayOut(
    set,
    () => usedBy(program.pid),
    () => end(set, sleeper, program),
  )
}

async function pasta(mtu: number): Promise<WayOut> {
  const { set, sleeper } = await setWithSleeper()
  const place = ['--config-net', '-a', '10.0.2.100', '-n', '24', '-g', '10.0.2.2', '-I', 'tap0']
  // In the foreground it does not say when it is ready.
  const options = ['--foreground', '-q', '-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none', '--mtu', String(mtu)]
  const program = spawn('pasta', [...options, ...place, '--runas', '0', String(sleeper.pid)], {
    stdio: 'ignore',
  })
  await Promise.race([untilConfigured(set), failure(program)])
  return wayOut(
    set,
    () => usedBy(program.pid),
    () => end(set, sleeper, program),
  )
}

function wayOut(set: NamespaceSet, used: () => Used, close: () => Promise<void>): WayOut {
  const run = async (place: readonly string[], action: string, count: number, words: readonly string[] = []) => {
    const [file = '', ...args] = [...words, 'python3', CLIENT, ...place, action, String(count)]
    return Number((await set.execFile(file, args, { timeout: 10_000 })).stdout)
  }
  return {
    run: (action, count, words) => run(SERVER, action, count, words),
    names: (count) => run(['10.0.2.2', '0'], 'names', count),
    async idle(count) {
      const child = set.spawn('python3', [CLIENT, ...SERVER, 'idle', String(count)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      return child
    },
    used,
    [Symbol.asyncDispose]: close,
  }
}

/** What a process has used. */
function usedBy(pid: number | undefined): Used {
  const memory = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  return { memory, time: timeOf(`/proc/${pid}/stat`) }
}

/** The memory of this process without the heap of JavaScript, and the time of its thread of uplinks. */
function usedByUplinks(): Used {
  const { rss, heapTotal, external } = process.memoryUsage()
  const tasks = readdirSync('/proc/self/task').map((task) => `/proc/self/task/${task}`)
  const thread = tasks.find((task) => readFileSync(`${task}/comm`, 'utf8') === 'nsset-uplink\n')
  return { memory: (rss - heapTotal - external) / 1024, time: timeOf(`${thread}/stat`) }
}

/** The time of proc(5) is in ticks of 10 ms. */
function timeOf(stat: string): number {
  const text = readFileSync(stat, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function emptySet(): Promise<NamespaceSet> {
  return NamespaceSet.unshare(['user', 'net'], { mapUser: 'root', loopback: true })
}

/** The other programs need a process in the network. */
async function setWithSleeper(): Promise<{ set: NamespaceSet; sleeper: NamespaceChildProcess }> {
  const set = await emptySet()
  return { set, sleeper: set.spawn('sleep', ['100000'], { stdio: 'ignore' }) }
}

async function end(set: NamespaceSet, ...children: ChildProcess[]): Promise<void> {
  for (const child of children.toReversed()) {
    if (child.kill('SIGKILL')) await once(child, 'exit')
  }
  set.close()
}

async function failure(program: ChildProcess): Promise<never> {
  const [code] = await once(program, 'exit')
  throw new Error(`it ends with ${code}`)
}

async function untilConfigured(set: NamespaceSet): Promise<void> {
  for (;;) {
    const links = await set.network.links.list()
    if (links.some(({ name, up }) => name === 'tap0' && up)) return
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
