import dgram from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net, { type LookupFunction } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { NamespaceSet, type Network } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { growthSince } from '../../setup/guards/growth.ts'
import { resources } from '../../setup/guards/resources.ts'
import { askPlainNode } from '../../setup/programs/plain-node.ts'
import { missingProgram, startInside, startOutside } from '../../setup/programs/watched-program.ts'
import { failureOf, untyped } from '../../setup/sets/failure.ts'
import { type JoinedSets, joinedSets, OWNERS } from '../../setup/sets/joined-sets.ts'
import { asRoot } from '../../setup/sets/privilege.ts'
import { temporaryDirectory } from '../../setup/sets/temporary-directory.ts'
import { callbackOf, found, type Options, RECORDS } from '../../setup/sockets/lookups.ts'
import { type NameServer, startNameServer } from '../../setup/sockets/name-server.ts'

const POLL = { timeout: 5_000 }

const fieldsOf = (error: unknown) => ({ ...(error as object), message: (error as Error).message })

const notFound = (hostname: string) => ({
  message: `getaddrinfo ENOTFOUND ${hostname}`,
  ...{ errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname },
})

/** The name exists, without an address of the family. */
const withoutAddress = (hostname: string) => ({ ...notFound(hostname), errno: -3007 })

const again = (hostname: string) => ({
  message: `getaddrinfo EAI_AGAIN ${hostname}`,
  ...{ errno: -3001, code: 'EAI_AGAIN', syscall: 'getaddrinfo', hostname },
})

const missing = missingProgram('dnsmasq', 'dnsmasq-base')
if (missing !== undefined) console.log(`skipped: ${missing}`)

