/**
 * A program on a host of the small internet of `internet.ts`: has a set with an uplink, and does with both what its parent says. nsset was
 * loaded in the network of the host, so this is where the flows of the uplink leave.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import {
  type ExecFileOptions,
  NamespaceSet,
  type Rule,
  type Uplink,
  type UplinkOptions,
  type UplinkRefusal,
} from '../../../src/index.ts'
import { Sandbox } from '../../../src/sandbox/index.ts'

/** What the host can be asked, with its arguments and its answer. */
export interface HostCalls {
  start(options: HostOptions): { gateways: readonly string[]; link: string }
  execute(file: string, args: readonly string[]): { code: number | string; stdout: string; stderr: string }
  allow(rules: Rule[]): void
  deny(rules: Rule[]): void
  flows(): Awaited<ReturnType<Uplink['flows']>>
  statistics(): ReturnType<Uplink['statistics']>
  /** All refusals until now. */
  refusals(): UplinkRefusal[]
  lookup(name: string): string[]
  /** Listens on all addresses of the host, and at an abstract unix socket, whose name is `trap`. Returns what a program inside may know. */
  place(port: number): { gateways: readonly string[]; link: string; trap: string }
  /** What has reached those sockets. */
  trapped(): string[]
  /** Starts another set with an uplink of its own. */
  startNeighbour(options: HostOptions): void
  executeInNeighbour: HostCalls['execute']
  /** In bytes: the memory of this process, without the heap of JavaScript. */
  memory(): number
  /** In milliseconds: the median delay of the event loop since the last call. */
  delay(): number
  close(): void
}

export interface HostOptions extends Omit<UplinkOptions, 'decide' | 'signal'> {
  /** In place of a set: a `Sandbox`, whose programs may write to these places. */
  box?: { write: readonly string[] }
  /** The ports that `decide` allows; after `decideDelay` milliseconds. */
  decidePorts?: readonly number[]
  decideDelay?: number
}

const RESOLV_CONF = 'nameserver 10.0.2.2\noptions timeout:2 attempts:1\n'

/** The time limit of a program. */
const TIME_LIMIT = 60_000

type Inside = Pick<NamespaceSet, 'execFile' | 'network'>
interface Started {
  set: Inside
  uplink: Uplink
}

let set: Inside
let uplink: Uplink
let neighbour: Inside
/** In milliseconds: how often the delay of the event loop is measured. */
const RESOLUTION = 5
const delays = monitorEventLoopDelay({ resolution: RESOLUTION })
delays.enable()
const trapped: string[] = []
const refusals: UplinkRefusal[] = []

const CALLS: { [K in keyof HostCalls]: (...args: Parameters<HostCalls[K]>) => unknown } = {
  async start(options) {
    const started = await start(options)
    set = started.set
    uplink = started.uplink
    void collect()
    return { gateways: uplink.gateways, link: uplink.link }
  },
  execute: (file, args) => execute(set, file, args),
  async startNeighbour(options) {
    neighbour = (await start(options)).set
  },
  executeInNeighbour: (file, args) => execute(neighbour, file, args),
  allow: (rules) => uplink.allow(rules),
  deny: (rules) => uplink.deny(rules),
  flows: () => uplink.flows(),
  statistics: () => uplink.statistics(),
  async refusals() {
    // The counter has also those that are on their way. After a flood it has more than can be read.
    const end = Date.now() + 2000
    while (refusals.length < uplink.statistics().refused && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 5))
    return refusals
  },
  lookup: (name) =>
    new Promise((resolve, reject) => {
      set.network.lookup(name, { all: true }, (error, found) =>
        error === null ? resolve((found as { address: string }[]).map(({ address }) => address)) : reject(error),
      )
    }),
  async place(port) {
    const trap = `nsset-trap-${process.pid}`
    for (const server of [{ port, host: '::' }, { path: `\0${trap}` }]) {
      const listening = createServer((socket) => {
        trapped.push(`a connection to ${JSON.stringify(server)}`)
        socket.end('reached')
      })
      await once(listening.listen(server), 'listening')
    }
    const datagrams = createSocket('udp6').on('message', (message) => trapped.push(`the datagram ${message}`))
    await new Promise<void>((resolve) => datagrams.bind(port, '::', resolve))
    return { gateways: uplink.gateways, link: uplink.link, trap }
  },
  trapped: () => trapped,
  memory() {
    const { rss, heapTotal, external } = process.memoryUsage()
    return rss - heapTotal - external
  },
  delay() {
    const value = delays.percentile(50) / 1e6 - RESOLUTION
    delays.reset()
    return value
  },
  close: () => uplink.close(),
}

async function start({ decidePorts, decideDelay = 0, box, ...options }: HostOptions): Promise<Started> {
  if (box !== undefined) return await startBox(box.write, options)
  const set = await NamespaceSet.unshare(['user', 'net', 'mnt'], {
    mapUser: 'root',
    loopback: true,
    mounts: [
      { type: 'bind', source: '/', target: '/' },
      { type: 'file', target: '/etc/resolv.conf', content: RESOLV_CONF },
    ],
  })
  const decide = async ({ port }: { port: number }) => {
    await new Promise((resolve) => setTimeout(resolve, decideDelay))
    return decidePorts?.includes(port) ?? false
  }
  const uplink = await set.network.uplink({ ...options, ...(decidePorts === undefined ? {} : { decide }) })
  return { set, uplink }
}

async function startBox(write: readonly string[], options: Omit<HostOptions, 'box'>): Promise<Started> {
  const { allow, deny, dns } = options
  const box = await Sandbox.create({ network: { allow, deny, dns }, files: { write } })
  const set = { execFile: box.execFile.bind(box) as NamespaceSet['execFile'], network: box.set.network }
  return { set, uplink: box.uplink as Uplink }
}

async function execute(inside: Inside, file: string, args: readonly string[]) {
  const options: ExecFileOptions<'utf8'> = { reject: false, timeout: TIME_LIMIT }
  const { exitCode, stdout, stderr } = await inside.execFile(file, args, options)
  return { code: exitCode, stdout, stderr }
}

async function collect(): Promise<void> {
  for await (const refusal of uplink.refusals()) refusals.push(refusal)
}

process.on('message', async ({ id, call, args }: { id: number; call: keyof HostCalls; args: never[] }) => {
  try {
    const value = await (CALLS[call] as (...args: unknown[]) => unknown)(...args)
    process.send?.({ id, value })
  } catch (error) {
    const { message, code, name } = error as NodeJS.ErrnoException
    process.send?.({ id, error: { message, code, name } })
  }
})
process.on('disconnect', () => process.exit())
process.send?.({ id: 0 })
