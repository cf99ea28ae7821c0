/** Facts about the kernel and Node.js that the pages state without a snippet. Each test names its page. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { type NamespaceKind, NamespaceSet } from 'nsset'
import { describe, expect, test } from 'vitest'
import { isMadeBy } from '../setup/oracles/iproute.ts'
import { askPlainNode } from '../setup/programs/plain-node.ts'
import { missingProgram } from '../setup/programs/watched-program.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { failureOf } from '../setup/sets/failure.ts'
import { asRoot } from '../setup/sets/privilege.ts'

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`)

/** A value of /proc/sys outside, as read by sysctl(8). */
const hostSysctl = (name: string) => execFileSync('sysctl', ['-n', name], { encoding: 'utf8', timeout: 10_000 }).trim()

test('no guide and no example runs a program for what the network has methods for; pages for users of other tools compare with them', () => {
  const all = ['README.md', ...filesIn('docs'), ...filesIn('examples')]
  const guides = all.filter((file) => /\.(md|ts)$/.test(file) && !file.startsWith('docs/coming-from/'))
  expect(guides.length).toBeGreaterThan(40)
  const running =
    /(?:execFile|execFileSync|spawn|spawnSync|script)\('(?:(?:ip|tc|nft|bridge|ss)\b|tcpdump(?!', \[[^\]]*'-r')).*/g
  expect(guides.flatMap((file) => readFileSync(file, 'utf8').match(running) ?? [])).toEqual([])
})

