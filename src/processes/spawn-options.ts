import type { NativeCommand } from '../../index.js'
import { invalidType, invalidValue } from '../errors.ts'
import { parseOptionalKinds } from '../kinds.ts'
import type { Kinds } from '../namespace-kind.ts'
import { parseBoolean, parseInteger, parseOptions, parseSignal } from '../options.ts'
import { type Path, parsePath, parseText } from '../paths.ts'
import { type Environment, parseEnvironment } from './environment.ts'
import { parseSignalNumber } from './signals.ts'
import { parseStdio, type StdioOptions } from './stdio.ts'

/** Options of every call that starts a program. What `child_process` has by the same name means the same. */
export interface ProcessOptions {
  /** The working directory, inside; where the caller is unless told, or `/` of another mount namespace. */
  cwd?: Path | null | undefined
  /** The environment; `process.env` unless told. */
  env?: Environment | null | undefined
  /** What the program is told its own name is; `file` unless told. */
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
  /** The user's id inside; who the caller is there unless told, or 0 where the caller has no name there. */
  uid?: number | undefined
  /** The group's id inside; unless told as for `uid`. */
  gid?: number | undefined
  /** The supplementary groups inside, at most 1024; the caller's unless told; none when `uid` or `gid` is given,
   * where the caller may drop them: an ordinary user may not where setgroups is denied (user_namespaces(7)). */
  groups?: readonly number[] | undefined
  /** Sends `killSignal` when it is aborted; the event `'error'` tells of it. */
  signal?: AbortSignal | undefined
  /** Milliseconds after which `killSignal` is sent; 0, which is never, unless told. */
  timeout?: number | undefined
  /** `'SIGTERM'` unless told. */
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
}

/** Options of {@link NamespaceSet.spawn}. */
export interface SpawnOptions<S extends StdioOptions | undefined = StdioOptions | undefined> extends ProcessOptions {
  /** `'pipe'` unless told: a stream for each of stdin, stdout and stderr. */
  stdio?: S
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

/** @internal */
export function parseLaunch(file: unknown, args: readonly string[], options: Partial<SpawnOptions>): Launch {
  const [program, ...rest] = viaShell(parseFile(file), args, options.shell)
  const argv0 = given(options.argv0)
  const cwd = given(options.cwd)
  const detached = given<unknown>(options.detached)
  const deathSignal = parseSignalNumber(options.deathSignal, 'options.deathSignal')
  const netnsFiles = given(options.netnsFiles)
  if (netnsFiles !== undefined) parseBoolean(netnsFiles, 'options.netnsFiles')
  const command: Launch['command'] = {
    file: program,
    argv: [argv0 === undefined ? program : parseText(argv0, 'options.argv0'), ...rest],
    keepCapabilities: parseBoolean(options.keepCapabilities, 'options.keepCapabilities'),
    noNewPrivileges: parseBoolean(options.noNewPrivileges, 'options.noNewPrivileges'),
    needsNetnsFiles: netnsFiles === true,
    ...parseCredentials(options),
    ...(cwd === undefined ? {} : { directory: parsePath(cwd, 'options.cwd') }),
    ...(detached === undefined ? {} : { detached: parseBoolean(detached, 'options.detached') }),
    ...(deathSignal === undefined ? {} : { deathSignal }),
  }
  return {
    kinds: parseOptionalKinds(options.kinds, 'options.kinds'),
    command,
    environment: parseEnvironment(options.env),
    stdio: parseStdio(options.stdio),
    signal: parseSignal(options.signal),
    timeout: parseTimeout(options.timeout),
    killSignal: parseSignalNumber(options.killSignal, 'options.killSignal') ?? SIGTERM,
    netnsFiles,
  }
}

const SIGTERM = 15
/** What a timer takes. */
const LONGEST_TIMEOUT = 0x7fffffff
/** The kernel takes the last id for "leave it as it is" (setresuid(2)). */
const LAST_ID = 0xfffffffe
const MOST_GROUPS = 1024

/** @internal */
export function parseTimeout(timeout: unknown): number {
  return parseInteger(timeout ?? 0, 'options.timeout', 0, LONGEST_TIMEOUT)
}

/** @internal `(file, options)` and `(file, args, options)` alike. */
export function parseArguments<O extends object>(args: unknown, options: unknown): [string[], Partial<O>] {
  if (args === undefined || args === null) return [[], parseOptions<O>(options)]
  if (Array.isArray(args)) {
    return [Array.from(args, (argument, index) => parseText(argument, `args[${index}]`)), parseOptions<O>(options)]
  }
  if (typeof args !== 'object') throw invalidType('args', 'an array of strings', args)
  return [[], parseOptions<O>(args)]
}

function parseFile(file: unknown): string {
  const parsed = parseText(file, 'file')
  if (parsed === '') throw invalidValue('file', 'must not be empty', file)
  return parsed
}

function viaShell(file: string, args: readonly string[], shell: unknown): [string, ...string[]] {
  if (shell === undefined || shell === null || shell === false || shell === '') return [file, ...args]
  if (shell !== true && typeof shell !== 'string') throw invalidType('options.shell', 'a boolean or a string', shell)
  const program = shell === true ? '/bin/sh' : parseText(shell, 'options.shell')
  return [program, '-c', [file, ...args].join(' ')]
}

function parseCredentials(options: Partial<ProcessOptions>): Pick<NativeCommand, 'uid' | 'gid' | 'groups'> {
  const credentials: Pick<NativeCommand, 'uid' | 'gid' | 'groups'> = {}
  const [uid, gid, groups] = [given(options.uid), given(options.gid), given<unknown>(options.groups)]
  if (uid !== undefined) credentials.uid = parseInteger(uid, 'options.uid', 0, LAST_ID)
  if (gid !== undefined) credentials.gid = parseInteger(gid, 'options.gid', 0, LAST_ID)
  if (groups === undefined) return credentials
  if (!Array.isArray(groups)) throw invalidType('options.groups', 'an array of numbers', groups)
  if (groups.length > MOST_GROUPS) throw invalidValue('options.groups', `must have at most ${MOST_GROUPS}`, groups)
  credentials.groups = Array.from(groups, (group, index) => parseInteger(group, `options.groups[${index}]`, 0, LAST_ID))
  return credentials
}

/** As with `child_process`, null says as little as undefined. */
function given<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined
}
