/** A kind of namespace, named as in `/proc/PID/ns`. See namespaces(7). */
export type NamespaceKind = 'cgroup' | 'ipc' | 'mnt' | 'net' | 'pid' | 'time' | 'user' | 'uts'

/** One kind, an array of kinds, or a mask of {@link NS} constants. */
export type Kinds = NamespaceKind | readonly NamespaceKind[] | number

/**
 * The kernel's `CLONE_NEW*` constants, for masks of kinds.
 *
 * @example
 * NamespaceSet.current(NS.NET | NS.UTS)
 *
 * @see clone(2)
 */
export const NS: Readonly<Record<'CGROUP' | 'IPC' | 'MNT' | 'NET' | 'PID' | 'TIME' | 'USER' | 'UTS', number>> =
  Object.freeze({
    CGROUP: 0x02000000,
    IPC: 0x08000000,
    MNT: 0x00020000,
    NET: 0x40000000,
    PID: 0x20000000,
    TIME: 0x00000080,
    USER: 0x10000000,
    UTS: 0x04000000,
  })
