/**
 * Every function with options rejects unknown ones by name, and accepts all known ones. The
 * compiler checks that an object here has every option of its type.
 */
import type { BindOptions } from 'node:dgram'
import type { LookupOptions } from 'node:dns'
import type { OnReadOpts } from 'node:net'
import net from 'node:net'
import type { ResourceLimits } from 'node:worker_threads'
import {
  type Address,
  type AddressSpec,
  type ApplyOptions,
  action,
  type BindMount,
  type BridgeData,
  type ConnectorOptions,
  type DeleteLinkOptions,
  type DeleteQdiscOptions,
  type DevMount,
  type DirectoryMount,
  type DoOptions,
  type EnterOptions,
  type ExecFileOptions,
  type FileMount,
  type FileSystemMount,
  type ForkOptions,
  type ForwardingEntrySpec,
  type FromContainerOptions,
  type IdMap,
  type LandlockRules,
  type LinkChanges,
  type LinkSpecOf,
  type ListRoutesOptions,
  type ListRulesOptions,
  type MaskMount,
  type MountSpec,
  type MountTargets,
  type MoveLinkOptions,
  NamespacePool,
  type NamespacePoolOptions,
  NamespaceSet,
  type NamespaceWorkerOptions,
  type NeighbourSpec,
  type NetemSlots,
  type NetnsAttachOptions,
  type NetnsCreateOptions,
  type NetnsCreateSyncOptions,
  type NetnsOptions,
  type NetnsRemoveOptions,
  type NextHopResilience,
  type NextHopSpec,
  netns,
  type OverlayMount,
  type PlainLinkChanges,
  type PlainSetRef,
  type PoolGetOptions,
  type ProcessLimits,
  type QdiscSpec,
  type RouteEncap,
  type RouteLookupOptions,
  type RouteMetrics,
  type RouteNextHopSpec,
  type RouteSpec,
  type RoutingRuleSpec,
  type SandboxSystemCallsOptions,
  type ScriptOptions,
  type SpawnOptions,
  type StateLossModel,
  type SymlinkMount,
  type SystemCallCondition,
  type SystemCallFilter,
  type SystemCallRule,
  sandboxSystemCalls,
  systemCalls,
  type TimeOffsets,
  type Tmpfs,
  type TmpfsRoot,
  type UnshareOptions,
  type UnshareSyncOptions,
  type VethPeer,
  type WireGuardPeerSpec,
  type WireGuardSpec,
} from 'nsset'
import { afterAll, describe, expect, test } from 'vitest'
import { anyonesSet } from '../setup/sets/anyones-set.ts'
import { expectFailure, failureOf, value } from '../setup/sets/failure.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

const set = anyonesSet(['net', 'uts'])
const here = NamespaceSet.current('uts')
const directory = temporaryDirectory()
const pool = new NamespacePool('uts', { size: 1, unshare: {} })
const { signal } = new AbortController()
const server = net.createServer()

afterAll(async () => {
  server.close()
  await pool.close()
  here.close()
  set.close()
  directory[Symbol.dispose]()
})

/** All options of a type. */
type Complete<T> = { [K in keyof T]-?: Exclude<T[K], undefined> }

type AnyCall = (options: never) => unknown

interface Row {
  name: string
  call: AnyCall
  options: Record<string, unknown>
  /** The name of the object in the error. */
  place: string
}

function row<T extends object>(
  name: string,
  call: (options: T) => unknown,
  options: Complete<T>,
  place = 'options',
): Row {
  return { name, call, options: options as Row['options'], place }
}

const key = `${'A'.repeat(43)}=`
const lookup = set.network.lookup
const noEnd = () => undefined