describe.skipIf(missing !== undefined).each(OWNERS)('in a network of %s', (owner) => {
  let wire: JoinedSets
  let network: Network
  let server: NameServer
  beforeAll(async () => {
    wire = await joinedSets(owner)
    network = wire.here.network
    server = await startNameServer(wire.there, '10.9.0.2', RECORDS)
    network.setServers(['10.9.0.2'])
  })
  afterAll(async () => {
    await server.stop()
    wire[Symbol.dispose]()
  })

  describe('a name', () => {
    test('has addresses of both families, from the server inside', async () => {
      expect(await found(network, 'web.test')).toEqual(['fd09::7', '10.9.0.7'])
      const queries = expect.arrayContaining(['A web.test', 'AAAA web.test'])
      await expect.poll(() => server.questions(), POLL).toEqual(queries)
    })

    test('is returned in each form of dns.lookup', async () => {
      expect(await callbackOf(network.lookup, 'web.test')).toEqual([null, 'fd09::7', 6])
      expect(await callbackOf(network.lookup, 'web.test', {})).toEqual([null, 'fd09::7', 6])
      expect(await callbackOf(network.lookup, 'web.test', 4)).toEqual([null, '10.9.0.7', 4])
      expect(await callbackOf(network.lookup, 'web.test', 6)).toEqual([null, 'fd09::7', 6])
      expect(await callbackOf(network.lookup, 'web.test', { family: 6 })).toEqual([null, 'fd09::7', 6])
      const family = untyped<4>('IPv6')
      expect(await callbackOf(network.lookup, 'web.test', { family })).toEqual([null, 'fd09::7', 6])
      const both = [
        { address: 'fd09::7', family: 6 },
        { address: '10.9.0.7', family: 4 },
      ]
      expect(await callbackOf(network.lookup, 'web.test', { all: true })).toEqual([null, both])
      const [six] = both
      expect(await callbackOf(network.lookup, 'web.test', { all: true, family: 6 })).toEqual([null, [six]])
    })

    test('is returned in the requested order', async () => {
      const [four, six] = [
        ['10.9.0.7', 'fd09::7'],
        ['fd09::7', '10.9.0.7'],
      ]
      expect(await found(network, 'web.test', { order: 'ipv4first' })).toEqual(four)
      expect(await found(network, 'web.test', { order: 'ipv6first' })).toEqual(six)
      expect(await found(network, 'web.test', { verbatim: false })).toEqual(four)
      expect(await callbackOf(network.lookup, 'web.test', { order: 'ipv6first' })).toEqual([null, 'fd09::7', 6])
      const usual = dns.getDefaultResultOrder()
      try {
        dns.setDefaultResultOrder(untyped<'verbatim'>('ipv6first'))
        expect(await found(network, 'web.test')).toEqual(six)
      } finally {
        dns.setDefaultResultOrder(usual as 'verbatim')
      }
    })

    test('is returned by promises as by the promisified dns.lookup', async () => {
      const lookup = promisify(network.lookup) as unknown as typeof dns.lookup.__promisify__
      expect(await lookup('web.test')).toEqual({ address: 'fd09::7', family: 6 })
      expect(await lookup('web.test', 6)).toEqual({ address: 'fd09::7', family: 6 })
      expect(await lookup('four.test', { all: true })).toEqual([{ address: '10.9.0.4', family: 4 }])
      expect(fieldsOf(await failureOf(() => lookup('unknown.test')))).toMatchObject(notFound('unknown.test'))
      const nodes = promisify(dns.lookup)
      expect(await lookup('127.0.0.1')).toEqual(await nodes('127.0.0.1'))
      expect(await lookup('127.0.0.1', { all: true })).toEqual(await nodes('127.0.0.1', { all: true }))
    })

    test('with one family has none of the other', async () => {
      expect(await found(network, 'four.test')).toEqual(['10.9.0.4'])
      expect(await found(network, 'six.test')).toEqual(['fd09::6'])
      const error = await failureOf(() => found(network, 'four.test', { family: 6 }))
      expect(fieldsOf(error)).toMatchObject(withoutAddress('four.test'))
    })

    test('that is an alias has the addresses of its target', async () => {
      expect(await found(network, 'alias.test')).toEqual(['fd09::7', '10.9.0.7'])
    })

    test('with several addresses returns all', async () => {
      expect((await found(network, 'twice.test')).toSorted()).toEqual(['10.9.0.8', '10.9.0.9'])
    })

    test('in another script is queried in ASCII', async () => {
      expect(await found(network, 'bücher.test')).toEqual(['10.9.0.10'])
      await expect.poll(() => server.questions(), POLL).toContain('A xn--bcher-kva.test')
    })

    test('that is unknown or invalid is not found', async () => {
      for (const name of ['unknown.test', 'a b', `${'a'.repeat(64)}.test`, '.', 'unknown.test.']) {
        expect(fieldsOf(await failureOf(() => found(network, name))), name).toMatchObject(notFound(name))
      }
    })

    test('that is an address is returned without a query', async () => {
      const before = server.questions().length
      for (const [name, options] of [
        ['10.1.2.3', {}],
        ['::1', { family: 4 }],
        ['fe80::1%inner0', { all: true }],
        ['127.0.0.1', { family: 6, all: true }],
      ] as [string, Options][]) {
        expect(await callbackOf(network.lookup, name, options)).toEqual(
          await callbackOf(dns.lookup as LookupFunction, name, options),
        )
      }
      expect(server.questions()).toHaveLength(before)
    })

    test('in a hundred simultaneous lookups is returned a hundred times', async () => {
      const all = await Promise.all(Array.from({ length: 100 }, () => found(network, 'web.test')))
      expect(new Set(all.map((addresses) => addresses.join()))).toEqual(new Set(['fd09::7,10.9.0.7']))
    })
  })

  describe('invalid arguments throw as those of dns.lookup', () => {
    const nothing = () => undefined
    const wrong: [string, unknown[]][] = [
      ['no callback', ['web.test']],
      ['options without a callback', ['web.test', {}]],
      ['an invalid callback', ['web.test', {}, 5]],
      ['an invalid name', [5, {}, nothing]],
      ['an invalid family', ['web.test', 7, nothing]],
      ['an invalid family in options', ['web.test', { family: 7 }, nothing]],
      ['a string for a family', ['web.test', { family: 'x' }, nothing]],
      ['invalid options', ['web.test', 'x', nothing]],
      ['a number for `all`', ['web.test', { all: 1 }, nothing]],
      ['a number for `verbatim`', ['web.test', { verbatim: 1 }, nothing]],
    ]
    test.each(wrong)('%s', async (_what, args) => {
      type Call = (...args: unknown[]) => unknown
      const nodes = await failureOf(() => (dns.lookup as Call)(...args))
      const ours = await failureOf(() => untyped<Call>(network.lookup)(...args))
      expect({ name: ours.name, code: ours.code }).toEqual({ name: nodes.name, code: nodes.code })
    })

    test('an empty name, and an invalid order', async () => {
      for (const [name, options] of [
        ['', {}],
        ['web.test', { order: 'x' }],
      ] as const) {
        const call = () => network.lookup(name, untyped(options), () => undefined)
        expect(await failureOf(call)).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
      }
    })
  })

  describe('servers', () => {
    test('are queried at the given port', async () => {
      await using other = await startNameServer(wire.there, '10.9.0.2', ['--host-record=other.test,10.9.0.99'], 5353)
      network.setServers(['10.9.0.2:5353'])
      try {
        expect(await found(network, 'other.test')).toEqual(['10.9.0.99'])
      } finally {
        network.setServers(['10.9.0.2'])
      }
      await expect.poll(() => other.questions(), POLL).toContain('A other.test')
    })

    test('are queried over IPv6, in each form', async () => {
      await using six = await startNameServer(wire.there, 'fd09::2', ['--host-record=by6.test,10.9.0.66'], 53)
      for (const form of ['fd09::2', '[fd09::2]', '[fd09::2]:53']) {
        network.setServers([form])
        expect(await found(network, 'by6.test'), form).toEqual(['10.9.0.66'])
      }
      network.setServers(['10.9.0.2'])
      await six.stop()
    })

    test('are queried inside, although one outside has the same address', async () => {
      const outside = dgram.createSocket('udp4').bind(0, '127.0.0.1')
      await once(outside, 'listening')
      const queries: string[] = []
      outside.on('message', (message) => queries.push(String(message)))
      const { port } = outside.address()
      await using inside = await startNameServer(wire.here, '127.0.0.1', ['--host-record=lo.test,10.9.0.55'], port)
      network.setServers([`127.0.0.1:${port}`])
      try {
        expect(await found(network, 'lo.test')).toEqual(['10.9.0.55'])
        await expect.poll(() => inside.questions(), POLL).toContain('A lo.test')
        expect(queries).toEqual([])
      } finally {
        network.setServers(['10.9.0.2'])
        outside.close()
      }
    })

    test('that cannot be reached: another one is queried later', async () => {
      network.setServers(['10.66.0.1'])
      try {
        const error = await failureOf(() => found(network, 'web.test'))
        expect(fieldsOf(error)).toMatchObject(again('web.test'))
        expect(error.cause).toMatchObject({ code: 'EHOSTUNREACH' })
      } finally {
        network.setServers(['10.9.0.2'])
      }
    })

    test('are queried after one without a listener', async () => {
      network.setServers(['10.9.0.2:9', '10.9.0.2:53'])
      try {
        expect(await found(network, 'web.test')).toEqual(['fd09::7', '10.9.0.7'])
      } finally {
        network.setServers(['10.9.0.2'])
      }
    })

    test('that are invalid throw', async () => {
      const wrong = [
        '',
        'x',
        'web.test:53',
        '10.0.0.1:99999',
        '10.0.0.1:',
        '[10.0.0.1]:53',
        '::1:53x',
        '10.0.0',
        '[::1',
      ]
      for (const server of wrong) {
        const error = await failureOf(() => network.setServers([server]))
        expect(error, server).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
        expect(error.message).toContain('servers[0]')
      }
      for (const servers of ['10.0.0.1', undefined, null, [5]]) {
        const error = await failureOf(() => network.setServers(untyped(servers)))
        expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
      }
      expect(await found(network, 'web.test')).toEqual(['fd09::7', '10.9.0.7'])
    })
  })

  describe('as the `lookup` option of functions outside', () => {
    test('net.connect and http.get find a name that exists only inside', async () => {
      const web = http.createServer((_request, response) => response.end('outside'))
      web.listen(0, '127.0.0.1')
      await once(web, 'listening')
      const { port } = web.address() as net.AddressInfo
      await using _names = await startNameServer(wire.here, '127.0.0.1', ['--host-record=me.test,127.0.0.1'], 5300)
      network.setServers(['127.0.0.1:5300'])
      try {
        const socket = net.connect({ host: 'me.test', port, lookup: network.lookup })
        await once(socket, 'connect')
        expect(socket.remoteAddress).toBe('127.0.0.1')
        socket.destroy()
        const request = http.get({ host: 'me.test', port, lookup: network.lookup, agent: false })
        const [response] = (await once(request, 'response')) as [http.IncomingMessage]
        expect(String((await response.toArray())[0])).toBe('outside')
      } finally {
        network.setServers(['10.9.0.2'])
        web.close()
      }
    })
  })

  describe('a server that never responds', () => {
    /** The timeout of resolv.conf(5): five seconds, twice; the tests set it to one second, once. */
    const HANGING = 1_000

    async function silentNetwork(use: (network: Network, set: NamespaceSet) => Promise<void>): Promise<void> {
      using sets = await joinedSets(owner)
      const silent = sets.there.network.createSocket('udp4')
      silent.bind(5354)
      await once(silent, 'listening')
      sets.here.network.setServers(['10.9.0.2:5354'])
      try {
        await use(sets.here.network, sets.here)
      } finally {
        silent.close()
      }
    }

    test('does not block the event loop during a thousand lookups, which end with the set', async () => {
      await silentNetwork(async (network, set) => {
        const before = resources()
        const delays: number[] = []
        const lookups: Promise<unknown>[] = []
        // The best of several attempts: other programs delay a loop, too.
        for (let count = 0; count < 5 && !delays.some((delay) => delay < 12); count += 1) {
          const delay = monitorEventLoopDelay({ resolution: 1 })
          delay.enable()
          for (let each = 0; each < HANGING; each += 1) {
            lookups.push(callbackOf(network.lookup, `host-${count}-${each}.test`, { family: 4 }))
          }
          await wait(500)
          delay.disable()
          delays.push(delay.max / 1e6)
        }
        console.log(
          `1,000 lookups hang: the loop's largest delays are ${delays.map((ms) => ms.toFixed(1)).join(', ')} ms`,
        )
        expect(Math.min(...delays)).toBeLessThan(12)
        const closing = performance.now()
        set.close()
        const errors = await Promise.all(lookups)
        expect(performance.now() - closing).toBeLessThan(2_000)
        for (const [error] of errors as [Error][]) expect(error).toMatchObject({ code: 'ERR_NSSET_CLOSED' })
        expect(await growthSince(before)).toEqual({})
      })
    })
  })

  describe('a set with its own mounts uses the files there', () => {
    interface Place extends AsyncDisposable {
      network: Network
      set: NamespaceSet
      say(resolvConf: string, hosts?: string): void
    }

    /** With its own name server, and files in place of `/etc/resolv.conf` and `/etc/hosts`. */
    async function place(resolvConf: string, hosts = ''): Promise<Place> {
      const directory = temporaryDirectory()
      const say = (resolvConf: string, hosts = '') => {
        writeFileSync(directory.file('resolv.conf'), resolvConf)
        writeFileSync(directory.file('hosts'), hosts)
      }
      say(resolvConf, hosts)
      chmodSync(directory.path, 0o755)
      const set = setWithMounts()
      for (const file of ['resolv.conf', 'hosts']) {
        await set.execFile('mount', ['--bind', directory.file(file), `/etc/${file}`], { timeout: 10_000 })
      }
      const server = await startNameServer(set, '127.0.0.1', RECORDS)
      const end = async () => {
        await server.stop()
        set.close()
        directory[Symbol.dispose]()
      }
      return { network: set.network, set, say, [Symbol.asyncDispose]: end }
    }

    function setWithMounts(): NamespaceSet {
      const options = { loopback: true }
      if (owner === 'net') return NamespaceSet.unshareSync(['net', 'mnt'], options)
      return NamespaceSet.unshareSync(['user', 'net', 'mnt'], { ...options, mapUser: 'root' })
    }

    const HERE = 'nameserver 127.0.0.1\n'

    test('its server is queried', async () => {
      await using here = await place(HERE)
      expect(await found(here.network, 'web.test')).toEqual(['fd09::7', '10.9.0.7'])
    })

    test('a name is searched below the domains of the search list, unless it ends with a dot', async () => {
      await using here = await place(`${HERE}search nowhere.test lab.test test\n`)
      expect(await found(here.network, 'deep')).toEqual(['10.9.0.11'])
      expect(await found(here.network, 'deep.lab')).toEqual(['10.9.0.11'])
      expect(await found(here.network, 'web.test.')).toEqual(['fd09::7', '10.9.0.7'])
      const name = 'deep.lab.'
      expect(fieldsOf(await failureOf(() => found(here.network, name)))).toMatchObject(notFound(name))
    })

    test('a name in the hosts file needs no query', async () => {
      await using here = await place('nameserver 10.66.0.1\n', '10.1.1.1 db db.lab\nfd01::1 db\n# 10.1.1.2 no\n')
      expect(await found(here.network, 'db')).toEqual(['fd01::1', '10.1.1.1'])
      expect(await found(here.network, 'DB.lab')).toEqual(['10.1.1.1'])
      expect(await callbackOf(here.network.lookup, 'db', 6)).toEqual([null, 'fd01::1', 6])
    })

    test('configured servers take precedence, until they are reset', async () => {
      await using here = await place('nameserver 127.0.0.9\noptions timeout:1 attempts:1\n')
      here.network.setServers(['127.0.0.1'])
      expect(await found(here.network, 'four.test')).toEqual(['10.9.0.4'])
      here.network.setServers([])
      expect(fieldsOf(await failureOf(() => found(here.network, 'four.test')))).toMatchObject(again('four.test'))
    })

    test('a changed file is read again', async () => {
      await using here = await place(HERE, '10.1.1.1 db\n')
      expect(await found(here.network, 'db')).toEqual(['10.1.1.1'])
      here.say(HERE, '10.2.2.2 db\n')
      await expect.poll(() => found(here.network, 'db'), { timeout: 9_000, interval: 500 }).toEqual(['10.2.2.2'])
    })

    test('a long hosts file is read completely', async () => {
      const blocked = Array.from({ length: 100_000 }, (_, index) => `0.0.0.0 ${index}.ads.test\n`).join('')
      await using here = await place(HERE, `${blocked}10.1.1.1 db\n`)
      expect(await found(here.network, '99999.ads.test')).toEqual(['0.0.0.0'])
      expect(await found(here.network, 'db')).toEqual(['10.1.1.1'])
    })

    test('a silent server has the timeout of the file', async () => {
      await using here = await place('nameserver 127.0.0.5\noptions timeout:1 attempts:2\n')
      const silent = here.network.createSocket('udp4')
      silent.bind(53, '127.0.0.5')
      await once(silent, 'listening')
      try {
        const start = performance.now()
        const error = await failureOf(() => found(here.network, 'web.test', { family: 4 }))
        const seconds = (performance.now() - start) / 1_000
        expect(fieldsOf(error)).toMatchObject(again('web.test'))
        expect(error.cause).toMatchObject({ code: 'ETIMEOUT' })
        expect(seconds).toBeGreaterThan(1.9)
        expect(seconds).toBeLessThan(4)
      } finally {
        silent.close()
      }
    })

    test('bind and connect use its lookup', async () => {
      await using here = await place(HERE, '127.0.0.1 me\n127.0.0.1 me.lab\n')
      const server = await here.network.listen(
        net.createServer((socket) => socket.end()),
        { host: 'me', port: 0 },
      )
      const { port } = server.address() as net.AddressInfo
      const socket = here.network.connect({ host: 'me.lab', port })
      await once(socket, 'connect')
      expect(socket.remoteAddress).toBe('127.0.0.1')
      socket.destroy()
      server.close()
    })
  })

  test('a closed set rejects lookups', async () => {
    using sets = await joinedSets(owner)
    const { network } = sets.here
    sets.here.close()
    expect(await failureOf(() => found(network, 'web.test'))).toMatchObject({ code: 'ERR_NSSET_CLOSED' })
    expect(await found(network, '10.9.0.1')).toEqual(['10.9.0.1'])
  })
})

