/** A small internet: a host on which a set has an uplink, and another machine with servers and a name server. */
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Server } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type FirewallStatement, type NamespaceChildProcess, NamespaceSet } from 'nsset'
import type { HostCalls, HostOptions } from './host.ts'
import { type Names, Names53 } from './names.ts'

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const PROGRAM = fileURLToPath(new URL('host.ts', import.meta.url))

/** Addresses of the other machine, which are public, and one that is private. */
export const WEB = '9.1.0.10'
export const OTHER = '9.1.0.11'
export const WEB_V6 = '2a00:1::10'
export const OTHER_V6 = '2a00:1::11'
export const PRIVATE = '192.168.77.10'
export const RESOLVER = '9.1.0.53'
/** The host's own address. */
export const OWN = '9.1.0.1'
export const OWN_V6 = '2a00:1::1'

const NAMES: Names = {
  'web.test': [WEB, WEB_V6],
  // Shares the address of web.test.
  'neighbour.test': [WEB],
  'other.test': [OTHER],
  // These share an address, too. One of them leads inward, also.
  'packages.test': [WEB, WEB_V6],
  'repository.test': [WEB, WEB_V6],
  'smart.test': [WEB, WEB_V6],
  'debian.test': [WEB, WEB_V6],
  'index.test': [WEB, PRIVATE, '127.0.0.1', '169.254.169.254'],
  'inward.test': [PRIVATE],
  'loop.test': ['127.0.0.1', '::1'],
  'metadata.test': ['169.254.169.254', 'fd00:ec2::254'],
  'own.test': [OWN],
  'large.test': Array.from({ length: 200 }, (_, index) => `9.1.0.${index + 50}`),
}

/** The host, as a program that can be asked. */
export type Host = { [K in keyof HostCalls]: (...args: Parameters<HostCalls[K]>) => Promise<ReturnType<HostCalls[K]>> }

export class Internet implements AsyncDisposable {
  /** The other machine. */
  readonly servers: NamespaceSet
  /** The network of the host. */
  readonly host: NamespaceSet
  readonly #names = new Names53(NAMES)
  readonly #others: { close(): void }[] = []
  readonly #children: NamespaceChildProcess[] = []
  readonly #listening: Server[] = []

  private constructor(host: NamespaceSet, servers: NamespaceSet) {
    this.host = host
    this.servers = servers
  }

  static async create(): Promise<Internet> {
    const base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    const host = await base.unshare(['net'], { loopback: true })
    const servers = await base.unshare(['net'], { loopback: true })
    base.close()
    const six = (cidr: string) => ({ cidr, noDuplicateDetection: true })
    await host.network.links.add({
      kind: 'veth',
      name: 'eth0',
      up: true,
      addresses: [`${OWN}/24`, '192.168.77.1/24', six(`${OWN_V6}/64`)],
      peer: {
        name: 'eth0',
        set: servers,
        up: true,
        addresses: [
          ...[WEB, OTHER, RESOLVER, PRIVATE].map((address) => `${address}/24`),
          ...[WEB_V6, OTHER_V6].map((address) => six(`${address}/64`)),
        ],
      },
    })
    // Else no program there may send echo requests (icmp(7)).
    await host.network.sysctls.set('net.ipv4.ping_group_range', '0 0')
    const internet = new Internet(host, servers)
    await internet.#names.listen(servers, RESOLVER)
    return internet
  }

  /** The questions that the name server received. */
  questions(): string[] {
    return this.#names.questions
  }

  /** Makes a server listen on the other machine, at all of its addresses. */
  async listen<S extends Server>(server: S, port: number): Promise<S> {
    this.#listening.push(server)
    return this.servers.network.listen(server, { port, host: '::' })
  }

  /** Sends datagrams back on this port of all addresses of the other machine. */
  async echo(port: number): Promise<void> {
    for (const address of [WEB, OTHER, PRIVATE, WEB_V6, OTHER_V6]) {
      const socket = this.servers.network.createSocket(address.includes(':') ? 'udp6' : 'udp4')
      socket.on('message', (message, from) => socket.send(message, from.port, from.address))
      await new Promise<void>((resolve) => socket.bind(port, address, resolve))
      this.#others.push(socket)
    }
  }

