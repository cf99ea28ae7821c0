/** Which answers continue with the next server. */
import { always, FOUND, NXDOMAIN, nameOf, ONE, ofFamily, QUICK, type Row, SERVFAIL, TWO, web } from './row.ts'
import { ANSWERS } from './search.ts'

/** The answers that continue with the next server. */
export const NEXT_SERVER: Row[] = [
  ...ANSWERS.flatMap((reply) =>
    ([0, 4, 6] as const).map((family) => ({
      what: `${nameOf(reply)} of the first server, family ${family}`,
      name: 'web.test',
      family,
      resolvConf: `${TWO}${QUICK}`,
      servers: { '127.0.0.1': always(reply), '127.0.0.2': web },
    })),
  ),
  ...ANSWERS.map((reply) => ({
    what: `${nameOf(reply)} of both servers, and again`,
    name: 'web',
    resolvConf: `${TWO}search a.test\noptions timeout:1 attempts:2\n`,
    servers: { '127.0.0.1': always(reply), '127.0.0.2': always(reply) },
  })),
  { what: 'no server', name: 'web', resolvConf: `${TWO}search a.test b.test\n`, comes: 'EAI_AGAIN' },
  { what: 'no first server', name: 'web.test', resolvConf: TWO, servers: { '127.0.0.2': web } },
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

/** One family has an answer, and the other has not. */
export const FAMILIES: Row[] = [
  NXDOMAIN,
  SERVFAIL,
  { code: 5 },
  { code: 4 },
  { code: 1 },
  undefined,
  { recursive: false },
].flatMap((reply) => [
  {
    what: `IPv4, and ${nameOf(reply)} to IPv6`,
    name: 'web.test',
    resolvConf: `${TWO}${QUICK}`,
    servers: { '127.0.0.1': ofFamily(FOUND, reply), '127.0.0.2': web },
  },
  {
    what: `IPv6, and ${nameOf(reply)} to IPv4`,
    name: 'web.test',
    resolvConf: `${TWO}${QUICK}`,
    servers: { '127.0.0.1': ofFamily(reply, FOUND), '127.0.0.2': web },
  },
  {
    what: `${nameOf(reply)} to IPv6, and NXDOMAIN`,
    name: 'web',
    resolvConf: `${ONE}search a.test b.test\n${QUICK}`,
    servers: { '127.0.0.1': ofFamily(NXDOMAIN, reply) },
  },
])