const unshareSync: Complete<UnshareSyncOptions> = {
  uidMaps: [],
  gidMaps: [],
  mapUser: 'root',
  setgroups: 'deny',
  timeOffsets: { monotonic: 1 },
  hostname: 'name',
  loopback: true,
  propagation: 'private',
  mounts: [],
  root: '/',
  sysfs: false,
  cgroup: '/sys/fs/cgroup',
}
const unshare: Complete<UnshareOptions> = { ...unshareSync, signal }
const spawn: Complete<SpawnOptions> = {
  cwd: '/',
  env: {},
  argv0: 'name',
  shell: false,
  detached: false,
  uid: 0,
  gid: 0,
  groups: [],
  signal,
  timeout: 10_000,
  killSignal: 'SIGTERM',
  kinds: 'uts',
  keepCapabilities: false,
  noNewPrivileges: true,
  limits: {},
  umask: 0,
  nice: 0,
  capabilities: [],
  landlock: { bestEffort: true },
  seccomp: { default: 'allow' },
  deathSignal: 'SIGKILL',
  netnsFiles: false,
  cgroup: '/sys/fs/cgroup',
  windowsHide: true,
  windowsVerbatimArguments: true,
  stdio: 'ignore',
  serialization: 'json',
}
const { shell: _, stdio: __, serialization: ___, ...program } = spawn
const fork: Complete<ForkOptions> = {
  ...program,
  execPath: '/bin/true',
  execArgv: [],
  serialization: 'json',
  silent: true,
  stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
}
const execFile: Complete<ExecFileOptions> = {
  ...program,
  shell: false,
  input: '',
  encoding: 'utf8',
  maxBuffer: 1,
  reject: false,
}
const attach: Complete<NetnsAttachOptions> = { directory: directory.path, temporary: true }
const attributes = {
  target: '/mnt',
  create: true,
  readOnly: true,
  noSuid: true,
  noDev: true,
  noExec: true,
  noSymfollow: true,
}
const bind: Complete<BindMount> = {
  ...attributes,
  type: 'bind',
  source: '/tmp',
  recursive: true,
  optional: true,
  idMap: 'set',
}
const fileSystem: Complete<FileSystemMount> = {
  ...attributes,
  type: 'tmpfs',
  source: 'none',
  options: { size: '1m' },
}
const tmpfs: Complete<Tmpfs> = { type: 'tmpfs', size: 4096, mode: 0o700 }
const overlay: Complete<OverlayMount> = {
  ...attributes,
  type: 'overlay',
  lower: ['/usr'],
  upper: '/tmp',
  work: '/tmp',
  options: { index: 'off' },
}
const mounts: [string, Complete<MountSpec>][] = [
  ['an overlay', overlay],
  ['a /dev', { type: 'dev', target: '/dev', create: false } satisfies Complete<DevMount>],
  ['a file', { ...attributes, type: 'file', content: '', mode: 0o600 } satisfies Complete<FileMount>],
  ['a symbolic link', { type: 'symlink', target: '/x', to: '/y' } satisfies Complete<SymlinkMount>],
  ['a directory', { type: 'directory', target: '/x', mode: 0o700 } satisfies Complete<DirectoryMount>],
  ['a mask', { type: 'mask', target: '/x' } satisfies Complete<MaskMount>],
]

