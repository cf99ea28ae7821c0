/** `network.lookup` beside getaddrinfo(3) of glibc: the same files, the same servers, in the same network. */
import dns from 'node:dns'
import type { Network } from 'nsset'
import { afterAll, describe, expect, test } from 'vitest'
import { compileGetAddrInfo, type Question } from './setup/getaddrinfo.ts'
import { type LookupFiles, lookupPlace } from './setup/lookup-place.ts'
import { a, aaaa, alias, broken, type Said, type Script, text, wire } from './setup/scripted-server.ts'

interface Row extends LookupFiles, Question {
  /** What is to be seen. */
  what: string
  /** What both come to, where a reader may wonder. */
  comes?: string
  /** glibc asks otherwise: again where it has too little room, and for names that no host has. */
  asksAgain?: boolean
}

const glibc = compileGetAddrInfo()
if (glibc === undefined) console.log('skipped: getaddrinfo(3) of glibc and a C compiler are needed')
afterAll(() => glibc?.[Symbol.dispose]())

/** Addresses as the network tells them, or the code of its error. */
function found(network: Network, { name, family = 0, hints = 0 }: Question): Promise<string> {
  return new Promise((resolve) => {
    const options = { family, hints, all: true as const, verbatim: true }
    network.lookup(name, options, (error, addresses) => {
      if (error !== null) return resolve(error.code ?? String(error))
      resolve((addresses as dns.LookupAddress[]).map(({ address }) => address).join(' '))
    })
  })
}

const NXDOMAIN: Said = { code: 3 }
const SERVFAIL: Said = { code: 2 }
const NOTHING: Said = { records: [] }

/** Knows these names, at 10.1.2.3 and fd01::3, and that there are no others. */
const knows =
  (...names: string[]): Script =>
  ({ name, type }) => {
    if (!names.includes(name.toLowerCase())) return NXDOMAIN
    return { records: [type === 'A' ? a(name, '10.1.2.3') : aaaa(name, 'fd01::3')] }
  }

/** Says this to one name; of the others it knows `web.test` and what else is told. */
const says =
  (said: Said, to: string, ...known: string[]): Script =>
  (asked) =>
    asked.name === to ? said : knows(...known)(asked)

const always =
  (said: Said): Script =>
  () =>
    said

const many = (count: number) => Array.from({ length: count }, (_, last) => `10.0.${last >> 8}.${last & 0xff}`)

const QUICK = 'options timeout:1 attempts:1\n'
const ONE = 'nameserver 127.0.0.1\n'
const TWO = 'nameserver 127.0.0.1\nnameserver 127.0.0.2\n'

const web = knows('web.test')

