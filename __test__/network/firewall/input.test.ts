/** Tables with errors in them: the message says where, and nothing is sent. */
import type { FirewallTableSpec } from 'nsset'
import { afterAll, describe } from 'vitest'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'
import { type Case, range, refuses, type, untyped, value } from '../../setup/sets/failure.ts'

const set = anyonesSet(['net'])
afterAll(() => set.close())
const { firewall } = set.network

const given = (table: unknown) => () => firewall.replace('t', untyped<FirewallTableSpec>(table))
const rule = (...statements: unknown[]) => given({ chains: { c: { rules: [statements] } } })
const at = 'table.chains.c.rules[0]'

const STATEMENTS: Case[] = [
  ['a word that is none', rule('acept'), value(`${at}[0]`, "did you mean 'accept'? Received 'acept'")],
  ['an action that is none', rule({ dnt: { to: '10.0.0.1' } }), value(`${at}[0]`, "did you mean 'dnat'?")],
  ['a selector that is none', rule({ 'tcp dprt': 22 }), value(`${at}[0]`, "did you mean 'tcp dport'?")],
  ['two keys', rule({ 'tcp dport': 22, counter: 'x' }), value(`${at}[0]`, 'exactly one key')],
  ['no key', rule({}), value(`${at}[0]`, 'exactly one key')],
  ['a port that is too large', rule({ 'tcp dport': 65536 }), range(`${at}[0]['tcp dport']`, '65535')],
  ['a range that ends before it begins', rule({ 'tcp dport': '9-5' }), value('a range such as')],
  [
    'a range of addresses that ends before it begins',
    rule({ 'ip daddr': { '!=': '10.0.0.9-10.0.0.1' } }),
    ['ActionError', 'ERR_INVALID_ARG_VALUE', 'ends before it begins'],
  ],
  [
    'a translation to a range that ends before it begins',
    given({ chains: { c: { type: 'nat', hook: 'postrouting', rules: [[{ snat: { to: '10.0.0.9-10.0.0.1' } }]] } } }),
    ['ActionError', 'ERR_INVALID_ARG_VALUE', 'ends before it begins'],
  ],
  ['a port in an empty list', rule({ 'tcp dport': [] }), value('must not be empty')],
  ['an address of the other version', rule({ 'ip saddr': 'fd00::1' }), value('IPv4 address')],
  ['a prefix that is too long', rule({ 'ip saddr': '10.0.0.0/33' }), value('IPv4 address')],
  ['a state that is none', rule({ 'ct state': ['old'] }), value("'established'")],
  ['a misspelt state', rule({ 'ct state': 'estblished' }), value("did you mean 'established'?")],
  ['a misspelt protocol', rule({ 'meta l4proto': 'tpc' }), value("did you mean 'tcp'?")],
  ['a misspelt verdict of a map', rule({ 'th dport': { vmap: [[1, 'dorp']] } }), value("did you mean 'drop'?")],
  ['an operator that is none', rule({ 'tcp dport': { '=': 22 } }), value('Unknown option of', '!=')],
  ['two operators', rule({ 'tcp dport': { '<': 5, '>': 1 } }), value('exactly one operator')],
  ["'in' for ports", rule({ 'tcp dport': { in: [1] } }), value('use a list')],
  ['a mask without a comparison', rule({ 'meta mark': { '&': 1 } }), value('exactly one operator')],
  ['a list of too few values', rule({ 'ip saddr . tcp dport': [['10.0.0.1']] }), value('a list of 2 values')],
  ['an hour that is none', rule({ 'meta hour': '25:00' }), value('a time of day')],
  ['an option that is none', rule({ limit: { rate: 1, brust: 3 } }), value("did you mean 'burst'?")],
  ['a limit without a rate', rule({ limit: {} }), value(`${at}[0].limit.rate`, 'required')],
  ['snat to nothing', rule({ snat: {} }), value("'to' or 'port'")],
  [
    'a translation to a range of two versions of IP',
    rule({ snat: { to: '10.0.0.1-fd00::1' } }),
    value(`${at}[0].snat.to`, 'both IPv4 addresses or both IPv6 addresses'),
  ],
  ['a map of a selector that is none', rule({ dnat: { to: { 'tcp dprt': { map: '@m' } } } }), value("'tcp dport'?")],
  ['a map of two selectors', rule({ redirect: { port: { a: {}, b: {} } } }), value('port', 'one key')],
  ['a mapping without a map', rule({ redirect: { port: { 'tcp dport': {} } } }), value('map', 'is required')],
  ['an empty map', rule({ redirect: { port: { 'tcp dport': { map: [] } } } }), value('must not be empty')],
  ['a map of keys alone', rule({ redirect: { port: { 'tcp dport': { map: [80] } } } }), value('a key and a value')],
  [
    'a queue that is none',
    rule({ queue: { num: { from: 'numgen inc' } } }),
    value(`${at}[0].queue.num.from`, 'numgen inc mod 4'),
  ],
  [
    'a map to a range of ports',
    rule({ redirect: { port: { 'tcp dport': { map: [[80, '1-5']] } } } }),
    type(`['tcp dport'].map[0][1]`),
  ],
  [
    'a map to addresses and ports where one has no port',
    rule({
      dnat: {
        to: {
          'tcp dport': {
            map: [
              [80, '10.0.0.1'],
              [81, ['10.0.0.1', 8081]],
            ],
          },
        },
      },
    }),
    value('with a port or without'),
  ],
  [
    'a change to the value of a selector that is none',
    rule({ set: { 'meta mark': { from: 'meta mrk' } } }),
    value("'meta mark'?"),
  ],
  ['an element of a set without its key', rule({ add: { set: '@s' } }), value(`${at}[0].add.key`, 'required')],
  ['an element of a set without an @', rule({ add: { set: 's', key: 'ip saddr' } }), value("'@clients'")],
  ['an element with a verdict', rule({ add: { set: '@s', key: 'ip saddr', with: ['drop'] } }), value("'counter'")],
  [
    'an element that is deleted with a time',
    rule({ delete: { set: '@s', key: 'ip saddr', timeout: 1 } }),
    value('Unknown option'),
  ],
  ['a raw rule that is no hexadecimal number', rule({ raw: '0x00' }), value(`${at}[0].raw`, 'hexadecimal')],
  [
    'a raw rule that is no list',
    rule({ raw: '00ff' }),
    ['ActionError', 'ERR_INVALID_ARG_VALUE', 'as `get` returns it'],
  ],
  ['an answer that is none', rule({ reject: 'icmp no' }), value('tcp reset')],
  ['a comment that is not last', rule({ comment: 'a' }, 'accept'), value(`${at}[0]`, 'last statement')],
  ['a rule that is no list', given({ chains: { c: { rules: ['accept'] } } }), type('rules[0]', 'array')],
]

