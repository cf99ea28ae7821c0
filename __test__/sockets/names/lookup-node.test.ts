/** `network.lookup` compared with Node's `dns.lookup` inside: the same arguments, files and servers. */
import dns from 'node:dns'
import { domainToASCII } from 'node:url'
import type { NamespaceSet } from 'nsset'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LookupPlace, lookupPlace } from '../../setup/sockets/lookup-place.ts'
import { a, aaaa, type Script } from '../../setup/sockets/scripted-server.ts'

type Arguments = [name: string, options?: unknown]

/** Runs in either: the outcome of each call. An error is reduced to what a program sees of it. */
async function lookUp(lookup: (...args: unknown[]) => void, calls: Arguments[]): Promise<unknown[]> {
  const one = (args: Arguments) =>
    new Promise((resolve) => {
      const fields = ({
        name,
        message,
        code,
        errno,
        syscall,
        hostname,
      }: NodeJS.ErrnoException & { hostname?: string }) =>
        code?.startsWith('ERR_') ? { name, code } : { message, code, errno, syscall, hostname }
      try {
        lookup(...args, (error: Error | null, ...rest: unknown[]) => resolve(error === null ? rest : fields(error)))
      } catch (error) {
        resolve(fields(error as Error))
      }
    })
  const outcomes: unknown[] = []
  for (const call of calls) outcomes.push(await one(call))
  return outcomes
}

async function byNode(set: NamespaceSet, calls: Arguments[]): Promise<unknown[]> {
  const script = `${lookUp}; lookUp(require('dns').lookup, ${JSON.stringify(calls)}).then((all) => console.log(JSON.stringify(all)))`
  const { stdout } = await set.execFile(process.execPath, ['-e', script], { timeout: 30_000 })
  return JSON.parse(stdout) as unknown[]
}

async function byNetwork({ network }: NamespaceSet, calls: Arguments[]): Promise<unknown[]> {
  const all = await lookUp(network.lookup as (...args: unknown[]) => void, calls)
  return JSON.parse(JSON.stringify(all)) as unknown[]
}

const KNOWN = new Set([
  'both.test',
  'four.test',
  'six.test',
  'xn--bcher-kva.test',
  'xn--tda.test',
  'good.test',
  '127.1.test',
])

const script: Script = ({ name, type }) => {
  if (!KNOWN.has(name.toLowerCase())) return { code: name === 'failing.test' ? 2 : 3 }
  if (name === 'four.test' && type === 'AAAA') return {}
  if (name === 'six.test' && type === 'A') return {}
  return {
    records: type === 'A' ? [a(name, '10.1.0.1'), a(name, '10.1.0.2')] : [aaaa(name, 'fd01::1'), aaaa(name, 'fd01::2')],
  }
}

const HOSTS = '127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.0.0.1 host\n'
const CONFIGURATION = 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n'

let place: LookupPlace
beforeAll(async () => {
  place = await lookupPlace({ resolvConf: CONFIGURATION, hosts: HOSTS, servers: { '127.0.0.1': script } })
})
afterAll(() => place[Symbol.asyncDispose]())

async function expectTheSame(calls: Arguments[]): Promise<void> {
  const [theirs, ours] = [await byNode(place.set, calls), await byNetwork(place.set, calls)]
  const beside = (all: unknown[]) => calls.map((call, at) => [call, all[at]])
  expect(beside(ours)).toEqual(beside(theirs))
}

const each = (names: string[], options: unknown[]): Arguments[] =>
  names.flatMap((name) => options.map((option): Arguments => (option === undefined ? [name] : [name, option])))

const { ADDRCONFIG, V4MAPPED, ALL } = dns