const SEARCH: Row[] = [
  { what: 'a name without dots', name: 'web', resolvConf: `${ONE}search a.test test\n`, servers: { '127.0.0.1': web } },
  {
    what: 'a name with a dot',
    name: 'web.b',
    resolvConf: `${ONE}search a.test\n`,
    servers: { '127.0.0.1': knows('web.b.a.test') },
  },
  { what: 'a dot at the end', name: 'web.', resolvConf: `${ONE}search test\n`, servers: { '127.0.0.1': web } },
  { what: 'the case of a name', name: 'WeB', resolvConf: `${ONE}search Test\n`, servers: { '127.0.0.1': web } },
  ...[0, 1, 2, 3, 15, 16].map((ndots) => ({
    what: `ndots:${ndots}`,
    name: 'x.y.z',
    resolvConf: `${ONE}search a.test b.test\noptions ndots:${ndots}\n`,
    servers: { '127.0.0.1': knows('x.y.z.b.test') },
  })),
  {
    what: 'forty domains',
    name: 'web',
    resolvConf: `${ONE}search ${Array.from({ length: 40 }, (_, at) => `d${at}.test`).join(' ')}\n`,
    servers: { '127.0.0.1': knows('web.d39.test') },
    comes: 'fd01::3 10.1.2.3',
  },
  {
    what: 'the root on the list',
    name: 'web.test',
    resolvConf: `${ONE}search a.test . b.test\noptions ndots:5\n`,
    servers: { '127.0.0.1': knows('web.test.b.test') },
  },
  {
    what: 'a domain with a dot before it',
    name: 'web',
    resolvConf: `${ONE}search .test\n`,
    servers: { '127.0.0.1': web },
  },
  {
    what: 'a domain with a dot behind it',
    name: 'web',
    resolvConf: `${ONE}search test.\n`,
    servers: { '127.0.0.1': web },
  },
  {
    what: 'a domain that is none',
    name: 'web',
    resolvConf: `${ONE}search ${'x'.repeat(64)} test\n`,
    servers: { '127.0.0.1': knows('web.test', 'web') },
  },
  {
    what: 'a name that is too long below its domain',
    name: `${'x'.repeat(60)}.test`,
    resolvConf: `${ONE}search ${'y'.repeat(63)}.${'y'.repeat(63)}.${'y'.repeat(63)} test\noptions ndots:3\n`,
    servers: { '127.0.0.1': knows('x') },
  },
  {
    what: 'no-tld-query',
    name: 'web',
    resolvConf: `${ONE}search a.test\noptions no-tld-query\n`,
    servers: { '127.0.0.1': knows('web') },
  },
  {
    what: 'no-tld-query without a list',
    name: 'web',
    resolvConf: `${ONE}options no-tld-query\n`,
    servers: { '127.0.0.1': knows('web') },
  },
  {
    what: 'no-tld-query, and a dot',
    name: 'web.x',
    resolvConf: `${ONE}search a.test\noptions no-tld-query ndots:4\n`,
    servers: { '127.0.0.1': knows('web.x') },
  },
  {
    what: 'domain after search',
    name: 'web',
    resolvConf: `${ONE}search a.test test\ndomain b.test\n`,
    servers: { '127.0.0.1': knows('web.test', 'web.b.test') },
  },
  {
    what: 'search after domain',
    name: 'web',
    resolvConf: `${ONE}domain b.test\nsearch a.test test\n`,
    servers: { '127.0.0.1': web },
  },
  {
    what: 'an empty list after another',
    name: 'web',
    resolvConf: `${ONE}search test\nsearch \n`,
    servers: { '127.0.0.1': web },
  },
]

const ANSWERS: Said[] = [
  NXDOMAIN,
  NOTHING,
  SERVFAIL,
  { code: 5 },
  { code: 4 },
  { code: 1 },
  { code: 9 },
  undefined,
  { recursive: false },
]
const nameOf = (said: Said) =>
  said === undefined ? 'silence' : said.recursive === false ? 'a referral' : `code ${said.code ?? 0}`

/**
 * What goes on with the list, and with the name itself. Of both families: asked for one of them, glibc 2.36 says that there is no
 * such name where a server failed and the last name of the list is not there.
 */
const GOES_ON: Row[] = ANSWERS.flatMap((said) =>
  [1, 5].flatMap((ndots) => {
    const resolvConf = `${ONE}search a.test b.test\noptions ndots:${ndots} timeout:1 attempts:1\n`
    const [itself, first, second] = ['x.y', 'x.y.a.test', 'x.y.b.test']
    const row = (to: string, known: string) => ({
      what: `${nameOf(said)} to ${to}, ndots:${ndots}, where there is ${known}`,
      name: 'x.y',
      resolvConf,
      servers: { '127.0.0.1': says(said, to, known) },
    })
    return [row(itself, first), row(first, second), row(first, itself), row(itself, 'nothing'), row(first, 'nothing')]
  }),
)

