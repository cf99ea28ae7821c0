import type { NativeIdMap, NativeMount, NativeTimeOffsets, NativeUnshareOptions } from '../index.js'
import { invalidType, invalidValue, outOfRange } from './errors.ts'
import { parseBoolean, parseInteger, parseOptions } from './options.ts'
import { type Path, parsePath, parseText } from './paths.ts'

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
  /** With the mounts below the source; true unless told. */
  recursive?: boolean | undefined
}

/** A new file system. */
export interface FileSystemMount extends MountAttributes {
  /** What mount(8) calls the type. */
  type: 'proc' | 'tmpfs' | 'sysfs' | 'mqueue' | 'devpts' | 'cgroup2' | 'overlay' | (string & {})
  /** What mount(8) calls the device; the name of the type unless told. */
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
  /** user: both maps, by what they are for. */
  mapUser?: MapUser | undefined
  /** user: whether setgroups(2) works inside; an ordinary user's own group map implies `'deny'`. */
  setgroups?: 'allow' | 'deny' | undefined
  /** time: how far the clocks inside are ahead. See time_namespaces(7). */
  timeOffsets?: TimeOffsets | undefined
  /** uts: the host name inside. */
  hostname?: string | undefined
  /** net: bring `lo` up; false unless told, as the kernel has it. */
  loopback?: boolean | undefined
  /** mnt: whether mounts travel between the new namespace and the one it is a copy of; `'private'` unless told. */
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

const LAST_ID = 0xffffffff

/** @internal The options as the native side takes them. */
export function parseUnshareOptions(options: unknown): NativeUnshareOptions {
  const given = parseOptions<UnshareSyncOptions>(options)
  const parsed: NativeUnshareOptions = {
    uidMaps: parseList(given.uidMaps, 'options.uidMaps', parseIdMap),
    gidMaps: parseList(given.gidMaps, 'options.gidMaps', parseIdMap),
    loopback: parseBoolean(given.loopback, 'options.loopback'),
    mounts: parseList(given.mounts, 'options.mounts', parseMount),
  }
  if (given.mapUser !== undefined) parsed.mapUser = parseMapUser(given.mapUser)
  if (given.setgroups !== undefined) {
    parsed.setgroups = parseWord(given.setgroups, 'options.setgroups', ['allow', 'deny'])
  }
  if (given.timeOffsets !== undefined) parsed.timeOffsets = parseTimeOffsets(given.timeOffsets)
  if (given.hostname !== undefined) parsed.hostname = parseText(given.hostname, 'options.hostname')
  if (given.propagation !== undefined) {
    const words = ['private', 'slave', 'shared', 'unchanged'] as const
    parsed.propagation = parseWord(given.propagation, 'options.propagation', words)
  }
  if (given.root !== undefined) parsed.root = parsePath(given.root, 'options.root')
  if (given.sysfs !== undefined) parsed.sysfs = parseBoolean(given.sysfs, 'options.sysfs')
  return parsed
}

function parseList<T>(list: unknown, name: string, parse: (item: unknown, name: string) => T): T[] {
  if (list === undefined) return []
  if (!Array.isArray(list)) throw invalidType(name, 'an array', list)
  return Array.from(list, (item, index) => parse(item, `${name}[${index}]`))
}

function parseIdMap(map: unknown, name: string): NativeIdMap {
  if (typeof map !== 'object' || map === null) throw invalidType(name, 'an object', map)
  const { containerId, hostId, size } = map as Partial<IdMap>
  return {
    containerId: parseInteger(containerId, `${name}.containerId`, 0, LAST_ID),
    hostId: parseInteger(hostId, `${name}.hostId`, 0, LAST_ID),
    size: parseInteger(size, `${name}.size`, 0, LAST_ID),
  }
}

function parseMapUser(mapUser: unknown): MapUser {
  if (typeof mapUser === 'number') return parseInteger(mapUser, 'options.mapUser', 0, LAST_ID)
  return parseWord(mapUser, 'options.mapUser', ['root', 'current', 'auto'])
}

function parseWord<const W extends string>(word: unknown, name: string, words: readonly W[]): W {
  if (typeof word !== 'string') throw invalidType(name, 'a string', word)
  if (!words.includes(word as W)) throw invalidValue(name, `must be one of ${words.join(', ')}`, word)
  return word as W
}

function parseTimeOffsets(offsets: unknown): NativeTimeOffsets {
  const { monotonic, boottime } = parseOptions<TimeOffsets>(offsets, 'options.timeOffsets')
  const parsed: NativeTimeOffsets = {}
  if (monotonic !== undefined) parsed.monotonic = nanoseconds(monotonic, 'options.timeOffsets.monotonic')
  if (boottime !== undefined) parsed.boottime = nanoseconds(boottime, 'options.timeOffsets.boottime')
  return parsed
}

/** Whole seconds and the rest apart, so that no digit of a long offset is lost. */
function nanoseconds(seconds: unknown, name: string): bigint {
  if (typeof seconds !== 'number') throw invalidType(name, 'a number of seconds', seconds)
  if (!Number.isFinite(seconds) || Math.abs(seconds) > Number.MAX_SAFE_INTEGER) {
    throw outOfRange(name, 'a finite number of seconds', seconds)
  }
  const whole = Math.trunc(seconds)
  return BigInt(whole) * 1_000_000_000n + BigInt(Math.round((seconds - whole) * 1e9))
}

function parseMount(mount: unknown, name: string): NativeMount {
  if (typeof mount !== 'object' || mount === null) throw invalidType(name, 'an object', mount)
  const given = mount as Partial<BindMount & FileSystemMount>
  const kind = parseText(given.type, `${name}.type`)
  if (kind === '') throw invalidValue(`${name}.type`, 'must name a file system', kind)
  const parsed: NativeMount = {
    kind,
    target: parsePath(given.target, `${name}.target`),
    recursive: parseBoolean(given.recursive, `${name}.recursive`, true),
    readOnly: parseBoolean(given.readOnly, `${name}.readOnly`),
    noSuid: parseBoolean(given.noSuid, `${name}.noSuid`),
    noDev: parseBoolean(given.noDev, `${name}.noDev`),
    noExec: parseBoolean(given.noExec, `${name}.noExec`),
    options: parseMountOptions(given.options, `${name}.options`, kind),
  }
  if (given.source !== undefined || kind === 'bind') parsed.source = parsePath(given.source, `${name}.source`)
  return parsed
}

function parseMountOptions(options: unknown, name: string, kind: string): [string, string][] {
  const given = Object.entries(parseOptions<Record<string, unknown>>(options, name))
  if (given.length > 0 && kind === 'bind') throw invalidValue(name, 'does not go with a bind mount', options)
  return given.map(([key, value]) => {
    parseText(key, name)
    if (value === true) return [key, '']
    if (typeof value === 'number') return [key, String(value)]
    const text = parseText(value, `${name}.${key}`)
    if (text === '') throw invalidValue(`${name}.${key}`, 'must not be empty; true stands for a flag', text)
    return [key, text]
  })
}