asRoot('without a search list, names are searched in the domain of the host', 'it sets a host name', async () => {
  const rename = ['unshare', '--uts', 'sh', '-c', 'hostname me.lab.test && exec "$@"', 'sh']
  using directory = temporaryDirectory()
  writeFileSync(directory.file('resolv.conf'), 'nameserver 127.0.0.1\n')
  const queries = await askPlainNode<string[]>(
    `
    import { once } from 'node:events'
    import { writeFileSync } from 'node:fs'
    import { NamespaceSet } from 'nsset'
    const queries = []
    async function ask(options) {
      const mounts = [{ type: 'bind', source: process.env.RESOLV_CONF, target: '/etc/resolv.conf' }]
      const set = await NamespaceSet.unshare(options.hostname ? ['net', 'mnt', 'uts'] : ['net', 'mnt'], { loopback: true, mounts, ...options })
      const server = set.network.createSocket('udp4')
      server.bind(53, '127.0.0.1')
      await once(server, 'listening')
      server.on('message', (message, from) => {
        queries.push(message.toString('latin1', 13, message.length - 5))
        message[2] |= 0x80
        message[3] |= 0x83 // There is no such name.
        server.send(message, from.port, from.address)
      })
      await new Promise((resolve) => set.network.lookup('web', 4, resolve))
      server.close()
      set.close()
    }
    await ask({})
    await ask({ hostname: 'own.elsewhere.test' })
    console.log(JSON.stringify(queries))
  `,
    { prefix: rename, env: { RESOLV_CONF: directory.file('resolv.conf') } },
  )
  // A set with its own host name ignores the caller's.
  expect(queries).toEqual(['web\x03lab\x04test', 'web', 'web'])
})