/** What goes on with the next server. */
const NEXT_SERVER: Row[] = [
  ...ANSWERS.flatMap((said) =>
    ([0, 4, 6] as const).map((family) => ({
      what: `${nameOf(said)} of the first server, family ${family}`,
      name: 'web.test',
      family,
      resolvConf: `${TWO}${QUICK}`,
      servers: { '127.0.0.1': always(said), '127.0.0.2': web },
    })),
  ),
  ...ANSWERS.map((said) => ({
    what: `${nameOf(said)} of both servers, and again`,
    name: 'web',
    resolvConf: `${TWO}search a.test\noptions timeout:1 attempts:2\n`,
    servers: { '127.0.0.1': always(said), '127.0.0.2': always(said) },
  })),
  { what: 'no server', name: 'web', resolvConf: `${TWO}search a.test b.test\n`, comes: 'EAI_AGAIN' },
  { what: 'no server at first', name: 'web.test', resolvConf: TWO, servers: { '127.0.0.2': web } },
  {
    what: 'a server that cannot be reached',
    name: 'web.test',
    resolvConf: `nameserver 203.0.113.1\n${ONE}`,
    servers: { '127.0.0.1': web },
  },
  {
    what: 'three servers of four',
    name: 'web.test',
    resolvConf: `${TWO}nameserver 127.0.0.3\nnameserver 127.0.0.4\n${QUICK}`,
    servers: { '127.0.0.4': web },
    comes: 'EAI_AGAIN',
  },
  {
    what: 'servers of both families',
    name: 'web.test',
    resolvConf: `nameserver ::1\n${ONE}`,
    servers: { '::1': always(SERVFAIL), '127.0.0.1': web },
  },
  {
    what: 'servfail, then refused',
    name: 'web',
    resolvConf: `${TWO}search a.test b.test\n${QUICK}`,
    servers: { '127.0.0.1': always(SERVFAIL), '127.0.0.2': always({ code: 5 }) },
  },
  {
    what: 'refused, then servfail',
    name: 'web',
    resolvConf: `${TWO}search a.test b.test\n${QUICK}`,
    servers: { '127.0.0.1': always({ code: 5 }), '127.0.0.2': always(SERVFAIL) },
  },
  {
    what: 'servfail, then silence',
    name: 'web',
    resolvConf: `${TWO}search a.test b.test\n${QUICK}`,
    servers: { '127.0.0.1': always(SERVFAIL), '127.0.0.2': always(undefined) },
  },
]

const ofFamily =
  (four: Said, six: Said): Script =>
  ({ name, type }) => {
    const said = type === 'A' ? four : six
    return said?.records === undefined || said.records.length > 0
      ? said
      : { ...said, records: [type === 'A' ? a(name, '10.1.2.3') : aaaa(name, 'fd01::3')] }
  }

const FOUND: Said = { records: [] }

/** One family has what the other has not. */
const FAMILIES: Row[] = [
  NXDOMAIN,
  SERVFAIL,
  { code: 5 },
  { code: 4 },
  { code: 1 },
  undefined,
  { recursive: false },
].flatMap((said) => [
  {
    what: `IPv4, and ${nameOf(said)} to IPv6`,
    name: 'web.test',
    resolvConf: `${TWO}${QUICK}`,
    servers: { '127.0.0.1': ofFamily(FOUND, said), '127.0.0.2': web },
  },
  {
    what: `IPv6, and ${nameOf(said)} to IPv4`,
    name: 'web.test',
    resolvConf: `${TWO}${QUICK}`,
    servers: { '127.0.0.1': ofFamily(said, FOUND), '127.0.0.2': web },
  },
  {
    what: `${nameOf(said)} to IPv6, and NXDOMAIN`,
    name: 'web',
    resolvConf: `${ONE}search a.test b.test\n${QUICK}`,
    servers: { '127.0.0.1': ofFamily(NXDOMAIN, said) },
  },
])

