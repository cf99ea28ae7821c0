/** A hostile program tries its ways around the rules of a box that allows three names: see `ways-around.py`. None of them leads anywhere. */
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { capture } from '../setup/oracles/packets/capture.ts'
import { asRoot, isRoot } from '../setup/sets/privilege.ts'
import { certificateFor } from '../setup/sockets/certificates.ts'
import { type Host, Internet, OTHER, OTHER_V6, OWN, OWN_V6, PRIVATE, RESOLVER, WEB } from '../setup/uplink/internet.ts'

/** Given as text: the box does not see all files. */
const PROGRAM = readFileSync(new URL('../setup/uplink/ways-around.py', import.meta.url), 'utf8')
const ALLOW = ['packages.test:443', 'repository.test:443', { host: 'index.test', port: 80, protocol: 'tcp' }] as const
const TIME_LIMIT = 90_000
const MARK = 9

/**
 * What may be on the wire: connections to the servers that are allowed, the name server, neighbour discovery, the groups that a
 * kernel joins when it is new to the link (MLD), and errors of the host.
 */
const EXPECTED = [
  `(tcp and host ${WEB} and (port 80 or port 443))`,
  `(host ${RESOLVER} and port 53)`,
  'arp',
  '(icmp6 and ip6[40] >= 133)',
  'dst host ff02::16',
]

let internet: Internet
/** The hosts that the servers were asked for, by HTTP and by TLS. */
const asked: string[] = []

beforeAll(async () => {
  internet = await Internet.create()
  const answer: http.RequestListener = ({ headers }, response) => {
    asked.push(String(headers.host))
    response.end(`hello ${headers.host}`)
  }
  await internet.listen(http.createServer(answer), 80)
  const server = https.createServer(
    {
      ...certificateFor('index.test'),
      SNICallback: (name, done) => {
        asked.push(name)
        done(null)
      },
    },
    answer,
  )
  await internet.listen(server, 443)
  await internet.echo(5000)
  await internet.echo(443)
  await internet.answer(OTHER)
})
afterAll(() => internet[Symbol.asyncDispose]())

/** Whether a packet is the mark, or the answer of the host to it. */
function isMark(line: string): boolean {
  return line.includes(`> ${OWN}.${MARK}:`) || line.includes(`udp port ${MARK} unreachable`)
}

/** Runs the program, and returns what came back on each way, and the packets that the other machine has seen. */
async function attempt(host: Host, port: number): Promise<{ outcomes: Record<string, string>; packets: string[] }> {
  const { gateways, link, trap } = await host.place(port)
  const place = {
    web: WEB,
    other: OTHER,
    other6: OTHER_V6,
    own: OWN,
    own6: OWN_V6,
    private: PRIVATE,
    resolver: RESOLVER,
    gateway: gateways[0],
    link,
    trap: port,
    abstract: trap,
  }
  const program = () => host.execute('/usr/bin/python3', ['-c', PROGRAM, JSON.stringify(place)])
  // tcpdump(8) changes its groups, which an ordinary user's namespace does not allow.
  if (!isRoot) return { outcomes: outcomesIn(await program()), packets: [] }
  const seen = await capture(internet.servers, `not (${EXPECTED.join(' or ')})`)
  try {
    const outcomes = outcomesIn(await program())
    await internet.send(MARK)
    const packets = (await seen.until(`> ${OWN}.${MARK}:`)).filter((line) => !isMark(line))
    return { outcomes, packets }
  } finally {
    await seen.end()
  }
}

function outcomesIn({ stdout, stderr }: { stdout: string; stderr: string }): Record<string, string> {
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

/** Each host listens on a port of its own. */
const INSIDE: [string, boolean, number][] = [
  ['a program in a box', true, 7777],
  ['root of a network, with raw sockets,', false, 7778],
]

describe.each(INSIDE)('%s that allows three names', (_, isBox, port) => {
  let outcomes: Record<string, string>
  let packets: string[]
  let host: Host
  beforeAll(async () => {
    asked.length = 0
    host = await internet.uplink({ allow: [...ALLOW], ...(isBox ? { box: { write: [] } } : {}) })
    ;({ outcomes, packets } = await attempt(host, port))
  }, TIME_LIMIT)

  test('tries more than sixty ways, and nothing comes back on any', () => {
    expect(Object.keys(outcomes).length).toBeGreaterThan(60)
    expect(Object.entries(outcomes).filter(([, came]) => came !== '')).toEqual([])
  })

  asRoot('no packet arrives that was not allowed, whatever its protocol', 'tcpdump changes its groups', () => {
    expect(packets).toEqual([])
  })

  test('no server is asked for another name', () => {
    expect(new Set(asked)).toEqual(new Set(['index.test', 'undefined']))
    expect(internet.questions().filter((question) => !/ (packages|repository|index)\.test$/.test(question))).toEqual([])
  })

  test('nothing on the host is reached', async () => {
    expect(await host.trapped()).toEqual([])
  })
})

test('the same program reaches what other rules allow', { timeout: TIME_LIMIT }, async () => {
  const host = await internet.uplink({ allow: ['0.0.0.0/0', '[::]/0', '*', `${PRIVATE}/32`] })
  const { outcomes, packets } = await attempt(host, 7779)
  const reached = Object.keys(outcomes).filter((name) => outcomes[name] !== '')
  expect(reached).toEqual(
    expect.arrayContaining([
      'an IPv4 address',
      'an IPv6 address',
      'an IPv4-mapped IPv6 address',
      'octal numbers',
      'a hexadecimal number',
      'one number',
      'two numbers',
      'a private address',
      'a name that is not allowed',
      'another name server over UDP',
      'another name server over TCP',
      'another name of TLS, at an address that is allowed',
      'another host of HTTP, at an address that is allowed',
      'another host of HTTP behind brackets',
      'another host of HTTP behind a port',
      'another host in the second request',
      'another host in a pipelined request',
      'another host after a body',
      'another host after chunks',
      'datagrams to another port of an allowed address',
      'datagrams as of QUIC to another address',
      'a datagram in fragments',
      'a datagram of IPv6 in fragments',
      'a datagram that may enter two networks',
    ]),
  )
  if (isRoot) expect(packets.length).toBeGreaterThan(20)
})