const state = {
  alias: '',
  mac: '02:00:00:00:00:01',
  mtu: 1500,
  up: true,
  promiscuous: false,
  arp: true,
  multicast: true,
  allMulticast: false,
  master: null,
  bridgePort: {},
  bondPort: {},
  altNames: [],
  linkGroup: 0,
  txQueueLength: 1000,
  gsoMaxSize: 65_536,
  gsoMaxSegments: 65_535,
  groMaxSize: 65_536,
  gsoIpv4MaxSize: 65_536,
  groIpv4MaxSize: 65_536,
  addresses: [],
}
const bridge: Complete<BridgeData> = {
  stp: false,
  forwardDelay: 0,
  helloTime: 1000,
  maxAge: 6000,
  ageingTime: 1000,
  priority: 1,
  vlanFiltering: true,
  vlanProtocol: '802.1Q',
  vlanDefaultPvid: 1,
  vlanStatistics: true,
  groupForwardMask: 8,
  multicastSnooping: true,
  multicastQuerier: true,
  multicastRouter: 1,
  igmpVersion: 3,
  mldVersion: 2,
  maxLearned: 10,
}
const encap: Complete<RouteEncap> = {
  labels: [],
  segments: [],
  mode: 'encap',
  type: 'mpls',
  data: '',
}
const nextHop: Complete<RouteNextHopSpec> = { via: '10.0.0.1', dev: 'lo', weight: 1, onLink: true, realm: 1, encap }
const metrics: Complete<RouteMetrics> = {
  mtu: 1500,
  window: 1,
  rtt: 1,
  rttVariance: 1,
  slowStartThreshold: 1,
  congestionWindow: 1,
  advertisedMss: 1,
  reordering: 1,
  hopLimit: 1,
  initialCongestionWindow: 1,
  features: 1,
  minimumRto: 1,
  initialReceiveWindow: 1,
  quickAck: true,
  congestionControl: 'cubic',
  fastOpenNoCookie: true,
  locked: ['mtu'],
}
const rule: Complete<RoutingRuleSpec> = {
  family: 'IPv4',
  priority: 1,
  from: '10.0.0.0/8',
  to: '10.0.0.0/8',
  tos: 0,
  iif: 'lo',
  oif: 'lo',
  fwmark: 1,
  fwmask: 1,
  uidRange: { start: 0, end: 1 },
  ipProto: 'tcp',
  sport: 1,
  dport: { start: 1, end: 2 },
  tunnelId: 1,
  invert: true,
  action: 'lookup',
  table: 100,
  l3mdev: false,
  goto: 7,
  suppressPrefixLength: 0,
  suppressLinkGroup: 0,
  realm: 1,
  protocol: 4,
}
const neighbour: Complete<NeighbourSpec> = {
  address: '10.0.0.1',
  family: 'IPv4',
  mac: '02:00:00:00:00:01',
  state: 'permanent',
  proxy: false,
  router: false,
  externallyLearned: false,
  managed: false,
  protocol: 4,
}
const entry: Complete<ForwardingEntrySpec> = {
  mac: '02:00:00:00:00:01',
  table: 'self',
  state: 'permanent',
  vlan: 1,
  dst: '10.0.0.1',
  port: 4789,
  vni: 1,
  sourceVni: 1,
  via: 'lo',
  nextHopId: 1,
  sticky: false,
  externallyLearned: false,
}
const route: Complete<RouteSpec> = {
  destination: '192.0.2.0/24',
  family: 'IPv4',
  from: '10.0.0.0/8',
  tos: 0,
  via: '10.0.0.1',
  dev: 'lo',
  nextHops: [],
  nextHopId: 1,
  metric: 1,
  table: 254,
  source: '10.0.0.2',
  type: 'unicast',
  scope: 'global',
  protocol: 3,
  onLink: true,
  metrics,
  realm: 1,
  preference: 'low',
  expires: 1000,
  encap,
}
type AddressObject = Exclude<AddressSpec, string> & Address
const address: Complete<AddressObject> = {
  cidr: '10.0.0.1/24',
  peer: '10.0.0.2',
  broadcast: '10.0.0.255',
  scope: 'global',
  label: 'lo',
  validLifetime: 1000,
  preferredLifetime: 1000,
  metric: 1,
  protocol: 1,
  noDuplicateDetection: true,
  optimistic: true,
  home: true,
  manageTemporary: true,
  noPrefixRoute: true,
  autoJoin: true,
  address: '10.0.0.1',
  family: 'IPv4',
  link: { index: 1 },
  tentative: false,
  duplicate: false,
  permanent: true,
}
const peer: Complete<WireGuardPeerSpec> = {
  publicKey: key,
  presharedKey: null,
  endpoint: '192.0.2.1:51820',
  persistentKeepalive: 1000,
  allowedIps: [],
  remove: false,
  updateOnly: false,
}