const CONTENT: Row[] = [
  {
    what: 'an alias',
    name: 'x.test',
    servers: {
      '127.0.0.1': ({ type }) => ({
        records: [alias('x.test', 'y.test'), type === 'A' ? a('y.test', '10.0.0.1') : aaaa('y.test', 'fd00::1')],
      }),
    },
  },
  {
    what: 'aliases of aliases',
    name: 'x0.test',
    servers: {
      '127.0.0.1': ({ type }) => ({
        records: [
          ...Array.from({ length: 10 }, (_, at) => alias(`x${at}.test`, `x${at + 1}.test`)),
          ...(type === 'A' ? [a('x10.test', '10.0.0.1')] : []),
        ],
      }),
    },
  },
  {
    what: 'an alias without an address ends the search',
    name: 'x',
    resolvConf: `${ONE}search a.test b.test\n`,
    servers: {
      '127.0.0.1': ({ name }) =>
        name === 'x.a.test'
          ? { records: [alias('x.a.test', 'y.test')] }
          : knows('x.b.test')({ name, type: 'A', transport: 'udp', edns: 0, trustsAd: false }),
    },
    comes: 'ENOTFOUND',
  },
  {
    what: 'an alias of itself',
    name: 'x.test',
    servers: { '127.0.0.1': always({ records: [alias('x.test', 'x.test')] }) },
  },
  {
    what: 'an alias of no host',
    name: 'x.test',
    servers: { '127.0.0.1': always({ records: [alias('x.test', 'we!b.test'), a('we!b.test', '10.0.0.1')] }) },
  },
  {
    what: 'other records among them',
    name: 'x.test',
    family: 4,
    servers: {
      '127.0.0.1': always({
        records: [text('x.test'), a('x.test', '10.0.0.1'), text('x.test'), a('x.test', '10.0.0.2')],
      }),
    },
  },
  {
    what: 'an address twice',
    name: 'x.test',
    servers: {
      '127.0.0.1': ({ type }) => ({ records: type === 'A' ? [a('x.test', '10.0.0.1'), a('x.test', '10.0.0.1')] : [] }),
    },
  },
  {
    what: 'an address that is too short',
    name: 'x.test',
    servers: {
      '127.0.0.1': ({ type }) => ({
        records: type === 'A' ? [a('x.test', '10.0.0.1'), broken('x.test'), a('x.test', '10.0.0.2')] : [],
      }),
    },
  },
  {
    what: 'an answer that stops short',
    name: 'x.test',
    servers: {
      '127.0.0.1': ({ type }) => ({
        records: type === 'A' ? [a('x.test', '10.0.0.1'), a('x.test', '10.0.0.2')] : [],
        spoil: (whole) => (type === 'A' ? whole.subarray(0, -3) : whole),
      }),
    },
  },
  {
    what: 'more behind the answer',
    name: 'x.test',
    servers: {
      '127.0.0.1': ({ type }) => ({
        records: type === 'A' ? [a('x.test', '10.0.0.1')] : [],
        spoil: (whole) => Buffer.concat([whole, Buffer.from('more')]),
      }),
    },
  },
  {
    what: 'another id before',
    name: 'x.test',
    servers: {
      '127.0.0.1': ({ type }) => ({
        records: type === 'A' ? [a('x.test', '10.0.0.1')] : [],
        before: (id, question) => forged(id ^ 1, question),
      }),
    },
  },
  {
    what: 'another question before',
    name: 'x.test',
    servers: {
      '127.0.0.1': ({ type }) => ({
        records: type === 'A' ? [a('x.test', '10.0.0.1')] : [],
        before: (id) => forged(id, Buffer.concat([wire('z.test'), Buffer.from([0, 1, 0, 1])])),
      }),
    },
  },
  {
    what: 'the question in another case',
    name: 'x.test',
    servers: {
      '127.0.0.1': ({ type }) => ({
        records: type === 'A' ? [a('X.test', '10.0.0.1')] : [],
        question: Buffer.concat([wire('X.TEST'), Buffer.from([0, type === 'A' ? 1 : 28, 0, 1])]),
      }),
    },
  },
  {
    what: 'a message of five bytes',
    name: 'x.test',
    resolvConf: `${TWO}${QUICK}`,
    servers: { '127.0.0.1': always({ spoil: (whole) => whole.subarray(0, 5) }), '127.0.0.2': knows('x.test') },
  },
  {
    what: 'a header alone',
    name: 'x.test',
    resolvConf: `${TWO}${QUICK}`,
    servers: {
      '127.0.0.1': always({ code: 1, spoil: (whole) => Buffer.concat([whole.subarray(0, 4), Buffer.alloc(8)]) }),
      '127.0.0.2': knows('x.test'),
    },
  },
]

