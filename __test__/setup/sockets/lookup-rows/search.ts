/** The search list, and which answers continue with it. */

import type { Reply } from '../scripted-server.ts'
import { knows, NOTHING, NXDOMAIN, nameOf, ONE, type Row, repliesTo, SERVFAIL, web } from './row.ts'

export const SEARCH: Row[] = [
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
    what: 'a domain with a leading dot',
    name: 'web',
    resolvConf: `${ONE}search .test\n`,
    servers: { '127.0.0.1': web },
  },
  {
    what: 'a domain with a trailing dot',
    name: 'web',
    resolvConf: `${ONE}search test.\n`,
    servers: { '127.0.0.1': web },
  },
  {
    what: 'an invalid domain',
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
    what: 'no-tld-query without a search list',
    name: 'web',
    resolvConf: `${ONE}options no-tld-query\n`,
    servers: { '127.0.0.1': knows('web') },
  },
  {
    what: 'no-tld-query with a dot',
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
    what: 'an empty list after another one',
    name: 'web',
    resolvConf: `${ONE}search test\nsearch \n`,
    servers: { '127.0.0.1': web },
  },
]

export const ANSWERS: Reply[] = [
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

/**
 * What continues with the search list, and with the name itself. Of both families: queried for one of them, glibc 2.36
 * returns that the name does not exist when a server failed and the last name of the list does not exist.
 */
export const CONTINUES: Row[] = ANSWERS.flatMap((reply) =>
  [1, 5].flatMap((ndots) => {
    const resolvConf = `${ONE}search a.test b.test\noptions ndots:${ndots} timeout:1 attempts:1\n`
    const [itself, first, second] = ['x.y', 'x.y.a.test', 'x.y.b.test']
    const row = (to: string, known: string) => ({
      what: `${nameOf(reply)} to ${to}, ndots:${ndots}, where there is ${known}`,
      name: 'x.y',
      resolvConf,
      servers: { '127.0.0.1': repliesTo(reply, to, known) },
    })
    return [row(itself, first), row(first, second), row(first, itself), row(itself, 'nothing'), row(first, 'nothing')]
  }),
)
