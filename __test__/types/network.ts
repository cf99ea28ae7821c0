/** The types of networks and actions: results that depend on the arguments, and invalid arguments. Never run. */
import type { Readable, Writable } from 'node:stream'
import {
  type Action,
  type ActionContext,
  ActionError,
  type Address,
  action,
  type BridgeData,
  type ForwardingEntry,
  type Link,
  type LinkBase,
  type LinkOf,
  type LinkRef,
  type LinkSpec,
  type LinkSpecOf,
  type List,
  type NamespaceChildProcess,
  NamespaceError,
  type NamespaceSet,
  type Neighbour,
  type Network,
  type NetworkLinks,
  type NetworkSync,
  type Qdisc,
  type QdiscSpec,
  type Results,
  type Route,
  type RoutingRule,
  type SetRef,
  type SyncMethods,
  type WireGuard,
} from 'nsset'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `exactly<T>()(value)` compiles only if the value's type is exactly T. */
function exactly<T>(): <U>(value: U & (Same<T, U> extends true ? unknown : never)) => void {
  return () => undefined
}

declare const set: NamespaceSet
declare const caught: unknown
const { network } = set
exactly<Network>()(network)

// --- the result of a method depends on its arguments

exactly<Promise<List<Link>>>()(network.links.list())
exactly<Promise<Link>>()(network.links.get('lo'))
exactly<Promise<LinkOf<'bridge'>>>()(network.links.add({ kind: 'bridge', name: 'br0' }))
exactly<Promise<LinkOf<'veth'>>>()(network.links.ensure({ kind: 'veth', name: 'v0', peer: { set, name: 'eth0' } }))
exactly<Promise<void>>()(network.links.set('lo', { up: true }))
exactly<Promise<void>>()(network.links.delete('lo', { force: true }))
exactly<Promise<List<Address>>>()(network.addresses.list())
exactly<Promise<List<Route>>>()(network.routes.list({ table: 254 }))
exactly<Promise<List<RoutingRule>>>()(network.rules.list({ family: 'IPv4' }))
exactly<Promise<List<Neighbour>>>()(network.neighbours.list('lo'))
exactly<Promise<List<ForwardingEntry>>>()(network.forwardingEntries.list('lo'))
exactly<Promise<List<Qdisc>>>()(network.qdiscs.list('lo'))
exactly<Promise<string>>()(network.sysctls.get('net.ipv4.ip_forward'))
exactly<Promise<WireGuard>>()(network.wireguard.get('wg0'))

// --- a blocking method returns what the promise resolves with

const { sync } = network
exactly<NetworkSync>()(sync)
exactly<List<Link>>()(sync.links.list())
exactly<LinkOf<'bridge'>>()(sync.links.add({ kind: 'bridge', name: 'br0' }))
exactly<LinkOf<'veth'>>()(sync.links.ensure({ kind: 'veth', name: 'v0', peer: { set, name: 'eth0' } }))
exactly<void>()(sync.links.set('lo', { up: true }))
exactly<List<Address>>()(sync.addresses.list())
exactly<List<Route>>()(sync.routes.list({ table: 254 }))
exactly<List<Qdisc>>()(sync.qdiscs.list('lo'))
exactly<string>()(sync.sysctls.get('net.ipv4.ip_forward'))
exactly<WireGuard>()(sync.wireguard.get('wg0'))
exactly<[Link, number]>()(sync.apply([action.links.get('lo'), action.call('number', () => 1)]))
const listLinks: SyncMethods<NetworkLinks>['list'] = sync.links.list
exactly<List<Link>>()(listLinks())
// @ts-expect-error unknown kind
sync.links.add({ kind: 'loopback', name: 'lo1' })
// @ts-expect-error a blocking call cannot be aborted
sync.apply([], { signal: new AbortController().signal })

// --- and so does the result of an action

exactly<Action<LinkOf<'vxlan'>>>()(action.links.add({ kind: 'vxlan', name: 'x0', id: 5 }))
exactly<Action<List<Link>>>()(action.links.list())
declare const [address, route, listedQdisc]: [Address, Route, Qdisc]
declare const [bridge, cable]: [LinkOf<'bridge'>, LinkOf<'veth'>]
// The result of a list is accepted as an argument.
exactly<Promise<void>>()(network.addresses.add('br0', address))
exactly<Promise<void>>()(network.routes.delete(route))
exactly<Promise<void>>()(network.routes.append(route))
exactly<Promise<void>>()(network.routes.replace(route))
declare const [rule, neighbour, entry]: [RoutingRule, Neighbour, ForwardingEntry]
exactly<Promise<void>>()(network.rules.add(rule))
exactly<Promise<void>>()(network.rules.delete(rule))
exactly<Promise<void>>()(network.neighbours.replace(neighbour.link, neighbour))
exactly<Promise<void>>()(network.forwardingEntries.append(entry.link, entry))
exactly<Promise<void>>()(network.qdiscs.add('br0', listedQdisc))
exactly<Promise<void>>()(network.qdiscs.delete('br0', listedQdisc))
exactly<Promise<LinkOf<'bridge'>>>()(network.links.add(bridge))
exactly<Promise<LinkOf<'veth'>>>()(network.links.ensure(cable))
exactly<Action<void>>()(action.routes.add({ destination: 'default', via: '10.0.0.1' }))
exactly<Action<string>>()(action.sysctls.get('net.ipv4.ip_forward'))
declare const anySpec: LinkSpec
exactly<Action<LinkOf<LinkSpec['kind']>>>()(action.links.add(anySpec))

