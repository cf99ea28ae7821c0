/** Invalid options and rules of `network.uplink`, and what an uplink says of itself. */
import { NamespaceSet, type Rule, type UplinkOptions } from 'nsset'
import { afterAll, beforeAll, expect, test } from 'vitest'

let set: NamespaceSet
beforeAll(async () => {
  set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
})
afterAll(() => set.close())

const RULES: [unknown, string | RegExp][] = [
  ['', "must be a host name, '*.DOMAIN' or '*'"],
  ['a b', "must be a host name, '*.DOMAIN' or '*'"],
  ['*.', "must be a host name, '*.DOMAIN' or '*'"],
  ['a.*.test', "must be a host name, '*.DOMAIN' or '*'"],
  ['127.1', "must be a host name, '*.DOMAIN' or '*'"],
  ['0x7f000001', "must be a host name, '*.DOMAIN' or '*'"],
  ['2130706433', "must be a host name, '*.DOMAIN' or '*'"],
  ['a.test:0', 'must be a whole number from 1 to 65535'],
  ['a.test:70000', 'must be a whole number from 1 to 65535'],
  ['a.test:90-80', 'must not be less than'],
  ['a.test:', 'must be a name or a range'],
  ['http://a.test', 'must be a name or a range'],
  ['10.0.0.0/33', 'must have a prefix length of 0 to 32 bits'],
  ['[2001:db8::]/129', 'must have a prefix length of 0 to 128 bits'],
  ['[a.test]:80', 'must be an IP address'],
  ['fe80::1%eth0', 'must be a name or a range'],
  [{}, 'must not be empty'],
  [{ host: 'a.test', cidr: '10.0.0.0/8' }, 'cannot have a host'],
  [{ hots: 'a.test' }, "did you mean 'host'"],
  [{ protocol: 'icmp', port: 80 }, 'has no ports'],
  [{ protocol: 'sctp' }, 'must be one of'],
  [7, 'must be a string or an object'],
]

test.each(RULES)('the rule %j is refused', async (rule, message) => {
  const error = await set.network.uplink({ allow: [rule as Rule] }).catch((error: Error) => error)
  expect(error).toMatchObject({
    message: expect.stringContaining(message as string),
    code: expect.stringMatching(/^ERR_INVALID_ARG_/),
  })
})

const OPTIONS: [unknown, string][] = [
  [{ alow: [] }, "did you mean 'allow'"],
  [{ allow: 'a.test' }, 'must be an array'],
  [{ mtu: 576 }, 'from 1280 to 65520'],
  [{ addresses: [] }, 'must have one address'],
  [{ addresses: ['10.0.0.1/24', '10.1.0.1/24'] }, 'must have one address'],
  [{ addresses: ['10.0.0.1/31'] }, 'at least 8 addresses'],
  [{ addresses: ['10.0.0.1'] }, 'at least 8 addresses'],
  [{ dns: { servers: ['name.test'] } }, 'must be an IP address with an optional port'],
  [{ dns: { server: [] } }, "did you mean 'servers'"],
  [{ decide: true }, 'must be a function'],
  [{ decideTimeout: -1 }, 'must be a number of milliseconds'],
  [{ name: 'a/b' }, "must be a link's name"],
]

test.each(OPTIONS)('the options %j are refused', async (options, message) => {
  const error = await set.network.uplink(options as UplinkOptions).catch((error: Error) => error)
  expect(error).toMatchObject({ message: expect.stringContaining(message) })
})

test('rules of a running uplink are checked, too', async () => {
  await using uplink = await set.network.uplink()
  expect(() => uplink.allow('127.1')).toThrow("The argument 'rules' must be a host name")
  expect(() => uplink.deny(['a.test', 'b..test'])).toThrow("The argument 'rules[1]' must be a host name")
  uplink.allow(['a.test', '*.b.test:443', 'münchen.test', { port: { first: 80, last: 90 } }, '::1', '[fd00::]/8:53'])
})

test('an aborted start and a closed set are refused, and an uplink is not cloned', async () => {
  await expect(set.network.uplink({ signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  const other = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
  const { network } = other
  other.close()
  await expect(network.uplink()).rejects.toMatchObject({ code: 'ERR_NSSET_CLOSED' })
  await using uplink = await set.network.uplink()
  expect(() => structuredClone(uplink)).toThrow('Uplink')
})
