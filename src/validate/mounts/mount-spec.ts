import { invalidType, invalidValue } from '../../errors.ts'
import { array, type FieldsOf, type Parse, parseFields, parseObject } from '../fields.ts'
import { type IdMap, idMap } from '../id-map.ts'
import { type Path, parsePath } from '../paths.ts'
import { boolean, nonEmptyText, text, whole } from '../values.ts'

interface MountTarget {
  /**
   * The mount point, resolved as a process inside would resolve it: with `root`, no symbolic link and no `..` leads out of that. A
   * missing one is made, with the directories above it, where the file system is the set's own: in a `tmpfs`, in `root: { type: 'tmpfs'
   * }`, and in an overlay with `upper: { type: 'tmpfs' }`. Anywhere else it has to exist (`ENOENT`), because nothing is made on the file
   * systems of the host.
   */
  target: Path
  /** Whether a missing target is made. `false` makes it an error. Default: `true`. */
  create?: boolean | undefined
}

interface MountAttributes extends MountTarget {
  /**
   * Whether the mount is read-only. Default: `false`. With `recursive`, this and the other attributes also apply to the mounts below
   * the source.
   */
  readOnly?: boolean | undefined
  /** Whether set-user-ID and set-group-ID bits have no effect. Default: `false`. */
  noSuid?: boolean | undefined
  /** Whether device files cannot be opened. Default: `false`. */
  noDev?: boolean | undefined
  /** Whether programs cannot be executed. Default: `false`. */
  noExec?: boolean | undefined
  /** Whether symbolic links on this mount are not followed (`nosymfollow` of mount(8)). Default: `false`. */
  noSymfollow?: boolean | undefined
}

/** How a bind mount shows the owners of files. */
export interface OwnerMaps {
  /** Users: `containerId` is the owner on the disk, and `hostId` who it is outside of the set. */
  uidMaps: readonly IdMap[]
  /** Groups. */
  gidMaps: readonly IdMap[]
}

/** Makes a file or directory of the outside visible at `target`, like `mount --rbind SOURCE TARGET` or `bwrap --bind`. */
export interface BindMount extends MountAttributes {
  type: 'bind'
  /** The file or directory, resolved outside. */
  source: Path
  /** Whether to include the mounts below the source (`mount --rbind` instead of `--bind`). Default: `true`. */
  recursive?: boolean | undefined
  /**
   * Shows other owners of the files than those on the disk (`X-mount.idmap` of mount(8)). `'set'` uses the id mappings of the set: a file
   * that belongs to user 0 on the disk belongs to user 0 inside, and what user 0 makes inside belongs to user 0 on the disk. It needs
   * CAP_SYS_ADMIN in the user namespace of the file system (`EPERM`), and a file system that supports it (`EINVAL`). Default: the
   * owners on the disk.
   * @see mount_setattr(2)
   */
  idMap?: 'set' | OwnerMaps | undefined
  /** Whether to skip the mount if the source does not exist (`bwrap --bind-try`). Default: `false`. */
  optional?: boolean | undefined
}

/** Mounts a new file system, like `mount -t TYPE SOURCE TARGET`; `tmpfs` like `bwrap --tmpfs`, `proc` like `bwrap --proc`. */
export interface FileSystemMount extends MountAttributes {
  /** The type, as in mount(8). */
  type: 'proc' | 'tmpfs' | 'sysfs' | 'mqueue' | 'devpts' | 'cgroup2' | (string & {})
  /** The device, as in mount(8). Default: the type. */
  source?: string | undefined
  /** Options of the file system: `{ size: '64m', mode: '0755' }`. `true` means an option without a value. */
  options?: Record<string, string | number | true> | undefined
}

/** A tmpfs: a file system in memory, which ends with the set (tmpfs(5)). */
export interface Tmpfs {
  type: 'tmpfs'
  /** The most bytes that it holds. Default: half of the memory of the machine. */
  size?: number | undefined
  /** The mode of its root directory. Default: `0o755`. */
  mode?: number | undefined
}

/** A tmpfs as the root directory. */
export interface TmpfsRoot extends Tmpfs {
  /** Whether it is read-only once all mounts are made (`bwrap --remount-ro /`). Default: `false`. */
  readOnly?: boolean | undefined
}

/**
 * Several directories in one, like `mount -t overlay` or `bwrap --overlay-src … --overlay`. Paths may contain any character. In a set
 * with a `user` namespace, it has the option `userxattr`. See the kernel's documentation of overlayfs.
 */
