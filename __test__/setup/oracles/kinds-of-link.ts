/** The kinds of link that can be created, each with its particularities. */
import type { LinkKind, LinkSpecOf, LinkState } from 'nsset'

/** A spec without a name. */
export type Nameless = { [K in LinkKind]: Omit<LinkSpecOf<K>, 'name'> }[LinkKind]

export interface KindOfLink {
  /** What nsset creates. The network has a veth `left` and `right`, and a bridge `br0`. */
  spec: Nameless
  /** The `ip` command that creates the same; its name is `NAME`. */
  command: string
  /** The fields of the kind in the JSON of `ip`. */
  json?: Record<string, unknown>
  /** The hint in the error of a kernel that lacks the kind. */
  lacks: string
  /** State that the kernel rejects for this kind, with the error code. */
  refused?: { [F in keyof LinkState]?: string }
  /** State that this kind ignores, without an error. */
  without?: readonly (keyof LinkState)[]
  /** State that this kind can only have from its creation. */
  fixed?: readonly (keyof LinkState)[]
}

const module = (kind: string, name: string = kind) =>
  `the kernel has no '${kind}' link; load the module ${name}, if there is one`

const [local, remote] = ['192.0.2.1', '192.0.2.2']

/** Links without a MAC address cannot be ports of a bridge; at creation the kernel ignores the master. */
const OF_IP = { refused: { master: 'EINVAL' }, without: ['mac'] } as const

const bridge: KindOfLink[] = [
  {
    spec: {
      kind: 'bridge',
      ...{ stp: true, forwardDelay: 4000, helloTime: 1000, maxAge: 10_000, ageingTime: 60_000, priority: 4096 },
      multicastSnooping: false,
    },
    command:
      'link add NAME type bridge stp_state 1 forward_delay 400 hello_time 100 max_age 1000 ageing_time 6000 ' +
      'priority 4096 mcast_snooping 0',
    json: {
      ...{ stp_state: 1, forward_delay: 400, hello_time: 100, max_age: 1000, ageing_time: 6000, priority: 4096 },
      mcast_snooping: 0,
    },
    lacks: module('bridge'),
    refused: { master: 'ELOOP' },
  },
  {
    spec: { kind: 'bridge', vlanFiltering: true, vlanDefaultPvid: 9 },
    command: 'link add NAME type bridge vlan_filtering 1 vlan_default_pvid 9',
    json: { vlan_filtering: 1, vlan_default_pvid: 9 },
    lacks: 'the kernel was built without support for it, or the link does not support it',
  },
]

const vxlan: KindOfLink[] = [
  {
    spec: {
      ...{ kind: 'vxlan', id: 42, local, remote, dev: 'left', port: 4789, ttl: 5 },
      ...{ learning: false, ageingTime: 120_000 },
    },
    command: `link add NAME type vxlan id 42 local ${local} remote ${remote} dev left dstport 4789 ttl 5 nolearning ageing 120`,
    json: { id: 42, local, remote, link: 'left', port: 4789, ttl: 5, learning: false, ageing: 120 },
    lacks: module('vxlan'),
  },
  {
    spec: { kind: 'vxlan', id: 0xffffff, group: '239.1.1.1', dev: 'left', port: 8472 },
    command: 'link add NAME type vxlan id 16777215 group 239.1.1.1 dev left dstport 8472',
    json: { id: 0xffffff, group: '239.1.1.1', link: 'left', port: 8472, learning: true },
    lacks: module('vxlan'),
  },
  {
    spec: { kind: 'vxlan', id: 0, local: '2001:db8::1', remote: '2001:db8::2', port: 4789 },
    command: 'link add NAME type vxlan id 0 local 2001:db8::1 remote 2001:db8::2 dstport 4789',
    json: { id: 0, local6: '2001:db8::1', remote6: '2001:db8::2', port: 4789 },
    lacks: module('vxlan'),
  },
  {
    spec: {
      ...{ kind: 'vxlan', id: 43, remote, port: 4789, tos: 4, dontFragment: 'set', maxLearned: 100 },
      ...{ sourcePorts: { start: 20_000, end: 30_000 }, proxy: true, routeShortCircuit: true, groupPolicy: true },
      ...{ announceMissingMac: true, announceMissingIp: true },
      ...{
        checksum: true,
        noChecksum6: true,
        acceptNoChecksum6: true,
        remoteChecksum: true,
        acceptRemoteChecksum: true,
      },
    },
    command:
      `link add NAME type vxlan id 43 remote ${remote} dstport 4789 tos 4 df set maxaddress 100 srcport 20000 30000 ` +
      'proxy rsc gbp l2miss l3miss udpcsum udp6zerocsumtx udp6zerocsumrx remcsumtx remcsumrx',
    json: { port_range: { low: 20_000, high: 30_000 }, proxy: true, rsc: true, l2miss: true, l3miss: true },
    lacks: module('vxlan'),
  },
  {
    spec: { kind: 'vxlan', id: 44, remote: '2001:db8::2', port: 4789, flowLabel: 0x12345, inheritTtl: true },
    command: 'link add NAME type vxlan id 44 remote 2001:db8::2 dstport 4789 flowlabel 0x12345 ttl inherit',
    json: { label: '0x12345' },
    lacks: module('vxlan'),
  },
  {
    spec: { kind: 'vxlan', id: 0, port: 4790, external: true, genericProtocols: true },
    command: 'link add NAME type vxlan dstport 4790 external gpe',
    json: { external: true },
    lacks: module('vxlan'),
  },
]

