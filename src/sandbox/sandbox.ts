import { type EventEmitter, errorMonitor } from 'node:events'
import {
  type ChildOf,
  ControlGroup,
  ExecFileError,
  type ExecFileOptions,
  type ExecFileResult,
  type ForkOptions,
  type Forwarding,
  type NamespaceChildProcess,
  NamespaceError,
  type NamespaceKind,
  NamespaceSet,
  type Output,
  type OutputEncoding,
  type Path,
  type SpawnOptions,
  type StdioOptions,
  sandboxSystemCalls,
  type Uplink,
} from 'nsset'
import { checkOpen, parseProgramArguments } from '../validate/sandbox/program-arguments.ts'
import {
  type ParsedSandboxOptions,
  parseSandboxOptions,
  type SandboxOptions,
} from '../validate/sandbox/sandbox-options.ts'
import { Events } from './events.ts'
import { hiddenPlaces } from './hidden.ts'
import { openWays, type Ways } from './network.ts'
import { type Refusal, RefusalLog } from './refusals.ts'
import { firstDirectoryOf, mountsOf, type ProcView, type Wanted, withoutSlash } from './view.ts'

type Files = NonNullable<ParsedSandboxOptions['files']>

/** The variables of the caller that programs get by default. */
const PASSED_ON = ['PATH', 'LANG', 'LC_ALL', 'TERM', 'TZ']

/** What is empty at first in a box that sees the files of the host. */
const TEMPORARY = ['/tmp', '/var/tmp', '/run']
const RESOLVER = '/etc/resolv.conf'

/**
 * A box for programs that you do not trust: with its own processes, files, network, limits and privileges, as root and as an
 * ordinary user. By default, programs see the files of the host read-only, without keys and sockets of services; they can write to an
 * empty `/tmp`; they have no network, no capabilities, and only the system calls of {@link sandboxSystemCalls}.
 *
 * It is made of {@link NamespaceSet.unshare}, {@link ControlGroup} and `ConfinementOptions`: what it does can be done without it.
 *
 * @example
 * await using box = await Sandbox.create({ files: { write: ['/home/me/project'] }, cgroup: { memory: 512 * 2 ** 20 } })
 * console.log((await box.execFile('npm', ['test'], { timeout: 60_000 })).stdout)
 *
 * @see bwrap(1)
 */
export class Sandbox implements AsyncDisposable {
  /** The set in which the programs run. It is closed with the box. */
  readonly set: NamespaceSet
  /** The way out, if `network` has rules. */
  readonly uplink: Uplink | undefined
  /** The ways in, in the order of `network.publish`. */
  readonly forwardings: readonly Forwarding[]
  readonly #group: ControlGroup | undefined
  readonly #defaults: SpawnOptions
  readonly #refusals = new RefusalLog()
  readonly #events: Events
  /** Settles when all refusals of the network are noted. */
  readonly #noting: Promise<void>
  #closing: Promise<void> | undefined
  /** What has closed it, for errors. */
  #closedBy: string | undefined

  /** The places that are hidden by default: below the home directory, keys and tokens; of the system, what root can read, and sockets. */
  static get hidden(): string[] {
    return hiddenPlaces()
  }

  private constructor(set: NamespaceSet, group: ControlGroup | undefined, defaults: SpawnOptions, ways?: Ways) {
    this.set = set
    this.uplink = ways?.uplink
    this.forwardings = ways?.forwardings ?? []
    this.#group = group
    this.#defaults = defaults
    this.#events = new Events(group, this.#refusals)
    this.#noting = this.#noteNetwork().catch(() => undefined)
  }

  /**
   * Creates a box.
   *
   * @throws `ENOENT` if one of `files.read` or `files.write` does not exist; `NamespaceError` as {@link NamespaceSet.unshare} and
   * {@link ControlGroup.create}. Nothing is left behind.
   * @example
   * await using box = await Sandbox.create({ root: 'empty', files: { read: ['/usr', '/bin', '/lib', '/lib64'] } })
   * @see bwrap(1)
   */
  static async create(options?: SandboxOptions): Promise<Sandbox> {
    const given = parseSandboxOptions(options)
    const group = given.cgroup === undefined ? undefined : await ControlGroup.create(given.cgroup)
    try {
      const cwd = given.cwd ?? (await firstDirectoryOf(given.files?.write)) ?? '/'
      const set = await setOf(given, group)
      return new Sandbox(set, group, defaultsOf(given, group, cwd), await waysOf(set, given))
    } catch (error) {
      await group?.close()
      throw error
    }
  }

