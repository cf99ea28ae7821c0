/// <reference types="node" preserve="true" />

/**
 * Linux namespaces for Node.js: hold them, make them, enter them, run code and processes inside them.
 *
 * @module nsset
 */

export type { FromContainerOptions } from './containers/from-container.ts'
export { NamespaceError } from './errors.ts'
export { FdSet } from './fd-set.ts'
export { type Kinds, type NamespaceKind, NS } from './namespace-kind.ts'
export { NamespacePool, type NamespacePoolOptions, type PoolGetOptions } from './namespace-pool.ts'
export {
  type DoOptions,
  type EnterOptions,
  NamespaceSet,
  type NamespaceStat,
} from './namespace-set.ts'
export {
  type NetnsAttachOptions,
  type NetnsCreateOptions,
  type NetnsOptions,
  type NetnsRemoveOptions,
  netns,
} from './netns.ts'
export type { Action, ActionContext, Later, Results } from './network/action.ts'
export { ActionError } from './network/action-error.ts'
export { action } from './network/actions.ts'
export { NetworkAddresses } from './network/addresses.ts'
export type { Link, LinkBase, LinkElsewhere, LinkOf, LinkStatistics } from './network/link.ts'
export { type DeleteLinkOptions, NetworkLinks } from './network/links.ts'
export { type ApplyOptions, Network } from './network/network.ts'
export { type DeleteQdiscOptions, NetworkQdiscs } from './network/qdiscs.ts'
export { type ListRoutesOptions, NetworkRoutes } from './network/routes.ts'
export type { ScriptOptions } from './network/steps.ts'
export { NetworkSysctls } from './network/sysctls.ts'
export {
  NetworkWireGuard,
  type WireGuard,
  type WireGuardKeys,
  type WireGuardPeer,
  type WireGuardPeerSpec,
  type WireGuardSpec,
  wireguard,
} from './network/wireguard.ts'
export type { ChildOf, NamespaceChildProcess } from './processes/child-process.ts'
export type { ExecFileOptions } from './processes/exec-file.ts'
export { ExecFileError } from './processes/exec-file-error.ts'
export type { ExecFileErrorCode, ExecFileResult, Output, OutputEncoding } from './processes/exec-file-result.ts'
export type { Connector, ConnectorOptions, ConnectorTarget } from './sockets/connector.ts'
export type { NetworkListenOptions } from './sockets/listen.ts'
export type { Thenable } from './thenable.ts'
export type { MountTargets } from './validate/mount-targets.ts'
export type { Address, AddressSpec, Scope } from './validate/network/address.ts'
export type * from './validate/network/link-kinds.ts'
export type { LinkRef, PlainLinkRef } from './validate/network/link-ref.ts'
export type {
  LinkChanges,
  LinkSpec,
  LinkSpecBase,
  LinkSpecOf,
  LinkState,
  VethPeer,
} from './validate/network/link-spec.ts'
export type {
  FqCodelData,
  HtbData,
  NetemData,
  Qdisc,
  QdiscBase,
  QdiscData,
  QdiscKind,
  QdiscPlace,
  QdiscSpec,
  QdiscStatistics,
  TbfData,
} from './validate/network/qdisc.ts'
export type {
  Route,
  RouteEncap,
  RouteMetrics,
  RouteNextHop,
  RouteNextHopSpec,
  RouteSpec,
  RouteType,
} from './validate/network/route.ts'
export type { PlainSetRef, SetRef } from './validate/network/set-ref.ts'
export type { Path } from './validate/paths.ts'
export type { Environment } from './validate/processes/environment.ts'
export type { ForkOptions, ForkStdio } from './validate/processes/fork.ts'
export type { ProcessOptions, SpawnOptions } from './validate/processes/spawn-options.ts'
export type { StderrOf, StdinOf, Stdio, StdioOptions, StdoutOf } from './validate/processes/stdio.ts'
export type {
  BindMount,
  FileSystemMount,
  IdMap,
  MapUser,
  MountSpec,
  TimeOffsets,
  UnshareOptions,
  UnshareSyncOptions,
} from './validate/unshare-options.ts'
export type { NamespaceWorkerOptions } from './worker.ts'
