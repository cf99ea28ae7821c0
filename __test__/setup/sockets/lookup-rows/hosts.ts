/** Lines of hosts(5), and valid and invalid host names. */

import { a } from '../scripted-server.ts'
import { knows, type Row } from './row.ts'

export const HOSTS = `# nothing
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

export const HOSTS_FILE: Row[] = HOST_NAMES.flatMap((name) =>
  ([0, 4, 6] as const).map((family) => ({
    what: `${name} of the hosts file, family ${family}`,
    name,
    family,
    hosts: HOSTS,
    servers: { '127.0.0.1': knows('web.test') },
  })),
)

export const NUMBERS = [
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

export const NAMES: Row[] = [
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
