/** What {@link namespaces} could not look at. */
export interface IncompleteReason {
  /**
   * `'processes'`: processes whose namespaces and descriptors the caller may not read (ptrace(2)). `'sockets'`: sockets whose network
   * the caller may not ask for. `'mounts'`: mount namespaces whose mounts it may not read. `'hidepid'`: `/proc` hides processes of
   * other users. `'pid-namespace'`: `/proc` shows only the processes of the caller's pid namespace.
   */
  readonly what: 'processes' | 'sockets' | 'mounts' | 'hidepid' | 'pid-namespace'
  /** How many, if it is known. */
  readonly count?: number
  /** The name of the kernel's error. */
  readonly code?: string
  /** A description for people. */
  readonly message: string
}

/** @internal */
export interface NativeReason {
  what: IncompleteReason['what']
  count: number | null
  code: string | null
}

/** @internal */
export function reasonOf({ what, count, code }: NativeReason): IncompleteReason {
  const known = { ...(count === null ? {} : { count }), ...(code === null ? {} : { code }) }
  const suffix = code === null ? '' : ` (${code})`
  return { what, ...known, message: `${messageOf(what, count ?? 0)}${suffix}` }
}

function messageOf(what: IncompleteReason['what'], count: number): string {
  switch (what) {
    case 'processes':
      return `${counted(count, 'process', 'processes')} could not be read: ptrace(2) describes who may read them (root may)`
    case 'sockets':
      return `${counted(count, 'socket', 'sockets')} could not be asked for the network: CAP_NET_ADMIN and ptrace(2) are needed`
    case 'mounts':
      return `the mounts of ${counted(count, 'mount namespace', 'mount namespaces')} could not be read`
    case 'hidepid':
      return '/proc hides the processes of other users (hidepid, proc(5))'
    case 'pid-namespace':
      return 'the caller is in a pid namespace of its own: /proc does not show the processes outside of it'
  }
}

function counted(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`
}
