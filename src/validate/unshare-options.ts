import { invalidType, invalidValue, outOfRange } from '../errors.ts'
import { array, type FieldsOf, object, type Parse, parseFields, parseObject, parseOptions } from './fields.ts'
import { type Path, parsePath } from './paths.ts'
import { boolean, nonEmptyText, signal, text, u32, word } from './values.ts'

/** `size` ids from `containerId` on, inside, are those from `hostId` on in the user namespace above. */
export interface IdMap {
  /** The first id inside. */
  containerId: number
  /** The first id above; for an ordinary user without ranges, its own. */
  hostId: number
  /** How many there are; at least 1. */
  size: number
}

/**
 * A map by what it is for, as unshare(1) has them: `'root'` makes the caller root inside, `'current'` keeps its ids,
 * a number gives it that user and group id, `'auto'` maps the caller's first range of /etc/subuid and /etc/subgid
 * from 0 on (the caller itself is not mapped then).
 */
export type MapUser = 'root' | 'current' | 'auto' | number

/**
 * Offsets of the clocks in a new time namespace, in seconds from the clocks of the first time namespace; fractions and
 * negative numbers are allowed. A clock that is left out keeps the offset of the base set.
 */
export interface TimeOffsets {
  /** Seconds that CLOCK_MONOTONIC is ahead. */
  monotonic?: number | undefined
  /** Seconds that CLOCK_BOOTTIME is ahead: the clock that `uptime` shows. */
  boottime?: number | undefined
}

interface MountAttributes {
  /** Where it is mounted; with the option `root`, inside that. The target has to exist. */
  target: Path
  /**
   * Whether nothing can be written there. Default: `false`. With `recursive`, this and the other attributes reach the
   * mounts below the source, too; without it, those are left out.
   */
  readOnly?: boolean | undefined
  /** Whether set-user-ID bits do nothing. */
  noSuid?: boolean | undefined
  /** Whether device files cannot be opened. */
  noDev?: boolean | undefined
  /** Whether no program can be executed. */
  noExec?: boolean | undefined
}

/** A file or directory of the outside, seen at `target` as well. */
export interface BindMount extends MountAttributes {
  type: 'bind'
  /** What is to be seen, outside. */
  source: Path
  /** With the mounts below the source. Default: `true`. */
  recursive?: boolean | undefined
}

/** A new file system. */
export interface FileSystemMount extends MountAttributes {
  /** What mount(8) calls the type. */
  type: 'proc' | 'tmpfs' | 'sysfs' | 'mqueue' | 'devpts' | 'cgroup2' | 'overlay' | (string & {})
  /** What mount(8) calls the device. Default: the name of the type. */
  source?: string | undefined
  /** The file system's own options: `{ size: '64m', mode: '0755' }`; `true` is a flag. */
  options?: Record<string, string | number | true> | undefined
}

/** One mount of a new mount namespace. */
export type MountSpec = BindMount | FileSystemMount

/**
 * The state that new namespaces start with. Each option needs its kind among the new ones, and is refused with
 * `ERR_INVALID_ARG_VALUE` without it.
 */