// --- a list of actions resolves to a tuple

const results = await network.apply([
  action.links.add({ kind: 'bridge', name: 'br0' }),
  action.addresses.list('br0'),
  action.call('number', async () => 1),
  action.call('text', ({ signal }) => String(signal)),
  action.do('list', () => ['a']),
])
exactly<[LinkOf<'bridge'>, List<Address>, number, string, string[]]>()(results)
const [nothing] = await network.apply([action.links.set('br0', { up: true })])
exactly<void>()(nothing)
exactly<[]>()(await network.apply([]))

const fixed = [action.links.list(), action.links.get('lo')] as const
exactly<[List<Link>, Link]>()(await network.apply(fixed))
exactly<[List<Link>, Link]>()({} as Results<typeof fixed>)
const many = ['a', 'b'].map((name) => action.links.add({ kind: 'ifb', name }))
exactly<LinkOf<'ifb'>[]>()(await network.apply(many))
declare const mixed: readonly Action<unknown>[]
exactly<unknown[]>()(await network.apply(mixed, { signal: undefined }))
const [first, ...rest] = await network.apply([action.links.get('lo'), ...many])
exactly<Link>()(first)
exactly<LinkOf<'ifb'>[]>()(rest)

const nested = action.inside({ name: 'blue' }, [
  action.links.get('lo'),
  action.inside(set, [action.sysctls.get('net.ipv4.ip_forward')]),
])
exactly<Action<[Link, [string]]>>()(nested)

// @ts-expect-error a list is required
network.apply(action.links.list())
// @ts-expect-error the list has actions, not promises
network.apply([network.links.list()])
// @ts-expect-error an action is created by the functions of `action`
network.apply([{ name: 'links.list' }])
// @ts-expect-error unknown option
network.apply([], { timeout: 5 })
// @ts-expect-error an action with other results
const wrong: Action<Link> = action.links.list()

export { wrong }

// --- links are distinguished by their kind

declare const link: Link
exactly<number>()(link.index)
exactly<{ index: number } | undefined>()(link.master)
if (link.kind === 'bridge') exactly<boolean | undefined>()(link.stp)
if (link.kind === 'vlan') exactly<number>()(link.id)
if (link.kind === 'other') exactly<string>()(link.type)
if (link.kind === 'loopback') exactly<LinkBase & { kind: 'loopback' }>()(link)
exactly<LinkOf<'bridge'>>()({} as LinkBase & BridgeData & { kind: 'bridge' })
// @ts-expect-error not every link has an id
link.id
// @ts-expect-error a bridge has none
if (link.kind === 'bridge') link.id
// @ts-expect-error unknown kind
if (link.kind === 'bridges') link.index

declare const qdisc: Qdisc
if (qdisc.kind === 'tbf') exactly<number>()(qdisc.rate)
// @ts-expect-error not every queueing discipline has a rate
qdisc.rate

// --- a spec has the fields of its kind