const macvlan = (['private', 'vepa', 'bridge', 'passthru', 'source'] as const).map(
  (mode): KindOfLink => ({
    spec: { kind: 'macvlan', dev: 'left', mode },
    command: `link add link left name NAME type macvlan mode ${mode}`,
    json: { mode },
    lacks: module('macvlan'),
  }),
)
macvlan.push(
  {
    spec: {
      ...{ kind: 'macvlan', dev: 'left', mode: 'source', flags: ['no-destination'], broadcastQueueLength: 500 },
      ...{ sourceMacs: ['02:00:00:00:00:09'] },
    },
    command: 'link add link left name NAME type macvlan mode source nodst bcqueuelen 500 macaddr set 02:00:00:00:00:09',
    json: { mode: 'source' },
    lacks: module('macvlan'),
  },
  {
    spec: { kind: 'macvlan', dev: 'left', mode: 'passthru', flags: ['not-promiscuous'] },
    command: 'link add link left name NAME type macvlan mode passthru nopromisc',
    json: { mode: 'passthru' },
    lacks: module('macvlan'),
  },
)

const ipvlan = (['l2', 'l3', 'l3s'] as const).map(
  (mode): KindOfLink => ({
    spec: { kind: 'ipvlan', dev: 'left', mode },
    command: `link add link left name NAME type ipvlan mode ${mode}`,
    json: { mode },
    lacks: module('ipvlan'),
    ...OF_IP,
  }),
)
ipvlan.push({
  spec: { kind: 'ipvlan', dev: 'left', mode: 'l2', isolation: 'private' },
  command: 'link add link left name NAME type ipvlan mode l2 private',
  json: { mode: 'l2' },
  lacks: module('ipvlan'),
  ...OF_IP,
})

const vlan = (['802.1Q', '802.1ad'] as const).map(
  (protocol): KindOfLink => ({
    spec: { kind: 'vlan', dev: 'left', id: 100, protocol },
    command: `link add link left name NAME type vlan protocol ${protocol} id 100`,
    json: { protocol, id: 100 },
    lacks: module('vlan', '8021q'),
  }),
)
vlan.push({
  spec: {
    ...{ kind: 'vlan', dev: 'left', id: 101, flags: ['reorder-header', 'gvrp', 'loose-binding'] },
    egressPriorities: [
      { from: 1, to: 2 },
      { from: 3, to: 4 },
    ],
    ingressPriorities: [{ from: 1, to: 7 }],
  },
  command:
    'link add link left name NAME type vlan id 101 gvrp on loose_binding on egress-qos-map 1:2 3:4 ingress-qos-map 1:7',
  json: { id: 101, flags: ['REORDER_HDR', 'GVRP', 'LOOSE_BINDING'] },
  lacks: module('vlan', '8021q'),
})

