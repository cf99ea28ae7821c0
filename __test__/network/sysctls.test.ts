/** `set.network.sysctls`: values set here are in /proc/sys inside, and values written there are read here. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ip, outputOf } from '../setup/oracles/iproute.ts'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { type Case, failureOf, refuses, type, untyped, value } from '../setup/sets/failure.ts'

const IP_FORWARD = '/proc/sys/net/ipv4/ip_forward'

/** Sysctls of every network, each with a value, and what the kernel returns for it. */
const SYSCTLS: [name: string, to: string | number | boolean, stored: string][] = [
  ['net.ipv4.ip_forward', true, '1'],
  ['net.ipv4.ip_forward', false, '0'],
  ['net.ipv4.ip_default_ttl', 33, '33'],
  ['net/ipv4/ip_default_ttl', '34', '34'],
  ['net.ipv4.ip_local_port_range', '20000 30000', '20000\t30000'],
  ['net.ipv4.conf.all.rp_filter', 2, '2'],
  ['net.ipv4.conf.br0.forwarding', true, '1'],
  ['net/ipv4/conf/br0.5/forwarding', true, '1'],
  ['net.ipv6.conf.br0/5.forwarding', true, '1'],
  ['net.ipv4.conf.br0.5.forwarding', true, '1'],
  ['net.ipv6.neigh.br0.5.gc_stale_time', 61, '61'],
  ['net.ipv6.conf.default.disable_ipv6', true, '1'],
  ['net.ipv6.conf.all.hop_limit', 7, '7'],
  ['net.ipv4.tcp_ecn', -0, '0'],
  ['net.core.somaxconn', 77, '77'],
]

/** A network with links whose names are a part of sysctls; one has a dot in it. */
async function lab() {
  const set = anyonesSet(['net'])
  await ip(set, 'link add br0 type bridge')
  await ip(set, 'link add br0.5 type bridge')
  return set
}

/** As sysctl(8): the first separator decides, and the other one belongs to a name; link names may contain dots. */
function pathOf(name: string): string {
  if (/^net\.\w+\.(conf|neigh)\.br0\.5\./.test(name)) return pathOf(name.replace('br0.5', 'br0/5'))
  const swapped = name.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))
  return `/proc/sys/${/[./]/.exec(name)?.[0] === '.' ? swapped : name}`
}

describe('a sysctl', () => {
  for (const [name, to, stored] of SYSCTLS) {
    test(`${name} = ${String(to)} is set here and read inside, and vice versa`, async () => {
      using set = await lab()
      const { sysctls } = set.network
      const path = pathOf(name)
      const before = (await outputOf(set, 'cat', path)).trimEnd()
      expect(await sysctls.get(name)).toBe(before)

      expect(await sysctls.set(name, to)).toBeUndefined()
      expect(await outputOf(set, 'cat', path)).toBe(`${stored}\n`)
      expect(await sysctls.get(name)).toBe(stored)

      await set.execFile('sh', ['-c', 'echo "$1" >"$2"', 'sh', before, path], { timeout: 20_000 })
      expect(await sysctls.get(name)).toBe(before)
    })
  }

  test('belongs to the set alone', async () => {
    using set = anyonesSet(['net'])
    using other = anyonesSet(['net'])
    const outside = readFileSync(IP_FORWARD, 'utf8')
    const before = await other.network.sysctls.get('net.ipv4.ip_forward')
    const name = 'net.ipv4.ip_forward'
    await set.network.sysctls.set(name, before === '0')
    expect(await set.network.sysctls.get(name)).not.toBe(before)
    expect(await other.network.sysctls.get(name)).toBe(before)
    expect(readFileSync(IP_FORWARD, 'utf8')).toBe(outside)
  })

  test('of a link changes its name with the link', async () => {
    using set = await lab()
    const { links, sysctls } = set.network
    await sysctls.set('net.ipv4.conf.br0.forwarding', true)
    await links.set('br0', { name: 'br1' })
    expect(await sysctls.get('net.ipv4.conf.br1.forwarding')).toBe('1')
    expect(await failureOf(() => sysctls.get('net.ipv4.conf.br0.forwarding'))).toMatchObject({ code: 'ENOENT' })
  })

  test('that does not exist, or rejects a value, is an error with its name', async () => {
    using set = anyonesSet(['net'])
    const { sysctls } = set.network
    const cases: [call: () => unknown, code: string, name: string][] = [
      [() => sysctls.get('net.ipv4.nothing'), 'ENOENT', 'net.ipv4.nothing'],
      [() => sysctls.set('net.ipv4.nothing', 1), 'ENOENT', 'net.ipv4.nothing'],
      [() => sysctls.set('net.ipv4.ip_forward', 'yes'), 'EINVAL', 'net.ipv4.ip_forward'],
      [() => sysctls.set('net.ipv4.ip_default_ttl', 256), 'EINVAL', 'net.ipv4.ip_default_ttl'],
    ]
    for (const [call, code, name] of cases) {
      const failure = await failureOf(call)
      expect({ name: failure.name, code: failure.code }, failure.message).toEqual({ name: 'ActionError', code })
      expect(failure).toMatchObject({ target: name })
      expect(failure.message).toContain(name)
    }
    expect(await sysctls.get('net.ipv4.ip_forward')).toBe((await outputOf(set, 'cat', IP_FORWARD)).trimEnd())
  })
})

