import type { NativeCommand } from '../../../index.js'
import { invalidType, invalidValue } from '../../errors.ts'
import type { Kinds } from '../../namespace-kind.ts'
import type { AnyControlGroup } from '../../objects/control-group-handle.ts'
import { bare, type FieldsOf, type Parse, type Parsed, parseArray, parseOptions } from '../fields.ts'
import { parseKinds } from '../kinds.ts'
import { type Path, parseControlGroup, parsePath } from '../paths.ts'
import { boolean, nonEmptyText, nullable, signal, text, whole, word } from '../values.ts'
import { CONFINEMENT, type ConfinementOptions, confinementOf } from './confinement/confinement.ts'
import type { ParsedFilter } from './confinement/system-calls.ts'
import { currentEnvironment, type Environment, parseEnvironment } from './environment.ts'
import { parseSignalNumber } from './signals.ts'
import { parseStdio, type StdioOptions } from './stdio.ts'

/** Options for starting a program. Those that `child_process` has too mean the same. */
export interface ProcessOptions extends ConfinementOptions {
  /** The working directory, resolved inside. Default: the caller's; in another mount namespace `/`. */
  cwd?: Path | null | undefined
  /** The environment. Default: `process.env`. */
  env?: Environment | null | undefined
  /** The value of `argv[0]`. Default: `file`. */
  argv0?: string | undefined
  /** Whether to run `file` and the arguments, joined by spaces, as a command line of `/bin/sh`; or the shell. Default: `false`. */
  shell?: boolean | string | undefined
  /**
   * Whether the program leads its own session (setsid(2)) and process group, like `bwrap --new-session`. Then `kill 0` in the program
   * does not signal other processes, and the signals of the terminal do not reach it. If `false`, it stays in the process group of
   * Node.js, which has the terminal's job control and receives Ctrl-C.
   *
   * Default: `true` if the program enters a `pid` namespace, so that it cannot signal the process group of Node.js; `false`
   * otherwise, as in `child_process`.
   */
  detached?: boolean | undefined
  /** The user id inside. Default: the caller's; `0` if that is not mapped. */
  uid?: number | undefined
  /** The group id inside. Default: the caller's; `0` if that is not mapped. */
  gid?: number | undefined
  /**
   * The supplementary group ids inside, at most 1024. Default: the caller's; none if `uid` or `gid` is given. An ordinary user cannot
   * drop groups where setgroups is denied (user_namespaces(7)), and then keeps them.
   */
  groups?: readonly number[] | undefined
  /** Sends `killSignal` on abort, and emits an `'error'`. */
  signal?: AbortSignal | undefined
  /** In milliseconds: when to send `killSignal`. Default: `0`, which means never. */
  timeout?: number | undefined
  /** The signal for `signal`, `timeout` and `await using`. Default: `'SIGTERM'`. */
  killSignal?: NodeJS.Signals | number | undefined
  /** The kinds of namespaces that the program enters. Default: all kinds of the set. */
  kinds?: Kinds | undefined
  /**
   * Whether a program that does not run as user 0 keeps the caller's capabilities inside as ambient capabilities (capabilities(7)),
   * like `nsenter --keep-caps`. Default: `false`.
   */
  keepCapabilities?: boolean | undefined
  /**
   * The signal that the program receives when the thread that started it ends (PR_SET_PDEATHSIG of prctl(2)), like SIGKILL with
   * `bwrap --die-with-parent`: the main thread ends with the process, that of a Worker with `terminate()`. A program that changes its
   * user id loses this setting. Default: none.
   */
  deathSignal?: NodeJS.Signals | number | undefined
  /**
   * Whether the program sees the files of its network's name, as with `ip netns exec NAME`: a sysfs of the network on /sys, and the
   * files of /etc/netns/NAME over those of the same names in /etc, in its own mount namespace.
   *
   * `true` makes it an error if that is not possible. `false` shows the caller's files. Default: done if possible, in a set of
   * {@link netns} or its `dup` of which the program enters neither `mnt` nor `user`.
   * @see ip-netns(8)
   */
  netnsFiles?: boolean | undefined
  /**
   * The control group in which the program is started, as {@link ControlGroup} or by its directory below a mount of cgroup2. The
   * limits of the group apply from the first instruction of the program on. Default: the group of Node.js.
   * @see cgroups(7)
   */
  cgroup?: AnyControlGroup | Path | undefined
  /** An option of `child_process` for Windows; it has no effect. */
  windowsHide?: boolean | undefined
  /** An option of `child_process` for Windows; it has no effect. */
  windowsVerbatimArguments?: boolean | undefined
}