const BOND_MODES = [
  ...(['balance-rr', 'active-backup', 'balance-xor', 'broadcast'] as const),
  ...(['802.3ad', 'balance-tlb', 'balance-alb'] as const),
]
const bond = BOND_MODES.map(
  (mode): KindOfLink => ({
    spec: { kind: 'bond', mode, monitorInterval: 120 },
    command: `link add NAME type bond mode ${mode} miimon 120`,
    json: { mode, miimon: 120 },
    lacks: module('bond', 'bonding'),
  }),
)

const tunnels: KindOfLink[] = [
  {
    spec: { kind: 'gretap', local, remote, key: 7, ttl: 9, dev: 'left' },
    command: `link add NAME type gretap local ${local} remote ${remote} key 7 ttl 9 dev left`,
    json: { local, remote, ikey: '0.0.0.7', okey: '0.0.0.7', ttl: 9, link: 'left' },
    lacks: module('gretap', 'ip_gre'),
  },
  {
    spec: { kind: 'gre', local, remote, key: 7, ttl: 9, dev: 'left' },
    command: `link add NAME type gre local ${local} remote ${remote} key 7 ttl 9 dev left`,
    json: { local, remote, ikey: '0.0.0.7', okey: '0.0.0.7', ttl: 9, link: 'left' },
    lacks: module('gre', 'ip_gre'),
    ...OF_IP,
  },
  {
    spec: {
      ...{ kind: 'gre', local, remote, ttl: 9, tos: 4, inputKey: 7, outputKey: 8, mark: 9 },
      ...{ checksum: true, sequence: 'output' },
    },
    command: `link add NAME type gre local ${local} remote ${remote} ttl 9 tos 4 ikey 7 okey 8 fwmark 9 csum oseq`,
    json: { ikey: '0.0.0.7', okey: '0.0.0.8', icsum: true, ocsum: true, oseq: true },
    lacks: module('gre', 'ip_gre'),
    ...OF_IP,
  },
  {
    spec: { kind: 'gretap', local, remote, ttl: 0, pathMtuDiscovery: false, ignoreDontFragment: true },
    command: `link add NAME type gretap local ${local} remote ${remote} ttl inherit nopmtudisc ignore-df`,
    json: { pmtudisc: false },
    lacks: module('gretap', 'ip_gre'),
  },
  {
    spec: { kind: 'gretap', local, remote },
    command: `link add NAME type gretap local ${local} remote ${remote}`,
    json: { local, remote },
    lacks: module('gretap', 'ip_gre'),
  },
  {
    spec: { kind: 'ipip', local, remote, ttl: 9, dev: 'left' },
    command: `link add NAME type ipip mode ipip local ${local} remote ${remote} ttl 9 dev left`,
    json: { local, remote, ttl: 9, link: 'left' },
    lacks: module('ipip'),
    ...OF_IP,
  },
  {
    spec: { kind: 'ipip', local, remote, mode: 'any', ttl: 0, tos: 4, pathMtuDiscovery: false, mark: 7 },
    command: `link add NAME type ipip mode any local ${local} remote ${remote} ttl inherit tos 4 nopmtudisc fwmark 7`,
    json: { proto: 'any', local, remote, pmtudisc: false },
    lacks: module('ipip'),
    ...OF_IP,
  },
  {
    spec: { kind: 'gretap', external: true },
    command: 'link add NAME type gretap external',
    json: { external: true },
    lacks: module('gretap', 'ip_gre'),
  },
  {
    spec: { kind: 'ipip', local, remote, encap: 'fou', encapPort: 5555, encapSourcePort: 0, encapFlags: [] },
    command: `link add NAME type ipip mode ipip local ${local} remote ${remote} encap fou encap-dport 5555`,
    json: { local, remote, encap: { type: 'fou', dport: 5555, sport: 0, csum: false } },
    lacks: module('ipip'),
    ...OF_IP,
  },
  {
    spec: { kind: 'vxlan', id: 0, port: 4789, external: true },
    command: 'link add NAME type vxlan dstport 4789 external',
    json: { external: true, port: 4789 },
    lacks: module('vxlan'),
  },
  {
    spec: { kind: 'geneve', id: 0, external: true },
    command: 'link add NAME type geneve external',
    json: { external: true },
    lacks: module('geneve'),
  },
  {
    spec: { kind: 'geneve', id: 42, remote, port: 6082, ttl: 9 },
    command: `link add NAME type geneve id 42 remote ${remote} dstport 6082 ttl 9`,
    json: { id: 42, remote, port: 6082, ttl: 9 },
    lacks: module('geneve'),
  },
  {
    spec: { kind: 'geneve', id: 0xffffff, remote: '2001:db8::2' },
    command: 'link add NAME type geneve id 16777215 remote 2001:db8::2',
    json: { id: 0xffffff, remote6: '2001:db8::2', port: 6081 },
    lacks: module('geneve'),
  },
  {
    spec: { kind: 'geneve', id: 43, remote, tos: 4, dontFragment: 'set', checksum: true },
    command: `link add NAME type geneve id 43 remote ${remote} tos 4 df set udpcsum`,
    json: { id: 43, remote },
    lacks: module('geneve'),
  },
  {
    spec: {
      ...{ kind: 'geneve', id: 44, remote: '2001:db8::2', flowLabel: 0x123, inheritTtl: true },
      ...{ noChecksum6: true, acceptNoChecksum6: true },
    },
    command:
      'link add NAME type geneve id 44 remote 2001:db8::2 flowlabel 0x123 ttl inherit udp6zerocsumtx udp6zerocsumrx',
    json: { id: 44, label: '0x123' },
    lacks: module('geneve'),
  },
]