describe('a sysctl of the whole machine', () => {
  /** The sysctls of a network, each with its mode, without those of links that other networks do not have. */
  const LIST = "find /proc/sys/net -type f -printf '%P %m\\n'"
  const listed = (text: string) => {
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ') as [string, string])
    return new Map(rows.filter(([path]) => !/\/(conf|neigh)\/(?!(all|default|lo)\/)/.test(path)))
  }
  const isWritable = (mode: string | undefined) => (Number.parseInt(mode ?? '0', 8) & 0o200) !== 0

  test('is ENOENT inside, or read-only with the host’s value', async () => {
    using set = anyonesSet(['net'])
    const { sysctls } = set.network
    const outside = listed(execFileSync('sh', ['-c', LIST], { encoding: 'utf8', timeout: 10_000 }))
    const inside = listed((await set.execFile('sh', ['-c', LIST], { timeout: 20_000 })).stdout)

    const missing = [...outside.keys()].filter((path) => !inside.has(path))
    expect(missing).toEqual(expect.arrayContaining(['core/netdev_max_backlog', 'core/default_qdisc', 'ipv4/tcp_mem']))
    for (const path of missing) {
      expect(await failureOf(() => sysctls.get(`net/${path}`)), path).toMatchObject({ code: 'ENOENT' })
    }

    const readable = [...inside].filter(([path, mode]) => isWritable(outside.get(path)) && !isWritable(mode))
    for (const [path] of readable) {
      const value = readFileSync(`/proc/sys/net/${path}`, 'utf8').trimEnd()
      expect(await sysctls.get(`net/${path}`), path).toBe(value)
      const failure = await failureOf(() => sysctls.set(`net/${path}`, value))
      expect(failure, path).toMatchObject({ code: 'EACCES' })
      expect(failure.message).toContain('some sysctls can only be read')
    }
    expect(readable.map(([path]) => path)).toContain('ipv4/tcp_allowed_congestion_control')
  })
})

describe('invalid arguments throw', () => {
  const get = (name: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.sysctls.get(untyped<string>(name))
  }
  const set = (to: unknown) => async () => {
    using set = anyonesSet(['net'])
    return await set.network.sysctls.set('net.ipv4.ip_forward', untyped<string>(to))
  }
  const wrong = [
    '',
    'net',
    'net.',
    'kernel.hostname',
    'kernel.pid_max',
    'net/../kernel/hostname',
    '/net/ipv4/ip_forward',
    'net..ipv4',
  ]
  refuses([...wrong, 'net/ipv4/.', 'net\0.ipv4'].map((name): Case => [JSON.stringify(name), get(name), value('name')]))
  refuses([
    ['a name that is a number', get(1), type('name')],
    ['a value that is an object', set({}), type('value')],
    ['a value that is NaN', set(Number.NaN), type('value')],
  ])
})
