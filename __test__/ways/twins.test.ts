/**
 * One list of conversations over an uplink, slirp4netns(1) and pasta(1), compared with what the same programs see directly on the host.
 * Each difference is stated with its reason: this test fails when there is another one, and when one disappears.
 */
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Internet, OTHER, OTHER_V6, RESOLVER, WEB, WEB_V6 } from '../setup/uplink/internet.ts'
import { type Execute, presenceOf, TWINS, TWINS_RESOLVER, type TwinName } from '../setup/uplink/twins.ts'

const SCRIPTS = fileURLToPath(new URL('../setup/uplink/conversations/', import.meta.url))
const TIME_LIMIT = 60_000

/** What the client of each conversation saw, and after `|` what its server saw. */
type Seen = Record<string, string>
/** A conversation, over both families if it names none; what is seen, or a form of it; and why. */
type Difference = readonly [conversation: string, seen: string | RegExp | typeof VARIES, reason: string]
/** Sometimes there is a difference. */
const VARIES = 'varies'

const ANOTHER_PORT = 'another port | another port'
const OWN_CONNECTION = 'the program has a connection of its own to the server'
const NO_CLASS = 'class 0, ecn 0 | class 0, ecn 0'

const UPLINK: readonly Difference[] = [
  ['TCP: an urgent byte', 'sent | ab!cd, end', 'its stack has no urgent bytes'],
  ['TCP: the source port', ANOTHER_PORT, OWN_CONNECTION],
  [
    'UDP: datagrams of many lengths',
    '0, 1, 1400, 9000 after EMSGSIZE, 60000, 65507',
    'as behind a router: the kernel inside forbids to cut the first datagram that is too long for the host, and cuts the next ones',
  ],
  ['UDP: the source port', ANOTHER_PORT, 'the host chooses a port for each flow'],
  ['UDP: two servers and one socket', '2 source ports', 'the host chooses a port for each flow'],
  [
    'UDP: an answer from another port',
    'no answer | question',
    'the rules allow what a program has sent to, and no more',
  ],
  [
    'ICMP, IPv4: an echo request to an unreachable machine',
    '0 received',
    'the socket of the host learns of no such error',
  ],
  [
    'ICMP, IPv6: an echo request to an unreachable machine',
    '0 received',
    'the socket of the host learns of no such error',
  ],
  ['ICMP, IPv4: an echo request that may enter one network', 'time to live exceeded', 'the gateway is a router'],
  ['ICMP, IPv6: an echo request that may enter one network', 'time exceeded', 'the gateway is a router'],
]

/** Of the versions of Debian 12. */
const VERSIONS: Record<TwinName, string> = { slirp4netns: '1.2.0-1', pasta: '0.0~git20230309.7c7625d-1' }
const TWINS_DIFFER: Record<TwinName, readonly Difference[]> = {
  slirp4netns: [
    ['TCP: the client resets', 'answer | question, end', 'a reset becomes the normal end'],
    ['TCP: the source port', ANOTHER_PORT, OWN_CONNECTION],
    ['TCP: a class of service', ', end | class 0', OWN_CONNECTION],
    ['TCP: an unreachable machine', 'no answer', 'it does not say why it has no connection'],
    ['UDP, IPv6: datagrams of many lengths', '0, 1, 1400, 9000, 60000, 65507 lost', 'it has no fragments of IPv6'],
    ['UDP: a datagram that must not be cut', 'arrives', 'the host cuts it'],
    ['UDP: a class of service', NO_CLASS, 'the host sends datagrams of its own'],
    ['UDP: the source port', ANOTHER_PORT, 'the host chooses a port for each socket'],
    ['ICMP, IPv4: an echo request to an unreachable machine', '0 received', 'it does not pass errors on'],
    ['ICMP, IPv6: an echo request', '0 received', 'it has none of IPv6'],
    ['ICMP, IPv6: an echo request of 3,000 bytes', '0 received', 'it has none of IPv6'],
    ['ICMP, IPv6: an echo request to an unreachable machine', '0 received', 'it has none of IPv6'],
    ['ICMP, IPv6: an echo request that may enter one network', '0 received', 'it has none of IPv6'],
  ],
  pasta: [
    [
      'TCP: 5 MB up',
      /, no answer \| 5020000 bytes, as sent, end$/,
      'it loses the end of the server, and repeats bytes',
    ],
    [
      'TCP: the client ends first',
      /, no answer \| question, end$/,
      'it loses the end of the server, and repeats bytes',
    ],
    ['TCP: the client resets', VARIES, 'a reset can become the normal end'],
    ['TCP: an urgent byte', 'sent | ab!cd, end', 'it puts urgent bytes among the others'],
    ['TCP: the source port', ANOTHER_PORT, OWN_CONNECTION],
    ['TCP: a class of service', ', end | class 0', OWN_CONNECTION],
    ['TCP: a port without a server', 'no answer', 'it tries again for each first packet'],
    ['TCP: an unreachable machine', 'no answer', 'it tries again for each first packet'],
    [
      'UDP, IPv4: datagrams of many lengths',
      '0, 1, 1400, 9000, 60000, 65507 is 65488',
      'it has no fragments: what does not fit into a packet of its link is left out',
    ],
    ['UDP, IPv6: datagrams of many lengths', '0, 1, 1400, 9000, 60000, 65507 lost', 'it has no fragments'],
    ['UDP: a datagram that must not be cut', 'arrives', 'the host cuts it'],
    ['UDP: a class of service', NO_CLASS, 'the host sends datagrams of its own'],
    ['UDP: 100 at once', VARIES, 'it loses some'],
    ['UDP: a port without a server', 'no answer', 'it does not pass errors on'],
    ['DNS: over TCP', 'no answer', 'it forwards questions over UDP'],
    ['DNS: an answer that is too long for a datagram', 'no answer', 'it forwards questions over UDP'],
    ['ICMP, IPv4: an echo request to an unreachable machine', '0 received', 'it does not pass errors on'],
    ['ICMP, IPv6: an echo request to an unreachable machine', '0 received', 'it does not pass errors on'],
  ],
}