const sit: KindOfLink[] = [
  {
    spec: { kind: 'sit', local, remote, mode: 'ip6ip', ttl: 9, tos: 4, mark: 7, dev: 'left' },
    command: `link add NAME type sit mode ip6ip local ${local} remote ${remote} ttl 9 tos 4 fwmark 7 dev left`,
    json: { local, remote, ttl: 9, link: 'left' },
    lacks: module('sit'),
    ...OF_IP,
  },
  {
    spec: { kind: 'sit', local, remote, mode: 'any', ttl: 0, pathMtuDiscovery: false },
    command: `link add NAME type sit mode any local ${local} remote ${remote} ttl inherit nopmtudisc`,
    json: { proto: 'any', local, remote, pmtudisc: false },
    lacks: module('sit'),
    ...OF_IP,
  },
]

sit.push({
  spec: { kind: 'sit', local, remote, ttl: 9, encap: 'gue', encapPort: 5555, encapFlags: ['checksum'] },
  command: `link add NAME type sit mode ip6ip local ${local} remote ${remote} ttl 9 encap gue encap-dport 5555 encap-csum`,
  json: { local, remote, encap: { type: 'gue', dport: 5555, sport: 0, csum: true } },
  lacks: module('sit'),
  ...OF_IP,
})

sit.push({
  spec: { kind: 'sit', local, ttl: 64, rapidDeployment: '2001:db8::/32', rapidDeploymentRelay: '192.0.0.0/8' },
  command: `link add NAME type sit mode ip6ip local ${local} ttl 64 6rd-prefix 2001:db8::/32 6rd-relay_prefix 192.0.0.0/8`,
  json: { local, ttl: 64 },
  lacks: module('sit'),
  ...OF_IP,
})

const [local6, remote6] = ['2001:db8::1', '2001:db8::2']

