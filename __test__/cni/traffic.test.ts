/** Real packets of containers that examples/cni-plugin.ts connected, and the plugin as cnitool runs it. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import type { NamespaceSet } from 'nsset'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CniHost, type Container, cniHost, OUTSIDE } from '../setup/cni/cni-host.ts'
import { nft } from '../setup/oracles/firewall/nft.ts'
import { ipLink, namesOf } from '../setup/oracles/iproute.ts'
import { LONG } from '../setup/pages/example.ts'
import { failureOf } from '../setup/sets/failure.ts'

const CNITOOL = 'github.com/containernetworking/cni/cnitool@v1.3.0'

let host: CniHost
beforeAll(async () => {
  host = await cniHost()
}, LONG)
afterAll(() => host[Symbol.asyncDispose]())

/** A server that says who the client is. */
const listen = (set: NamespaceSet, address: string, port: number): Promise<Server & AsyncDisposable> =>
  set.network.listen(
    createServer((socket) => socket.end(`${socket.remoteAddress}`)),
    { host: address, port },
  )

async function ask(set: NamespaceSet, address: string, port: number): Promise<string> {
  const socket = set.network.connect({ host: address, port, timeout: 10_000 })
  socket.once('timeout', () => socket.destroy(new Error(`no answer from ${address}:${port}`)))
  await once(socket, 'connect')
  return text(socket)
}

const portMappings = (hostIP?: string) => ({
  runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', ...(hostIP && { hostIP }) }] },
})

async function added(id: string, changes: object = {}): Promise<{ container: Container; address: string }> {
  const container = await host.container(id)
  const { value, code } = await host.run('ADD', container, changes)
  expect({ value, code }).toMatchObject({ code: 0 })
  return { container, address: String(value.ips?.[0]?.address).replace(/\/.*/, '') }
}

test(
  'containers reach each other as themselves, and leave with the address of the host',
  async () => {
    const [left, right] = [await added('left'), await added('right')]
    await using _inside = await listen(right.container.set, right.address, 80)
    await using _outside = await listen(host.world, OUTSIDE.world, 80)
    expect(await ask(left.container.set, right.address, 80)).toBe(left.address)
    expect(await ask(left.container.set, OUTSIDE.world, 80)).toBe(OUTSIDE.host)
    for (const { container } of [left, right]) expect((await host.run('DEL', container)).code).toBe(0)
    // Nothing leaves any more: the link is gone.
    expect(await namesOf(left.container.set)).toEqual([])
  },
  LONG,
)

test(
  'a published port: from outside, from the host, from containers, and no longer after DEL',
  async () => {
    const [server, client] = [await added('server', portMappings()), await added('client')]
    await using _server = await listen(server.container.set, server.address, 80)
    expect(await ask(host.world, OUTSIDE.host, 8080)).toBe(OUTSIDE.world)
    expect(await ask(host.set, OUTSIDE.host, 8080)).toBe(OUTSIDE.host)
    // The server sees the gateway, which sends its answers back.
    expect(await ask(client.container.set, OUTSIDE.host, 8080)).toBe('10.88.0.1')
    expect(await ask(server.container.set, OUTSIDE.host, 8080)).toBe('10.88.0.1')
    expect((await host.run('DEL', server.container, portMappings())).code).toBe(0)
    const refused = await failureOf(() => ask(host.world, OUTSIDE.host, 8080))
    expect(refused.code).toBe('ECONNREFUSED')
    await host.run('DEL', client.container)
  },
  LONG,
)

test.each(['DEL', 'GC'])(
  'a published port of UDP: after %s, a client that has sent before is refused',
  async (command) => {
    const ports = { runtimeConfig: { portMappings: [{ hostPort: 9000, containerPort: 9, protocol: 'udp' }] } }
    const { container, address } = await added('udp', ports)
    const server = container.set.network.createSocket('udp4').bind(9, address)
    const client = host.world.network.createSocket('udp4')
    const signal = AbortSignal.timeout(20_000)
    try {
      await once(server, 'listening')
      client.connect(9000, OUTSIDE.host)
      await once(client, 'connect')
      const message = once(server, 'message', { signal })
      client.send('first')
      expect(`${(await message)[0]}`).toBe('first')
      const given = command === 'DEL' ? ports : { 'cni.dev/valid-attachments': [] }
      expect((await host.run(command, command === 'DEL' ? container : {}, given)).code).toBe(0)
      const error = once(client, 'error', { signal })
      client.send('second')
      expect((await error)[0].code).toBe('ECONNREFUSED')
    } finally {
      server.close()
      client.close()
    }
  },
  LONG,
)

test(
  'a port that is published on one address of the host',
  async () => {
    await host.set.network.addresses.add('eth0', '192.0.2.9/24')
    const { container, address } = await added('one-address', portMappings('192.0.2.9'))
    await using _server = await listen(container.set, address, 80)
    expect(await ask(host.world, '192.0.2.9', 8080)).toBe(OUTSIDE.world)
    expect((await failureOf(() => ask(host.world, OUTSIDE.host, 8080))).code).toBe('ECONNREFUSED')
    await host.run('DEL', container)
  },
  LONG,
)

test(
  'cnitool: add, check, the traffic, a change, del, gc and status',
  async (context) => {
    if (spawnSync('cnitool').error !== undefined) context.skip(`needs cnitool: go install ${CNITOOL}`)
    const configurations = host.directory.file('net.d')
    mkdirSync(configurations)
    const { cniVersion, name, ...plugin } = host.configuration
    const plugins = [{ ...plugin, capabilities: { portMappings: true } }]
    writeFileSync(`${configurations}/10-lab.conflist`, JSON.stringify({ cniVersion, name, plugins }))
    const container = await host.container('driven')
    const cni = async (command: string) => {
      const env = {
        ...{ PATH: process.env['PATH'], CNI_PATH: host.plugins, NETCONFPATH: configurations },
        CAP_ARGS: JSON.stringify(portMappings().runtimeConfig),
      }
      const { stdout, stderr, exitCode } = await host.set.execFile('cnitool', [command, 'lab', container.netns], {
        ...{ env, reject: false, timeout: 60_000 },
      })
      return { stdout, stderr, exitCode }
    }
    const succeeded = (stdout = '') => ({ stdout, stderr: '', exitCode: 0 })

    expect(await cni('status')).toEqual(succeeded())
    const { stdout, ...rest } = await cni('add')
    expect(rest).toEqual({ stderr: '', exitCode: 0 })
    const address = JSON.parse(stdout).ips[0].address.replace(/\/.*/, '')
    expect(await cni('check')).toEqual(succeeded())
    await using _server = await listen(container.set, address, 80)
    expect(await ask(host.world, OUTSIDE.host, 8080)).toBe(OUTSIDE.world)

    await container.set.network.links.set('eth0', { up: false })
    const changed = await cni('check')
    expect(changed.exitCode).toBe(1)
    expect(changed.stdout + changed.stderr).toContain('has changed since ADD; eth0 is down')
    expect(await cni('del')).toEqual(succeeded())
    expect(await cni('del')).toEqual(succeeded())
    expect(await cni('add')).toMatchObject({ exitCode: 0 })
    expect((await ipLink(container.set, 'eth0')).operstate).toBe('UP')
    // Without attachments that are valid, cnitool deletes all that it knows.
    expect(await cni('gc')).toEqual(succeeded())
    expect(readdirSync(host.directory.file('pool/lab'))).toEqual([])
    expect(await nft(host.set, 'list', 'tables')).not.toContain('cni-lab-')
  },
  LONG,
)