  /** Whether the box is closed. */
  get closed(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Runs a program to its end, like {@link NamespaceSet.execFile}. If it does not end within `timeout`, or `signal` is aborted,
   * everything in the box is ended, also what the program has started, and the box is closed.
   *
   * @throws `ExecFileError` as {@link NamespaceSet.execFile}; `ERR_NSSET_CLOSED` if the box is closed.
   * @example
   * const { stdout } = await box.execFile('node', ['task.js'], { timeout: 10_000 })
   */
  execFile<E extends OutputEncoding = 'utf8'>(
    file: string,
    args?: readonly string[] | null,
    options?: ExecFileOptions<E>,
  ): Promise<ExecFileResult<Output<E>>>
  execFile<E extends OutputEncoding = 'utf8'>(
    file: string,
    options?: ExecFileOptions<E>,
  ): Promise<ExecFileResult<Output<E>>>
  async execFile(file: string, ...rest: unknown[]): Promise<ExecFileResult<string | Buffer>> {
    checkOpen(this.#closedBy)
    const { args, options, timeout } = parseProgramArguments(rest, this.#defaults)
    const command = [file, ...args]
    try {
      const result = await this.set.execFile(file, args, { ...options, timeout } as ExecFileOptions)
      await this.#conclude(command, result.signal, result.code)
      return result
    } catch (error) {
      const { signal, code } = error instanceof ExecFileError ? error : { signal: null, code: undefined }
      const isAborted = (options as ExecFileOptions).signal?.aborted ?? false
      await this.#conclude(command, signal, isAborted ? 'ABORT_ERR' : code)
      throw error
    }
  }

  /**
   * Starts a program, like {@link NamespaceSet.spawn}. If it runs longer than `timeout`, or `signal` is aborted, everything in the box is
   * ended, and the box is closed.
   *
   * @throws as {@link NamespaceSet.spawn}.
   * @example
   * const child = box.spawn('sh', ['-c', 'echo $$'], { stdio: 'inherit' })
   */
  spawn<const S extends StdioOptions | undefined = undefined>(
    file: string,
    args?: readonly string[] | null,
    options?: SpawnOptions<S>,
  ): ChildOf<S>
  spawn<const S extends StdioOptions | undefined = undefined>(file: string, options?: SpawnOptions<S>): ChildOf<S>
  spawn(file: string, ...rest: unknown[]): NamespaceChildProcess {
    checkOpen(this.#closedBy)
    const { args, options, timeout } = parseProgramArguments(rest, this.#defaults)
    return this.#watch(this.set.spawn(file, args, options as SpawnOptions), [file, ...args], timeout)
  }

  /**
   * Starts a Node.js process with a channel for messages, like {@link NamespaceSet.fork}. The program of Node.js and the module have to
   * be visible in the box. `timeout` and `signal` are those of {@link Sandbox.spawn}.
   *
   * @throws as {@link NamespaceSet.fork}.
   * @example
   * const child = box.fork('./plugin.js')
   */
  fork(module: Path, args?: readonly string[] | null, options?: ForkOptions): NamespaceChildProcess
  fork(module: Path, options?: ForkOptions): NamespaceChildProcess
  fork(module: Path, ...rest: unknown[]): NamespaceChildProcess {
    checkOpen(this.#closedBy)
    const { args, options, timeout } = parseProgramArguments(rest, this.#defaults)
    const child = this.set.fork(module, args, options as ForkOptions)
    return this.#watch(child, [String(module), ...args], timeout)
  }

  /**
   * What the box has refused, from its creation until it is closed, as far as the kernel tells: programs that were killed for a system
   * call, a limit or the timeout, and what the control group has refused. A file or a system call that failed with an error is known to
   * the program alone. The loop waits for further refusals until the box is closed, and does not keep Node.js running.
   *
   * @example
   * for await (const { what, command } of box.refusals()) console.log(what, command.join(' '))
   */
  refusals(): AsyncGenerator<Refusal, void, undefined> {
    return this.#refusals.read()
  }

  /**
   * Ends everything in the box, waits for that, and closes its set and its control group.
   *
   * @throws `NamespaceError` `ETIMEDOUT` if a process has not ended after 5 seconds.
   * @example
   * await box.close()
   */
  async close(): Promise<void> {
    await this.#closeBecause('close() was called')
  }

  /** Same as {@link Sandbox.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #closeBecause(reason: string): Promise<void> {
    this.#closedBy ??= reason
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    try {
      await this.set[Symbol.asyncDispose]()
    } finally {
      // The set has closed them. They end on threads of their own.
      await Promise.all([this.uplink, ...this.forwardings].map((way) => way?.close()))
      await this.#noting
      this.#refusals.end()
      await this.#group?.close()
    }
  }

  /** Notes what the rules of the network refuse, until the box is closed. */
  async #noteNetwork(): Promise<void> {
    if (this.uplink === undefined) return
    for await (const network of this.uplink.refusals()) this.#refusals.add({ what: 'network', command: [], network })
  }

  /** Ends the box with a program that was stopped, and notes what the kernel tells about a program that has ended. */
  async #conclude(command: readonly string[], signal: NodeJS.Signals | null, code: string | undefined): Promise<void> {
    await this.#note(command, signal)
    if (code === 'ETIMEDOUT') this.#refusals.add({ what: 'timeout', command })
    if (code === 'ETIMEDOUT') await this.#closeBecause(timeoutOf(command))
    if (code === 'ABORT_ERR') await this.#closeBecause(abortOf(command))
  }

  /** The control group may end meanwhile, with the box. That is no failure of the program. */
  async #note(command: readonly string[], signal: NodeJS.Signals | null): Promise<void> {
    if (!this.closed) await this.#events.note(command, signal).catch(() => undefined)
  }

  #watch<T extends NamespaceChildProcess>(child: T, command: readonly string[], timeout: number): T {
    // A failure is that of the next close().
    const end = (reason: string) => this.#closeBecause(reason).catch(() => undefined)
    const expire = () => {
      this.#refusals.add({ what: 'timeout', command })
      void end(timeoutOf(command))
    }
    const timer = timeout === 0 ? undefined : setTimeout(expire, timeout)
    child.once('exit', (_, signal) => {
      clearTimeout(timer)
      void this.#note(command, signal)
    })
    // This handles no error: without another listener it is thrown, as that of any child.
    const emitter: EventEmitter = child
    emitter.on(errorMonitor, (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) clearTimeout(timer)
      if (error.code === 'ABORT_ERR') void end(abortOf(command))
    })
    return child
  }
}

function timeoutOf(command: readonly string[]): string {
  return `'${command[0]}' ran longer than its timeout`
}

function abortOf(command: readonly string[]): string {
  return `the signal of '${command[0]}' was aborted`
}

async function setOf(given: ParsedSandboxOptions, group: ControlGroup | undefined): Promise<NamespaceSet> {
  const kinds: NamespaceKind[] = ['user', 'mnt', 'pid', 'ipc', 'uts']
  const { root = 'host', files = {}, network = 'none', user = 'current', hostname = 'sandbox' } = given
  if (network !== 'host') kinds.push('net')
  if (group !== undefined) kinds.push('cgroup')
  const mounts = await mountsOf(wantedOf(files, root, network), root)
  const make = (proc: ProcView): Promise<NamespaceSet> =>
    NamespaceSet.unshare(kinds, {
      mapUser: user,
      hostname,
      mounts: mounts(proc),
      ...(network === 'host' ? {} : { loopback: true }),
      ...(root === 'empty' ? { root: { type: 'tmpfs', readOnly: true } as const } : {}),
      ...(group === undefined ? {} : { cgroup: group }),
    })
  try {
    return await make('whole')
  } catch (error) {
    if (!isRefusedProc(error)) throw error
    return await make('processes').catch(() => Promise.reject(error))
  }
}

/** In a container, where every /proc is masked, the kernel refuses a whole one. Since Linux 7 it accepts one of the processes alone. */
function isRefusedProc(error: unknown): boolean {
  return error instanceof NamespaceError && error.code === 'EPERM' && error.path === '/proc'
}

function wantedOf(files: Files, root: 'host' | 'empty', network: SandboxOptions['network']): Wanted[] {
  const all = (purpose: Wanted['purpose'], ifMissing: Wanted['ifMissing'], paths: readonly (string | Buffer)[] = []) =>
    paths.map((path): Wanted => ({ path, purpose, ifMissing }))
  const { read, write, hide = hiddenPlaces(), temporary } = files
  const usual = root === 'empty' ? all('temporary', 'create', ['/tmp']) : all('temporary', 'skip', TEMPORARY)
  return [
    // What is missing is hidden already.
    ...all('hide', 'skip', hide.map(withoutSlash)),
    ...(temporary === undefined ? usual : all('temporary', 'create', temporary)),
    ...all('read', 'fail', read),
    // With the network of the host, names are resolved as on the host, whose file may be a link to one in a hidden place.
    ...(root === 'host' && network === 'host' ? all('read', 'skip', [RESOLVER]) : []),
    ...all('write', 'fail', write),
    ...(typeof network === 'object' ? all('resolver', 'create', [RESOLVER]) : []),
  ]
}

/** Opens the ways out and in. If that fails, the set is closed. */
async function waysOf(set: NamespaceSet, { network }: ParsedSandboxOptions): Promise<Ways | undefined> {
  if (typeof network !== 'object') return undefined
  try {
    return await openWays(set, network)
  } catch (error) {
    await set[Symbol.asyncDispose]()
    throw error
  }
}

/** The options of every program of the box. */
function defaultsOf(given: ParsedSandboxOptions, group: ControlGroup | undefined, cwd: Path): SpawnOptions {
  const { capabilities = [], seccomp = sandboxSystemCalls(), limits, landlock, umask, nice } = given
  return {
    env: given.env ?? ownEnvironment(),
    cwd,
    capabilities,
    seccomp,
    noNewPrivileges: true,
    killSignal: 'SIGKILL',
    ...(limits === undefined ? {} : { limits }),
    ...(landlock === undefined ? {} : { landlock }),
    ...(umask === undefined ? {} : { umask }),
    ...(nice === undefined ? {} : { nice }),
    ...(group === undefined ? {} : { cgroup: group }),
  }
}

function ownEnvironment(): Record<string, string | undefined> {
  return { ...Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]])), HOME: '/tmp' }
}