  /** Adds a machine behind the other one, over a link with this mtu, and returns its address. It sends datagrams back on a port. */
  async behind(mtu: number, port: number): Promise<string> {
    const [router, address] = ['9.2.0.1', '9.2.0.10']
    const machine = await this.servers.unshare(['net'], { loopback: true })
    this.#others.push(machine)
    const peer = { name: 'eth0', mtu, set: machine, up: true, addresses: [`${address}/24`] }
    await this.servers.network.links.add({
      kind: 'veth',
      name: 'narrow0',
      mtu,
      up: true,
      addresses: [`${router}/24`],
      peer,
    })
    await this.servers.network.sysctls.set('net.ipv4.ip_forward', 1)
    await machine.network.routes.add({ destination: '0.0.0.0/0', via: router })
    await this.host.network.routes.add({ destination: '9.2.0.0/24', via: WEB })
    const socket = machine.network.createSocket('udp4')
    socket.on('message', (message, from) => socket.send(message, from.port, from.address))
    await new Promise<void>((resolve) => socket.bind(port, address, resolve))
    this.#others.unshift(socket)
    return address
  }

  /**
   * Makes the other machine the router of the host, and returns addresses behind it, one of each family: of machines that it says are
   * unreachable, and of machines that do not answer.
   */
  async nowhere(): Promise<{ unreachable: readonly string[]; silent: readonly string[] }> {
    const [unreachable, silent] = [['9.3.0.1', '2a00:3::1'] as const, ['9.4.0.1', '2a00:4::1'] as const]
    await this.host.network.routes.add({ destination: '0.0.0.0/0', via: WEB })
    await this.host.network.routes.add({ destination: '::/0', via: WEB_V6 })
    const { network } = this.servers
    // A route of type `unreachable` would answer one of several packets.
    for (const destination of [...unreachable, ...silent])
      await network.routes.add({ destination, type: 'local', dev: 'lo' })
    const verdict = ([four, six]: readonly [string, string], statement: FirewallStatement) => [
      [{ 'ip daddr': four }, statement],
      [{ 'ip6 daddr': six }, statement],
    ]
    const rules = [...verdict(unreachable, { reject: 'icmpx host-unreachable' }), ...verdict(silent, 'drop')]
    await network.firewall.replace('nowhere', { chains: { input: { hook: 'input', rules } } })
    await network.sysctls.set('net.ipv4.icmp_ratelimit', 0)
    await network.sysctls.set('net.ipv6.icmp.ratelimit', 0)
    return { unreachable, silent }
  }

  /** Answers questions about names at another address, too. */
  async answer(address: string): Promise<void> {
    const names = new Names53(NAMES)
    await names.listen(this.servers, address)
    this.#others.push({ close: () => names[Symbol.dispose]() })
  }

  /** Sends a datagram from the other machine to a port of the host. */
  async send(port: number): Promise<void> {
    const socket = this.servers.network.createSocket('udp4')
    await new Promise<void>((resolve, reject) => {
      socket.send('a mark', port, OWN, (error) => (error === null ? resolve() : reject(error)))
    })
    socket.close()
  }

  /** Starts a program on the host that has a set with an uplink. */
  async uplink(options: HostOptions): Promise<Host> {
    const child = this.host.fork(PROGRAM, {
      execArgv: ['--import', TSX],
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#children.push(child)
    await once(child, 'message')
    const host = hostOf(child)
    await host.start({ dns: { servers: [RESOLVER] }, ...options })
    return host
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    for (const server of [...this.#listening, ...this.#others]) server.close()
    this.#names[Symbol.dispose]()
    this.host.close()
    this.servers.close()
  }
}

function hostOf(child: NamespaceChildProcess): Host {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  let last = 0
  child.on('message', ({ id, value, error }: { id: number; value: unknown; error?: object }) => {
    const { resolve, reject } = waiting.get(id) ?? {}
    waiting.delete(id)
    if (error === undefined) resolve?.(value)
    else reject?.(Object.assign(new Error(), error))
  })
  const ask = (call: string, args: unknown[]) =>
    new Promise((resolve, reject) => {
      last += 1
      waiting.set(last, { resolve, reject })
      child.send({ id: last, call, args })
    })
  return new Proxy({} as Host, {
    // A promise that resolves with this must not take it for another one.
    get: (_, call: string) => (call === 'then' ? undefined : (...args: unknown[]) => ask(call, args)),
  })
}