export interface UnshareSyncOptions {
  /** user: the map of user ids, of any length the kernel takes. See user_namespaces(7). */
  uidMaps?: readonly IdMap[] | undefined
  /** user: the map of group ids. */
  gidMaps?: readonly IdMap[] | undefined
  /**
   * user: both maps, by what they are for. With `'root'`, programs that drop their privileges themselves (tcpdump, dnsmasq) fail, since
   * the user that they change to is not mapped. They work with `mapUser: 1000` and {@link ProcessOptions.keepCapabilities}.
   */
  mapUser?: MapUser | undefined
  /** user: whether setgroups(2) works inside; an ordinary user's own group map implies `'deny'`. */
  setgroups?: 'allow' | 'deny' | undefined
  /** time: how far the clocks inside are ahead. See time_namespaces(7). */
  timeOffsets?: TimeOffsets | undefined
  /** uts: the host name inside. */
  hostname?: string | undefined
  /** net: bring `lo` up. Default: `false`, as in the kernel. */
  loopback?: boolean | undefined
  /** mnt: whether mounts travel between the new namespace and the one it is a copy of. Default: `'private'`. */
  propagation?: 'private' | 'slave' | 'shared' | 'unchanged' | undefined
  /**
   * mnt: mounts to make, in order. Each target is looked up as a process inside sees it: on top of a mount on `/` that
   * comes before it in the list. Sources are looked up outside. A mount on `/` covers the old root directory and leaves it
   * in place; `root` takes it away. `sysfs` comes after all of them.
   */
  mounts?: readonly MountSpec[] | undefined
  /** mnt: the directory that becomes the root directory inside. See pivot_root(2). */
  root?: Path | undefined
  /**
   * mnt: whether /sys shows the network of the set: its links, below /sys/class/net. What is mounted below /sys, such as
   * /sys/fs/cgroup, stays there, and a read-only /sys stays read-only.
   *
   * By default it does in a set with a network of its own, where /sys is a sysfs already (with `root`, inside that), unless one
   * of `mounts` is on /sys, `propagation` is `'shared'` or `'unchanged'`, or the kernel refuses it: in a container whose engine
   * hides parts of /sys. `true` makes it an error where it cannot be done, and needs only a directory there. `false` leaves
   * /sys as it is.
   */
  sysfs?: boolean | undefined
}

/** {@link UnshareSyncOptions}, and a signal that ends the work early. */
export interface UnshareOptions extends UnshareSyncOptions {
  /** Ends the work; nothing is left of it. */
  signal?: AbortSignal | undefined
}

const ID_MAP = { containerId: u32, hostId: u32, size: u32 } satisfies FieldsOf<IdMap>

const idMap = (value: unknown, name: string) => parseFields(value, name, ID_MAP, ['containerId', 'hostId', 'size'])

const mapUserWord = word('root', 'current', 'auto')

const mapUser: Parse<MapUser> = (value, name) => {
  if (typeof value === 'number') return u32(value, name)
  if (typeof value !== 'string') throw invalidType(name, 'a word or a number', value)
  return mapUserWord(value, name)
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

/** The options of a file system, which the kernel checks. */
const mountData: Parse<[string, string][]> = (value, name) =>
  Object.entries(parseObject(value, name)).map(([key, given]) => {
    text(key, name)
    if (given === true) return [key, '']
    if (typeof given === 'number') return [key, String(given)]
    const words = text(given, `${name}.${key}`)
    if (words === '') throw invalidValue(`${name}.${key}`, 'must not be empty; true stands for a flag', words)
    return [key, words]
  })

const ATTRIBUTES = {
  type: nonEmptyText,
  target: parsePath,
  source: parsePath,
  readOnly: boolean,
  noSuid: boolean,
  noDev: boolean,
  noExec: boolean,
}

const BIND_MOUNT = { ...ATTRIBUTES, recursive: boolean } satisfies FieldsOf<BindMount>
const FILE_SYSTEM_MOUNT = { ...ATTRIBUTES, options: mountData } satisfies FieldsOf<FileSystemMount>

const mount = (value: unknown, name: string) =>
  parseObject(value, name)['type'] === 'bind'
    ? parseFields(value, name, BIND_MOUNT, ['type', 'target', 'source'])
    : parseFields(value, name, FILE_SYSTEM_MOUNT, ['type', 'target'])

const UNSHARE_SYNC = {
  uidMaps: array(idMap),
  gidMaps: array(idMap),
  mapUser,
  setgroups: word('allow', 'deny'),
  timeOffsets: object(TIME_OFFSETS),
  hostname: text,
  loopback: boolean,
  propagation: word('private', 'slave', 'shared', 'unchanged'),
  mounts: array(mount),
  root: parsePath,
  sysfs: boolean,
} satisfies FieldsOf<UnshareSyncOptions>

const UNSHARE = { ...UNSHARE_SYNC, signal } satisfies FieldsOf<UnshareOptions>

/** @internal The options, which the native side reads by the same names: `UnshareOptions` of crates/nsset. */
export function parseUnshareSyncOptions(options: unknown, name?: string) {
  return parseOptions(options, UNSHARE_SYNC, name)
}

/** @internal The same, and the signal. */
export function parseUnshareOptions(options: unknown) {
  return parseOptions(options, UNSHARE)
}
