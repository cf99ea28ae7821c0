import type { NativeCommand } from '../../../index.js'
import { invalidType, invalidValue } from '../../errors.ts'
import type { Kinds } from '../../namespace-kind.ts'
import { type FieldsOf, type Parse, type Parsed, parseArray, parseOptions } from '../fields.ts'
import { parseKinds } from '../kinds.ts'
import { type Path, parsePath } from '../paths.ts'
import { boolean, nonEmptyText, nullable, signal, text, whole, word } from '../values.ts'
import { type Environment, parseEnvironment } from './environment.ts'
import { parseSignalNumber } from './signals.ts'
import { parseStdio, type StdioOptions } from './stdio.ts'

/** Options of every call that starts a program. What `child_process` has by the same name means the same. */
export interface ProcessOptions {
  /** The working directory, inside. Default: where the caller is, or `/` of another mount namespace. */
  cwd?: Path | null | undefined
  /** The environment. Default: `process.env`. */
  env?: Environment | null | undefined
  /** The program's own name, `argv[0]`. Default: `file`. */
  argv0?: string | undefined
  /** Runs `file` and the arguments, joined by spaces, as a command line of `/bin/sh` or of the shell named. */
  shell?: boolean | string | undefined
  /**
   * Whether it leads a session (setsid(2)) and a process group of its own, which the terminal's signals do not reach and from which
   * `kill 0` reaches nothing else. Without it: `true` where the program enters a `pid` namespace, so that a program inside cannot signal
   * Node's process group, and else `false`, as in `child_process`. With `false` the program stays in Node's process group, which Ctrl-C
   * reaches and which has the terminal's job control. As `bwrap --new-session`.
   */
  detached?: boolean | undefined
  /** The user's id inside. Default: the caller's, or 0 where the caller's id is not mapped. */
  uid?: number | undefined
  /** The group's id inside. Default: as for `uid`. */
  gid?: number | undefined
  /** The supplementary groups inside, at most 1024. Default: the caller's; none when `uid` or `gid` is given,
   * where the caller may drop them: an ordinary user may not where setgroups is denied (user_namespaces(7)). */
  groups?: readonly number[] | undefined
  /** Sends `killSignal` when it is aborted; the event `'error'` reports it. */
  signal?: AbortSignal | undefined
  /** Milliseconds after which `killSignal` is sent; 0, which is never, by default. */
  timeout?: number | undefined
  /** Default: `'SIGTERM'`. */
  killSignal?: NodeJS.Signals | number | undefined
  /** Only these of the set's kinds. */
  kinds?: Kinds | undefined
  /**
   * Whether a program that does not run as user 0 keeps what the caller may do inside (capabilities(7), "Ambient"), as
   * `nsenter --keep-caps` has it.
   */
  keepCapabilities?: boolean | undefined
  /** Whether no program may gain privileges by what it execs: PR_SET_NO_NEW_PRIVS of prctl(2). */
  noNewPrivileges?: boolean | undefined
  /**
   * A signal for the program when the thread that started it ends: the process for the main thread, `terminate()` for a
   * Worker's. A program that changes its user loses it: PR_SET_PDEATHSIG of prctl(2).
   */
  deathSignal?: NodeJS.Signals | number | undefined
  /**
   * Whether the program sees what belongs to the name of its network, as under `ip netns exec NAME`: a sysfs of the network on
   * /sys, and the files of /etc/netns/NAME over those of the same names in /etc, in a mount namespace of its own.
   *
   * By default it does in a set of {@link netns} and its `dup`, of which it enters neither `mnt` nor `user`, unless the
   * kernel refuses it. `true` makes it an error where it cannot be done, `false` leaves the caller's files in sight.
   * @see ip-netns(8)
   */
  netnsFiles?: boolean | undefined
  /** An option of `child_process` for Windows; it has no effect. */
  windowsHide?: boolean | undefined
  /** An option of `child_process` for Windows; it has no effect. */
  windowsVerbatimArguments?: boolean | undefined
}

/** Options of {@link NamespaceSet.spawn}. */
export interface SpawnOptions<S extends StdioOptions | undefined = StdioOptions | undefined> extends ProcessOptions {
  /** Default: `'pipe'`, a stream for each of stdin, stdout and stderr. */
  stdio?: S
  /** An option of `child_process.spawn` for the channel that only `fork` has; it has no effect. */
  serialization?: 'json' | 'advanced' | undefined
}