const TABLES: Case[] = [
  ['a chain that is not in the table', rule({ jump: 'othr' }), value(`${at}[0]`, 'chain that is not in the table')],
  [
    'a chain with a similar name',
    given({ chains: { other: {}, c: { rules: [[{ goto: 'othr' }]] } } }),
    value("did you mean 'other'?"),
  ],
  ['a set that is not in the table', rule({ 'ip saddr': '@s' }), value(`${at}[0]`, 'set that is not in the table')],
  ['a counter that is not in the table', rule({ counter: 'web' }), value('counter that is not in the table')],
  ['a quota that is not in the table', rule({ quota: 'month' }), value('quota that is not in the table')],
  [
    'jumps in a circle',
    given({
      chains: {
        a: { rules: [[{ jump: 'b' }]] },
        b: { rules: [['drop'], [{ 'th dport': { vmap: [[1, { goto: 'a' }]] } }]] },
      },
    }),
    value('a → b → a'),
  ],
  [
    'a jump to a base chain',
    given({ chains: { a: { rules: [[{ jump: 'b' }]] }, b: { hook: 'input' } } }),
    value('base chain'),
  ],
  [
    'a hook that the family lacks',
    given({ family: 'arp', chains: { c: { hook: 'forward' } } }),
    value("'input', 'output'"),
  ],
  ['a policy without a hook', given({ chains: { c: { policy: 'drop' } } }), value('table.chains.c.policy', "'hook'")],
  [
    'a hook for links without a link',
    given({ family: 'netdev', chains: { c: { hook: 'ingress' } } }),
    value('devices'),
  ],
  ['a priority that is none', given({ chains: { c: { hook: 'input', priority: 'first' } } }), value("'filter'")],
  [
    'a misspelt priority',
    given({ chains: { c: { hook: 'input', priority: 'fliter' } } }),
    value('priority', "did you mean 'filter'?"),
  ],
  ['a misspelt hook', given({ chains: { c: { hook: 'inptu' } } }), value('chains.c.hook', "did you mean 'input'?")],
  [
    'a misspelt type of a set',
    given({ sets: { s: { type: 'ipv4addr' } } }),
    value('sets.s.type', "did you mean 'ipv4_addr'?"),
  ],
  ['another name', given({ name: 'u' }), value('table.name')],
  ['an option that is none', given({ chain: {} }), value("did you mean 'chains'?")],
  ['a name that is too long', () => firewall.get('n'.repeat(256)), value('255 bytes')],
  ['a reference that is none', () => firewall.get(untyped(5)), type('an object')],
]

const withSets = (sets: object, ...statements: unknown[]) => given({ sets, chains: { c: { rules: [statements] } } })
const marks = { marks: { type: 'inet_service', data: 'mark' } }
const clients = { clients: { type: 'ipv4_addr' } }