const own: Row[] = [
  row<UnshareOptions>('NamespaceSet.unshare', (options) => NamespaceSet.unshare('ipc', options), unshare),
  row<UnshareSyncOptions>(
    'NamespaceSet.unshareSync',
    (options) => NamespaceSet.unshareSync('ipc', options),
    unshareSync,
  ),
  row<UnshareOptions>('set.unshare', (options) => set.unshare('ipc', options), unshare),
  row<UnshareSyncOptions>('set.unshareSync', (options) => set.unshareSync('ipc', options), unshareSync),
  row<IdMap>(
    'an id map',
    (map) => NamespaceSet.unshareSync('ipc', { uidMaps: [map] }),
    { containerId: 0, hostId: 0, size: 1 },
    'options.uidMaps[0]',
  ),
  row<TimeOffsets>(
    'time offsets',
    (timeOffsets) => NamespaceSet.unshareSync('ipc', { timeOffsets }),
    { monotonic: 1, boottime: 1 },
    'options.timeOffsets',
  ),
  row<BindMount>(
    'a bind mount',
    (mount) => NamespaceSet.unshareSync('ipc', { mounts: [mount] }),
    bind,
    'options.mounts[0]',
  ),
  row<FileSystemMount>(
    'a file system mount',
    (mount) => NamespaceSet.unshareSync('ipc', { mounts: [mount] }),
    fileSystem,
    'options.mounts[0]',
  ),
  ...mounts.map(([name, spec]) =>
    row<MountSpec>(name, (mount) => NamespaceSet.unshareSync('ipc', { mounts: [mount] }), spec, 'options.mounts[0]'),
  ),
  row<TmpfsRoot>(
    'a root directory in memory',
    (root) => NamespaceSet.unshareSync('ipc', { root }),
    { ...tmpfs, readOnly: true },
    'options.root',
  ),
  row<Tmpfs>(
    'the upper layer in memory',
    (upper) => NamespaceSet.unshareSync('ipc', { mounts: [{ type: 'overlay', target: '/x', lower: ['/y'], upper }] }),
    tmpfs,
    'options.mounts[0].upper',
  ),
  row<FromContainerOptions>('NamespaceSet.fromContainer', (options) => NamespaceSet.fromContainer('none', options), {
    kinds: 'net',
    socketPath: directory.file('none.sock'),
    signal,
  }),
  row<DoOptions>('set.do', (options) => here.do(noEnd, options), { kinds: 'uts' }),
  row<EnterOptions>('set.enter', (options) => here.enter(options), { kinds: 'uts', mainThread: true }),
  row<MountTargets>(
    'set.mount',
    (targets) => set.mount(targets),
    {
      cgroup: '/none',
      ipc: '/none',
      mnt: '/none',
      net: '/none',
      pid: '/none',
      time: '/none',
      user: '/none',
      uts: '/none',
    },
    'target',
  ),
  row<SpawnOptions>('set.spawn', (options) => here.spawn('true', options).on('error', noEnd), spawn),
  row<ExecFileOptions>('set.execFile', (options) => here.execFile('true', options), execFile),
  row<LandlockRules>(
    'rules of Landlock',
    (landlock) => here.execFile('true', [], { landlock }),
    {
      read: ['/'],
      write: ['/'],
      execute: ['/'],
      connectUnix: [],
      connectTcp: [],
      bindTcp: [],
      scoped: false,
      bestEffort: true,
    },
    'options.landlock',
  ),
  row<SystemCallFilter>(
    'systemCalls',
    (filter) => systemCalls(filter),
    { default: 'allow', allow: [], log: [], deny: [], kill: [], errno: 'EPERM', denyUnknown: false },
    'filter',
  ),
  row<SystemCallRule>(
    'a system call',
    (rule) => systemCalls({ default: 'allow', deny: [rule] }),
    { name: 'bpf', when: [], errno: 'EPERM' },
    'filter.deny[0]',
  ),
  row<SystemCallCondition>(
    'a condition on an argument',
    (condition) => systemCalls({ default: 'allow', deny: [{ name: 'bpf', when: [condition] }] }),
    { index: 0, is: '==', value: 1, mask: 1, bits: 32 },
    'filter.deny[0].when[0]',
  ),
  row<SandboxSystemCallsOptions>('sandboxSystemCalls', (options) => sandboxSystemCalls(options), {
    allow: [],
    deny: [],
    userNamespaces: false,
  }),
  row<ProcessLimits>(
    'limits of a program',
    (limits) => here.execFile('true', [], { limits }),
    {
      openFiles: 100,
      processes: 10_000,
      fileSize: 0,
      addressSpace: 1e9,
      cpuSeconds: 1,
      coreSize: 0,
      stackSize: 1e6,
      lockedMemory: 0,
    },
    'options.limits',
  ),
  row<ForkOptions>('set.fork', (options) => here.fork('none.js', options).on('error', noEnd), fork),
  row<NamespaceWorkerOptions>('set.worker', (options) => here.worker('', options), {
    argv: [],
    env: {},
    eval: true,
    execArgv: [],
    kinds: 'uts',
    name: 'name',
    resourceLimits: {},
    stderr: false,
    stdin: false,
    stdout: false,
    trackUnmanagedFds: true,
    transferList: [],
    workerData: 1,
  }),
  row<ResourceLimits>(
    'limits of a Worker',
    (resourceLimits) => here.worker('', { eval: true, resourceLimits }),
    { codeRangeSizeMb: 16, maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
    'options.resourceLimits',
  ),
  row<NamespacePoolOptions>('NamespacePool', (options) => new NamespacePool('uts', options).close(), {
    size: 1,
    from: here,
    unshare: {},
    afterCreate: noEnd,
    signal,
  }),
  row<UnshareSyncOptions>(
    'the option unshare of a pool',
    (unshare) => new NamespacePool('uts', { size: 1, unshare }).close(),
    unshareSync,
    'options.unshare',
  ),
  row<PoolGetOptions>('pool.get', (options) => pool.get(options).then((taken) => pool.put(taken)), { signal }),
  row<NetnsCreateOptions>('netns.create', (options) => netns.create('blue', options).then((made) => made.close()), {
    ...attach,
    loopback: true,
    signal,
  }),
  row<NetnsCreateSyncOptions>('netns.createSync', (options) => netns.createSync('green', options).close(), {
    ...attach,
    loopback: true,
  }),
  row<NetnsOptions>('netns.listSync', (options) => netns.listSync(options), { directory: directory.path }),
  row<NetnsAttachOptions>('netns.attachSync', (options) => netns.attachSync('none', here, options), attach),
  row<NetnsRemoveOptions>('netns.removeSync', (options) => netns.removeSync('none', options), {
    directory: directory.path,
    force: true,
  }),
  row<NetnsOptions>('netns.open', (options) => netns.open('none', options), { directory: directory.path }),
  row<NetnsOptions>('netns.list', (options) => netns.list(options), { directory: directory.path }),
  row<NetnsAttachOptions>('netns.attach', (options) => netns.attach('none', here, options), attach),
  row<NetnsRemoveOptions>('netns.remove', (options) => netns.remove('none', options), {
    directory: directory.path,
    force: true,
  }),
]

const ofNetworks: Row[] = [
  row<ApplyOptions>('network.apply', (options) => set.network.apply([], options), { signal }),
  row<DeleteLinkOptions>('links.delete', (options) => action.links.delete('none', options), { force: true }),
  row<ListRoutesOptions>('routes.list', (options) => action.routes.list(options), { table: 254 }),
  row<DeleteQdiscOptions>('qdiscs.delete', (options) => action.qdiscs.delete('lo', options), {
    parent: 'root',
    handle: '1:',
    kind: 'htb',
  }),
  row<SpawnOptions>('action.spawn', (options) => action.spawn('true', options), spawn),
  row<ScriptOptions>('action.script', (options) => action.script('true', options), { ...spawn, subcommand: ['sh'] }),
  row<Extract<PlainSetRef, { readonly name: string }>>(
    'a network by name',
    (ref) => action.links.move('lo', ref),
    { name: 'blue', directory: directory.path },
    'set',
  ),
  row<{ pid: number; tid?: number }>(
    'a network by process',
    (ref) => action.links.move('lo', ref),
    { pid: process.pid, tid: process.pid },
    'set',
  ),
  row<LinkSpecOf<'bridge'>>(
    'links.add',
    (spec) => action.links.add(spec),
    {
      ...state,
      kind: 'bridge',
      name: 'br0',
      index: 100,
      numTxQueues: 1,
      numRxQueues: 1,
      ...bridge,
    },
    'spec',
  ),
  row<VethPeer>(
    'the peer of a veth',
    (peer) => action.links.add({ kind: 'veth', name: 'a', peer }),
    { ...state, name: 'b', index: 101, set: here, netnsId: 0 },
    'spec.peer',
  ),
  row<PlainLinkChanges>(
    'links.set',
    (changes) => action.links.set('lo', changes),
    { ...state, name: 'lo1' },
    'changes',
  ),
  row<Extract<LinkChanges, { kind: 'bridge' }>>(
    'links.set of a bridge',
    (changes) => action.links.set('lo', changes),
    { ...state, ...bridge, name: 'lo1', kind: 'bridge' },
    'changes',
  ),
  row<MoveLinkOptions>('links.move', (options) => action.links.move('lo', { pid: 1 }, options), { name: 'lo1' }),
  row<AddressObject>('addresses.add', (spec) => action.addresses.add('lo', spec), address, 'address'),
  row<RouteSpec>('routes.add', (spec) => action.routes.add(spec), route, 'route'),
  row<RouteLookupOptions>('routes.lookup', (options) => action.routes.lookup('10.0.0.1', options), {
    from: '10.0.0.2',
    tos: 0,
    iif: 'lo',
    oif: 'lo',
    fwmark: 1,
    uid: 0,
    ipProto: 'tcp',
    sport: 1,
    dport: 1,
    fibMatch: true,
  }),
  row<NextHopSpec>(
    'nextHops.add',
    (spec) => action.nextHops.add(spec),
    {
      id: 1,
      family: 'IPv4',
      via: '10.0.0.1',
      dev: 'lo',
      onLink: false,
      blackhole: false,
      fdb: false,
      group: [{ id: 2, weight: 1 }],
      groupType: 'resilient',
      resilience: {},
      encap,
      protocol: 4,
    },
    'hop',
  ),
  row<NextHopResilience>(
    'the table of a resilient group',
    (resilience) => action.nextHops.add({ id: 1, group: [{ id: 2 }], groupType: 'resilient', resilience }),
    { buckets: 8, idleTimer: 1000, unbalancedTimer: 0 },
    'hop.resilience',
  ),
  row<ListRulesOptions>('rules.list', (options) => action.rules.list(options), { family: 'IPv4' }),
  row<RoutingRuleSpec>('rules.add', (spec) => action.rules.add(spec), rule, 'rule'),
  row<NeighbourSpec>('neighbours.add', (spec) => action.neighbours.add('lo', spec), neighbour, 'neighbour'),
  row<ForwardingEntrySpec>('forwardingEntries.add', (spec) => action.forwardingEntries.add('lo', spec), entry, 'entry'),
  row<RouteNextHopSpec>(
    'a next hop',
    (hop) => action.routes.add({ destination: 'default', nextHops: [hop] }),
    nextHop,
    'route.nextHops[0]',
  ),
  row<RouteMetrics>(
    'metrics of a route',
    (metrics) => action.routes.add({ destination: 'default', metrics }),
    metrics,
    'route.metrics',
  ),
  row<RouteEncap>(
    'the encapsulation of a route',
    (encap) => action.routes.add({ destination: 'default', encap }),
    encap,
    'route.encap',
  ),
  row<Extract<QdiscSpec, { kind: 'netem' }>>(
    'qdiscs.add',
    (spec) => action.qdiscs.add('lo', spec),
    {
      kind: 'netem',
      parent: 'root',
      handle: '1:',
      ...{ latency: 1, jitter: 1, latencyCorrelation: 1, distribution: [1] },
      ...{ loss: 0, lossCorrelation: 1, lossModel: { type: 'state', p13: 1 }, ecn: true },
      ...{ duplicate: 1, duplicateCorrelation: 1, corrupt: 1, corruptCorrelation: 1 },
      ...{ reorder: 1, reorderCorrelation: 1, gap: 1 },
      ...{ rate: 1000, packetOverhead: 1, cellSize: 1, cellOverhead: 1 },
      slots: {},
      seed: 1n,
      limit: 1,
    },
    'spec',
  ),
  row<NetemSlots>(
    'the slots of netem',
    (slots) => action.qdiscs.add('lo', { kind: 'netem', slots }),
    { minDelay: 1, maxDelay: 1, delay: 1, jitter: 1, distribution: [1], packets: 1, bytes: 1 },
    'spec.slots',
  ),
  row<StateLossModel>(
    'a model of loss',
    (lossModel) => action.qdiscs.add('lo', { kind: 'netem', lossModel }),
    { type: 'state', p13: 1, p31: 1, p32: 1, p23: 1, p14: 1 },
    'spec.lossModel',
  ),
  row<WireGuardSpec>(
    'wireguard.set',
    (spec) => action.wireguard.set('wg0', spec),
    { privateKey: null, listenPort: 0, fwmark: 0, peers: [], replacePeers: true },
    'spec',
  ),
  row<WireGuardPeerSpec>(
    'a WireGuard peer',
    (peer) => action.wireguard.set('wg0', { peers: [peer] }),
    peer,
    'spec.peers[0]',
  ),
]

/** The options that Node.js documents for these are tested in sockets/node-options.test.ts. */
const ofSockets: Row[] = [
  row<{ host: string }>('network.connect', (options) => set.network.connect({ port: 1, ...options }).destroy(), {
    host: '127.0.0.1',
  }),
  row<OnReadOpts>(
    'the option onread of network.connect',
    (onread) => set.network.connect({ port: 1, onread }).destroy(),
    { buffer: Buffer.alloc(1), callback: () => true },
    'options.onread',
  ),
  row<{ port: number; reusePort: boolean }>('network.listen', (options) => set.network.listen(server, options), {
    port: 0,
    reusePort: false,
  }),
  row<{ reuseAddr: boolean }>(
    'network.createSocket',
    (options) => set.network.createSocket({ type: 'udp4', ...options }).close(),
    { reuseAddr: true },
  ),
  row<BindOptions>(
    'the method bind of a datagram socket',
    (options) => {
      const socket = set.network.createSocket('udp4')
      try {
        socket.bind({ ...options, fd: undefined } as BindOptions)
      } finally {
        socket.close()
      }
    },
    { address: '127.0.0.1', exclusive: true, port: 0, fd: 0 },
  ),
  row<{ maxSockets: number }>('network.httpAgent', (options) => set.network.httpAgent(options), { maxSockets: 1 }),
  row<{ servername: string }>('network.httpsAgent', (options) => set.network.httpsAgent(options), {
    servername: 'example.org',
  }),
  row<Pick<ConnectorOptions, 'allowH2' | 'timeout' | 'maxCachedSessions'>>(
    'network.connector',
    (options) => set.network.connector(options),
    {
      allowH2: true,
      timeout: 1000,
      maxCachedSessions: 10,
    },
  ),
  row<{ redirect: 'error' }>(
    'network.fetch',
    (init) => set.network.fetch('http://127.0.0.1:1/', init),
    { redirect: 'error' },
    'init',
  ),
  row<LookupOptions>('network.lookup', (options) => lookup('127.0.0.1', options, noEnd), {
    family: 4,
    hints: 0,
    all: false,
    order: 'verbatim',
    verbatim: true,
  }),
]

/** The outcome of a call, with its sets closed and its Workers terminated. */
async function outcomeOf(call: () => unknown): Promise<string> {
  try {
    const result = (await call()) as { close?: () => void; terminate?: () => void } | undefined
    if (result instanceof NamespaceSet) result.close()
    result?.terminate?.()
    return 'accepted'
  } catch (error) {
    return (error as Error).message
  }
}

describe.each([...own, ...ofNetworks, ...ofSockets])('$name', ({ call, options, place }) => {
  test.each(Object.keys(options))('%s in other letters is rejected by name', async (known) => {
    const wrong = known === known.toUpperCase() ? `${known}x` : known.toUpperCase()
    const given = { ...options, [wrong]: options[known] }
    const failure = await failureOf(() => call(given as never))
    expectFailure(failure, value(`Unknown option '${wrong}' of ${place}; did you mean '${known}'?`))
  })

  test('an unrelated name is rejected', async () => {
    const failure = await failureOf(() => call({ ...options, xyzzy: 1 } as never))
    expectFailure(failure, value(`Unknown option 'xyzzy' of ${place}`))
    expect(failure.message).not.toContain('did you mean')
  })

  test('all known options are accepted, and undefined ones are ignored', async () => {
    const outcome = await outcomeOf(() => call({ ...options, xyzzy: undefined } as never))
    expect(outcome).not.toContain('Unknown option')
  })
})

describe('a suggestion', () => {
  const spawned: [wrong: string, meant: string][] = [
    ['noNewPriviledges', 'noNewPrivileges'],
    ['keep-capabilities', 'keepCapabilities'],
    ['singal', 'signal'],
    ['groupss', 'groups'],
    ['argv', 'argv0'],
  ]
  test.each(spawned)('%s: %s', async (wrong, meant) => {
    const failure = await failureOf(() => here.spawn('true', { [wrong]: true } as never))
    expectFailure(failure, value(`Unknown option '${wrong}' of options; did you mean '${meant}'?`))
  })

  test('does not contain a secret: neither the key nor its value is repeated', async () => {
    const secret = `${'k'.repeat(43)}=`
    const failure = await failureOf(() => action.wireguard.set('wg0', { [secret]: secret } as never))
    expectFailure(failure, value('Unknown option of spec'))
    expect(failure.message).not.toContain('kkk')
  })
})

describe('an option of another function is rejected:', () => {
  const rows: [name: string, call: AnyCall, option: string][] = [
    ['shell of spawn, where fork would ignore it', (options) => here.fork('none.js', options), 'shell'],
    ['stdio of spawn, where execFile has its own', (options) => here.execFile('true', options), 'stdio'],
    ['signal of unshare, which the synchronous one cannot use', (o) => NamespaceSet.unshareSync('ipc', o), 'signal'],
    ['temporary of netns.attach, which creates nothing here', (options) => netns.list(options), 'temporary'],
    ['type of a web Worker', (options) => here.worker('', options), 'type'],
  ]
  test.each(rows)('%s', async (_, call, option) => {
    const failure = await failureOf(() => call({ [option]: 'any' } as never))
    expectFailure(failure, value(`Unknown option '${option}' of options`))
  })
})

describe('inherited options', () => {
  class Options {
    get kinds() {
      return 'net' as const
    }
    toString() {
      return 'options'
    }
  }

  test('are accepted, as by functions of Node.js', async () => {
    await expect(here.execFile('true', new Options())).rejects.toMatchObject({ code: 'ERR_NSSET_NOT_IN_SET' })
    await expect(here.execFile('true', Object.create({ kinds: 'net' }))).rejects.toMatchObject({
      code: 'ERR_NSSET_NOT_IN_SET',
    })
  })

  test('that are unknown are ignored', async () => {
    const options = Object.assign(Object.create({ xyzzy: 1 }), { encoding: 'buffer', [Symbol('xyzzy')]: 1 })
    expect((await here.execFile('true', options)).exitCode).toBe(0)
  })
})
