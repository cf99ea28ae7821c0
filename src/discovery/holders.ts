import type { NamespaceKind } from '../namespace-kind.ts'

/** @hidden The data of a namespace. */
export interface NamespaceFacts {
  kind: NamespaceKind
  id: string
  uniqueId: bigint | undefined
  owner: string | undefined
  parent: string | undefined
  ownerUid: number | undefined
  holders: readonly NamespaceHolder[]
  names: readonly NamespaceName[]
}

/** What keeps a namespace alive. `type` tells them apart. */
export type NamespaceHolder =
  | ProcessHolder
  | ChildrenHolder
  | ThreadHolder
  | DescriptorHolder
  | SocketHolder
  | MountHolder
  | NamespaceAsHolder

/** A process in the namespace. */
export interface ProcessHolder {
  readonly type: 'process'
  readonly pid: number
  /** Its name, as in `/proc/PID/comm`. */
  readonly command: string
  /** The path of its cgroup. */
  readonly cgroup: string
}

/** A process whose next children will be in the namespace: `pid_for_children` or `time_for_children` in `/proc/PID/ns`. */
export interface ChildrenHolder {
  readonly type: 'children'
  readonly pid: number
  readonly command: string
}

/** A thread in the namespace, of a process that is elsewhere. */
export interface ThreadHolder {
  readonly type: 'thread'
  readonly pid: number
  readonly tid: number
  readonly command: string
}

/** A descriptor of the namespace. */
export interface DescriptorHolder {
  readonly type: 'descriptor'
  readonly pid: number
  readonly fd: number
  readonly command: string
}

/** A socket in the network, of a process that is elsewhere. */
export interface SocketHolder {
  readonly type: 'socket'
  readonly pid: number
  readonly fd: number
  readonly command: string
}

/** A file on which the namespace is mounted. */
export interface MountHolder {
  readonly type: 'mount'
  readonly path: string
  /** The id of the mount namespace in which it is mounted. */
  readonly mounts: string
}

/** A namespace that this one owns or is the parent of. */
export interface NamespaceAsHolder {
  readonly type: 'namespace'
  readonly id: string
}

/** A name of a namespace: of ip-netns(8), or the id of the container to which all of its processes belong. */
export interface NamespaceName {
  readonly type: 'netns' | 'container'
  readonly name: string
}

/** @internal A holder that is not a process in the namespace, as the native side has it. */
export type NativeHolder =
  | { type: 'children'; pid: number }
  | { type: 'thread'; pid: number; tid: number }
  | { type: 'descriptor' | 'socket'; pid: number; fd: number }
  | { type: 'mount'; path: string; mounts: number }
  | { type: 'namespace'; kind: NamespaceKind; inode: number }

/** @internal The processes by pid. Each is one object, however many namespaces it is in. */
export type Processes = ReadonlyMap<number, ProcessHolder>

/** @internal Returns the id of a namespace as text. */
export function idOf(kind: NamespaceKind, inode: number): string {
  return `${kind}:[${inode}]`
}

/** @internal */
export function holderOf(holder: NativeHolder, processes: Processes): NamespaceHolder {
  switch (holder.type) {
    case 'mount':
      return { type: 'mount', path: holder.path, mounts: idOf('mnt', holder.mounts) }
    case 'namespace':
      return { type: 'namespace', id: idOf(holder.kind, holder.inode) }
    default:
      return { ...holder, command: processes.get(holder.pid)?.command ?? '' }
  }
}