asRoot('no query for a name leaves through the host', 'tcpdump(8) captures on all links', async (context) => {
  if (missing !== undefined) return context.skip(missing)
  const tcpdump = missingProgram('tcpdump', 'tcpdump')
  if (tcpdump !== undefined) return context.skip(tcpdump)
  using wire = await joinedSets('net')
  await using server = await startNameServer(wire.there, '10.9.0.2', ['--host-record=seen-inside.test,10.9.0.7'])
  const listen = ['-i', 'any', '-n', '-l', '-v', 'udp port 53 or tcp port 53']
  await using outside = startOutside('tcpdump', listen)
  await using inside = startInside(wire.there, 'tcpdump', listen)
  await Promise.all([outside.prints('listening on'), inside.prints('listening on')])
  wire.here.network.setServers(['10.9.0.2'])
  expect(await found(wire.here.network, 'seen-inside.test')).toEqual(['10.9.0.7'])
  // The capture on the host works: a packet that is sent there is seen.
  const resolver = new dns.promises.Resolver({ timeout: 200, tries: 1 })
  resolver.setServers(['127.0.0.1'])
  await resolver.resolve4('seen-outside.test').catch(() => undefined)
  await outside.prints('seen-outside.test')
  await inside.prints('seen-inside.test')
  expect(outside.output).not.toContain('seen-inside')
  expect(inside.output).not.toContain('seen-outside')
  await expect.poll(() => server.questions(), POLL).toContain('A seen-inside.test')
})
