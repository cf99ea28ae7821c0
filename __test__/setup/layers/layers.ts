/** The layers of the project, from the highest row to the lowest. A room may use the rooms in lower rows. `docs/architecture.md` describes them. */
import type { Layers } from './graph.ts'
import { ROOT } from './rust-graph.ts'

/** The folders with TypeScript. */
export const PROJECT: Layers = [['__test__'], ['bench', 'scripts'], ['examples'], ['src']]

/** The folders of `src`, and the files that are in none. */
export const SRC: Layers = [
  ['command', 'index', 'sandbox', 'testing'],
  ['discovery'],
  ['netns', 'pool'],
  ['set'],
  ['containers', 'network'],
  ['network/ways'],
  ['network/capturing', 'network/watching'],
  ['containers/cgroups', 'network/netlink', 'network/sockets/streams', 'network/sockets/datagrams'],
  ['containers/engines', 'network/actions', 'network/sockets/handles'],
  ['containers/facts', 'network/sockets/names'],
  ['network/sockets'],
  ['control-groups', 'processes', 'threads'],
  ['validate/sandbox'],
  ['native', 'validate/monitoring', 'validate/sockets'],
  ['validate/network/firewall', 'validate/network/links'],
  ['validate/network/firewall/matching'],
  ['validate/network'],
  ['validate/discovery', 'validate/testing'],
  ['validate/control-groups', 'validate/processes'],
  ['validate/processes/confinement'],
  ['validate'],
  ['objects'],
  ['errors', 'reports'],
  ['namespace-kind'],
]

/** The rooms of the modules of each crate. */
export const CRATES: Readonly<Record<string, Layers>> = {
  'nsset-node': [
    [ROOT],
    ['network', 'processes'],
    ['sets'],
    ['loading'],
    ['network_thread'],
    ['deferred'],
    ['confinement'],
    ['convert', 'failure', 'give'],
    ['environment'],
    ['exit_report', 'settler'],
    ['error_fields'],
  ],
  'nsset-net': [
    [ROOT],
    ['listed', 'watch'],
    ['vlans'],
    ['conntrack'],
    ['link'],
    ['filter'],
    ['class'],
    ['address', 'firewall', 'neighbour', 'next_hop', 'offload', 'qdisc', 'rule', 'socket_diag', 'wireguard'],
    ['network_ids', 'route'],
    ['network'],
    ['netlink'],
    ['cidr', 'link_ref', 'mac', 'octets'],
    ['error'],
    ['as_text', 'family', 'hint', 'milliseconds', 'scope', 'table'],
  ],
  'nsset-forward': [
    [ROOT],
    ['connection', 'datagrams'],
    ['flow'],
    ['target'],
    ['packet_info', 'stream'],
    ['async_socket', 'counters', 'pipes', 'stop'],
    ['exhaustion'],
  ],
  'nsset-uplink': [
    [ROOT],
    ['uplink'],
    ['table'],
    ['flows'],
    ['names_service'],
    ['shared'],
    ['names', 'reports', 'stack'],
    ['backlog', 'carrier'],
    ['hello', 'packets'],
    ['rules'],
    ['async_socket', 'own_address', 'rate', 'socket_option'],
  ],
  'nsset-capture': [
    [ROOT],
    ['capture'],
    ['engine'],
    ['shared'],
    ['compile', 'pcapng', 'ring'],
    ['filter', 'options', 'packets', 'socket'],
    ['program'],
    ['link_type'],
    ['error'],
    ['syntax_error'],
  ],
  'nsset-dns': [
    [ROOT],
    ['resolver'],
    ['search'],
    ['error', 'exchange', 'order'],
    ['inside'],
    ['resolv_conf', 'wire'],
    ['config'],
    ['hosts'],
    ['failure', 'family', 'host_name', 'numeric'],
  ],
  nsset: [
    [ROOT],
    ['discovery', 'unshare'],
    ['network', 'processes', 'userns'],
    ['confinement', 'file', 'mounts'],
    ['helper'],
    ['threads'],
    ['namespaces'],
    ['children'],
    ['cancel', 'control_group', 'outside'],
    ['footprint', 'proc'],
    ['retry'],
    ['error'],
    ['id_map', 'kind', 'plain'],
  ],
  'nsset-helper': [
    [ROOT],
    ['runtime'],
    ['entering_child', 'program'],
    ['files', 'fork', 'ids', 'init', 'network', 'network_of_init', 'view'],
    ['namespaces', 'process'],
    ['loopback', 'state'],
    ['arguments', 'report'],
    ['memory', 'protocol', 'syscall'],
  ],
}

/** Which crates a crate may be built on. */
export const CRATE_DEPENDENCIES: Readonly<Record<string, readonly string[]>> = {
  'nsset-node': ['nsset', 'nsset-capture', 'nsset-dns', 'nsset-forward', 'nsset-net', 'nsset-uplink'],
  'nsset-net': [],
  'nsset-forward': [],
  'nsset-uplink': [],
  'nsset-capture': [],
  'nsset-dns': [],
  nsset: ['nsset-helper'],
  'nsset-helper': [],
}

/** The most files that a folder has. */
export const MOST_FILES = 15

/** Folders with more, and why. */
export const FULL_FOLDERS: Readonly<Record<string, string>> = {
  docs: 'one page for each subject, named for it',
  'docs/decisions': 'records in the order of their numbers, which other pages and commits name',
  findings: 'one script for each surprise, which stands alone',
}