network.links.add({ kind: 'macvlan', name: 'm0', dev: 'eth0', mode: 'bridge', up: true, addresses: ['10.0.0.1/24'] })
network.links.add({ kind: 'bridge', name: 'br0', alias: undefined, mtu: undefined, stp: undefined, master: null })
// @ts-expect-error unknown kind
network.links.add({ kind: 'loopback', name: 'lo1' })
// @ts-expect-error a link requires a name
network.links.add({ kind: 'bridge' })
// @ts-expect-error a bridge has no peer
network.links.add({ kind: 'bridge', name: 'br0', peer: { name: 'x' } })
// @ts-expect-error a bridge has no device
network.links.add({ kind: 'bridge', name: 'br0', dev: 'eth0' })
// @ts-expect-error a veth has no id
network.links.add({ kind: 'veth', name: 'v0', id: 5 })
// @ts-expect-error a vlan requires a tag
network.links.add({ kind: 'vlan', name: 'v0', dev: 'eth0' })
// @ts-expect-error and a device
network.links.add({ kind: 'vlan', name: 'v0', id: 5 })
// @ts-expect-error a vxlan requires an identifier
network.links.add({ kind: 'vxlan', name: 'x0', remote: '10.0.0.1' })
// @ts-expect-error a vrf requires a table
action.links.add({ kind: 'vrf', name: 'v0' })
// @ts-expect-error unknown mode
action.links.add({ kind: 'macvlan', name: 'm0', dev: 'eth0', mode: 'l2' })
// @ts-expect-error a name is not a number
action.links.add({ kind: 'dummy', name: 5 })
// @ts-expect-error a peer has no kind of its own
action.links.add({ kind: 'veth', name: 'v0', peer: { kind: 'veth' } })
// @ts-expect-error the field is named mac
network.links.set('lo', { address: '02:00:00:00:00:01' })
// @ts-expect-error null is only valid for the master
network.links.set('lo', { mtu: null })
// @ts-expect-error a gateway is named via
network.routes.add({ destination: 'default', gateway: '10.0.0.1' })
// @ts-expect-error a token bucket requires a rate
network.qdiscs.add('lo', { kind: 'tbf' })
// @ts-expect-error and has no loss
network.qdiscs.add('lo', { kind: 'tbf', rate: 1000, loss: 5 })
const veth: LinkSpecOf<'veth'> = { kind: 'veth', name: 'v0', peer: { set: { pid: 1 }, master: null } }
const spec: LinkSpec = veth
const netem: QdiscSpec = { kind: 'netem', latency: 5, parent: undefined }

export { netem, spec }

// --- references: values, or functions

const refs: LinkRef[] = [
  'lo',
  { name: 'lo' },
  { index: 1 },
  { alias: 'loop' },
  link,
  () => 'lo',
  async ({ network }) => network.links.get('lo'),
  ({ results }) => results[0] as Link,
]
network.links.get(refs[0] as LinkRef)
const sets: SetRef[] = [
  set,
  { name: 'blue', directory: new URL('file:///run/netns') },
  { path: '/proc/1/ns/net' },
  { pid: 1, tid: undefined },
  () => ({ name: 'blue' }),
  async ({ set }) => set.dup(),
]
network.links.move('eth0', sets[0] as SetRef)
// @ts-expect-error a number is not a reference
network.links.get(1)
// @ts-expect-error an index is a number
network.links.get({ index: '1' })
// @ts-expect-error a name alone is not a set
network.links.move('eth0', 'blue')
action.call('look', (context) => {
  exactly<ActionContext>()(context)
  exactly<readonly unknown[]>()(context.results)
  exactly<AbortSignal | undefined>()(context.signal)
  // @ts-expect-error completed results are read-only
  context.results.push(1)
})

// --- functions and programs

exactly<Action<number>>()(action.do('count', () => 1))
exactly<Action<void>>()(action.do('nothing', () => {}))
exactly<Action<never>>()(action.do('later', async () => 1)) // deprecated
exactly<Action<never>>()(action.do('thenable', (): PromiseLike<number> => Promise.resolve(1))) // deprecated
exactly<Action<number>>()(action.call('later', async () => 1))
exactly<Action<{ a: string }>>()(action.call('now', () => ({ a: 'b' })))
// @ts-expect-error a name is required
action.do(() => 1)
// @ts-expect-error and a function
action.call('nothing')

exactly<Action<NamespaceChildProcess<Writable, Readable, Readable>>>()(action.spawn('true'))
exactly<Action<NamespaceChildProcess<Writable, Readable, Readable>>>()(action.spawn('true', ['x'], { cwd: '/' }))
exactly<Action<NamespaceChildProcess<null, null, null>>>()(action.spawn('true', { stdio: 'inherit' }))
exactly<Action<NamespaceChildProcess<null, Readable, null>>>()(
  action.spawn('true', [], { stdio: ['ignore', 'pipe', 2] }),
)
exactly<Action<NamespaceChildProcess<Writable, Readable, Readable>>>()(action.script('exit 0'))
exactly<Action<NamespaceChildProcess<null, null, null>>>()(
  action.script('exit 0', { subcommand: ['bash', '-c'], stdio: 'ignore' }),
)
const [silent] = await network.apply([action.spawn('true', { stdio: 'ignore' })])
exactly<null>()(silent.stdout)
// @ts-expect-error a program is required
action.script('exit 0', { subcommand: [] })

// --- errors

if (caught instanceof ActionError) {
  exactly<number>()(caught.index)
  exactly<string>()(caught.action)
  exactly<readonly unknown[]>()(caught.results)
  exactly<string>()(caught.code)
  const asNamespaceError: NamespaceError = caught
  exactly<NamespaceError>()(asNamespaceError)
}

export { NamespaceError }