export interface OverlayMount extends MountAttributes {
  type: 'overlay'
  /** The layers that are only read, the uppermost first, resolved outside; without `upper`, at least two. */
  lower: readonly Path[]
  /**
   * The layer that takes changes, resolved outside. With a directory, `work` is required. A tmpfs takes changes that are not kept
   * (`bwrap --tmp-overlay`). Default: the mount is read-only (`bwrap --ro-overlay`).
   */
  upper?: Path | Tmpfs | undefined
  /** An empty directory for the kernel, on the same file system as `upper`. */
  work?: Path | undefined
  /** Further options of the file system, as in the kernel's documentation: `{ metacopy: 'on' }`. */
  options?: Record<string, string | number | true> | undefined
}

/**
 * A small /dev, like `bwrap --dev`: `null`, `zero`, `full`, `random`, `urandom` and `tty` of the outside, `fd`, `stdin`, `stdout`,
 * `stderr`, `core` and `ptmx` as links, and `pts` and `shm` of its own.
 */
export interface DevMount extends MountTarget {
  type: 'dev'
}

/**
 * A file with this content, like `bwrap --file` and `--bind-data`. A file that exists is covered by a mount and not changed, so that
 * /etc/resolv.conf of a read-only view of the host can be another one. Where the target is missing, the file is made.
 */
export interface FileMount extends MountAttributes {
  type: 'file'
  /** The content; a string is written as UTF-8. */
  content: string | Uint8Array
  /** The mode of the file, from 0 to 0o777. Default: `0o644`. */
  mode?: number | undefined
}

/** A symbolic link, like `bwrap --symlink TO TARGET`. Its file system has to be the set's own, and its name free (`EEXIST`). */
export interface SymlinkMount {
  type: 'symlink'
  /** The path of the link. */
  target: Path
  /** Where it leads, which is not resolved. */
  to: Path
}

/** A directory, like `bwrap --dir`. One that exists is left as it is. */
export interface DirectoryMount {
  type: 'directory'
  /** The path of the directory. */
  target: Path
  /** The mode of a new directory, from 0 to 0o1777. Default: `0o755`. */
  mode?: number | undefined
}

/**
 * Hides a path, as `maskedPaths` of the OCI runtime specification: an empty directory that is read-only covers a directory, and
 * /dev/null covers any other file. A path that does not exist is skipped.
 */
export interface MaskMount {
  type: 'mask'
  /** The path. A symbolic link is followed, so that what it leads to is hidden. */
  target: Path
}

/** A mount in a new mount namespace, or a file, a directory or a symbolic link. */
export type MountSpec =
  | BindMount
  | OverlayMount
  | DevMount
  | FileMount
  | SymlinkMount
  | DirectoryMount
  | MaskMount
  | FileSystemMount

/** Options of a file system. The kernel checks them. */
const mountData: Parse<[string, string][]> = (value, name) =>
  Object.entries(parseObject(value, name)).map(([key, given]) => {
    text(key, name)
    if (given === true) return [key, '']
    if (typeof given === 'number') return [key, String(given)]
    const words = text(given, `${name}.${key}`)
    if (words === '')
      throw invalidValue(`${name}.${key}`, 'must not be empty; use true for an option without a value', words)
    return [key, words]
  })

const fileMode = whole(0, 0o777)
const directoryMode = whole(0, 0o1777)

const content: Parse<Buffer> = (value, name) => {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return Buffer.from(value)
  throw invalidType(name, 'a string or a Uint8Array', value)
}

const OWNER_MAPS = { uidMaps: array(idMap), gidMaps: array(idMap) } satisfies FieldsOf<OwnerMaps>

const ownerMaps: Parse<object> = (value, name) => {
  if (value === 'set') return {}
  if (typeof value !== 'object') throw invalidValue(name, "must be 'set' or an object with uidMaps and gidMaps", value)
  const maps = parseFields(value, name, OWNER_MAPS, ['uidMaps', 'gidMaps'])
  for (const key of ['uidMaps', 'gidMaps'] as const) {
    if (maps[key].length === 0) throw invalidValue(`${name}.${key}`, 'must have at least one entry', maps[key])
  }
  return maps
}

