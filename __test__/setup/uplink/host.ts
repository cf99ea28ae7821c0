/**
 * A program on a host of the small internet of `internet.ts`: has a set with an uplink, and does with both what its parent says. nsset was
 * loaded in the network of the host, so this is where the flows of the uplink leave.
 */
import { NamespaceSet, type Rule, type Uplink, type UplinkOptions, type UplinkRefusal } from '../../../src/index.ts'

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
  /** In bytes: the memory of this process. */
  memory(): number
  /** In milliseconds: the longest delay of the event loop since the last call. */
  delay(): number
  close(): void
}

export interface HostOptions extends Omit<UplinkOptions, 'decide' | 'signal'> {
  /** The ports that `decide` allows; after `decideDelay` milliseconds. */
  decidePorts?: readonly number[]
  decideDelay?: number
}

const RESOLV_CONF = 'nameserver 10.0.2.2\noptions timeout:2 attempts:1\n'

let set: NamespaceSet
let uplink: Uplink
let longest = 0
const refusals: UplinkRefusal[] = []

const CALLS: { [K in keyof HostCalls]: (...args: Parameters<HostCalls[K]>) => unknown } = {
  async start({ decidePorts, decideDelay = 0, ...options }) {
    set = await NamespaceSet.unshare(['user', 'net', 'mnt'], {
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
    uplink = await set.network.uplink({ ...options, ...(decidePorts === undefined ? {} : { decide }) })
    void collect()
    return { gateways: uplink.gateways, link: uplink.link }
  },
  async execute(file, args) {
    const { exitCode, stdout, stderr } = await set.execFile(file, args, { reject: false, timeout: 20_000 })
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
  memory: () => process.memoryUsage.rss(),
  delay() {
    const value = longest
    longest = 0
    return value
  },
  close: () => uplink.close(),
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