function forged(id: number, question: Buffer): Buffer {
  const head = Buffer.from([id >> 8, id & 0xff, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([head, question])
}

const sized =
  (count: number, overUdp: Said = undefined): Script =>
  ({ name, type, transport }) => {
    if (type === 'AAAA') return NOTHING
    if (transport === 'udp' && overUdp !== undefined) return overUdp
    return { records: many(count).map((address) => a(name, address)) }
  }

const SIZES: Row[] = [
  { what: 'more than 512 bytes', asksAgain: true, name: 'x.test', servers: { '127.0.0.1': sized(40) } },
  { what: 'ten thousand bytes', asksAgain: true, name: 'x.test', servers: { '127.0.0.1': sized(400) } },
  {
    what: 'a longer answer over TCP',
    asksAgain: true,
    name: 'x.test',
    servers: { '127.0.0.1': sized(400, { truncated: true }) },
  },
  {
    what: 'sixty thousand bytes over TCP',
    asksAgain: true,
    name: 'x.test',
    servers: { '127.0.0.1': sized(2_400, { truncated: true }) },
  },
  {
    what: 'a part, and the rest over TCP',
    name: 'x.test',
    family: 4,
    servers: { '127.0.0.1': sized(20, { truncated: true, records: [a('x.test', '10.9.9.9')] }) },
  },
  {
    what: 'longer, and no TCP',
    name: 'x.test',
    resolvConf: `${TWO}${QUICK}`,
    servers: {
      '127.0.0.1': ({ transport, type }) =>
        transport === 'udp' ? (type === 'A' ? { truncated: true } : NOTHING) : { hangUp: true },
      '127.0.0.2': knows('x.test'),
    },
  },
  {
    what: 'longer, and no TCP anywhere',
    name: 'x',
    resolvConf: `${ONE}search test\n${QUICK}`,
    servers: { '127.0.0.1': ({ transport }) => (transport === 'udp' ? { truncated: true } : { hangUp: true }) },
  },
  { what: 'use-vc', name: 'web.test', resolvConf: `${ONE}options use-vc\n`, servers: { '127.0.0.1': web } },
  {
    what: 'use-vc, and a server that fails',
    name: 'web',
    resolvConf: `${TWO}search test\noptions use-vc\n`,
    servers: { '127.0.0.1': always(SERVFAIL), '127.0.0.2': web },
  },
  {
    what: 'use-vc, and a server that refuses',
    name: 'web',
    resolvConf: `${TWO}search test\noptions use-vc\n`,
    servers: { '127.0.0.1': always({ code: 5 }), '127.0.0.2': web },
  },
  {
    what: 'use-vc, and a server that hangs up',
    name: 'web.test',
    resolvConf: `${TWO}options use-vc\n`,
    servers: { '127.0.0.1': always({ hangUp: true }), '127.0.0.2': web },
  },
  { what: 'use-vc, and no server', name: 'web', resolvConf: `${TWO}search a.test b.test\noptions use-vc\n` },
]

/** Records what the server was allowed, in the addresses that it tells. */
const tellsOptions: Script = ({ name, type, edns, trustsAd }) =>
  type === 'A' ? { records: [a(name, `10.${edns >> 8}.${edns & 0xff}.${trustsAd ? 1 : 0}`)] } : NOTHING

const OPTIONS: Row[] = [
  ...[
    '',
    'edns0',
    'trust-ad',
    'edns0 trust-ad',
    'edns',
    'edns0x',
    'inet6',
    'single-request',
    'single-request-reopen',
    'no-aaaa',
    'no-aaa',
    'debug',
    'rotate',
  ].map((options) => ({
    what: `options ${options}`,
    name: 'x.test',
    resolvConf: `${ONE}options ${options}\n`,
    servers: { '127.0.0.1': tellsOptions },
  })),
  ...([4, 6] as const).map((family) => ({
    what: `no-aaaa, family ${family}`,
    name: 'web',
    family,
    resolvConf: `${ONE}search test\noptions no-aaaa\n`,
    servers: { '127.0.0.1': web },
  })),
  ...[
    'attempts:0',
    'attempts:-1',
    'attempts:x',
    'attempts:3',
    'attempts:9',
    'timeout:0',
    'timeout:-1',
    'timeout:x',
    'ndots:-1',
    'ndots:x',
    'ndots:2x',
    'ndots:',
  ].map((options) => ({
    what: `options ${options}`,
    name: 'x.y',
    resolvConf: `${ONE}search a.test\noptions ${options}\n`,
    servers: { '127.0.0.1': says(SERVFAIL, 'x.y.a.test') },
  })),
  {
    what: 'single-request where a server is silent to IPv6',
    name: 'x.test',
    resolvConf: `${ONE}options single-request timeout:1 attempts:1\n`,
    servers: { '127.0.0.1': ofFamily(FOUND, undefined) },
  },
]

const LINES: Row[] = [
  ' nameserver 127.0.0.2',
  '\tnameserver 127.0.0.2',
  'nameserver\t127.0.0.2',
  'nameserver   127.0.0.2  ',
  'nameserver 127.0.0.2 127.0.0.1',
  'nameserver 127.0.0.2 # here',
  'nameserver 127.0.0.2#here',
  'nameserver 127.0.0.2;',
  'nameserver 127.0.0.2\r',
  'Nameserver 127.0.0.2',
  'nameserver127.0.0.2',
  'nameserver 127.2',
  'nameserver 0x7f000002',
  'nameserver 127.0.0.02',
  'nameserver 127.0.0.2\0x',
  '\0nameserver 127.0.0.2',
  '#nameserver 127.0.0.2',
  'nameserver localhost',
  'nameserver [127.0.0.2]',
  'nameserver 127.0.0.2:53',
  'nameserver 127.0.0.2/8',
  'nameserver 127.0.0.2%lo',
  'nameserver ::ffff:127.0.0.2',
  'domain a.test',
  ' domain a.test',
  'search\ta.test',
  'search a.test # b.test',
  'search a.test;b.test',
  'search a.test,b.test',
  'search a.test\r',
  'SEARCH a.test',
  'options ndots:2',
  ' options ndots:2',
  'options\tndots:2',
  'options  ndots:2 # ',
  'options ndots: 2',
  'options ndots:2,rotate',
  'option ndots:2',
  'options ndots:2\r',
  'sortlist 10.0.0.0',
  'family inet4',
  `# ${'x'.repeat(100_000)}`,
  `search ${'x'.repeat(100)}.test a.test`,
].flatMap((line) => [
  {
    what: `the line ${JSON.stringify(line.slice(0, 60))}`,
    name: 'x.y',
    resolvConf: `${line}\n${ONE}options timeout:1 attempts:1\n`,
    servers: { '127.0.0.1': knows('x.y.a.test'), '127.0.0.2': knows('x.y') },
  },
])

const MORE_LINES: Row[] = [
  {
    what: 'no newline at the end',
    name: 'web.test',
    resolvConf: 'nameserver 127.0.0.1',
    servers: { '127.0.0.1': web },
  },
  { what: 'an empty file', name: 'web.test', resolvConf: '', servers: { '127.0.0.1': web } },
  { what: 'a file without a server', name: 'web', resolvConf: 'search test\n', servers: { '127.0.0.1': web } },
  {
    what: 'carriage returns everywhere',
    name: 'web',
    resolvConf: 'search test\r\nnameserver 127.0.0.1\r\n',
    servers: { '127.0.0.1': web },
  },
  {
    what: 'bytes that are no UTF-8',
    name: 'web.test',
    resolvConf: Buffer.from('# \xff\xfe\nnameserver 127.0.0.1\n', 'latin1'),
    servers: { '127.0.0.1': web },
  },
]

/** A server at a link-local address. */
const ZONES: Row[] = [
  'fe80::5%lo',
  'fe80::5%1',
  'fe80::5%01',
  'fe80::5',
  'fe80::5%none',
  'fe80::5%99',
  '::1%1',
  '::1%x',
  'fd09::5%none',
].map((server) => ({
  what: `the server ${server}`,
  name: 'web.test',
  resolvConf: `nameserver ${server}\n${QUICK}`,
  addresses: ['fe80::5/64', 'fd09::5/64'],
  servers: { '::': web },
}))

const HOSTS = `# nothing
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
10.0.0.1 one One.lab # 10.0.0.9
10.0.0.2\tone two
fd00::1 one
  10.0.0.3 indented
10.0.0.4 crlf\r
10.0.0.5
10.0.0.300 wrong
010.0.0.6 octal
10.6 short
fe80::1%lo zoned
::ffff:10.0.0.7 mapped
10.0.0.8 we!rd under_score -dash
10.0.0.9 cut#more
10.0.0.10 twice twice
10.0.0.11 again
10.0.0.11 again
10.0.0.12 nul\0ed behind
10.0.0.13\vvertical\fform
10.0.0.14 web.test
10.0.0.15 dotted.
10.0.0.16 ${'long '.repeat(2_000)}
fd00::2 six
10.0.0.17 unterminated`

const HOST_NAMES = [
  'localhost',
  'LOCALHOST',
  'ip6-localhost',
  'one',
  'one.lab',
  'ONE',
  'two',
  'indented',
  'crlf',
  'wrong',
  'octal',
  'short',
  'zoned',
  'mapped',
  'we!rd',
  'under_score',
  '-dash',
  'cut',
  'more',
  'twice',
  'again',
  'nul',
  'ed',
  'behind',
  'vertical',
  'form',
  'web.test',
  'dotted.',
  'dotted',
  'one.',
  'long',
  'six',
  'unterminated',
  'nothing',
  '#',
]

const HOSTS_FILE: Row[] = HOST_NAMES.flatMap((name) =>
  ([0, 4, 6] as const).map((family) => ({
    what: `${name} of the hosts file, family ${family}`,
    name,
    family,
    hosts: HOSTS,
    servers: { '127.0.0.1': knows('web.test') },
  })),
)

const NUMBERS = [
  '127.1',
  '127.0.1',
  '0x7f.1',
  '0X7F000001',
  '2130706433',
  '010.0.0.1',
  '0',
  '00',
  '1.2.3',
  '1.2.65535',
  '1.2.65536',
  '256.1',
  '08',
  '0x',
  '1.',
  '.1',
  '1..2',
  '1.2.3.4.5',
  '4294967295',
  '4294967296',
  '1.16777215',
  '1.16777216',
  '+1',
  '-1',
  '1e3',
  '0b1',
  '0o17',
  '1.2.3.4.',
  '127.0.0.1%lo',
  '::1%',
  'fe80::1%',
  '[::1]',
  '::1/128',
  ':',
  '::g',
  '1:2',
].flatMap((name) =>
  ([0, 6] as const).map((family) => ({
    what: `${name}, family ${family}`,
    name,
    family,
    servers: { '127.0.0.1': knows() },
  })),
)

const NAMES: Row[] = [
  'a_b.test',
  'a-.test',
  'a.-b.test',
  '-a.test',
  'a..test',
  'a.test..',
  '*',
  'x*.test',
  'a!b.test',
  `${'x'.repeat(63)}.test`,
  `${'x'.repeat(64)}.test`,
  ['a'.repeat(63), 'b'.repeat(63), 'c'.repeat(63), 'd'.repeat(61)].join('.'),
].map((name) => ({
  what: `the name ${name}`,
  name,
  servers: { '127.0.0.1': ({ name, type }) => ({ records: type === 'A' ? [a(name, '10.1.2.3')] : [] }) },
  asksAgain: true,
}))

const { ADDRCONFIG, V4MAPPED, ALL } = dns
const only =
  (type: 'A' | 'AAAA'): Script =>
  (asked) =>
    asked.type === type ? knows('x.test')(asked) : NOTHING

const HINTS: Row[] = [0, V4MAPPED, ALL, V4MAPPED | ALL].flatMap((hints) =>
  ([0, 4, 6] as const).flatMap((family) => [
    {
      what: `hints ${hints}, family ${family}, both`,
      name: 'x.test',
      hints,
      family,
      servers: { '127.0.0.1': knows('x.test') },
    },
    {
      what: `hints ${hints}, family ${family}, IPv4 only`,
      name: 'x.test',
      hints,
      family,
      servers: { '127.0.0.1': only('A') },
    },
    {
      what: `hints ${hints}, family ${family}, IPv6 only`,
      name: 'x.test',
      hints,
      family,
      servers: { '127.0.0.1': only('AAAA') },
    },
    {
      what: `hints ${hints}, family ${family}, none`,
      name: 'x.test',
      hints,
      family,
      servers: { '127.0.0.1': knows() },
    },
    {
      what: `hints ${hints}, family ${family}, failing`,
      name: 'x.test',
      hints,
      family,
      servers: { '127.0.0.1': always(SERVFAIL) },
    },
    {
      what: `hints ${hints}, family ${family}, IPv6 fails`,
      name: 'x.test',
      hints,
      family,
      servers: { '127.0.0.1': ofFamily(FOUND, SERVFAIL) },
    },
    {
      what: `hints ${hints}, family ${family}, IPv6 fails and there is no IPv4`,
      name: 'x.test',
      hints,
      family,
      servers: { '127.0.0.1': ofFamily(NXDOMAIN, SERVFAIL) },
    },
    { what: `hints ${hints}, family ${family}, of the hosts file`, name: 'one', hints, family, hosts: HOSTS },
    { what: `hints ${hints}, family ${family}, of a line of IPv4`, name: 'two', hints, family, hosts: HOSTS },
    { what: `hints ${hints}, family ${family}, a number`, name: '127.1', hints, family },
  ]),
)

const CONFIGURED: Row[] = [[], ['10.9.0.1/24'], ['fd09::1/64'], ['10.9.0.1/24', 'fd09::1/64'], ['127.0.0.5/8']].flatMap(
  (addresses) =>
    ([0, 4, 6] as const).map((family) => ({
      what: `ADDRCONFIG, family ${family}, with ${addresses.join(' and ') || 'loopback'}`,
      name: 'x.test',
      hints: ADDRCONFIG,
      family,
      addresses,
      servers: { '127.0.0.1': knows('x.test') },
    })),
)

/** All at one name, in every order of the answer. */
const ADDRESSES = [
  '10.9.0.7',
  '10.9.0.200',
  '127.0.0.9',
  '192.0.2.1',
  '169.254.1.1',
  'fd09::7',
  'fd09:0:0:1::7',
  '2001:db8::7',
  '2002:a00::7',
  '::1',
  'fe80::7',
]
const rotated = (by: number) => [...ADDRESSES.slice(by), ...ADDRESSES.slice(0, by)]
const tellsAll =
  (addresses: string[]): Script =>
  ({ name, type }) => ({
    records: addresses
      .filter((address) => address.includes(':') === (type === 'AAAA'))
      .map((address) => (type === 'A' ? a : aaaa)(name, address)),
  })

const ORDER: Row[] = [
  [],
  ['10.9.0.1/24'],
  ['fd09::1/64', '2001:db8::1/64'],
  ['10.9.0.1/16', '192.0.2.9/24', 'fd09::1/48', '2001:db8::1/32'],
].flatMap((addresses) =>
  [0, 1, 2, 4, 7, 9].flatMap((by) => [
    {
      what: `the order of all, rotated by ${by}, from ${addresses.join(', ') || 'loopback'}`,
      name: 'x.test',
      addresses,
      servers: { '127.0.0.1': tellsAll(rotated(by)) },
    },
    {
      what: `the order in a hosts file, rotated by ${by}, from ${addresses.join(', ') || 'loopback'}`,
      name: 'x.test',
      addresses,
      hosts: rotated(by)
        .map((address) => `${address} x.test\n`)
        .join(''),
    },
  ]),
)

const TABLES: Record<string, Row[]> = {
  'the list of domains': SEARCH,
  'what goes on with the list': GOES_ON,
  'what goes on with the next server': NEXT_SERVER,
  'one family without the other': FAMILIES,
  'what is in an answer': CONTENT,
  'long answers, and TCP': SIZES,
  'options of resolv.conf(5)': OPTIONS,
  'lines of resolv.conf(5)': [...LINES, ...MORE_LINES],
  'zones of servers': ZONES,
  'lines of hosts(5)': HOSTS_FILE,
  'numbers as inet_aton(3) has them': NUMBERS,
  'names of hosts, and of none': NAMES,
  hints: HINTS,
  'the addresses that the network has': CONFIGURED,
  'the order of addresses': ORDER,
}

/** What both say, and what the servers were asked. */
async function outcomes(row: Row) {
  if (glibc === undefined) throw new Error('it is looked for first')
  await using place = await lookupPlace(row)
  const addresses = Object.keys(row.servers ?? {})
  const asked = () => {
    const all = Object.fromEntries(addresses.map((address) => [address, [...place.asked(address)]]))
    return row.asksAgain ? undefined : all
  }
  const theirs = { found: await glibc.ask(place.set, row), asked: asked() }
  place.forget()
  const ours = { found: await found(place.set.network, row), asked: asked() }
  return { ours, theirs }
}

describe.skipIf(glibc === undefined)('finds what getaddrinfo(3) finds', () => {
  describe.each(Object.entries(TABLES))('%s', (_what, rows) => {
    test.concurrent.each(rows.map((row) => [row.what, row] as const))(
      '%s',
      async (_what, row) => {
        const { ours, theirs } = await outcomes(row)
        expect(ours).toEqual(theirs)
        if (row.comes !== undefined) expect(ours.found).toBe(row.comes)
      },
      120_000,
    )
  })
})