let internet: Internet
let places: object
let direct: Promise<Seen>
/** Its servers have a hundred ports. */
let nextPort = 7000

beforeAll(async () => {
  internet = await Internet.create()
  const { unreachable, silent } = await internet.nowhere()
  const [IPv4, IPv6] = [
    { server: WEB, other: OTHER, unreachable: unreachable[0], silent: silent[0] },
    { server: WEB_V6, other: OTHER_V6, unreachable: unreachable[1], silent: silent[1] },
  ]
  places = { IPv4, IPv6 }
  direct = talk(RESOLVER, (file, args) => internet.host.execFile(file, args))
})
afterAll(() => internet[Symbol.asyncDispose]())

/** Has all conversations, and asks questions about names at this address. */
async function talk(resolver: string, execute: Execute): Promise<Seen> {
  const port = nextPort
  nextPort += 100
  const words = ['-B', `${SCRIPTS}serve.py`, String(port), WEB, OTHER, WEB_V6, OTHER_V6]
  const servers = internet.servers.spawn('python3', words, { stdio: ['pipe', 'pipe', 'inherit'], timeout: TIME_LIMIT })
  let told = ''
  servers.stdout.setEncoding('utf8').on('data', (part) => (told += part))
  const ended = once(servers, 'close')
  await Promise.race([once(servers.stdout, 'data'), ended])
  const client = await execute('python3', ['-B', `${SCRIPTS}talk.py`, JSON.stringify({ ...places, port, resolver })])
  servers.stdin.end()
  await ended
  if (client.stderr !== '') throw new Error(client.stderr)
  const served: Seen = JSON.parse(told.replace('ready', ''))
  const seen = Object.entries(JSON.parse(client.stdout) as Seen)
  return Object.fromEntries(seen.map(([name, saw]) => [name, served[name] ? `${saw} | ${served[name]}` : saw]))
}

/** Compares what was seen with what is seen directly. */
async function expectDifferences(seen: Seen, stated: readonly Difference[]): Promise<void> {
  const forms = new Map(stated.flatMap(([conversation, form]) => namesOf(conversation).map((name) => [name, form])))
  const plain = await direct
  const found = Object.keys(plain).flatMap((name) => {
    const [saw, form] = [seen[name] ?? 'nothing', forms.get(name)]
    if (form === VARIES || (form instanceof RegExp && form.test(saw))) return [[name, form]]
    return saw === plain[name] ? [] : [[name, saw]]
  })
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(forms))
}

function namesOf(conversation: string): string[] {
  if (/^DNS|IPv/.test(conversation)) return [conversation]
  return ['IPv4', 'IPv6'].map((family) => conversation.replace(':', `, ${family}:`))
}

describe.concurrent('what programs see', () => {
  test(
    'directly: no answer from machines that are silent, and for datagrams to those that are unreachable',
    async () => {
      const unanswered = Object.entries(await direct).filter(([, saw]) => /no answer|lost|ENOENT|^0 received/.test(saw))
      expect(unanswered.map(([name]) => name)).toEqual([
        ...namesOf('TCP: a silent machine'),
        ...['IPv4', 'IPv6'].flatMap((family) => [
          `UDP, ${family}: an unreachable machine`,
          `UDP, ${family}: a silent machine`,
        ]),
        ...namesOf('ICMP: an echo request to a silent machine'),
      ])
    },
    TIME_LIMIT,
  )

  test(
    'over an uplink',
    async () => {
      const host = await internet.uplink({})
      await expectDifferences(await talk('10.0.2.2', host.execute), UPLINK)
    },
    TIME_LIMIT,
  )

  test.for(['slirp4netns', 'pasta'] as const)('over %s', { timeout: TIME_LIMIT }, async (name, context) => {
    const presence = presenceOf(name)
    if ('reason' in presence) return context.skip(presence.reason)
    const recorded = VERSIONS[name]
    if (presence.version !== recorded)
      return context.skip(`the differences are those of ${name} ${recorded}, and this is ${presence.version}`)
    await using twin = await TWINS[name](internet)
    await expectDifferences(await talk(TWINS_RESOLVER, twin.execute), TWINS_DIFFER[name])
  })
})