const overIpv6: KindOfLink[] = [
  {
    spec: {
      ...{ kind: 'ip6tnl', local: local6, remote: remote6, mode: 'ip6ip6', ttl: 9, encapLimit: 5, dev: 'left' },
      ...{ flags: ['copy-traffic-class', 'copy-dscp'], mark: 7 },
    },
    command:
      `link add NAME type ip6tnl mode ip6ip6 local ${local6} remote ${remote6} hoplimit 9 encaplimit 5 dev left ` +
      'tclass inherit dscp inherit fwmark 7',
    json: { proto: 'ip6ip6', local: local6, remote: remote6, ttl: 9, encap_limit: 5, link: 'left' },
    lacks: module('ip6tnl', 'ip6_tunnel'),
    ...OF_IP,
  },
  {
    spec: {
      ...{ kind: 'ip6tnl', local: local6, remote: remote6, mode: 'ipip6', ttl: 64, flowInfo: 0x0ab12345 },
      encapLimit: 4,
      flags: ['no-encap-limit'],
    },
    command:
      `link add NAME type ip6tnl mode ipip6 local ${local6} remote ${remote6} hoplimit 64 encaplimit none ` +
      'tclass 0xab flowlabel 0x12345',
    json: { proto: 'ipip6', local: local6, remote: remote6, ip6_tnl_f_ign_encap_limit: true },
    lacks: module('ip6tnl', 'ip6_tunnel'),
    ...OF_IP,
  },
  {
    spec: { kind: 'ip6tnl', external: true },
    command: 'link add NAME type ip6tnl mode any external',
    json: { external: true },
    lacks: module('ip6tnl', 'ip6_tunnel'),
    ...OF_IP,
  },
  {
    spec: {
      ...{ kind: 'ip6tnl', local: local6, remote: remote6, ttl: 64, encapLimit: 4 },
      ...{ encap: 'fou', encapPort: 5555, encapFlags: ['checksum6'] },
    },
    command: `link add NAME type ip6tnl mode any local ${local6} remote ${remote6} hoplimit 64 encaplimit 4 encap fou encap-dport 5555`,
    json: { local: local6, remote: remote6, encap: { type: 'fou', dport: 5555, sport: 0 } },
    lacks: module('ip6tnl', 'ip6_tunnel'),
    ...OF_IP,
  },
  {
    spec: { kind: 'ip6gre', local: local6, remote: remote6, key: 7, ttl: 9, encapLimit: 5, dev: 'left' },
    command: `link add NAME type ip6gre local ${local6} remote ${remote6} key 7 hoplimit 9 encaplimit 5 dev left`,
    json: { local: local6, remote: remote6, ikey: '0.0.0.7', okey: '0.0.0.7', ttl: 9, link: 'left' },
    lacks: module('ip6gre', 'ip6_gre'),
    ...OF_IP,
  },
  {
    spec: {
      ...{ kind: 'ip6gre', local: local6, remote: remote6, ttl: 64, encapLimit: 4 },
      ...{ inputKey: 7, checksum: 'input', sequence: true },
    },
    command: `link add NAME type ip6gre local ${local6} remote ${remote6} hoplimit 64 encaplimit 4 ikey 7 icsum seq`,
    json: { ikey: '0.0.0.7', icsum: true, iseq: true, oseq: true },
    lacks: module('ip6gre', 'ip6_gre'),
    ...OF_IP,
  },
  {
    spec: {
      kind: 'ip6gretap',
      local: local6,
      remote: remote6,
      ttl: 9,
      encapLimit: 4,
      flags: ['no-encap-limit'],
      mark: 9,
    },
    command: `link add NAME type ip6gretap local ${local6} remote ${remote6} hoplimit 9 encaplimit none fwmark 9`,
    json: { local: local6, remote: remote6, ttl: 9 },
    lacks: module('ip6gretap', 'ip6_gre'),
  },
]

