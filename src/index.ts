/// <reference types="node" preserve="true" />

/**
 * Linux namespaces for Node.js: hold them, create them, enter them, and run code and processes inside them.
 *
 * @module nsset
 */

import { printReports } from './reports.ts'

export { ControlGroup } from './control-groups/control-group.ts'
export type {
  ControlGroupCpu,
  ControlGroupMemory,
  ControlGroupMemoryEvents,
  ControlGroupProcesses,
  ControlGroupStat,
  ControlGroupThrottling,
} from './control-groups/statistics.ts'
export type { FoundNamespace } from './discovery/found-namespace.ts'
export type {
  ChildrenHolder,
  DescriptorHolder,
  MountHolder,
  NamespaceAsHolder,
  NamespaceFacts,
  NamespaceHolder,
  NamespaceName,
  ProcessHolder,
  SocketHolder,
  ThreadHolder,
} from './discovery/holders.ts'
export type { IncompleteReason } from './discovery/incomplete.ts'
export type { NamespaceList } from './discovery/namespace-list.ts'
export { namespaces } from './discovery/namespaces.ts'
export type { NamespaceTree } from './discovery/tree.ts'
export { NamespaceError } from './errors.ts'
export { type Kinds, type NamespaceKind, NS } from './namespace-kind.ts'
export { netns } from './netns/netns.ts'
export type { Action, Results } from './network/actions/action.ts'
export { ActionError } from './network/actions/action-error.ts'
export type { List } from './network/actions/list.ts'
export type { CaptureStatistics, PacketCapture } from './network/capturing/packet-capture.ts'
export { action } from './network/netlink/actions.ts'
export { NetworkAddresses } from './network/netlink/addresses.ts'
export { NetworkConntrack } from './network/netlink/conntrack.ts'
export { firewall, NetworkFirewall } from './network/netlink/firewall.ts'
export type { Link, LinkBase, LinkCounter, LinkOf, LinkStatistics, OperationalState } from './network/netlink/link.ts'
export { type LinkPeer, NetworkLinks } from './network/netlink/links.ts'
export { NetworkIds } from './network/netlink/network-ids.ts'
export { NetworkSockets } from './network/netlink/network-sockets.ts'
export { NetworkOffload } from './network/netlink/offload.ts'
export { NetworkClasses } from './network/netlink/queueing/classes.ts'
export { NetworkFilters } from './network/netlink/queueing/filters.ts'
export { NetworkQdiscs } from './network/netlink/queueing/qdiscs.ts'
export { NetworkForwardingEntries } from './network/netlink/routing/forwarding-entries.ts'
export { NetworkNeighbours } from './network/netlink/routing/neighbours.ts'
export { NetworkNextHops } from './network/netlink/routing/next-hops.ts'
export { NetworkRoutes } from './network/netlink/routing/routes.ts'
export { NetworkRules } from './network/netlink/routing/rules.ts'
export { NetworkSysctls } from './network/netlink/sysctls.ts'
export { NetworkVlans } from './network/netlink/vlans.ts'
export { NetworkWireGuard, type WireGuardKeys, wireguard } from './network/netlink/wireguard.ts'
export { Network } from './network/network.ts'
export { NetworkSync, type SyncIds, type SyncLinks, type SyncMethods } from './network/network-sync.ts'
export type { Connector, ConnectorTarget } from './network/sockets/streams/connector.ts'
export { NetworkWatcher } from './network/watching/network-watcher.ts'
export type { ObjectEvent, ResyncEvent, WatchEvent, WatchedValues } from './network/watching/watch-event.ts'
export { Forwarding, type ForwardingAddress, type ForwardingStatistics } from './network/ways/forwarding.ts'
export { Uplink, type UplinkFlow, type UplinkRefusal, type UplinkStatistics } from './network/ways/uplink.ts'
export type { Lazy } from './objects/context.ts'
export { NamespacePool } from './pool/namespace-pool.ts'
export type { ChildOf, NamespaceChildProcess } from './processes/child-process.ts'
export { ExecFileError } from './processes/exec-file-error.ts'
export type { ExecFileErrorCode, ExecFileResult, Output } from './processes/exec-file-result.ts'
export { landlockAbi } from './processes/landlock-abi.ts'
export { sandboxSystemCalls } from './processes/sandbox-system-calls.ts'
export { systemCalls } from './processes/system-calls.ts'
export type { ReportBase, RequestReport, SpawnReport, UnshareReport } from './reports.ts'
export type { ActionContext } from './set/action-context.ts'
export { FdSet } from './set/fd-set.ts'
export { NamespaceSet, type NamespaceStat } from './set/namespace-set.ts'
export { realPaths } from './set/real-paths.ts'
export type { Thenable } from './threads/thenable.ts'
export type { FromContainerOptions } from './validate/container-options.ts'
export type {
  ControlGroupLimits,
  ControlGroupOptions,
  ControlGroupWaitOptions,
} from './validate/control-groups/options.ts'
export type { Composition } from './validate/discovery/composition.ts'
export type { NamespacesOptions } from './validate/discovery/namespaces-options.ts'
export type { DoOptions, EnterOptions } from './validate/enter-options.ts'
export type { IdMap } from './validate/id-map.ts'
export type { CaptureOptions } from './validate/monitoring/capture-options.ts'
export type { FirewallObject } from './validate/monitoring/firewall-object.ts'
export type {
  InetSocket,
  NetworkSocket,
  SocketBase,
  SocketEnd,
  SocketFilter,
  SocketProtocol,
  SocketState,
  UnixSocket,
} from './validate/monitoring/network-socket.ts'
export type {
  ConnectionDirection,
  ConnectionEnd,
  ConnectionFilter,
  ConnectionState,
  ConnectionStatus,
  ConntrackStatistics,
  TrackedConnection,
  TrackedProtocol,
} from './validate/monitoring/tracked-connection.ts'
export type { UntilOptions, WatchedPart, WatchOptions } from './validate/monitoring/watch-options.ts'
export type {
  BindMount,
  DevMount,
  DirectoryMount,
  FileMount,
  FileSystemMount,
  MaskMount,
  MountSpec,
  OverlayMount,
  OwnerMaps,
  SymlinkMount,
  Tmpfs,
  TmpfsRoot,
} from './validate/mounts/mount-spec.ts'
export type { MountTargets } from './validate/mounts/mount-targets.ts'
export type {
  NetnsAttachOptions,
  NetnsCreateOptions,
  NetnsCreateSyncOptions,
  NetnsOptions,
  NetnsRemoveOptions,
} from './validate/netns-options.ts'
export type { Address, AddressSpec, NewAddressSpec, Scope } from './validate/network/address.ts'
export type {
  FirewallChain,
  FirewallFamily,
  FirewallHook,
  FirewallPriority,
} from './validate/network/firewall/chain.ts'
export type { FirewallComputedSelector } from './validate/network/firewall/matching/computed-selectors.ts'
export type { FirewallKeyType, FirewallRange } from './validate/network/firewall/matching/data-types.ts'
export type { FirewallMapping, FirewallMapTo } from './validate/network/firewall/matching/mapping.ts'
export type { FirewallSelector } from './validate/network/firewall/matching/selectors.ts'
export type {
  FirewallAny,
  FirewallComparison,
  FirewallSetName,
  FirewallTest,
} from './validate/network/firewall/matching/test.ts'
export type { FirewallVerdict, FirewallVerdictWord } from './validate/network/firewall/matching/verdict.ts'
export type { FirewallElement, FirewallKey, FirewallObjectKind, FirewallSet } from './validate/network/firewall/set.ts'
export type {
  FirewallAddedElement,
  FirewallDeletedElement,
  FirewallOwn,
  FirewallSelectors,
} from './validate/network/firewall/set-statement.ts'
export type {
  AllowedPort,
  DeleteTableOptions,
  FirewallPolicyOptions,
  MasqueradeOptions,
  PublishedPort,
} from './validate/network/firewall/short-forms.ts'
export type {
  FirewallActions,
  FirewallChange,
  FirewallCopy,
  FirewallMatches,
  FirewallNewValue,
  FirewallRejection,
  FirewallRule,
  FirewallStatement,
  FirewallWord,
} from './validate/network/firewall/statement.ts'
export type {
  FirewallConnectionCount,
  FirewallDestination,
  FirewallLimit,
  FirewallLog,
  FirewallPortTranslation,
  FirewallQueue,
  FirewallQuota,
  FirewallSynproxy,
  FirewallTranslation,
  FirewallTransparentProxy,
} from './validate/network/firewall/statement-options.ts'
export type {
  FirewallCount,
  FirewallCounter,
  FirewallCounts,
  FirewallNamedLimit,
  FirewallNamedQuota,
  FirewallTable,
  FirewallTableRef,
  FirewallTableSpec,
} from './validate/network/firewall/table.ts'
export type { PlainSetRef } from './validate/network/known-set.ts'
export type { LinkInOtherNetwork, LinkRef, PlainLinkRef } from './validate/network/link-ref.ts'
export type { BondData, BondMode, BondPort } from './validate/network/links/bond.ts'
export type { BridgeData, BridgePort } from './validate/network/links/bridge.ts'
export type * from './validate/network/links/encryption.ts'
export type * from './validate/network/links/link-kinds.ts'
export type {
  ChangeableLinkKind,
  LinkChanges,
  LinkSpec,
  LinkSpecBase,
  LinkSpecOf,
  LinkState,
  PlainLinkChanges,
  VethPeer,
} from './validate/network/links/link-spec.ts'
export type { Offload, OffloadChanges } from './validate/network/links/offload.ts'
export type * from './validate/network/links/sharing.ts'
export type * from './validate/network/links/tunnels.ts'
export type * from './validate/network/links/udp-tunnels.ts'
export type { BridgeVlan, BridgeVlanSpec } from './validate/network/links/vlan.ts'
export type {
  ApplyOptions,
  ApplySyncOptions,
  DeleteLinkOptions,
  ListRoutesOptions,
  MoveLinkOptions,
} from './validate/network/options.ts'
export type {
  FilterAction,
  FilterActionData,
  FilterActionKind,
  Verdict,
} from './validate/network/queueing/action.ts'
export type {
  ClassBase,
  ClassData,
  ClassKind,
  ClassPlace,
  ClassRef,
  ClassStatistics,
  HtbClassData,
  TrafficClass,
  TrafficClassSpec,
} from './validate/network/queueing/class.ts'
export type { CakeData, FqCodelData, FqData, SfqData } from './validate/network/queueing/fair-queues.ts'
export type {
  FilterBase,
  FilterData,
  FilterKind,
  FilterPlace,
  FilterProtocol,
  FilterRef,
  FlowerData,
  ListFiltersOptions,
  TrafficFilter,
  TrafficFilterSpec,
  U32Match,
} from './validate/network/queueing/filter.ts'
export type {
  DistributionTable,
  GilbertElliottLossModel,
  LossModel,
  NetemData,
  NetemSlots,
  StateLossModel,
} from './validate/network/queueing/netem.ts'
export type { PrioData, PriorityMap } from './validate/network/queueing/prio.ts'
export type {
  DeleteQdiscOptions,
  HtbData,
  NoOptions,
  Qdisc,
  QdiscBase,
  QdiscData,
  QdiscKind,
  QdiscPlace,
  QdiscSpec,
  TbfData,
} from './validate/network/queueing/qdisc.ts'
export type * from './validate/network/queueing/qdisc-statistics.ts'
export type {
  ForwardingEntry,
  ForwardingEntrySpec,
  ForwardingEntryStatistics,
  ForwardingState,
} from './validate/network/routing/forwarding-entry.ts'
export type {
  Neighbour,
  NeighbourSpec,
  NeighbourState,
  NeighbourStatistics,
} from './validate/network/routing/neighbour.ts'
export type {
  NextHop,
  NextHopGroupMember,
  NextHopRef,
  NextHopResilience,
  NextHopSpec,
} from './validate/network/routing/next-hop.ts'
export type {
  Route,
  RouteEncap,
  RouteMetrics,
  RouteNextHop,
  RouteNextHopSpec,
  RouteSpec,
  RouteType,
} from './validate/network/routing/route.ts'
export type { RouteLookupOptions } from './validate/network/routing/route-lookup.ts'
export type {
  IpProtocol,
  ListRulesOptions,
  NumberRange,
  RoutingRule,
  RoutingRuleAction,
  RoutingRuleSpec,
} from './validate/network/routing/rule.ts'
export type { ScriptOptions } from './validate/network/script-options.ts'
export type { SetRef } from './validate/network/set-ref.ts'
export type { WireGuard, WireGuardPeer, WireGuardPeerSpec, WireGuardSpec } from './validate/network/wireguard.ts'
export type { Path } from './validate/paths.ts'
export type { NamespacePoolOptions, PoolGetOptions } from './validate/pool-options.ts'
export type { Capability } from './validate/processes/confinement/capabilities.ts'
export type { ConfinementOptions } from './validate/processes/confinement/confinement.ts'
export type { LandlockRules } from './validate/processes/confinement/landlock.ts'
export type { ProcessLimit, ProcessLimits } from './validate/processes/confinement/limits.ts'
export type { SandboxSystemCallsOptions } from './validate/processes/confinement/sandbox-options.ts'
export type {
  SystemCallAction,
  SystemCallCondition,
  SystemCallFilter,
  SystemCallRule,
} from './validate/processes/confinement/system-calls.ts'
export type { Environment } from './validate/processes/environment.ts'
export type { ExecFileOptions, OutputEncoding } from './validate/processes/exec-file-options.ts'
export type { ForkOptions, ForkStdio } from './validate/processes/fork.ts'
export type { ProcessOptions, SpawnOptions } from './validate/processes/spawn-options.ts'
export type { StderrOf, StdinOf, Stdio, StdioOptions, StdoutOf } from './validate/processes/stdio.ts'
export type { ConnectorOptions } from './validate/sockets/connector-options.ts'
export type {
  CloseForwardingOptions,
  ForwardOptions,
  ForwardTarget,
  StartForwardingOptions,
} from './validate/sockets/forwarding-options.ts'
export type { NetworkListenOptions } from './validate/sockets/listen-options.ts'
export type { PortRange } from './validate/sockets/port-range.ts'
export type { Rule } from './validate/sockets/rule.ts'
export type { UplinkDnsOptions, UplinkOptions, UplinkRequest } from './validate/sockets/uplink-options.ts'
export type {
  MapUser,
  TimeOffsets,
  UnshareOptions,
  UnshareSyncOptions,
} from './validate/unshare-options.ts'
export type { NamespaceWorkerOptions } from './validate/worker-options.ts'

printReports()