describe('returns the same as dns.lookup', () => {
  test('in each form, family and order', async () => {
    const orders = ['verbatim', 'ipv4first', 'ipv6first'].map((order) => ({ order, all: true }))
    const options = [
      ...[
        undefined,
        {},
        0,
        4,
        6,
        { all: true },
        { family: 4 },
        { family: 6 },
        { family: 'IPv4' },
        { family: 'IPv6', all: true },
      ],
      ...orders,
      ...[
        { verbatim: true, all: true },
        { verbatim: false, all: true },
        { verbatim: true, order: 'ipv4first', all: true },
      ],
      ...[{ family: null }, { all: null }, { verbatim: null }, { hints: null }, null],
    ]
    await expectTheSame(
      each(
        ['both.test', 'four.test', 'six.test', 'localhost', 'ip6-localhost', 'host', 'none.test', 'failing.test'],
        options,
      ),
    )
  })

  test('with each hint', async () => {
    const hints = [0, ADDRCONFIG, V4MAPPED, ALL, V4MAPPED | ALL, ADDRCONFIG | V4MAPPED | ALL]
    const options = hints.flatMap((hint) => [0, 4, 6].map((family) => ({ hints: hint, family, all: true })))
    await expectTheSame(each(['both.test', 'four.test', 'six.test', 'host', 'localhost'], options))
    await expectTheSame(
      each(['both.test'], [{ hints: 1 }, { hints: 'x' }, { hints: 64 }, { hints: -1 }, { hints: 8.5 }]),
    )
  })

  test('for addresses, in every form', async () => {
    const names = [
      '127.0.0.1',
      '::1',
      'fe80::1%lo',
      'fe80::1%1',
      '::ffff:10.0.0.1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '010.0.0.1',
      '1.2.3',
      '0',
    ]
    await expectTheSame(each(names, [undefined, 4, 6, { all: true }, { family: 6, hints: V4MAPPED }]))
    await expectTheSame(each(['127.0.0.1%lo', '1.2.3.4.', '256.1', '08', '[::1]', '::1%', 'fe80::1%'], [undefined, 6]))
  })

  test('for invalid host names', async () => {
    const marks = [...'!"$&\'()*+,:;<=>@[]^`{|}~ /\\?#%\t\n\r\x7f']
    const names = marks.flatMap((mark) => [`good${mark}.test`, `${mark}good.test`, `good.test${mark}`])
    // getaddrinfo(3) drops a backslash, and finds another name.
    const same = names.filter((name) => name !== '\\good.test')
    await expectTheSame(each(same, [undefined]))
    await expectTheSame(
      each(
        [
          'good.test/.allowed.example',
          'user@good.test',
          'go%6fd.test',
          'good%2etest',
          'good\\.test',
          '.',
          '..',
          'good..test',
        ],
        [undefined],
      ),
    )
  })

  test('for names in other scripts', async () => {
    await expectTheSame(
      each(
        [
          'bücher.test',
          'BÜCHER.test',
          'ü.test',
          'xn--bcher-kva.test',
          'ｇｏｏｄ.test',
          'good。test',
          'bücher.test.',
          'good.te\u0300st',
          '😀.test',
        ],
        [undefined],
      ),
    )
  })
})

describe('queries a name as written, or none', () => {
  test('and does not take a name in another script for an address', async () => {
    const names = ['１２７.1', '１２７．０．０．１', '127。1', '２１３０７０６４３３', '0ｘ7f.1', '①', '１２７.1.']
    // The address that domainToASCII() would return, since it parses a URL.
    expect(names.map((name) => domainToASCII(name)).filter((ascii) => ascii === '127.0.0.1').length).toBeGreaterThan(3)
    const outcomes = await byNetwork(place.set, each(names, [undefined]))
    expect(outcomes.map((outcome) => (outcome as NodeJS.ErrnoException).code)).toEqual(names.map(() => 'ENOTFOUND'))
  })

  test('and queries no server for an invalid name', async () => {
    place.forget()
    const names = [
      '\\good.test',
      'go%6fd.test',
      'good.test/x',
      'good.test?x',
      'good.test#x',
      'x@good.test',
      'good.test:80',
      'good\\.test',
      'good .test',
      'go\tod.test',
      'bü%63her.test',
      'bücher.test/x',
      'bücher\n.test',
      'good／.test',
      'good％.test',
      'good＠.test',
      'x'.repeat(64),
    ]
    const outcomes = await byNetwork(place.set, each(names, [undefined]))
    expect(outcomes.map((outcome) => (outcome as NodeJS.ErrnoException).code)).toEqual(names.map(() => 'ENOTFOUND'))
    expect(place.queries('127.0.0.1')).toEqual([])
  })

  test('and rejects NUL immediately', async () => {
    const [outcome] = await byNetwork(place.set, [['good.test\0.allowed.example']])
    expect(outcome).toEqual({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
  })

  test('and keeps its dots and case', async () => {
    place.forget()
    await byNetwork(place.set, each(['GOOD.test.', 'good.test', '127.1.test', '1.2.3.4.'], [4]))
    expect(place.queries('127.0.0.1')).toEqual(['A GOOD.test', 'A good.test', 'A 127.1.test', 'A 1.2.3.4'])
  })
})