const MAPS: Case[] = [
  [
    'a map that is not in the table',
    withSets(marks, { set: { 'meta mark': { 'tcp dport': { map: '@mark' } } } }),
    value(`${at}[0]`, "did you mean 'marks'?"),
  ],
  [
    'a map to values of another type',
    withSets(marks, { dnat: { to: { 'tcp dport': { map: '@marks' } } } }),
    value("'marks' is a map to mark", 'ipv4_addr . inet_service'),
  ],
  ['a set instead of a map', withSets(clients, { 'ip saddr': { vmap: '@clients' } }), value("'clients' is a set")],
  [
    'an element of a set that is not dynamic',
    withSets(clients, { add: { set: '@clients', key: 'ip saddr' } }),
    value(`${at}[0]`, "the flag 'dynamic'"),
  ],
  [
    'an element with a time in a set without times',
    withSets(
      { clients: { type: 'ipv4_addr', flags: ['dynamic'] } },
      { add: { set: '@clients', key: 'ip saddr', timeout: 1 } },
    ),
    value("the flag 'timeout'"),
  ],
  [
    'a value for a map to verdicts',
    given({ sets: { m: { type: 'mark', data: 'verdict', elements: [{ key: 5, value: 5 }] } } }),
    value('elements[0].value', 'maps to values'),
  ],
  [
    'a verdict for a map to values',
    given({ sets: { m: { type: 'mark', data: 'mark', elements: [{ key: 5, value: 1, verdict: 'drop' }] } } }),
    value('elements[0].verdict', 'maps to verdicts'),
  ],
  [
    'a range as the value of a map',
    given({ sets: { m: { type: 'mark', data: 'ipv4_addr', elements: [{ key: 5, value: '10.0.0.0/8' }] } } }),
    value('elements[0].value', 'must be one value', '{ interval: type }'),
  ],
  [
    'a map to ranges of marks',
    given({ sets: { m: { type: 'mark', data: { interval: 'mark' } } } }),
    value('table.sets.m.data.interval', 'a type of addresses'),
  ],
  [
    'a map to ranges as new ports',
    withSets(
      { m: { type: 'mark', data: { interval: 'ipv4_addr' } } },
      { redirect: { port: { 'meta mark': { map: '@m' } } } },
    ),
    value("'m' is a map to interval ipv4_addr"),
  ],
]

/** What only the table in the kernel says about elements. */
describe('elements that do not fit', async () => {
  const { firewall: theirs } = anyonesSet(['net']).network
  await theirs.replace('t', untyped<FirewallTableSpec>({ sets: { ...marks, ...clients } }))
  const refusal = (text: string) => ['ActionError', 'ERR_INVALID_ARG_VALUE', 'sets.', text] as const
  refuses([
    [
      'a key of another type',
      () => theirs.addElements('t', 'clients', ['x']),
      [...refusal("'x' is not a value of type ipv4_addr")],
    ],
    [
      'a value for a set',
      () => theirs.addElements('t', 'clients', [{ key: '10.0.0.1', value: 5 }]),
      [...refusal('not a map')],
    ],
    [
      'a verdict for a map to values',
      () => theirs.addElements('t', 'marks', [{ key: 5, verdict: 'drop' }]),
      [...refusal("'value'")],
    ],
  ])
})

const SETS: Case[] = [
  ['a set without a type', given({ sets: { s: {} } }), value('table.sets.s.type', 'required')],
  ['a type that is none', given({ sets: { s: { type: 'ip' } } }), value("'ipv4_addr'")],
  ['an element of another type', given({ sets: { s: { type: 'ipv4_addr', elements: [5] } } }), type('elements[0]')],
  [
    'a timeout without the flag',
    given({ sets: { s: { type: 'mark', elements: [{ key: 5, timeout: 5 }] } } }),
    value("'timeout'"),
  ],
  [
    'a map without verdicts',
    given({ sets: { s: { type: 'mark', data: 'verdict', elements: [{ key: 5 }] } } }),
    value('verdict'),
  ],
  [
    'a prefix without the flag',
    given({ sets: { s: { type: 'ipv4_addr', elements: ['10.0.0.0/8'] } } }),
    ['ActionError', 'ERR_INVALID_ARG_VALUE', "'interval'"],
  ],
  [
    'a range in a concatenation without the flag',
    given({ sets: { s: { type: ['ipv4_addr', 'inet_service'], elements: [['10.0.0.1', '80-90']] } } }),
    ['ActionError', 'ERR_INVALID_ARG_VALUE', "'interval'"],
  ],
  [
    'the start of a name without the flag',
    given({ sets: { s: { type: 'ifname', elements: ['eth*'] } } }),
    ['ActionError', 'ERR_INVALID_ARG_VALUE', "'interval'"],
  ],
  [
    'intervals that overlap',
    given({ sets: { s: { type: 'inet_service', flags: ['interval'], elements: ['1-5', '5-9'] } } }),
    ['ActionError', 'ERR_INVALID_ARG_VALUE', 'sets.s', "'1-5' and '5-9' overlap"],
  ],
]

describe('a statement', () => refuses(STATEMENTS))
describe('a table', () => refuses(TABLES))
describe('a set', () => refuses(SETS))
describe('a map', () => refuses(MAPS))
