import { invalidValue } from '../../errors.ts'
import { type ControlGroupLimits, parseControlGroupLimits } from '../control-groups/options.ts'
import {
  array,
  type FieldsOf,
  object,
  type Parse,
  type Parsed,
  type Plain,
  parseFields,
  parseOptions,
} from '../fields.ts'
import { type Path, parsePath } from '../paths.ts'
import { CONFINEMENT, type ConfinementOptions } from '../processes/confinement/confinement.ts'
import { isRemembered, type SystemCallFilter } from '../processes/confinement/system-calls.ts'
import { type Environment, parseEnvironment } from '../processes/environment.ts'
import { type ForwardOptions, parseForwards } from '../sockets/forwarding-options.ts'
import { UPLINK_RULES, type UplinkOptions } from '../sockets/uplink-options.ts'
import { type MapUser, mapUser } from '../unshare-options.ts'
import { text } from '../values.ts'
import { snapshot } from './snapshot.ts'

/** What a box sees of the files of the host. Of places in each other, the innermost is in effect, whatever list it is in. */
export interface SandboxFiles {
  /** Files and directories that are visible and read-only: in hidden ones, in temporary ones, or with `root: 'empty'`. They have to exist. */
  read?: readonly Path[] | undefined
  /** Files and directories that programs can change. They have to exist. Default: none. */
  write?: readonly Path[] | undefined
  /** Files and directories that are hidden; those that do not exist are skipped. Default: `Sandbox.hidden`. */
  hide?: readonly Path[] | undefined
  /**
   * Directories that are empty and writable, and end with the box. Default: `/tmp`, `/var/tmp` and `/run`, where the sockets of
   * services are; with `root: 'empty'`, `/tmp`.
   */
  temporary?: readonly Path[] | undefined
}

/**
 * The way out of the network of a box, as `network.uplink` of a set has it, and the ways in. Without `allow`, everything is reached that is
 * not closed: loopback, private and link-local addresses and those of the machine are.
 */
export interface SandboxNetwork extends Pick<UplinkOptions, 'allow' | 'deny' | 'decide' | 'decideTimeout' | 'dns'> {
  /** What is reached from outside, as `network.publish` of a set has it. Default: nothing. */
  publish?: readonly ForwardOptions[] | undefined
}

/** Options of {@link Sandbox.create}. */
export interface SandboxOptions extends Omit<ConfinementOptions, 'noNewPrivileges' | 'capabilities' | 'seccomp'> {
  /** What is in the root directory: the files of the host, read-only, or nothing but `files`. Default: `'host'`. */
  root?: 'host' | 'empty' | undefined
  /** What the box sees of the files of the host. */
  files?: SandboxFiles | undefined
  /**
   * The network: none but a loopback; that of the host, with all that listens there; or one of its own with a way out under rules, and
   * ways in. Default: `'none'`.
   */
  network?: 'none' | 'host' | SandboxNetwork | undefined
  /** The user inside: see `mapUser` of `NamespaceSet.unshare`. Default: `'current'`, the ids of the caller. */
  user?: MapUser | undefined
  /** The host name inside. Default: `'sandbox'`. */
  hostname?: string | undefined
  /** The environment of programs. Default: `PATH`, `LANG`, `TERM` and `TZ` of the caller, and a `HOME` in `/tmp`. */
  env?: Environment | undefined
  /** The working directory of programs. Default: the first directory of `files.write`, or `/`. */
  cwd?: Path | undefined
  /** The capabilities of programs, as the option of `spawn`. Default: none. */
  capabilities?: ConfinementOptions['capabilities']
  /** The system calls of programs, as the option of `spawn`. Default: those of `sandboxSystemCalls()`. */
  seccomp?: ConfinementOptions['seccomp']
  /** Limits of all programs of the box together, by a `ControlGroup`. Default: none. */
  cgroup?: ControlGroupLimits | undefined
}

const paths = array(parsePath)

const FILES = { read: paths, write: paths, hide: paths, temporary: paths } satisfies FieldsOf<SandboxFiles>

const network: Parse<'none' | 'host' | SandboxNetwork> = (value, name) => {
  if (value === 'none' || value === 'host') return value
  if (typeof value !== 'object' || value === null) {
    throw invalidValue(name, "must be 'none', 'host' or an object with rules", value)
  }
  return ways(value, name)
}

const WAYS = { ...UPLINK_RULES, publish: array(parseForwards) } satisfies FieldsOf<SandboxNetwork>

/** Checked here, so that a mistake is an error before anything is created. Inherited rules count, too. */
const ways: Parse<SandboxNetwork> = (value, name) => {
  parseFields(value, name, WAYS)
  const given = value as Plain
  return Object.fromEntries(Object.keys(WAYS).map((key) => [key, snapshot(given[key])]))
}

const root: Parse<'host' | 'empty'> = (value, name) => {
  if (value === 'host' || value === 'empty') return value
  throw invalidValue(name, "must be 'host' or 'empty'", value)
}

/** Checks a value that another function takes later as it is given now. */
const as =
  <T>(parse: Parse): Parse<T> =>
  (value, name) => {
    parse(value, name)
    return snapshot(value) as T
  }

/** A filter of `systemCalls` is frozen and compiled. */
const filter: Parse<NonNullable<SandboxOptions['seccomp']>> = (value, name) => {
  const parsed = seccomp(value, name)
  if (Buffer.isBuffer(parsed)) return Buffer.from(parsed)
  return (isRemembered(value) ? value : snapshot(value)) as SystemCallFilter
}

const { limits, umask, nice, capabilities, seccomp, landlock } = CONFINEMENT

const SANDBOX = {
  root,
  files: object(FILES),
  network,
  user: mapUser,
  hostname: text,
  env: as<Environment>(parseEnvironment),
  cwd: parsePath,
  cgroup: as<ControlGroupLimits>(parseControlGroupLimits),
  limits: as<NonNullable<SandboxOptions['limits']>>(limits),
  umask: as<number>(umask),
  nice: as<number>(nice),
  capabilities: as<NonNullable<SandboxOptions['capabilities']>>(capabilities),
  seccomp: filter,
  landlock: as<NonNullable<SandboxOptions['landlock']>>(landlock),
} satisfies FieldsOf<SandboxOptions>

/** @internal */
export type ParsedSandboxOptions = Parsed<typeof SANDBOX>

/** @internal The options of programs are checked here, too, so that a mistake is an error of `create`. */
export function parseSandboxOptions(options: unknown): ParsedSandboxOptions {
  return parseOptions(options, SANDBOX)
}
