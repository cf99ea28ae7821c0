import type { Worker } from 'node:worker_threads'
import type { NativeNetwork, NativeSet } from '../../index.js'
import { fromContainer } from '../containers/from-container.ts'
import { invalidValue, misuse } from '../errors.ts'
import { notOurs, sign } from '../native/copies.ts'
import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import { netnsNameOf, rememberNetnsName } from '../netns/netns-names.ts'
import { Network } from '../network/network.ts'
import type { ChildOf, NamespaceChildProcess } from '../processes/child-process.ts'
import { execFile } from '../processes/exec-file.ts'
import type { ExecFileResult, Output, OutputEncoding } from '../processes/exec-file-result.ts'
import { viewOf } from '../processes/netns-view.ts'
import { spawn } from '../processes/spawn.ts'
import { asyncCallback, isThenable, type Thenable } from '../threads/thenable.ts'
import { startWorker } from '../threads/worker.ts'
import type { FromContainerOptions } from '../validate/container-options.ts'
import { type DoOptions, type EnterOptions, parseDoOptions, parseEnterOptions } from '../validate/enter-options.ts'
import {
  flagOf,
  namesOf,
  parseKinds,
  parseKindsOrAll,
  parseOptionalKind,
  parseOptionalKinds,
} from '../validate/kinds.ts'
import { type MountTargets, parseTargets } from '../validate/mount-targets.ts'
import { isPath, type Path, parsePath } from '../validate/paths.ts'
import { type ExecFileOptions, parseExecFile } from '../validate/processes/exec-file-options.ts'
import { type ForkOptions, parseFork } from '../validate/processes/fork.ts'
import { type Launch, parseSpawn, type SpawnOptions } from '../validate/processes/spawn-options.ts'
import type { StdioOptions } from '../validate/processes/stdio.ts'
import { parseUnshareSyncOptions, type UnshareOptions, type UnshareSyncOptions } from '../validate/unshare-options.ts'
import { fd as parseFd, parseFunction, pid as parsePid } from '../validate/values.ts'
import type { NamespaceWorkerOptions } from '../validate/worker-options.ts'
import { closedProperly, watchForDrop } from './dropped.ts'
import { endOf } from './end.ts'
import { FdSet } from './fd-set.ts'
import { type Kinds, type NamespaceKind, NS } from './namespace-kind.ts'
import { provideSets } from './set-access.ts'
import { insteadOf } from './uncloneable.ts'
import { unshare } from './unshare.ts'

/** What makes two namespaces the same. */
export interface NamespaceStat {
  /** The device of its file, that of nsfs. */
  dev: bigint
  /** The number that `set.id()` has in brackets. */
  ino: bigint
}

const INSTEAD = insteadOf(
  'NamespaceSet',
  'send set.path(kind) in its place, and open it there with NamespaceSet.fromPath()',
)

/** @internal The native part of a set, for the functions that take one. */
export let nativeOf: (set: NamespaceSet) => NativeSet

/**
 * A set of namespaces, at most one of each kind, held open by descriptors that are close-on-exec. Its namespaces live
 * as long as it, or any {@link NamespaceSet.dup} of it, is open.
 *
 * Every method but `has`, `close` and `toString` throws `ERR_NSSET_CLOSED` after {@link NamespaceSet.close}, `ERR_NSSET_UNSUPPORTED_PLATFORM` on other
 * systems than Linux, and `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for arguments that make no sense.
 *
 * @example
 * using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
 * console.log((await set.execFile('ip', ['-brief', 'link'])).stdout)
 *
 * @see namespaces(7)
 */
export class NamespaceSet {
  /** @internal Makes structuredClone() and postMessage() refuse it. */
  readonly uncloneable = INSTEAD
  readonly #native: NativeSet
  readonly #flags: number

  #network: { face: Network; native: NativeNetwork } | undefined

