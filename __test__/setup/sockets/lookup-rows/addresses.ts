/** Which addresses are requested, and their order. */
import dns from 'node:dns'
import { a, aaaa, type Script } from '../scripted-server.ts'
import { HOSTS } from './hosts.ts'
import { always, FOUND, knows, NOTHING, NXDOMAIN, ofFamily, type Row, SERVFAIL } from './row.ts'

const { ADDRCONFIG, V4MAPPED, ALL } = dns
const only =
  (type: 'A' | 'AAAA'): Script =>
  (query) =>
    query.type === type ? knows('x.test')(query) : NOTHING

export const HINTS: Row[] = [0, V4MAPPED, ALL, V4MAPPED | ALL].flatMap((hints) =>
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

export const CONFIGURED: Row[] = [
  [],
  ['10.9.0.1/24'],
  ['fd09::1/64'],
  ['10.9.0.1/24', 'fd09::1/64'],
  ['127.0.0.5/8'],
].flatMap((addresses) =>
  ([0, 4, 6] as const).map((family) => ({
    what: `ADDRCONFIG, family ${family}, with ${addresses.join(' and ') || 'loopback'}`,
    name: 'x.test',
    hints: ADDRCONFIG,
    family,
    addresses,
    servers: { '127.0.0.1': knows('x.test') },
  })),
)

/** All for one name, in every order of the answer. */
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
const returnsAll =
  (addresses: string[]): Script =>
  ({ name, type }) => ({
    records: addresses
      .filter((address) => address.includes(':') === (type === 'AAAA'))
      .map((address) => (type === 'A' ? a : aaaa)(name, address)),
  })

export const ORDER: Row[] = [
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
      servers: { '127.0.0.1': returnsAll(rotated(by)) },
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