/** Options of {@link NamespaceSet.spawn}. */
export interface SpawnOptions<S extends StdioOptions | undefined = StdioOptions | undefined> extends ProcessOptions {
  /** The program's descriptors. Default: `'pipe'`, which creates streams for stdin, stdout and stderr. */
  stdio?: S
  /** An option of `child_process.spawn` for a message channel, which only `fork` has; it has no effect. */
  serialization?: 'json' | 'advanced' | undefined
}

/** @internal A program to start, with checked options. */
export interface Launch {
  kinds: number
  command: Omit<NativeCommand, 'argv' | 'environment' | 'stdio'> & { argv: string[] }
  /** A filter to compile, or instructions for the kernel, which the command has, too. */
  seccomp: ParsedFilter | Buffer | undefined
  netnsFiles: boolean | undefined
  environment: string[]
  stdio: unknown
  serialization?: unknown
  signal: AbortSignal | undefined
  timeout: number
  killSignal: number
}

/** The last id means "unchanged" to the kernel (setresuid(2)). */
const id = whole(0, 0xfffffffe)
const MOST_GROUPS = 1024
const SIGTERM = 15

/** The range of a timer. */
const timeout = whole(0, 0x7fffffff)

const groups: Parse<number[]> = (value, name) => {
  if (!Array.isArray(value)) throw invalidType(name, 'an array of numbers', value)
  if (value.length > MOST_GROUPS) throw invalidValue(name, `must have at most ${MOST_GROUPS} entries`, value)
  return parseArray(value, name, id)
}

/** Returns the program that runs a command line. */
const shell: Parse<string | undefined> = (value, name) => {
  if (value === null || value === false || value === '') return undefined
  if (value === true) return '/bin/sh'
  if (typeof value !== 'string') throw invalidType(name, 'a boolean or a string', value)
  return text(value, name)
}

/** @internal */
export const PROCESS = {
  ...CONFINEMENT,
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
  deathSignal: nullable(parseSignalNumber),
  netnsFiles: nullable(boolean),
  cgroup: nullable(parseControlGroup),
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

/** @internal Takes options that {@link SPAWN} has checked. Without `env`, it uses the current environment. */
export function launchOf(file: string, args: readonly string[], given: Parsed<typeof SPAWN>): Launch {
  const options: typeof given = Object.assign(bare(), given)
  const { shell, argv0, cwd, cgroup, detached, deathSignal, uid, gid, groups } = options
  const [program, ...rest] = shell === undefined ? [file, ...args] : [shell, '-c', [file, ...args].join(' ')]
  const keepCapabilities = options.keepCapabilities ?? false
  const confinement = confinementOf(options, keepCapabilities)
  const command: Launch['command'] = {
    file: program as string,
    argv: [argv0 ?? (program as string), ...rest],
    keepCapabilities,
    needsNetnsFiles: options.netnsFiles === true,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(groups === undefined ? {} : { groups }),
    ...(cwd === undefined ? {} : { directory: cwd }),
    ...(detached === undefined ? {} : { detached }),
    ...(confinement === undefined ? {} : { confinement }),
    ...(deathSignal === undefined ? {} : { deathSignal }),
    ...(cgroup === undefined ? {} : { cgroup }),
  }
  return {
    kinds: options.kinds ?? 0,
    command,
    environment: options.env ?? currentEnvironment(),
    stdio: options.stdio ?? 'pipe',
    serialization: options.serialization,
    signal: options.signal,
    timeout: options.timeout ?? 0,
    killSignal: options.killSignal ?? SIGTERM,
    netnsFiles: options.netnsFiles,
    seccomp: options.seccomp,
  }
}

/** @internal Parses both signatures: `(file, options)` and `(file, args, options)`. */
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