  static {
    sign(NamespaceSet)
    nativeOf = (set) => set.#native
    provideSets({
      isSet: (value): value is NamespaceSet => value instanceof NamespaceSet,
      nativeOf,
      nativeNetworkOf: (set) => set.#openNetwork().native,
      byName: (name, directory) => rememberNetnsName(new NamespaceSet(binding().openName(directory, name)), name),
      byPath: (path) => new NamespaceSet(binding().fromPath(path, NS.NET)),
      byProcess: (pid, tid) => {
        const kinds = process.geteuid?.() === 0 ? NS.NET : NS.NET | NS.USER
        const native = binding()
        return new NamespaceSet(tid === undefined ? native.fromPid(pid, kinds) : native.fromThread(pid, tid, kinds))
      },
    })
  }

  /** @hidden Made by the static functions: {@link NamespaceSet.unshare}, {@link NamespaceSet.current} and their like. */
  constructor(native: NativeSet) {
    if (!(native instanceof binding().NativeSet)) {
      throw notOurs('native', 'what NamespaceSet.unshare(), .current() and their like give', native)
    }
    this.#native = native
    this.#flags = native.flags()
    watchForDrop(this, this.#flags)
  }

  /**
   * The namespaces of the calling thread; all kinds when none are named, and for the mask 0.
   *
   * @throws {@link NamespaceError} `ENOENT` without a mounted /proc.
   * @example
   * using home = NamespaceSet.current('net')
   * console.log(home.id()) // net:[4026531833]
   * @see proc_pid_ns(5)
   */
  static current(kinds?: Kinds): NamespaceSet {
    return new NamespaceSet(binding().current(parseKindsOrAll(kinds)))
  }

  /**
   * Makes new namespaces, and the state they start with. No thread that runs code of yours enters them. An ordinary user
   * needs `'user'` among the kinds.
   *
   * @throws {@link NamespaceError} `EPERM`, `ENOSPC` (a limit of /proc/sys/user), `EINVAL` (maps), `ENOENT` (a path of
   * `mounts` or `root`, or `newuidmap`); its `syscall` is the step that failed.
   * @throws the signal's reason, when `options.signal` is aborted.
   * @example
   * using set = await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root', hostname: 'inside' })
   * console.log((await set.execFile('hostname')).stdout) // inside
   * @see unshare(2), user_namespaces(7)
   */
  static async unshare(kinds: Kinds, options?: UnshareOptions): Promise<NamespaceSet> {
    return new NamespaceSet(await unshare(undefined, kinds, options))
  }

  /**
   * As {@link NamespaceSet.unshare}, at once: some tenths of a millisecond; as long as `newuidmap` takes where that is
   * asked; up to half a second where a limit is reached and the kernel is still cleaning up.
   *
   * @throws {@link NamespaceError} as {@link NamespaceSet.unshare}.
   * @example
   * using set = NamespaceSet.unshareSync('uts', { hostname: 'inside' })
   * @see unshare(2)
   */
  static unshareSync(kinds: Kinds, options?: UnshareSyncOptions): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.unshareSync(undefined, parseKinds(kinds), parseUnshareSyncOptions(options)))
  }

  /**
   * The namespaces of a process; all that the kernel has when none are named.
   *
   * @throws {@link NamespaceError} `ESRCH` when it is gone, `EACCES` when ptrace(2) would not let the caller look.
   * @example
   * using theirs = NamespaceSet.fromPid(child.pid, ['net', 'uts'])
   * @see proc_pid_ns(5)
   */
  static fromPid(pid: number, kinds?: Kinds): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.fromPid(parsePid(pid, 'pid'), parseOptionalKinds(kinds)))
  }

  /**
   * The namespaces of one thread of a process.
   *
   * @throws {@link NamespaceError} as {@link NamespaceSet.fromPid}.
   * @example
   * using theirs = NamespaceSet.fromThread(process.pid, tid, 'net')
   * @see proc_tid_ns(5)
   */
  static fromThread(pid: number, tid: number, kinds?: Kinds): NamespaceSet {
    const native = binding()
    const [process, thread] = [parsePid(pid, 'pid'), parsePid(tid, 'tid')]
    return new NamespaceSet(native.fromThread(process, thread, parseOptionalKinds(kinds)))
  }

  /**
   * The namespaces of a running container, by its name, its id, or the start of its id: paused ones included, and those that Podman
   * or runc has created and not started. Docker and Podman, which alone know names, are asked at `DOCKER_HOST` or their usual
   * sockets; then the cgroups are searched for the id (at least six digits of it), which finds the containers of containerd,
   * nerdctl, CRI-O, Kubernetes and runc too. An engine that does not answer within ten seconds is passed over.
   *
   * @throws {@link NamespaceError} `ENOENT` when there is no such container, `ESRCH` when it is not running, `EACCES` as
   * {@link NamespaceSet.fromPid}; when it was not found, and an engine that may know it could not be asked, the code of
   * that: `EACCES`, `ECONNREFUSED`, `ETIMEDOUT`, `EPROTO`.
   * @throws {@link NamespaceError} `EPERM` when the only cgroup of that id is somebody else's (a rootless container of another
   * user, one inside of another container): who may make cgroups may name them, to be entered by mistake.
   * @throws `ERR_NSSET_AMBIGUOUS` when it may be one of several, with the whole ids in its message;
   * `ERR_INVALID_ARG_VALUE` too for a `DOCKER_HOST` that is neither `unix://` nor plain `tcp://`.
   * @throws the signal's reason, when `options.signal` is aborted.
   * @example
   * using web = await NamespaceSet.fromContainer('web', { kinds: 'net' })
   * console.log(web.do(() => os.networkInterfaces()))
   * @see cgroups(7), proc_pid_ns(5)
   */
  static async fromContainer(idOrName: string, options?: FromContainerOptions): Promise<NamespaceSet> {
    const native = binding()
    return fromContainer(idOrName, options, (pid, kinds) => new NamespaceSet(native.fromPid(pid, kinds)))
  }

  /**
   * The namespaces mounted in a directory under the names of their kinds, as {@link NamespaceSet.mount} leaves them;
   * all that are there when none are named.
   *
   * @throws {@link NamespaceError} `ENOENT`, `ENOTDIR`, and `EINVAL` for a file that is no namespace of that kind.
   * @example
   * using set = NamespaceSet.fromDirectory('/run/tenant-1')
   */
  static fromDirectory(directory: Path, kinds?: Kinds): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.fromDirectory(parsePath(directory, 'directory'), parseOptionalKinds(kinds)))
  }

  /**
   * The one namespace at a path. Its kind is asked of the kernel, and compared with the one expected.
   *
   * @throws {@link NamespaceError} `ENOENT`, and `EINVAL` for what is no namespace or one of another kind.
   * @example
   * using blue = NamespaceSet.fromPath('/run/netns/blue', 'net')
   * @see ioctl_ns(2)
   */
  static fromPath(path: Path, expect?: NamespaceKind): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.fromPath(parsePath(path, 'path'), parseOptionalKind(expect, 'expect')))
  }

  /**
   * The one namespace behind a descriptor, which stays the caller's to close.
   *
   * @throws {@link NamespaceError} `EBADF`, and `EINVAL` for what is no namespace or one of another kind.
   * @example
   * using set = NamespaceSet.fromFd(3, 'net')
   * @see ioctl_ns(2)
   */
  static fromFd(fd: number, expect?: NamespaceKind): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.fromFd(parseFd(fd, 'fd'), parseOptionalKind(expect, 'expect')))
  }

  /**
   * Undoes {@link NamespaceSet.mount}, of a file or of a directory. The file below is removed if it is empty and of mode 0:
   * so `mount` makes them, and so does `ip netns add`.
   *
   * @throws {@link NamespaceError} `EINVAL` for what is no namespace file: nothing else is unmounted. `EACCES` for a path
   * through another user's symbolic link to what is not theirs. `EBUSY` where another namespace is mounted below, and
   * `EROFS` or `EPERM` where the file cannot be removed: the namespace was unmounted, and the rest stays.
   * @example
   * await NamespaceSet.unmount('/run/tenant-1')
   * @see umount2(2)
   */
  static async unmount(target: Path): Promise<void> {
    await settled(binding().unmount(parsePath(target, 'target')))
  }

  /**
   * As {@link NamespaceSet.unmount}, at once. It blocks for as long as the file system takes.
   *
   * @throws {@link NamespaceError} as {@link NamespaceSet.unmount}.
   * @example
   * NamespaceSet.unmountSync('/run/netns/tenant-1')
   */
  static unmountSync(target: Path): void {
    const native = binding()
    native.unmountSync(parsePath(target, 'target'))
  }

  /** The kinds it holds, or held before it was closed, in the order of `/proc/PID/ns`. */
  get kinds(): NamespaceKind[] {
    return namesOf(this.#flags)
  }

  /** The kinds as a mask of {@link NS} constants. */
  get flags(): number {
    return this.#flags
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#native.closed
  }

  /**
   * Whether it holds a namespace of this kind, or held one before it was closed.
   *
   * @throws `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for what is no kind.
   * @example
   * if (set.has('net')) console.log(set.id('net'))
   */
  has(kind: NamespaceKind): boolean {
    return (this.#flags & flagOf(kind)) !== 0
  }

  /**
   * The network inside, over a netlink socket of its own; made on first use, and closed with the set.
   *
   * @throws `ERR_NSSET_NOT_IN_SET` for a set without `net`.
   * @example
   * await set.network.links.set('lo', { up: true })
   * @see rtnetlink(7)
   */
  get network(): Network {
    return this.#openNetwork().face
  }

  /**
   * The identity of a namespace, as a link of `/proc/PID/ns` reads. The kind may be left out where there is only one.
   *
   * @throws `ERR_NSSET_NOT_IN_SET`
   * @example
   * set.id('net') // net:[4026532177]
   */
  id(kind?: NamespaceKind): string {
    return this.#native.id(this.#one(kind))
  }

  /**
   * Device and inode of a namespace.
   *
   * @throws `ERR_NSSET_NOT_IN_SET`
   * @example
   * const { ino } = set.stat('net')
   * @see namespaces(7)
   */
  stat(kind?: NamespaceKind): NamespaceStat {
    const [dev, ino] = this.#native.stat(this.#one(kind)) as [bigint, bigint]
    return { dev, ino }
  }

  /**
   * A path by which other programs find a namespace, while the set is open and this process alive.
   *
   * @throws `ERR_NSSET_NOT_IN_SET`
   * @example
   * execFileSync('nsenter', [`--net=${set.path('net')}`, 'ip', 'addr'])
   * @see proc_pid_fd(5)
   */
  path(kind?: NamespaceKind): string {
    return `/proc/${process.pid}/fd/${this.#native.descriptor(this.#one(kind))}`
  }

  /**
   * Whether both hold the same namespaces, by device and inode: of these kinds, or of all that either has.
   *
   * @throws `ERR_NSSET_CLOSED` when either is closed, `ERR_NSSET_NOT_IN_SET` for kinds that this set does not have.
   * @example
   * using here = NamespaceSet.current()
   * console.log(set.equals(here, 'net'))
   */
  equals(other: NamespaceSet, kinds?: Kinds): boolean {
    if (!(other instanceof NamespaceSet)) throw notOurs('other', 'a NamespaceSet', other)
    return this.#native.equals(other.#native, parseOptionalKinds(kinds))
  }

  /**
   * The user namespace that owns a namespace, as a set of one.
   *
   * @throws {@link NamespaceError} `EPERM` when it is outside of the caller's own.
   * @example
   * using owner = set.owner('net')
   * @see NS_GET_USERNS in ioctl_ns(2)
   */
  owner(kind?: NamespaceKind): NamespaceSet {
    return new NamespaceSet(this.#native.owner(this.#one(kind)))
  }

  /**
   * The namespace above one of kind `user` or `pid`, as a set of one.
   *
   * @throws {@link NamespaceError} `EPERM` when it is outside of the caller's own; `ERR_INVALID_ARG_VALUE` for kinds
   * that have no hierarchy.
   * @example
   * using above = set.parent('user')
   * @see NS_GET_PARENT in ioctl_ns(2)
   */
  parent(kind?: NamespaceKind): NamespaceSet {
    const flag = this.#one(kind)
    if (flag !== NS.USER && flag !== NS.PID) {
      throw invalidValue('kind', "must be 'user' or 'pid': no other kind has a parent", namesOf(flag)[0])
    }
    return new NamespaceSet(this.#native.parent(flag))
  }

  /**
   * Another set of the same namespaces, of these kinds or, without them or with the mask 0, of all, that lives on its own.
   * Costs no descriptor.
   *
   * @throws `ERR_NSSET_NOT_IN_SET`
   * @example
   * using mine = theirs.dup('net')
   */
  dup(kinds?: Kinds): NamespaceSet {
    const copy = new NamespaceSet(this.#native.dup(parseKindsOrAll(kinds)))
    const name = netnsNameOf(this)
    return name === undefined || !copy.has('net') ? copy : rememberNetnsName(copy, name)
  }

  /**
   * Descriptors of one's own, of these kinds or, without them or with the mask 0, of all.
   *
   * @throws `ERR_NSSET_NOT_IN_SET`; {@link NamespaceError} `EMFILE`.
   * @example
   * using fds = set.fds(['net', 'uts'])
   * for (const [kind, fd] of fds) console.log(kind, fd)
   * @see fcntl(2)
   */
  fds(kinds?: Kinds): FdSet {
    return new FdSet(this.#native.fds(parseKindsOrAll(kinds)))
  }

  /**
   * Makes new namespaces as a process inside this set would, owned by its user namespace where it has one. The result
   * holds them, and this set's others.
   *
   * @throws {@link NamespaceError} as the static {@link NamespaceSet.unshare}.
   * @example
   * using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
   * using host = await base.unshare(['net', 'uts'], { hostname: 'host-1', loopback: true })
   * @see unshare(2)
   */
  async unshare(kinds: Kinds, options?: UnshareOptions): Promise<NamespaceSet> {
    return new NamespaceSet(await unshare(this.#native, kinds, options))
  }

  /**
   * As the method {@link NamespaceSet.unshare}, at once.
   *
   * @throws {@link NamespaceError} as the static {@link NamespaceSet.unshare}.
   * @example
   * using host = base.unshareSync('net', { loopback: true })
   */
  unshareSync(kinds: Kinds, options?: UnshareSyncOptions): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.unshareSync(this.#native, parseKinds(kinds), parseUnshareSyncOptions(options)))
  }

  /**
   * Gives the namespaces names in the file system: all into a directory that exists, each under the name of its kind,
   * or each to the file named for it. Files that are missing are made; one that is there has to be empty. All are
   * mounted, or none. A mount keeps a namespace alive without the set (a `pid` one is of no use then).
   *
   * @throws {@link NamespaceError} `EEXIST` for a target with content, a symbolic link or a mount on it, `EPERM`
   * without the privilege to mount, `EINVAL` where the kernel takes no mount namespace, `EACCES` for a path through another
   * user's symbolic link to what is not theirs.
   * @example
   * await set.mount('/run/tenant-1')
   * await set.mount({ net: '/run/netns/tenant-1' })
   * @see mount(2)
   */
  async mount(target: Path | MountTargets): Promise<void> {
    const mounted = isPath(target)
      ? this.#native.mountIntoDirectory(parsePath(target, 'target'))
      : this.#native.mountOntoFiles(parseTargets(target))
    await settled(mounted)
  }

  /**
   * As {@link NamespaceSet.mount}, at once. It blocks for as long as the file system takes.
   *
   * @throws {@link NamespaceError} as {@link NamespaceSet.mount}.
   * @example
   * set.mountSync({ net: '/run/netns/tenant-1' })
   */
  mountSync(target: Path | MountTargets): void {
    if (isPath(target)) this.#native.mountIntoDirectorySync(parsePath(target, 'target'))
    else this.#native.mountOntoFilesSync(parseTargets(target))
  }

  /**
   * Runs a function inside, on this very thread, and returns what it returned. Sockets it opens and children it starts
   * are inside for good; everything else is outside when it returns, throws, or is terminated. Kinds that the thread
   * is in already cost nothing. Not for asynchronous functions: what comes after an `await` would run outside.
   *
   * @throws `ERR_NSSET_NOT_ENTERABLE` for `user`, `time`, `pid` and `mnt` unless equal to the thread's own, and for an
   * ordinary user's sets: {@link NamespaceSet.spawn}, {@link NamespaceSet.execFile} and {@link NamespaceSet.fork} take all of them.
   * @throws `ERR_NSSET_ASYNC_CALLBACK` when the function returns a promise or another thenable.
   * @throws `ERR_NSSET_RESTORE` when the way back fails, with what the function threw as its `cause`;
   * `ERR_NSSET_TAINTED_THREAD` from every call until it succeeds.
   * @example
   * const links = set.do(() => os.networkInterfaces())
   * @see setns(2)
   * @deprecated An asynchronous function runs outside from its first `await` on, and makes `do` throw.
   */
  do<R extends PromiseLike<unknown>>(fn: (() => R) & (() => Thenable<R>), options?: DoOptions): never
  /**
   * Runs a function inside, on this very thread, and returns what it returned. Sockets it opens and children it starts
   * are inside for good; everything else is outside when it returns, throws, or is terminated. Kinds that the thread
   * is in already cost nothing. Not for asynchronous functions: what comes after an `await` would run outside.
   *
   * @throws `ERR_NSSET_NOT_ENTERABLE` for `user`, `time`, `pid` and `mnt` unless equal to the thread's own, and for an
   * ordinary user's sets: {@link NamespaceSet.spawn}, {@link NamespaceSet.execFile} and {@link NamespaceSet.fork} take all of them.
   * @throws `ERR_NSSET_ASYNC_CALLBACK` when the function returns a promise or another thenable.
   * @throws `ERR_NSSET_RESTORE` when the way back fails, with what the function threw as its `cause`;
   * `ERR_NSSET_TAINTED_THREAD` from every call until it succeeds.
   * @example
   * const links = set.do(() => os.networkInterfaces())
   * @see setns(2)
   */
  do<R>(fn: () => R, options?: DoOptions): R
  do(fn: () => unknown, options?: DoOptions): unknown {
    const { kinds = 0 } = parseDoOptions(options)
    const result = this.#native.visit(kinds, parseFunction(fn, 'fn'))
    if (isThenable(result)) throw asyncCallback(result)
    return result
  }

  /**
   * Enters for good: the calling thread belongs inside from now on. Meant for a Worker's thread, `mnt` included. What
   * uses libuv's pool (`fs.promises`, `dns.lookup`, `import()`, the asynchronous `unshare`) stays outside. Inside `do` it
   * lasts as long as that.
   *
   * @throws `ERR_NSSET_NOT_ENTERABLE` on the main thread unless `mainThread` is true, for `user`, `time` and `pid`
   * unless equal to the thread's own, and for an ordinary user's sets.
   * @example
   * using blue = NamespaceSet.fromPath('/run/netns/blue') // in a Worker
   * blue.enter()
   * @see setns(2)
   */
  enter(options?: EnterOptions): void {
    const { kinds = 0, mainThread = false } = parseEnterOptions(options)
    const { isMainThread } = process.getBuiltinModule('node:worker_threads')
    if (!mainThread && isMainThread) {
      const message = 'enter() is for good, and this is the main thread: use do(), a Worker, or { mainThread: true }'
      throw misuse('ERR_NSSET_NOT_ENTERABLE', message)
    }
    this.#native.enter(kinds)
  }

  /**
   * Starts a program inside, in all kinds of the set or in those of `options.kinds`, without `nsenter` and without a
   * shell. `file` and `cwd` are looked for inside. The cost does not depend on how much memory Node uses.
   *
   * What fails is told by the event `'error'`, as with `child_process.spawn`: a {@link NamespaceError} whose `syscall` is
   * `spawn FILE` (`ENOENT`, `EACCES`), the step that failed (`EPERM` of `setns`, `ENOENT` of `chdir`), or `EAGAIN` and
   * `EMFILE` where a limit is reached.
   *
   * @throws {@link NamespaceError} where `child_process.spawn` throws, too: `E2BIG`, and `EPERM` or `EINVAL` for an id
   * that the caller may not take or that has no name inside; `ERR_UNKNOWN_SIGNAL`.
   * @example
   * const child = set.spawn('ip', ['addr'], { stdio: 'inherit' })
   * child.on('exit', (code) => console.log(code))
   * @see execve(2), setns(2)
   */
  spawn<const S extends StdioOptions | undefined = 'pipe'>(
    file: string,
    args?: readonly string[] | null,
    options?: SpawnOptions<S>,
  ): ChildOf<S>
  spawn<const S extends StdioOptions | undefined = 'pipe'>(file: string, options?: SpawnOptions<S>): ChildOf<S>
  spawn(file: string, args?: unknown, options?: unknown): NamespaceChildProcess {
    binding()
    return this.#start(parseSpawn(file, args, options))
  }

  /**
   * Runs a program inside to its end, and gives what it said.
   *
   * @throws {@link ExecFileError} when it ends with another code than 0 or by a signal, takes longer than
   * `options.timeout` (`ETIMEDOUT`), or says more than `options.maxBuffer` (`ERR_CHILD_PROCESS_STDIO_MAXBUFFER`);
   * {@link NamespaceError} when it does not start; an `AbortError` when `options.signal` is aborted. All of them have
   * `stdout`, `stderr`, `exitCode`, `signal` and `command`. With `reject: false`, whatever end the program came to is a
   * result.
   * @example
   * const { stdout } = await set.execFile('ip', ['-json', 'addr'])
   * @see execve(2), setns(2)
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
  async execFile(file: string, args?: unknown, options?: unknown): Promise<ExecFileResult<string | Buffer>> {
    binding()
    const given = parseExecFile(file, args, options)
    return execFile(() => this.#start(given.launch), given)
  }

  /**
   * Starts a Node.js process inside that runs a module, with `send()` and `'message'` between the two, as
   * `child_process.fork` has them: JavaScript inside namespaces of any kind, rootless too.
   *
   * What it is sent is read inside, and what it sends here: what runs there is to be trusted no less for that.
   *
   * @throws as {@link NamespaceSet.spawn}.
   * @example
   * const child = set.fork('./server.js', [], { serialization: 'advanced' })
   * child.on('message', (message) => console.log(message))
   * @see setns(2)
   */
  fork(module: Path, args?: readonly string[] | null, options?: ForkOptions): NamespaceChildProcess
  fork(module: Path, options?: ForkOptions): NamespaceChildProcess
  fork(module: Path, args?: unknown, options?: unknown): NamespaceChildProcess {
    binding()
    return this.#start(parseFork(module, args, options))
  }

  /**
   * Starts a Worker of `node:worker_threads` whose thread is inside, in all kinds of the set or in those of
   * `options.kinds`, before the first line of its code runs. Everything else is as Node has it: files of CommonJS, modules
   * and TypeScript, `eval`, `data:` URLs, `workerData`, messages, errors, `terminate()`. The set may be closed at once.
   *
   * What the thread does itself is inside: sockets and servers, `fetch`, synchronous `fs`, `require`, child processes,
   * Workers of its own. What libuv's pool does for it is outside: `dns.lookup` (and so host names in `fetch` and
   * `net.connect`), `fs.promises`, and, up to Node 20, the reading of modules that are imported.
   *
   * With `mnt` the file is looked for inside; one that is a module is read outside up to Node 20. The working
   * directory is the same path inside, or `/` where there is none. What `--require` and `--import` preload runs outside.
   *
   * @throws `ERR_NSSET_NOT_ENTERABLE` for `user`, `time` and `pid` unless equal to the thread's own, and for an ordinary
   * user's sets: JavaScript runs inside those in a process, by `fork`.
   * @throws what Node's `new Worker` throws: `ERR_WORKER_PATH`, `ERR_WORKER_INVALID_EXEC_ARGV`, …
   * @example
   * const worker = set.worker(new URL('./server.js', import.meta.url), { workerData: { port: 80 } })
   * worker.on('message', console.log)
   * @see setns(2)
   */
  worker(filename: string | URL, options?: NamespaceWorkerOptions): Worker {
    return startWorker(this.#native, filename, options)
  }

  /**
   * Lets the namespaces go; a second time does nothing. A `pid` namespace that was made for the set ends with all that
   * runs inside once its last set is closed: everything gets SIGKILL, and this does not wait for the end.
   * `await using` does. Temporary names of {@link netns} are removed.
   *
   * @throws {@link NamespaceError} where a temporary name could not be removed, with its `path`: `EROFS`, `EPERM`, … The
   * set is closed all the same.
   * @example
   * const set = await NamespaceSet.unshare('net')
   * try { await set.execFile('ip', ['addr']) } finally { set.close() }
   * @see pid_namespaces(7)
   */
  close(): void {
    closedProperly(this)
    this.#network?.face.close()
    this.#native.close()
  }

  /** As {@link NamespaceSet.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  /**
   * As {@link NamespaceSet.close}, and resolves when everything in a `pid` namespace that ended with the set has ended. For a
   * set whose `pid` namespace another open set shares, and for one without, it resolves at once.
   *
   * @throws {@link NamespaceError} as {@link NamespaceSet.close}; `ETIMEDOUT` when something inside has not ended after 5
   * seconds, or when its parent or tracer outside of the namespace has not waited for it.
   * @example
   * await using set = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
   * set.spawn('sleep', ['60'], { stdio: 'ignore' }) // has ended when the block has
   * @see pid_namespaces(7)
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const removed = this.#native.removeNames()
    try {
      this.close()
      if (removed !== null) await settled(removed)
    } finally {
      await endOf(this.#native)
    }
  }

  /** `NamespaceSet(net:[4026532177] uts:[4026532178])` */
  toString(): string {
    return this.#native.closed ? 'NamespaceSet(closed)' : `NamespaceSet(${this.#native.ids()})`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  #start(launch: Launch): NamespaceChildProcess {
    return spawn(this.#native, { ...launch, command: { ...launch.command, ...viewOf(this, launch) } })
  }

  #openNetwork(): { face: Network; native: NativeNetwork } {
    if (this.#network !== undefined && !this.closed) return this.#network
    const native = this.#native.network()
    this.#network = { face: new Network({ set: this, native }), native }
    return this.#network
  }

  /** The flag of a kind of this set's; of its only one when it is left out. */
  #one(kind: NamespaceKind | undefined): number {
    if (kind !== undefined) return flagOf(kind)
    if ((this.#flags & (this.#flags - 1)) === 0) return this.#flags
    throw invalidValue('kind', `may be left out only where the set has one kind; it has ${this.kinds.join(', ')}`, kind)
  }
}
