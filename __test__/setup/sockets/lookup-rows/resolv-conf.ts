/** Options and lines of resolv.conf(5). */

import { a, type Script } from '../scripted-server.ts'
import { FOUND, knows, NOTHING, ONE, ofFamily, QUICK, type Row, repliesTo, SERVFAIL, web } from './row.ts'

/** Records the options of the query in the addresses of the answer. */
const returnsOptions: Script = ({ name, type, edns, trustsAd }) =>
  type === 'A' ? { records: [a(name, `10.${edns >> 8}.${edns & 0xff}.${trustsAd ? 1 : 0}`)] } : NOTHING

export const OPTIONS: Row[] = [
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
    servers: { '127.0.0.1': returnsOptions },
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
    servers: { '127.0.0.1': repliesTo(SERVFAIL, 'x.y.a.test') },
  })),
  {
    what: 'single-request with a server that is silent for IPv6',
    name: 'x.test',
    resolvConf: `${ONE}options single-request timeout:1 attempts:1\n`,
    servers: { '127.0.0.1': ofFamily(FOUND, undefined) },
  },
]

export const LINES: Row[] = [
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

export const MORE_LINES: Row[] = [
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
    what: 'bytes that are invalid UTF-8',
    name: 'web.test',
    resolvConf: Buffer.from('# \xff\xfe\nnameserver 127.0.0.1\n', 'latin1'),
    servers: { '127.0.0.1': web },
  },
]

/** A server at a link-local address. */
export const ZONES: Row[] = [
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