/** @internal What is to be started, checked. */
export interface Launch {
  kinds: number
  command: Omit<NativeCommand, 'environment' | 'stdio'>
  netnsFiles: boolean | undefined
  environment: string[]
  stdio: unknown
  serialization?: unknown
  signal: AbortSignal | undefined
  timeout: number
  killSignal: number
}

/** The kernel takes the last id for "leave it as it is" (setresuid(2)). */
const id = whole(0, 0xfffffffe)
const MOST_GROUPS = 1024
const SIGTERM = 15

/** What a timer takes. */
const timeout = whole(0, 0x7fffffff)

const groups: Parse<number[]> = (value, name) => {
  if (!Array.isArray(value)) throw invalidType(name, 'an array of numbers', value)
  if (value.length > MOST_GROUPS) throw invalidValue(name, `must have at most ${MOST_GROUPS}`, value)
  return parseArray(value, name, id)
}

/** The program that runs a command line. */
const shell: Parse<string | undefined> = (value, name) => {
  if (value === null || value === false || value === '') return undefined
  if (value === true) return '/bin/sh'
  if (typeof value !== 'string') throw invalidType(name, 'a boolean or a string', value)
  return text(value, name)
}

/** @internal */
export const PROCESS = {
  cwd: nullable(parsePath),
  env: nullable(parseEnvironment),
  argv0: nullable(text),
  shell,
  detached: nullable(boolean),
  uid: nullable(id),
  gid: nullable(id),
  groups: nullable(groups),
  signal,
  timeout: nullable(timeout),
  killSignal: nullable(parseSignalNumber),
  kinds: parseKinds,
  keepCapabilities: boolean,
  noNewPrivileges: boolean,
  deathSignal: nullable(parseSignalNumber),
  netnsFiles: nullable(boolean),
  windowsHide: boolean,
  windowsVerbatimArguments: boolean,
} satisfies FieldsOf<ProcessOptions>

/** @internal */
export const serialization = word('json', 'advanced')

/** @internal */
export const SPAWN = { ...PROCESS, stdio: parseStdio, serialization } satisfies FieldsOf<SpawnOptions>

/** @internal */
export function parseSpawn(file: unknown, args: unknown, options: unknown): Launch {
  const [words, given] = parseArguments(args, options)
  return launchOf(parseFile(file), words, parseOptions(given, SPAWN))
}

/** @internal Options that were checked as {@link SPAWN} checks them; the environment is that of now unless they have one. */
export function launchOf(file: string, args: readonly string[], options: Parsed<typeof SPAWN>): Launch {
  const { shell, argv0, cwd, detached, deathSignal, uid, gid, groups } = options
  const [program, ...rest] = shell === undefined ? [file, ...args] : [shell, '-c', [file, ...args].join(' ')]
  const command: Launch['command'] = {
    file: program as string,
    argv: [argv0 ?? (program as string), ...rest],
    keepCapabilities: options.keepCapabilities ?? false,
    noNewPrivileges: options.noNewPrivileges ?? false,
    needsNetnsFiles: options.netnsFiles === true,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(groups === undefined ? {} : { groups }),
    ...(cwd === undefined ? {} : { directory: cwd }),
    ...(detached === undefined ? {} : { detached }),
    ...(deathSignal === undefined ? {} : { deathSignal }),
  }
  return {
    kinds: options.kinds ?? 0,
    command,
    environment: options.env ?? parseEnvironment(process.env, 'options.env'),
    stdio: options.stdio ?? 'pipe',
    serialization: options.serialization,
    signal: options.signal,
    timeout: options.timeout ?? 0,
    killSignal: options.killSignal ?? SIGTERM,
    netnsFiles: options.netnsFiles,
  }
}

/** @internal `(file, options)` and `(file, args, options)` alike. */
export function parseArguments(args: unknown, options: unknown): [args: string[], options: unknown] {
  if (args === undefined || args === null) return [[], options]
  if (Array.isArray(args)) return [parseArray(args, 'args', text), options]
  if (typeof args !== 'object') throw invalidType('args', 'an array of strings', args)
  return [[], args]
}

/** @internal */
export function parseFile(file: unknown): string {
  return nonEmptyText(file, 'file')
}