const encrypting: KindOfLink[] = [
  {
    spec: { kind: 'vti', local, remote, inputKey: 7, outputKey: 8, mark: 9, dev: 'left' },
    command: `link add NAME type vti local ${local} remote ${remote} ikey 7 okey 8 fwmark 9 dev left`,
    json: { local, remote, ikey: '0.0.0.7', okey: '0.0.0.8', link: 'left' },
    lacks: module('vti', 'ip_vti'),
    ...OF_IP,
  },
  {
    spec: { kind: 'vti6', local: local6, remote: remote6, inputKey: 7, outputKey: 8, dev: 'left' },
    command: `link add NAME type vti6 local ${local6} remote ${remote6} ikey 7 okey 8 dev left`,
    json: { local: local6, remote: remote6, ikey: '0.0.0.7', okey: '0.0.0.8', link: 'left' },
    lacks: module('vti6', 'ip6_vti'),
    ...OF_IP,
  },
  {
    spec: { kind: 'xfrm', interfaceId: 42, dev: 'left' },
    command: 'link add NAME type xfrm dev left if_id 42',
    json: { if_id: '0x2a' },
    lacks: module('xfrm', 'xfrm_interface'),
    ...OF_IP,
  },
  {
    spec: {
      ...{ kind: 'macsec', dev: 'left', port: 7, encrypt: true, replayProtect: true, window: 9, validation: 'check' },
      ...{ encodingAssociation: 2, cipher: 'gcm-aes-256' },
    },
    command:
      'link add link left name NAME type macsec port 7 encrypt on replay on window 9 validate check encodingsa 2 ' +
      'cipher gcm-aes-256',
    json: { encrypt: true, replay_protect: true, window: 9, validation: 'check', encoding_sa: 2 },
    lacks: module('macsec'),
  },
  {
    spec: {
      ...{ kind: 'macsec', dev: 'left', port: 7, sendSci: false, endStation: true, singleCopyBroadcast: false },
      ...{ protect: true, icvLength: 16 },
    },
    command: 'link add link left name NAME type macsec port 7 send_sci off end_station on scb off protect on icvlen 16',
    json: { inc_sci: false, es: true, scb: false, protect: true, icv_len: 16 },
    lacks: module('macsec'),
  },
  {
    spec: { kind: 'macsec', dev: 'left', port: 7, sendSci: false, singleCopyBroadcast: true },
    command: 'link add link left name NAME type macsec port 7 send_sci off scb on',
    json: { inc_sci: false, es: false, scb: true },
    lacks: module('macsec'),
  },
  {
    spec: { kind: 'macsec', dev: 'left', sci: '0200000000070008' },
    command: 'link add link left name NAME type macsec sci 0200000000070008',
    json: { sci: '0200000000070008' },
    lacks: module('macsec'),
  },
]

// Inside, the caller is root: as itself, or mapped to it.
const [owner, group] = [process.getuid?.(), process.getgid?.()]
const tun = (['tap', 'tun'] as const).map(
  (mode): KindOfLink => ({
    spec: { kind: 'tun', mode, owner, group },
    command: `tuntap add NAME mode ${mode} user 0 group 0`,
    json: { type: mode, user: 'root', group: 'root', persist: true },
    lacks: module('tun'),
    ...(mode === 'tun' ? { refused: { mac: 'EOPNOTSUPP', master: 'EINVAL' } } : {}),
  }),
)

const KINDS: readonly KindOfLink[] = [
  ...bridge,
  {
    spec: { kind: 'veth', peer: { name: 'other' } },
    command: 'link add NAME type veth peer name other',
    lacks: module('veth'),
  },
  { spec: { kind: 'dummy' }, command: 'link add NAME type dummy', lacks: module('dummy') },
  { spec: { kind: 'ifb' }, command: 'link add NAME type ifb', lacks: module('ifb'), fixed: ['mac'] },
  {
    spec: { kind: 'wireguard' },
    command: 'link add NAME type wireguard',
    lacks: module('wireguard'),
    ...OF_IP,
  },
  {
    spec: { kind: 'vrf', table: 1000 },
    command: 'link add NAME type vrf table 1000',
    json: { table: 1000 },
    lacks: module('vrf'),
    refused: { master: 'EINVAL' },
  },
  {
    spec: { kind: 'other', type: 'nlmon' },
    command: 'link add NAME type nlmon',
    lacks: module('nlmon'),
    refused: { mac: 'EINVAL', master: 'EINVAL' },
  },
  ...vxlan,
  ...macvlan,
  ...ipvlan,
  ...vlan,
  ...bond,
  ...tunnels,
  ...tun,
]

export const KINDS_OF_LINK: readonly KindOfLink[] = [...KINDS, ...sit, ...overIpv6, ...encrypting]

/** One of each kind; kinds of tunnels that differ only in their data are left out. */
export const EACH_KIND_OF_LINK = KINDS.filter(
  ({ spec }, index) => KINDS.findIndex((other) => other.spec.kind === spec.kind) === index,
)

/** `vxlan { id: 42, … }` */
export function titleOf({ spec: { kind, ...data } }: KindOfLink): string {
  const fields = Object.entries(data).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  return [kind, ...fields].join(' ').replaceAll('"', '')
}