describe('networks.md', () => {
  test('a moved link keeps its index if that is free, so that a Link from before the move can refer to another one', async () => {
    await using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    await using left = await base.unshare('net')
    await using right = await base.unshare('net')
    const kept = await left.network.links.add({ kind: 'veth', name: 'v0', index: 77, peer: { name: 'v1' } })
    await left.network.links.move('v0', right)
    expect(await right.network.links.get('v0')).toMatchObject({ index: 77, up: false })
    await left.network.links.add({ kind: 'bridge', name: 'other', index: 77 })
    expect((await left.network.links.get(kept)).name).toBe('other')
  })

  test('a moved device deletes its vxlan, brings a vlan down, and leaves a macvlan up', async (context) => {
    await using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    await using left = await base.unshare('net')
    await using right = await base.unshare('net', { loopback: true })
    const { links } = left.network
    const isThere = (kind: string) => isMadeBy(left, 'ip', `link add link lower type ${kind}`)
    await links.add({ kind: 'veth', name: 'lower', up: true, peer: { name: 'end', up: true } })
    if (!(await isThere('vxlan id 6 dstport 4790'))) return context.skip('this kernel has no vxlan')
    if (!(await isThere('macvlan'))) return context.skip('this kernel has no macvlan')
    const hasVlan = await isThere('vlan id 6')
    await links.add({ kind: 'vxlan', name: 'tunnel', id: 5, group: '239.1.1.1', dev: 'lower', up: true })
    await links.add({ kind: 'macvlan', name: 'mac', dev: 'lower', up: true })
    if (hasVlan) await links.add({ kind: 'vlan', name: 'tagged', id: 5, dev: 'lower', up: true })
    await links.move('lower', right)
    const after = new Map((await links.list()).map(({ name, up }) => [name, up]))
    expect([after.has('tunnel'), after.get('mac')]).toEqual([false, true])
    if (hasVlan) {
      const [tagged] = JSON.parse((await left.execFile('ip', ['-json', 'link', 'show', 'tagged'])).stdout)
      expect(tagged.operstate).not.toBe('UP')
    }
  })

  test('an id is reused by a later namespace, once the first one is gone', () => {
    const make = () => {
      using set = anyonesSet(['uts'])
      return set.id('uts')
    }
    const ids = new Set<string>()
    // Other processes create namespaces meanwhile; alone, it takes a few dozen.
    for (let count = 0; count < 5_000; count += 1) {
      const id = make()
      if (ids.has(id)) return
      ids.add(id)
    }
    expect.unreachable('no id was reused')
  })

  test('a new network has the IPv4 settings of the first network, and the kernel’s IPv6 defaults', async () => {
    using set = anyonesSet(['net'])
    const { sysctls } = set.network
    const inherited = ['net.ipv4.ip_forward', 'net.ipv4.conf.default.rp_filter', 'net.ipv4.tcp_congestion_control']
    const inherits = hostSysctl('net.core.devconf_inherit_init_net')
    for (const name of inherits === '2' ? inherited.slice(2) : inherited) {
      expect([name, await sysctls.get(name)]).toEqual([name, hostSysctl(name)])
    }
    if (inherits !== '1' && inherits !== '3') expect(await sysctls.get('net.ipv6.conf.default.forwarding')).toBe('0')
  })

  test.each([
    ['net.ipv4.tcp_mem', 'ENOENT', 'ENOENT'],
    ['net.core.netdev_max_backlog', 'ENOENT', 'ENOENT'],
    ['net.ipv4.tcp_allowed_congestion_control', 'read', 'EACCES'],
  ])('%s belongs to the first network: reading it gives %s, writing it %s', async (name, reading, writing) => {
    using set = anyonesSet(['net'])
    const { sysctls } = set.network
    const read = await sysctls.get(name).then(
      () => 'read',
      ({ code }) => code,
    )
    const written = await failureOf(() => sysctls.set(name, hostSysctl(name).split('\n')[0] as string))
    expect([read, (written as NodeJS.ErrnoException).code]).toEqual([reading, writing])
  })

  test('while an IPv6 address is tentative, bind fails and datagrams are sent', async () => {
    using set = anyonesSet(['net'], { loopback: true })
    const { network } = set
    await network.links.add({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v1', up: true } })
    await network.addresses.add('v0', 'fd00::1/64')
    const [failure] = await once(network.createSocket('udp6').bind(0, 'fd00::1'), 'error')
    expect(failure.code).toBe('EADDRNOTAVAIL')
    const sender = network.createSocket('udp6')
    const error = await new Promise((resolve) => sender.send('x', 9, 'fd00::2', resolve))
    sender.close()
    expect(error).toBeNull()
  })
})

describe('sockets.md', () => {
  /** Whether the network of a closed set is freed within two seconds, despite a connection to a silent peer. */
  async function endsAfter(end: (socket: Socket) => unknown): Promise<boolean> {
    await using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
    await using peer = await base.unshare('net')
    const closed = await base.unshare('net')
    const addresses = ['10.0.0.1/24']
    await closed.network.links.add({
      kind: 'veth',
      name: 'here',
      up: true,
      addresses,
      peer: { set: peer, name: 'there', up: true, addresses: ['10.0.0.2/24'] },
    })
    const server = await peer.network.listen(createServer(), { host: '10.0.0.2', port: 80 })
    const socket = closed.network.connect({ host: '10.0.0.2', port: 80 })
    const [accepted] = await once(server, 'connection')
    await peer.network.links.set('there', { up: false })
    await new Promise((resolve) => socket.write('never acknowledged', resolve))
    end(socket)
    closed.close()
    accepted.destroy()
    server.close()
    // The peer of a veth is deleted with the network of its other end.
    for (const until = Date.now() + 2_000; Date.now() < until; await setTimeout(20)) {
      if (!(await peer.network.links.list()).some(({ name }) => name === 'there')) return true
    }
    return false
  }

  test('a connection destroyed with unsent data keeps its network', async () => {
    expect(await endsAfter((socket) => socket.destroy())).toBe(false)
  })

  test('resetAndDestroy frees it immediately', async () => {
    expect(await endsAfter((socket) => socket.resetAndDestroy())).toBe(true)
  })
})

describe('threads.md', () => {
  asRoot(
    'with mnt, fs.watch and fs.promises.watch are inside, fs.watchFile is outside',
    'Workers in a set',
    async () => {
      await using set = await NamespaceSet.unshare('mnt', { mounts: [{ type: 'tmpfs', target: '/mnt' }] })
      await set.execFile('touch', ['/mnt/file'])
      const worker = set.worker(
        `
      const fs = require('node:fs')
      const { parentPort } = require('node:worker_threads')
      const seen = new Set()
      const end = new AbortController()
      const watcher = fs.watch('/mnt/file', () => seen.add('watch'))
      fs.watchFile('/mnt/file', { interval: 5 }, ({ ino }) => ino > 0 && seen.add('watchFile'))
      ;(async () => {
        for await (const _ of fs.promises.watch('/mnt/file', { signal: end.signal })) seen.add('promises.watch')
      })().catch(() => {})
      setTimeout(() => fs.appendFileSync('/mnt/file', 'x'), 100)
      setTimeout(() => {
        watcher.close()
        fs.unwatchFile('/mnt/file')
        end.abort()
        parentPort.postMessage([...seen].sort())
      }, 400)`,
        { eval: true },
      )
      const [seen] = await once(worker, 'message')
      expect(seen).toEqual(['promises.watch', 'watch'])
    },
  )

  asRoot('a Resolver sends its second query through the network of the first', 'do with net', async () => {
    const asked = await askPlainNode<string[]>(`
      import { Resolver } from 'node:dns'
      import { once } from 'node:events'
      import { setTimeout } from 'node:timers/promises'
      import { NamespaceSet } from 'nsset'
      const asked = []
      const [red, blue] = ['red', 'blue'].map((name) => {
        const set = NamespaceSet.unshareSync('net', { loopback: true })
        const server = set.network.createSocket('udp4').bind(53, '127.0.0.1')
        server.on('message', (query) => asked.push(name + ' ' + query.subarray(13, 13 + query[12])))
        return { set, server }
      })
      await Promise.all([red, blue].map(({ server }) => once(server, 'listening')))
      const ask = (resolver, { set }, name) => set.do(() => resolver.resolve4(name, () => {}))
      const resolverOf = () => {
        const resolver = new Resolver({ timeout: 5_000, tries: 1 })
        resolver.setServers(['127.0.0.1'])
        return resolver
      }
      const shared = resolverOf()
      ask(shared, red, 'first.test')
      ask(shared, blue, 'second.test')
      ask(resolverOf(), blue, 'third.test')
      while (asked.length < 3) await setTimeout(5)
      console.log(JSON.stringify(asked.sort()))
      process.exit()`)
    expect(asked).toEqual(['blue third', 'red first', 'red second'])
  })

  asRoot('a cluster worker started inside listens outside, unless it is exclusive', 'do with net', async () => {
    const found = await askPlainNode<object[]>(`
      import cluster from 'node:cluster'
      import { connect } from 'node:net'
      import { NamespaceSet } from 'nsset'
      const server = \`
        const server = require('node:net').createServer((socket) => socket.end())
        const exclusive = process.env.EXCLUSIVE === 'yes'
        server.listen({ port: 0, host: '127.0.0.1', exclusive }, () => process.send(server.address().port))\`
      cluster.setupPrimary({ exec: '/dev/null', execArgv: ['--eval', server] })
      const set = NamespaceSet.unshareSync('net', { loopback: true })
      const reaches = (socket) => new Promise((resolve) => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      })
      const found = []
      for (const EXCLUSIVE of ['no', 'yes']) {
        const worker = set.do(() => cluster.fork({ EXCLUSIVE }))
        const port = await new Promise((resolve) => worker.once('message', resolve))
        const options = { host: '127.0.0.1', port }
        found.push({ EXCLUSIVE, outside: await reaches(connect(options)), inside: await reaches(set.network.connect(options)) })
        worker.kill()
      }
      console.log(JSON.stringify(found))
      process.exit()`)
    expect(found).toEqual([
      { EXCLUSIVE: 'no', outside: true, inside: false },
      { EXCLUSIVE: 'yes', outside: false, inside: true },
    ])
  })
})

describe('privileges.md', () => {
  asRoot('after process.setuid, links can be listed, and nothing can be entered', 'setuid(2)', async () => {
    const outcomes = (use: string) =>
      askPlainNode<string[]>(`
        import { NamespaceSet } from 'nsset'
        const set = NamespaceSet.unshareSync('net')
        ${use}
        process.setgid(1234)
        process.setuid(1234)
        const codes = []
        const attempt = async (work) => {
          try {
            await work()
            codes.push('ok')
          } catch ({ code }) {
            codes.push(code)
          }
        }
        await attempt(() => set.network.links.list())
        await attempt(() => set.network.links.add({ kind: 'bridge', name: 'br0' }))
        await attempt(() => set.do(() => {}))
        await attempt(() => set.execFile('true'))
        await attempt(() => NamespaceSet.unshare('net'))
        await attempt(async () => (await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })).close())
        console.log(JSON.stringify(codes))`)
    const rest = ['EPERM', 'ERR_NSSET_NOT_ENTERABLE', 'EPERM', 'EPERM', 'ok']
    expect(await outcomes('')).toEqual(['EPERM', ...rest])
    expect(await outcomes('await set.network.links.list()')).toEqual(['ok', ...rest])
  })

  test('under the permission model, spawn and links are not checked, Workers are, and sockets from Node 25 on', async () => {
    const kinds: NamespaceKind[] = ['user', 'net']
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
    const found = await askPlainNode<Record<string, unknown>>(
      `
      import { once } from 'node:events'
      import { Worker } from 'node:worker_threads'
      import { NamespaceSet } from 'nsset'
      const set = await NamespaceSet.unshare(${JSON.stringify(kinds)}, { mapUser: 'root', loopback: true })
      const links = (await set.network.links.list()).length > 0
      const { exitCode } = await set.execFile('true')
      const [refused] = await once(set.network.connect({ host: '127.0.0.1', port: 9 }), 'error')
      let worker = 'started'
      try {
        // That is what set.worker creates.
        await new Worker('', { eval: true }).terminate()
      } catch ({ code }) {
        worker = code
      }
      console.log(JSON.stringify({ links, exitCode, connect: refused.code, worker }))`,
      { flags: [flag, '--allow-addons', '--allow-fs-read=*'] },
    )
    const sockets = process.allowedNodeEnvironmentFlags.has('--allow-net') ? 'ERR_ACCESS_DENIED' : 'ECONNREFUSED'
    expect(found).toEqual({ links: true, exitCode: 0, connect: sockets, worker: 'ERR_ACCESS_DENIED' })
  })
})

test('processes.md: hrtime follows the monotonic clock, uptimes the boot time, performance.now neither', async () => {
  const DAY = 86_400
  const program = `
    const { readFileSync } = require('node:fs')
    const startTime = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[19] / 100
    console.log(JSON.stringify([process.hrtime()[0], os.uptime(), startTime, performance.now() / 1000]))`
  await using set = await NamespaceSet.unshare(['user', 'time'], {
    mapUser: 'root',
    timeOffsets: { monotonic: DAY, boottime: 2 * DAY },
  })
  using here = NamespaceSet.current('uts')
  const clocksOf = async (of: NamespaceSet): Promise<number[]> =>
    JSON.parse((await of.execFile(process.execPath, ['--eval', program])).stdout)
  const outside = await clocksOf(here)
  const ahead = (await clocksOf(set)).map((seconds, index) => Math.round((seconds - (outside[index] ?? 0)) / DAY) + 0)
  expect(ahead).toEqual([1, 2, 2, 0])
})

test('processes.md: tcpdump drops its privileges, fails as root inside and works with mapUser: 1000', async (context) => {
  const missing = missingProgram('tcpdump', 'tcpdump')
  if (missing !== undefined) return context.skip(missing)
  async function capture(
    mapUser: 'root' | 1000,
    keepCapabilities: boolean,
  ): Promise<{ code: number | null; stderr: string }> {
    await using set = await NamespaceSet.unshare(['user', 'net'], { mapUser, loopback: true })
    const socket = set.network.createSocket('udp4')
    using _ = setInterval(() => socket.send('x', 9, '127.0.0.1'), 20)
    const args = ['-i', 'lo', '-c', '1', '-w', '/dev/null']
    const ended = await set.execFile('tcpdump', args, { keepCapabilities, reject: false, timeout: 20_000 })
    socket.close()
    return { code: ended.exitCode, stderr: ended.stderr }
  }
  expect(await capture('root', false)).toMatchObject({ code: 1, stderr: expect.stringMatching(/Couldn't change/) })
  expect(await capture(1000, true)).toMatchObject({ code: 0, stderr: expect.stringMatching(/packets? captured/) })
})
