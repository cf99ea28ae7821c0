/** The contents and the size of an answer. */

import { a, aaaa, alias, broken, type Reply, type Script, text, wire } from '../scripted-server.ts'
import { always, knows, NOTHING, ONE, QUICK, type Row, SERVFAIL, TWO, web } from './row.ts'

const many = (count: number) => Array.from({ length: count }, (_, last) => `10.0.${last >> 8}.${last & 0xff}`)

export const CONTENT: Row[] = [
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
    what: 'an alias of an unknown host',
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
    what: 'more data after the answer',
    name: 'x.test',
    servers: {
      '127.0.0.1': ({ type }) => ({
        records: type === 'A' ? [a('x.test', '10.0.0.1')] : [],
        spoil: (whole) => Buffer.concat([whole, Buffer.from('more')]),
      }),
    },
  },
  {
    what: 'another id first',
    name: 'x.test',
    servers: {
      '127.0.0.1': ({ type }) => ({
        records: type === 'A' ? [a('x.test', '10.0.0.1')] : [],
        before: (id, question) => forged(id ^ 1, question),
      }),
    },
  },
  {
    what: 'another question first',
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
  (count: number, overUdp: Reply = undefined): Script =>
  ({ name, type, transport }) => {
    if (type === 'AAAA') return NOTHING
    if (transport === 'udp' && overUdp !== undefined) return overUdp
    return { records: many(count).map((address) => a(name, address)) }
  }

export const SIZES: Row[] = [
  { what: 'more than 512 bytes', queriesAgain: true, name: 'x.test', servers: { '127.0.0.1': sized(40) } },
  { what: 'ten thousand bytes', queriesAgain: true, name: 'x.test', servers: { '127.0.0.1': sized(400) } },
  {
    what: 'a longer answer over TCP',
    queriesAgain: true,
    name: 'x.test',
    servers: { '127.0.0.1': sized(400, { truncated: true }) },
  },
  {
    what: 'sixty thousand bytes over TCP',
    queriesAgain: true,
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
    what: 'longer, without TCP',
    name: 'x.test',
    resolvConf: `${TWO}${QUICK}`,
    servers: {
      '127.0.0.1': ({ transport, type }) =>
        transport === 'udp' ? (type === 'A' ? { truncated: true } : NOTHING) : { hangUp: true },
      '127.0.0.2': knows('x.test'),
    },
  },
  {
    what: 'longer, without TCP anywhere',
    name: 'x',
    resolvConf: `${ONE}search test\n${QUICK}`,
    servers: { '127.0.0.1': ({ transport }) => (transport === 'udp' ? { truncated: true } : { hangUp: true }) },
  },
  { what: 'use-vc', name: 'web.test', resolvConf: `${ONE}options use-vc\n`, servers: { '127.0.0.1': web } },
  {
    what: 'use-vc with a server that fails',
    name: 'web',
    resolvConf: `${TWO}search test\noptions use-vc\n`,
    servers: { '127.0.0.1': always(SERVFAIL), '127.0.0.2': web },
  },
  {
    what: 'use-vc with a server that refuses',
    name: 'web',
    resolvConf: `${TWO}search test\noptions use-vc\n`,
    servers: { '127.0.0.1': always({ code: 5 }), '127.0.0.2': web },
  },
  {
    what: 'use-vc with a server that closes the connection',
    name: 'web.test',
    resolvConf: `${TWO}options use-vc\n`,
    servers: { '127.0.0.1': always({ hangUp: true }), '127.0.0.2': web },
  },
  { what: 'use-vc without a server', name: 'web', resolvConf: `${TWO}search a.test b.test\noptions use-vc\n` },
]
