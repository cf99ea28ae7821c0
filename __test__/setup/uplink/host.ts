/**
 * A program on a host of the small internet of `internet.ts`: has a set with an uplink, and does with both what its parent says. nsset was
 * loaded in the network of the host, so this is where the flows of the uplink leave.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
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
  /** In bytes: the memory of this process. */
  memory(): number
  /** In milliseconds: the longest delay of the event loop since the last call. */
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

let set: Pick<NamespaceSet, 'execFile' | 'network'>
let uplink: Uplink
const trapped: string[] = []
let longest = 0
const refusals: UplinkRefusal[] = []

const CALLS: { [K in keyof HostCalls]: (...args: Parameters<HostCalls[K]>) => unknown } = {
  async start({ decidePorts, decideDelay = 0, box, ...options }) {
    if (box !== undefined) return await startBox(box.write, options)
    const made = await NamespaceSet.unshare(['user', 'net', 'mnt'], {
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
    set = made
    uplink = await made.network.uplink({ ...options, ...(decidePorts === undefined ? {} : { decide }) })
    void collect()
    return { gateways: uplink.gateways, link: uplink.link }
  },
  async execute(file, args) {
    const options: ExecFileOptions<'utf8'> = { reject: false, timeout: TIME_LIMIT }
    const { exitCode, stdout, stderr } = await set.execFile(file, args, options)
    return { code: exitCode, stdout, stderr }
  },
  allow: (rules) => uplink.allow(rules),
  deny: (rules) => uplink.deny(rules),
  flows: () => uplink.flows(),
  statistics: () => uplink.statistics(),
  refusals: () => refusals,
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
  memory: () => process.memoryUsage.rss(),
  delay() {
    const value = longest
    longest = 0
    return value
  },
  close: () => uplink.close(),
}

async function startBox(write: readonly string[], options: Omit<HostOptions, 'box'>) {
  const { allow, deny, dns } = options
  const box = await Sandbox.create({ network: { allow, deny, dns }, files: { write } })
  set = { execFile: box.execFile.bind(box) as NamespaceSet['execFile'], network: box.set.network }
  uplink = box.uplink as Uplink
  void collect()
  return { gateways: uplink.gateways, link: uplink.link }
}

async function collect(): Promise<void> {
  for await (const refusal of uplink.refusals()) refusals.push(refusal)
}

let last = performance.now()
setInterval(() => {
  const now = performance.now()
  longest = Math.max(longest, now - last - 5)
  last = now
}, 5).unref()

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
