import { invalidType, invalidValue, outOfRange } from '../errors.ts'
import type { AnyControlGroup } from '../objects/control-group-handle.ts'
import { array, type FieldsOf, object, type Parse, parseOptions } from './fields.ts'
import { type IdMap, idMap } from './id-map.ts'
import { type MountSpec, parseMount, parseRoot, type TmpfsRoot } from './mounts/mount-spec.ts'
import { type Path, parseControlGroup } from './paths.ts'
import { boolean, signal, text, u32, word } from './values.ts'

/**
 * A preset for both id mappings, as in unshare(1). `'root'` maps the caller to root (`--map-root-user`). `'current'` maps the caller to
 * the same ids (`--map-current-user`). A number maps the caller to that user and group id (`--map-user`, `--map-group`). `'auto'` maps
 * the caller's first ranges of /etc/subuid and /etc/subgid from 0 on (`--map-auto`); the caller itself is not mapped then.
 */
export type MapUser = 'root' | 'current' | 'auto' | number

/**
 * Offsets of the clocks in a new time namespace, in seconds relative to the first time namespace. They can be fractions and negative.
 * Default of each clock: the offset of the base set.
 */
export interface TimeOffsets {
  /** Offset of CLOCK_MONOTONIC in seconds (`unshare --monotonic`). */
  monotonic?: number | undefined
  /** Offset of CLOCK_BOOTTIME, the clock of `uptime`, in seconds (`unshare --boottime`). */
  boottime?: number | undefined
}

/**
 * The initial state of new namespaces. Each option belongs to a kind, and is rejected with `ERR_INVALID_ARG_VALUE` if that kind is
 * not among the new namespaces.
 */
export interface UnshareSyncOptions {
  /** user: the user id mappings (user_namespaces(7)). The kernel accepts up to 340. */
  uidMaps?: readonly IdMap[] | undefined
  /** user: the group id mappings. The kernel accepts up to 340. */
  gidMaps?: readonly IdMap[] | undefined
  /**
   * user: a preset for both id mappings. With `'root'`, programs that drop their privileges themselves (tcpdump, dnsmasq) fail, because
   * the user that they change to is not mapped. They work with `mapUser: 1000` and {@link ProcessOptions.keepCapabilities}.
   */
  mapUser?: MapUser | undefined
  /** user: whether setgroups(2) works inside (`unshare --setgroups`). Default: `'deny'` if an ordinary user's own group is mapped. */
  setgroups?: 'allow' | 'deny' | undefined
  /** time: the offsets of the clocks inside. See time_namespaces(7). */
  timeOffsets?: TimeOffsets | undefined
  /** uts: the host name inside. Default: a copy of the current one. */
  hostname?: string | undefined
  /** net: whether to bring `lo` up (`ip link set lo up`). Default: `false`. */
  loopback?: boolean | undefined
  /** mnt: the propagation of mounts to and from the copied mount namespace (`unshare --propagation`). Default: `'private'`. */
  propagation?: 'private' | 'slave' | 'shared' | 'unchanged' | undefined
  /**
   * mnt: mounts, in order: a later one is never hidden by an earlier one. Each target is resolved as a process inside would, with the
   * earlier mounts in place, also one on `/`. Sources are resolved outside. A mount on `/` covers the old root directory, which stays
   * mounted; `root` unmounts it. The mount of `sysfs` comes after all of them.
   */
  mounts?: readonly MountSpec[] | undefined
  /**
   * mnt: the directory that becomes the root directory inside, like `bwrap --bind DIRECTORY /`; or a new tmpfs, of which nothing is on
   * the disk of the host, like bwrap's without such an option. See pivot_root(2).
   */
  root?: Path | TmpfsRoot | undefined
  /**
   * mnt: whether to mount a sysfs of the set's network on /sys, so that /sys/class/net shows its links. Mounts below /sys, such as
   * /sys/fs/cgroup, remain, and a read-only /sys remains read-only.
   *
   * `true` makes it an error if that is not possible; it requires only a directory. `false` does not change /sys. Default: done in a
   * set with its own network if /sys (with `root`, the one inside it) is a sysfs; except if one of `mounts` is on /sys, if
   * `propagation` is `'shared'` or `'unchanged'`, or if the kernel does not allow it, as in a container whose engine hides parts
   * of /sys.
   */
  sysfs?: boolean | undefined
  /**
   * cgroup: the control group that is the root of the new namespace, as {@link ControlGroup} or by its directory below a mount of
   * cgroup2: inside, it is `/` in /proc/PID/cgroup and in mounts of cgroup2. The processes that create the namespaces are in the
   * group, and so is PID 1 of a new `pid` namespace. Start programs in the group with {@link ProcessOptions.cgroup}. Default: the
   * group of Node.js.
   * @see cgroup_namespaces(7)
   */
  cgroup?: AnyControlGroup | Path | undefined
}

/** {@link UnshareSyncOptions} and a signal. */
export interface UnshareOptions extends UnshareSyncOptions {
  /** Cancels the call; nothing is left behind. */
  signal?: AbortSignal | undefined
}

const isMapUserWord = (value: string) => value === 'root' || value === 'current' || value === 'auto'

/** @internal */
export const mapUser: Parse<MapUser> = (value, name) => {
  if (typeof value === 'number') return u32(value, name)
  if (typeof value !== 'string') throw invalidType(name, "'root', 'current', 'auto' or a user id", value)
  if (isMapUserWord(value)) return value
  throw invalidValue(name, "must be 'root', 'current', 'auto' or a user id", value)
}

const nanoseconds: Parse<bigint> = (value, name) => {
  if (typeof value !== 'number') throw invalidType(name, 'a number of seconds', value)
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw outOfRange(name, 'a finite number of seconds', value)
  }
  const seconds = Math.trunc(value)
  return BigInt(seconds) * 1_000_000_000n + BigInt(Math.round((value - seconds) * 1e9))
}

const TIME_OFFSETS = { monotonic: nanoseconds, boottime: nanoseconds } satisfies FieldsOf<TimeOffsets>

const UNSHARE_SYNC = {
  uidMaps: array(idMap),
  gidMaps: array(idMap),
  mapUser,
  setgroups: word('allow', 'deny'),
  timeOffsets: object(TIME_OFFSETS),
  hostname: text,
  loopback: boolean,
  propagation: word('private', 'slave', 'shared', 'unchanged'),
  mounts: array(parseMount),
  root: parseRoot,
  sysfs: boolean,
  cgroup: parseControlGroup,
} satisfies FieldsOf<UnshareSyncOptions>

const UNSHARE = { ...UNSHARE_SYNC, signal } satisfies FieldsOf<UnshareOptions>

/** @internal Returns the options. The native side reads them by the same names: `UnshareOptions` of crates/nsset. */
export function parseUnshareSyncOptions(options: unknown, name?: string) {
  return parseOptions(options, UNSHARE_SYNC, name)
}

/** @internal The same with the signal. */
export function parseUnshareOptions(options: unknown) {
  return parseOptions(options, UNSHARE)
}