const TMPFS = {
  type: nonEmptyText,
  size: whole(1, Number.MAX_SAFE_INTEGER),
  mode: directoryMode,
} satisfies FieldsOf<Tmpfs>
const TMPFS_ROOT = { ...TMPFS, readOnly: boolean } satisfies FieldsOf<TmpfsRoot>

/** A tmpfs as the native side takes it: without its type. */
function withoutType<T extends { type?: string }>(parsed: T, name: string): Omit<T, 'type'> {
  const { type, ...rest } = parsed
  if (type !== 'tmpfs') throw invalidValue(`${name}.type`, "must be 'tmpfs'", type)
  return rest
}

const isPlainObject = (value: unknown) =>
  typeof value === 'object' && value !== null && !Buffer.isBuffer(value) && !(value instanceof URL)

/** @internal The root directory: a path, or a tmpfs. */
export const parseRoot: Parse<{ directory: string | Buffer } | { tmpfs: object }> = (value, name) =>
  isPlainObject(value)
    ? { tmpfs: withoutType(parseFields(value, name, TMPFS_ROOT, ['type']), name) }
    : { directory: parsePath(value, name) }

const upper: Parse<{ scratch: object } | { upper: string | Buffer }> = (value, name) =>
  isPlainObject(value)
    ? { scratch: withoutType(parseFields(value, name, TMPFS, ['type']), name) }
    : { upper: parsePath(value, name) }

const lower: Parse<(string | Buffer)[]> = (value, name) => {
  const layers = array(parsePath)(value, name)
  if (layers.length === 0) throw invalidValue(name, 'must have at least one directory', value)
  return layers
}

const TARGET = { type: nonEmptyText, target: parsePath }
const ATTRIBUTES = {
  ...TARGET,
  create: boolean,
  readOnly: boolean,
  noSuid: boolean,
  noDev: boolean,
  noExec: boolean,
  noSymfollow: boolean,
}

const BIND = {
  ...ATTRIBUTES,
  source: parsePath,
  recursive: boolean,
  optional: boolean,
  idMap: ownerMaps,
} satisfies FieldsOf<BindMount>
const FILE_SYSTEM = { ...ATTRIBUTES, source: parsePath, options: mountData } satisfies FieldsOf<FileSystemMount>
const OVERLAY = { ...ATTRIBUTES, lower, upper, work: parsePath, options: mountData } satisfies FieldsOf<OverlayMount>
const DEV = { ...TARGET, create: boolean } satisfies FieldsOf<DevMount>
const FILE = { ...ATTRIBUTES, content, mode: fileMode } satisfies FieldsOf<FileMount>
const SYMLINK = { ...TARGET, to: parsePath } satisfies FieldsOf<SymlinkMount>
const DIRECTORY = { ...TARGET, mode: directoryMode } satisfies FieldsOf<DirectoryMount>
const MASK = TARGET satisfies FieldsOf<MaskMount>

function overlay(value: unknown, name: string) {
  const { upper: changes, ...parsed } = parseFields(value, name, OVERLAY, ['type', 'target', 'lower'])
  const isDirectory = changes !== undefined && 'upper' in changes
  if (isDirectory !== (parsed.work !== undefined)) {
    throw invalidValue(`${name}.work`, 'goes together with a directory as upper', parsed.work)
  }
  if (changes === undefined && parsed.lower.length === 1) {
    throw invalidValue(`${name}.lower`, 'needs a second directory, or upper; a bind shows a single one', parsed.lower)
  }
  return { ...parsed, ...changes }
}

/** The types that are no file systems of the kernel, each with its fields. */
const TYPES = {
  bind: (value, name) => parseFields(value, name, BIND, ['type', 'target', 'source']),
  overlay,
  dev: (value, name) => parseFields(value, name, DEV, ['type', 'target']),
  file: (value, name) => parseFields(value, name, FILE, ['type', 'target', 'content']),
  symlink: (value, name) => parseFields(value, name, SYMLINK, ['type', 'target', 'to']),
  directory: (value, name) => parseFields(value, name, DIRECTORY, ['type', 'target']),
  mask: (value, name) => parseFields(value, name, MASK, ['type', 'target']),
} satisfies Record<string, Parse>

/** @internal One mount of the list. */
export const parseMount: Parse = (value, name) => {
  const { type } = parseObject(value, name)
  const parse = typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type as keyof typeof TYPES] : undefined
  return parse === undefined ? parseFields(value, name, FILE_SYSTEM, ['type', 'target']) : parse(value, name)
}
