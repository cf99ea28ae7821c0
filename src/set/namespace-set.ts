import type { Worker } from 'node:worker_threads'
import type { NativeSet } from '../../index.js'
import { fromContainer } from '../containers/from-container.ts'
import { invalidValue, misuse } from '../errors.ts'
import { type Kinds, type NamespaceKind, NS } from '../namespace-kind.ts'
import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import type { Network } from '../network/network.ts'
import type { AnySet } from '../objects/context.ts'
import { notOurs, sign } from '../objects/copies.ts'
import { HANDLE, handleOf, type SetHandle } from '../objects/set-handle.ts'
import { insteadOf } from '../objects/uncloneable.ts'
import { type ChildOf, failureOf, type NamespaceChildProcess } from '../processes/child-process.ts'
import { execFile } from '../processes/exec-file.ts'
import type { ExecFileResult, Output } from '../processes/exec-file-result.ts'
import { viewOf } from '../processes/netns-view.ts'
import { spawn } from '../processes/spawn.ts'
import { SPAWNS } from '../reports.ts'
import { visit } from '../threads/do.ts'
import type { Thenable } from '../threads/thenable.ts'
import { startWorker } from '../threads/worker.ts'
import type { FromContainerOptions } from '../validate/container-options.ts'
import { type Composition, parseComposition } from '../validate/discovery/composition.ts'
import { parseUniqueId } from '../validate/discovery/namespaces-options.ts'
import { type DoOptions, type EnterOptions, parseDoOptions, parseEnterOptions } from '../validate/enter-options.ts'
import { flagOf, namesOf, parseKindsOrAll, parseOptionalKind, parseOptionalKinds } from '../validate/kinds.ts'
import { type MountTargets, parseTargets } from '../validate/mounts/mount-targets.ts'
import { isPath, type Path, parsePath } from '../validate/paths.ts'
import { type ExecFileOptions, type OutputEncoding, parseExecFile } from '../validate/processes/exec-file-options.ts'
import { type ForkOptions, parseFork } from '../validate/processes/fork.ts'
import { type Launch, parseSpawn, type SpawnOptions } from '../validate/processes/spawn-options.ts'
import type { StdioOptions } from '../validate/processes/stdio.ts'
import type { UnshareOptions, UnshareSyncOptions } from '../validate/unshare-options.ts'
import { fd as parseFd, parseFunction, pid as parsePid } from '../validate/values.ts'
import type { NamespaceWorkerOptions } from '../validate/worker-options.ts'
import { closedProperly, watchForDrop } from './dropped.ts'
import { endOf } from './end.ts'
import { FdSet } from './fd-set.ts'
import { Handle } from './handle.ts'
import { unshare, unshareSync } from './unshare.ts'

/** Identifies a namespace: two namespaces are the same if both fields are equal. */
export interface NamespaceStat {
  /** The device number of nsfs, the file system of namespaces. */
  dev: bigint
  /** The inode number, which `set.id()` shows in brackets. */
  ino: bigint
}

const INSTEAD = insteadOf(
  'NamespaceSet',
  'send set.path(kind) in its place, and open it there with NamespaceSet.fromPath()',
)

/**
 * A set of namespaces: at most one of each kind, held open by close-on-exec descriptors. The namespaces exist at least as
 * long as the set, or any {@link NamespaceSet.dup} of it, is open.
 *
 * Every method except `has`, `close` and `toString` throws `ERR_NSSET_CLOSED` after {@link NamespaceSet.close}. On systems
 * other than Linux it throws `ERR_NSSET_UNSUPPORTED_PLATFORM`, and for invalid arguments `ERR_INVALID_ARG_TYPE` or
 * `ERR_INVALID_ARG_VALUE`.
 *
 * @example
 * using set = await NamespaceSet.unshare(['user', 'net'], { mapUser: 'root' })
 * console.log((await set.execFile('ip', ['-brief', 'link'])).stdout)
 *
 * @see namespaces(7)
 */
export class NamespaceSet {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD
  readonly #native: NativeSet
  readonly #flags: number

  /** Created when the network is used, and for a set that was opened by name. */
  #handle: Handle | undefined

  static {
    sign(NamespaceSet)
  }

  /** @hidden Created by the static methods, such as {@link NamespaceSet.unshare} and {@link NamespaceSet.current}. */
  constructor(native: NativeSet, netnsName?: string) {
    if (!(native instanceof binding().NativeSet)) {
      throw notOurs('native', 'created by NamespaceSet.unshare(), .current() or another static method', native)
    }
    this.#native = native
    this.#flags = native.flags()
    if (netnsName !== undefined) this.#getHandle().netnsName = netnsName
    watchForDrop(this, this.#flags)
  }

  /** @internal */
  get [HANDLE](): SetHandle {
    return this.#getHandle()
  }

  /**
   * Opens the namespaces of the calling thread. Default: all kinds; the mask `0` also means all kinds.
   *
   * @throws {@link NamespaceError} `ENOENT` if /proc is not mounted.
   * @example
   * using home = NamespaceSet.current('net')
   * console.log(home.id()) // net:[4026531833]
   * @see proc_pid_ns(5)
   */
  static current(kinds?: Kinds): NamespaceSet {
    return new NamespaceSet(binding().current(parseKindsOrAll(kinds)))
  }

  /**
   * Creates new namespaces and sets up their initial state, like `unshare --user --net --map-root-user`. No thread that
   * runs your code enters them. An ordinary user has to include `'user'` in the kinds.
   *
   * @throws {@link NamespaceError} `EPERM` without the privilege, `ENOSPC` if a limit of /proc/sys/user is reached, `EINVAL`
   * for invalid id mappings, `ENOENT` if a path of `mounts` or `root`, or `newuidmap`, does not exist; `syscall` names the
   * step that failed.
   * @throws the signal's reason if `options.signal` is aborted.
   * @example
   * using set = await NamespaceSet.unshare(['user', 'uts'], { mapUser: 'root', hostname: 'inside' })
   * console.log((await set.execFile('hostname')).stdout) // inside
   * @see unshare(1), unshare(2), user_namespaces(7)
   */
  static async unshare(kinds: Kinds, options?: UnshareOptions): Promise<NamespaceSet> {
    return new NamespaceSet(await unshare(undefined, kinds, options))
  }

  /**
   * Synchronous version of {@link NamespaceSet.unshare}. It blocks the thread for some ten microseconds for
   * `uts`, `ipc` and `cgroup`, and for some tenths of a millisecond for other kinds; with `newuidmap`, until that program ends; if a limit is reached while the kernel still frees namespaces, for up to 500 ms.
   *
   * @throws {@link NamespaceError} as {@link NamespaceSet.unshare}.
   * @example
   * using set = NamespaceSet.unshareSync('uts', { hostname: 'inside' })
   * @see unshare(1), unshare(2)
   */
  static unshareSync(kinds: Kinds, options?: UnshareSyncOptions): NamespaceSet {
    return new NamespaceSet(unshareSync(undefined, kinds, options))
  }

  /**
   * Opens the namespaces of a process, as `nsenter --target PID` does. Default: all kinds that the kernel supports.
   *
   * @throws {@link NamespaceError} `ESRCH` if there is no such process, `EACCES` if the caller may not inspect it (ptrace(2)).
   * @example
   * using theirs = NamespaceSet.fromPid(child.pid, ['net', 'uts'])
   * @see nsenter(1), proc_pid_ns(5)
   */
  static fromPid(pid: number, kinds?: Kinds): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.fromPid(parsePid(pid, 'pid'), parseOptionalKinds(kinds)))
  }

  /**
   * Opens the namespaces of one thread of a process. Default: all kinds that the kernel supports.
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
   * Opens the namespaces of a running container, found by its name, its id or the beginning of its id. Paused containers are
   * found too, and containers that Podman or runc has created but not started.
   *
   * First Docker and Podman are asked, at `DOCKER_HOST` or at their default sockets; only they know names. Then the cgroups
   * are searched for the id, of which at least six digits are required. This finds containers of containerd, nerdctl, CRI-O,
   * Kubernetes and runc as well. An engine that does not answer within 10 seconds is skipped.
   *
   * @throws {@link NamespaceError} `ENOENT` if there is no such container, `ESRCH` if it is not running, `EACCES` as
   * {@link NamespaceSet.fromPid}. If the container was not found and an engine could not be asked: the code of that failure,
   * `EACCES`, `ECONNREFUSED`, `ETIMEDOUT` or `EPROTO`.
   * @throws {@link NamespaceError} `EPERM` if the only cgroup with this id belongs to another user (a rootless container of
   * another user, or a container inside another container). A user who can create cgroups can choose their names, and could
   * otherwise make the caller enter the wrong namespaces.
   * @throws `ERR_NSSET_AMBIGUOUS` if several containers match; the message contains their full ids.
   * @throws `ERR_INVALID_ARG_VALUE` also if `DOCKER_HOST` is neither a `unix://` nor a plain `tcp://` address.
   * @throws the signal's reason if `options.signal` is aborted.
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
   * Opens the namespaces that are mounted in a directory under the names of their kinds, as {@link NamespaceSet.mount}
   * mounts them. Default: all that are present.
   *
   * @throws {@link NamespaceError} `ENOENT`, `ENOTDIR`, or `EINVAL` if a file is not a namespace of its kind.
   * @example
   * using set = NamespaceSet.fromDirectory('/run/tenant-1')
   */
  static fromDirectory(directory: Path, kinds?: Kinds): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.fromDirectory(parsePath(directory, 'directory'), parseOptionalKinds(kinds)))
  }

  /**
   * Opens the namespace at a path, as `nsenter --net=FILE` does. The kernel reports its kind; `expect` requires a kind.
   *
   * @throws {@link NamespaceError} `ENOENT`, or `EINVAL` if the file is not a namespace or is one of another kind.
   * @example
   * using blue = NamespaceSet.fromPath('/run/netns/blue', 'net')
   * @see nsenter(1), ioctl_ns(2)
   */
  static fromPath(path: Path, expect?: NamespaceKind): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.fromPath(parsePath(path, 'path'), parseOptionalKind(expect, 'expect')))
  }

  /**
   * Opens the namespace that a descriptor refers to. The descriptor remains open; closing it is up to the caller.
   *
   * @throws {@link NamespaceError} `EBADF`, or `EINVAL` if the file is not a namespace or is one of another kind.
   * @example
   * using set = NamespaceSet.fromFd(3, 'net')
   * @see ioctl_ns(2)
   */
  static fromFd(fd: number, expect?: NamespaceKind): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.fromFd(parseFd(fd, 'fd'), parseOptionalKind(expect, 'expect')))
  }

  /**
   * Opens the network in which a socket was created. The descriptor remains open; closing it is up to the caller. An ordinary
   * user can open the network of the calling thread, and those of the user namespaces in which they have CAP_NET_ADMIN.
   *
   * @throws {@link NamespaceError} `EBADF`, `ENOTSOCK` if the descriptor is not a socket, `EPERM` without the privilege.
   * @example
   * using network = NamespaceSet.fromSocket(3)
   * @see SIOCGSKNS in netdevice(7)
   */
  static fromSocket(fd: number): NamespaceSet {
    const native = binding()
    return new NamespaceSet(native.fromSocket(parseFd(fd, 'fd')))
  }

  /**
   * Opens a namespace by its unique id, which {@link NamespaceSet.uniqueId} and {@link namespaces} return. The kernel never uses an id
   * again, so that it names the same namespace as long as the system runs; it does not keep the namespace alive. Before Linux 7,
   * and for an ordinary user, it searches `/proc` for the namespace on another thread.
   *
   * @throws {@link NamespaceError} `ENOENT` if the namespace is gone, or hidden from the caller; `EINVAL` if it is of another kind;
   * `EOPNOTSUPP` before Linux 6.18, which introduced the ids.
   * @example
   * const id = set.uniqueId('net') ?? 0n
   * using same = await NamespaceSet.fromId(id, 'net')
   * @see NS_GET_ID in ioctl_nsfs(2), open_by_handle_at(2)
   */
  static async fromId(uniqueId: bigint, kind: NamespaceKind): Promise<NamespaceSet> {
    const native = binding()
    const [id, flag] = [parseUniqueId(uniqueId, 'uniqueId'), flagOf(kind)]
    return new NamespaceSet(await settled(native.fromId(id, flag)))
  }

  /**
   * Returns a new set with the namespace of each kind from another set. It opens no further descriptors, and the other sets can be
   * closed.
   *
   * @throws `ERR_NSSET_NOT_IN_SET` if a set has no namespace of its kind, `ERR_NSSET_CLOSED` if it is closed.
   * @example
   * using set = NamespaceSet.compose({ net: router, uts: host })
   */
  static compose(parts: Composition<NamespaceSet>): NamespaceSet {
    // On another platform, this is the error.
    binding()
    const [[flag, set], ...others] = parseComposition(parts)
    const join = (native: NativeSet, [flag, set]: [number, AnySet]) =>
      native.join(native.flags(), handleOf(set).native, flag)
    const composed = others.reduce(join, handleOf(set).native.dup(flag))
    return new NamespaceSet(composed, parts.net === undefined ? undefined : handleOf(parts.net).netnsName)
  }

  /**
   * Reverts {@link NamespaceSet.mount}, for a file or for a directory, like `umount FILE`. It also removes the file
   * underneath if that is empty and has mode 0, as `mount` and `ip netns add` create it.
   *
   * @throws {@link NamespaceError} `EINVAL` if the target is not a namespace file; nothing else is unmounted. `EACCES` if the
   * path leads through another user's symbolic link to a file that is not that user's. `EBUSY` if another namespace is mounted
   * underneath, and `EROFS` or `EPERM` if the file cannot be removed: the namespace has been unmounted, the rest remains.
   * @example
   * await NamespaceSet.unmount('/run/tenant-1')
   * @see umount(8), umount2(2)
   */
  static async unmount(target: Path): Promise<void> {
    await settled(binding().unmount(parsePath(target, 'target')))
  }

  /**
   * Synchronous version of {@link NamespaceSet.unmount}. It blocks the thread until the file system answers.
   *
   * @throws {@link NamespaceError} as {@link NamespaceSet.unmount}.
   * @example
   * NamespaceSet.unmountSync('/run/netns/tenant-1')
   */
  static unmountSync(target: Path): void {
    const native = binding()
    native.unmountSync(parsePath(target, 'target'))
  }

  /** The kinds of the namespaces in this set, in the order of `/proc/PID/ns`. They remain known after `close`. */
  get kinds(): NamespaceKind[] {
    return namesOf(this.#flags)
  }

  /** The kinds of the namespaces in this set, as a mask of {@link NS} constants. */
  get flags(): number {
    return this.#flags
  }

  /** Whether the set is closed. */
  get closed(): boolean {
    return this.#native.closed
  }

  /**
   * Returns whether the set has a namespace of this kind. The answer does not change after `close`.
   *
   * @throws `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` if `kind` is not a kind of namespace.
   * @example
   * if (set.has('net')) console.log(set.id('net'))
   */
  has(kind: NamespaceKind): boolean {
    return (this.#flags & flagOf(kind)) !== 0
  }

  /**
   * The methods for the network of this set. Their netlink socket is opened on first use and closed with the set.
   *
   * @throws `ERR_NSSET_NOT_IN_SET` if the set has no `net` namespace.
   * @example
   * await set.network.links.set('lo', { up: true })
   * @see rtnetlink(7)
   */
  get network(): Network {
    return this.#getHandle().openNetwork()
  }

  /**
   * Returns the identity of a namespace in the form of `readlink /proc/PID/ns/net`. `kind` is optional if the set has one kind.
   *
   * @throws `ERR_NSSET_NOT_IN_SET` if the set has no namespace of this kind.
   * @example
   * set.id('net') // net:[4026532177]
   * @see namespaces(7)
   */
  id(kind?: NamespaceKind): string {
    return this.#native.id(this.#one(kind))
  }

  /**
   * Returns the device and inode number of a namespace. `kind` is optional if the set has one kind.
   *
   * @throws `ERR_NSSET_NOT_IN_SET` if the set has no namespace of this kind.
   * @example
   * const { ino } = set.stat('net')
   * @see namespaces(7)
   */
  stat(kind?: NamespaceKind): NamespaceStat {
    const [dev, ino] = this.#native.stat(this.#one(kind)) as [bigint, bigint]
    return { dev, ino }
  }

  /**
   * Returns the number of a namespace that the kernel never uses again, for {@link NamespaceSet.fromId}; undefined before Linux
   * 6.18. `kind` is optional if the set has one kind.
   *
   * @throws `ERR_NSSET_NOT_IN_SET` if the set has no namespace of this kind.
   * @example
   * const id = set.uniqueId('net')
   * @see NS_GET_ID in ioctl_nsfs(2)
   */
  uniqueId(kind?: NamespaceKind): bigint | undefined {
    return this.#native.uniqueId(this.#one(kind)) ?? undefined
  }

  /**
   * Returns a path at which other programs can open a namespace, as long as the set is open and this process is alive.
   * `kind` is optional if the set has one kind.
   *
   * @throws `ERR_NSSET_NOT_IN_SET` if the set has no namespace of this kind.
   * @example
   * execFileSync('nsenter', [`--net=${set.path('net')}`, 'ip', 'addr'])
   * @see proc_pid_fd(5)
   */
  path(kind?: NamespaceKind): string {
    return `/proc/${process.pid}/fd/${this.#native.descriptor(this.#one(kind))}`
  }

  /**
   * Returns whether both sets hold the same namespaces, compared by device and inode number. Default of `kinds`: all kinds
   * that at least one of the sets has.
   *
   * @throws `ERR_NSSET_CLOSED` if one of the sets is closed, `ERR_NSSET_NOT_IN_SET` for kinds that this set does not have.
   * @example
   * using here = NamespaceSet.current()
   * console.log(set.equals(here, 'net'))
   */
  equals(other: NamespaceSet, kinds?: Kinds): boolean {
    if (!(other instanceof NamespaceSet)) throw notOurs('other', 'a NamespaceSet', other)
    return this.#native.equals(other.#native, parseOptionalKinds(kinds))
  }

  /**
   * Opens the user namespace that owns a namespace, as a new set. `kind` is optional if the set has one kind.
   *
   * @throws {@link NamespaceError} `EPERM` if the owner is outside of the caller's user namespace.
   * @example
   * using owner = set.owner('net')
   * @see NS_GET_USERNS in ioctl_ns(2)
   */
  owner(kind?: NamespaceKind): NamespaceSet {
    return new NamespaceSet(this.#native.owner(this.#one(kind)))
  }

  /**
   * Opens the parent of a namespace of kind `user` or `pid`, as a new set. `kind` is optional if the set has one kind.
   *
   * @throws {@link NamespaceError} `EPERM` if the parent is outside of the caller's namespace; `ERR_INVALID_ARG_VALUE` for
   * other kinds, which have no hierarchy.
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
   * Returns an independent set of the same namespaces. Default of `kinds`: all; the mask `0` also means all. It opens no
   * further descriptors.
   *
   * @throws `ERR_NSSET_NOT_IN_SET` for kinds that the set does not have.
   * @example
   * using mine = theirs.dup('net')
   */
  dup(kinds?: Kinds): NamespaceSet {
    const native = this.#native.dup(parseKindsOrAll(kinds))
    return new NamespaceSet(native, native.flags() & NS.NET ? this.#handle?.netnsName : undefined)
  }

  /**
   * Opens new descriptors of the namespaces. Default of `kinds`: all; the mask `0` also means all.
   *
   * @throws `ERR_NSSET_NOT_IN_SET` for kinds that the set does not have; {@link NamespaceError} `EMFILE`.
   * @example
   * using fds = set.fds(['net', 'uts'])
   * for (const [kind, fd] of fds) console.log(kind, fd)
   * @see fcntl(2)
   */
  fds(kinds?: Kinds): FdSet {
    return new FdSet(this.#native.fds(parseKindsOrAll(kinds)))
  }

  /**
   * Creates new namespaces as a process inside this set would, like `nsenter … unshare …`. They are owned by the set's user
   * namespace, if it has one. The new set holds the new namespaces, and this set's namespaces of all other kinds.
   *
   * @throws {@link NamespaceError} as the static method {@link NamespaceSet.unshare}.
   * @example
   * using base = await NamespaceSet.unshare('user', { mapUser: 'root' })
   * using host = await base.unshare(['net', 'uts'], { hostname: 'host-1', loopback: true })
   * @see unshare(2)
   */
  async unshare(kinds: Kinds, options?: UnshareOptions): Promise<NamespaceSet> {
    return new NamespaceSet(await unshare(this.#native, kinds, options))
  }

  /**
   * Synchronous version of the method {@link NamespaceSet.unshare}.
   *
   * @throws {@link NamespaceError} as the static method {@link NamespaceSet.unshare}.
   * @example
   * using host = base.unshareSync('net', { loopback: true })
   */
  unshareSync(kinds: Kinds, options?: UnshareSyncOptions): NamespaceSet {
    return new NamespaceSet(unshareSync(this.#native, kinds, options))
  }

  /**
   * Mounts the namespaces in the file system, like `mount --bind /proc/PID/ns/net FILE`: all of them in an existing
   * directory, each under the name of its kind, or each on the file given for it. Missing files are created; existing files
   * have to be empty. Either all namespaces are mounted, or none. A mount keeps a namespace alive after the set is closed;
   * a `pid` namespace cannot be used any more then.
   *
   * @throws {@link NamespaceError} `EEXIST` if a target has content, is a symbolic link or is a mount point, `EPERM` without
   * the privilege to mount, `EINVAL` if the kernel cannot mount a mount namespace there, `EACCES` if the path leads through
   * another user's symbolic link to a file that is not that user's.
   * @example
   * await set.mount('/run/tenant-1')
   * await set.mount({ net: '/run/netns/tenant-1' })
   * @see mount(2), mount(8)
   */
  async mount(target: Path | MountTargets): Promise<void> {
    const mounted = isPath(target)
      ? this.#native.mountIntoDirectory(parsePath(target, 'target'))
      : this.#native.mountOntoFiles(parseTargets(target))
    await settled(mounted)
  }

  /**
   * Synchronous version of {@link NamespaceSet.mount}. It blocks the thread until the file system answers.
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
   * Calls a function inside the namespaces, on the calling thread, and returns its result. Sockets and child processes that
   * the function creates stay inside. The thread leaves the namespaces when the function returns or throws, or when the
   * Worker is terminated. Kinds in which the thread already is cost nothing. Do not pass an asynchronous function: the code
   * after its first `await` would run outside.
   *
   * @throws `ERR_NSSET_NOT_ENTERABLE` for `user`, `time`, `pid` and `mnt` namespaces that are not the thread's own, and for
   * sets of an ordinary user. {@link NamespaceSet.spawn}, {@link NamespaceSet.execFile} and {@link NamespaceSet.fork} accept all of them.
   * @throws `ERR_NSSET_ASYNC_CALLBACK` if the function returns a promise or another thenable.
   * @throws `ERR_NSSET_RESTORE` if the thread cannot return; an error thrown by the function is its `cause`. After that, every
   * call throws `ERR_NSSET_TAINTED_THREAD` until the thread can return.
   * @example
   * const links = set.do(() => os.networkInterfaces())
   * @see setns(2)
   * @deprecated An asynchronous function runs outside from its first `await` on. `do` throws when it gets a promise.
   */
  do<R extends PromiseLike<unknown>>(fn: (() => R) & (() => Thenable<R>), options?: DoOptions): never
  /**
   * Calls a function inside the namespaces, on the calling thread, and returns its result. Sockets and child processes that
   * the function creates stay inside. The thread leaves the namespaces when the function returns or throws, or when the
   * Worker is terminated. Kinds in which the thread already is cost nothing. Do not pass an asynchronous function: the code
   * after its first `await` would run outside.
   *
   * @throws `ERR_NSSET_NOT_ENTERABLE` for `user`, `time`, `pid` and `mnt` namespaces that are not the thread's own, and for
   * sets of an ordinary user. {@link NamespaceSet.spawn}, {@link NamespaceSet.execFile} and {@link NamespaceSet.fork} accept all of them.
   * @throws `ERR_NSSET_ASYNC_CALLBACK` if the function returns a promise or another thenable.
   * @throws `ERR_NSSET_RESTORE` if the thread cannot return; an error thrown by the function is its `cause`. After that, every
   * call throws `ERR_NSSET_TAINTED_THREAD` until the thread can return.
   * @example
   * const links = set.do(() => os.networkInterfaces())
   * @see setns(2)
   */
  do<R>(fn: () => R, options?: DoOptions): R
  do(fn: () => unknown, options?: DoOptions): unknown {
    const { kinds = 0 } = parseDoOptions(options)
    return visit(this.#native, kinds, parseFunction(fn, 'fn'))
  }

  /**
   * Moves the calling thread into the namespaces permanently. Use it in a Worker; there it also works with `mnt`. Work that
   * libuv's thread pool does (`fs.promises`, `dns.lookup`, `import()`, the asynchronous `unshare`) still happens outside.
   * Within `do`, it lasts until that `do` returns.
   *
   * @throws `ERR_NSSET_NOT_ENTERABLE` on the main thread if `mainThread` is not true, for `user`, `time` and `pid` namespaces
   * that are not the thread's own, and for sets of an ordinary user.
   * @example
   * using blue = NamespaceSet.fromPath('/run/netns/blue') // in a Worker
   * blue.enter()
   * @see setns(2)
   */
  enter(options?: EnterOptions): void {
    const { kinds = 0, mainThread = false } = parseEnterOptions(options)
    const { isMainThread } = process.getBuiltinModule('node:worker_threads')
    if (!mainThread && isMainThread) {
      const message = 'enter() is permanent, and this is the main thread: use do(), a Worker, or { mainThread: true }'
      throw misuse('ERR_NSSET_NOT_ENTERABLE', message)
    }
    this.#native.enter(kinds)
  }

  /**
   * Starts a program inside, as `nsenter` would, without a shell. `options.kinds` limits the kinds of namespaces that it
   * enters. `file` and `cwd` are resolved inside. The cost does not depend on the memory that Node.js uses.
   *
   * As with `child_process.spawn`, failures are reported by the event `'error'`. The error is a {@link NamespaceError} whose
   * `syscall` is `spawn FILE` (`ENOENT`, `EACCES`), or the step that failed (`setns`: `EPERM`, `chdir`: `ENOENT`). `EAGAIN` and
   * `EMFILE` mean that a limit is reached.
   *
   * @throws {@link NamespaceError} where `child_process.spawn` throws too: `E2BIG`; `EPERM` or `EINVAL` for a user or group id
   * that the caller may not take or that is not mapped inside. `ERR_UNKNOWN_SIGNAL` for an unknown signal.
   * @example
   * const child = set.spawn('ip', ['addr'], { stdio: 'inherit' })
   * child.on('exit', (code) => console.log(code))
   * @see nsenter(1), execve(2), setns(2)
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
   * Runs a program inside until it ends, as `nsenter` would. Resolves with its output.
   *
   * @throws {@link ExecFileError} if the program ends with an exit code other than 0 or by a signal, runs longer than
   * `options.timeout` (`ETIMEDOUT`), or writes more than `options.maxBuffer` (`ERR_CHILD_PROCESS_STDIO_MAXBUFFER`). With
   * `reject: false` these are results.
   * @throws {@link NamespaceError} if the program does not start; an `AbortError` if `options.signal` is aborted.
   *
   * All of these errors have `stdout`, `stderr`, `exitCode`, `signal` and `command`.
   * @example
   * const { stdout } = await set.execFile('ip', ['-json', 'addr'])
   * @see nsenter(1), execve(2), setns(2)
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
   * Starts a Node.js process inside that runs a module, connected by `send()` and `'message'` as with `child_process.fork`.
   * It runs JavaScript inside namespaces of every kind, also for an ordinary user.
   *
   * Messages cross the boundary of the namespaces in both directions. Validate what you receive if you do not trust the
   * code inside.
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
   * Starts a Worker of `node:worker_threads` whose thread is inside before the first line of its code runs. `options.kinds`
   * limits the kinds of namespaces that it enters. Everything else is as in Node.js: CommonJS, ES modules and TypeScript files,
   * `eval`, `data:` URLs, `workerData`, messages, errors, `terminate()`. You can close the set right after the call.
   *
   * What the thread does itself happens inside: sockets and servers, `fetch`, synchronous `fs`, `require`, child processes,
   * its own Workers. What libuv's thread pool does for it happens outside: `dns.lookup` (and so host names in `fetch` and
   * `net.connect`), `fs.promises`, and, up to Node.js 20, reading imported modules.
   *
   * With `mnt`, the file is resolved inside; up to Node.js 20, an ES module is read outside. The working directory is the same
   * path inside, or `/` if that does not exist there. Modules of `--require` and `--import` run outside.
   *
   * @throws `ERR_NSSET_NOT_ENTERABLE` for `user`, `time` and `pid` namespaces that are not the thread's own, and for sets of an
   * ordinary user. Use {@link NamespaceSet.fork} to run JavaScript in those.
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
   * Closes the set. Further calls do nothing. The kernel frees a namespace when nothing uses it any more. A `pid` namespace
   * that was created for this set ends when its last set is closed: all of its processes get SIGKILL. `close` does not wait
   * until they have ended; `await using` does. Temporary names of {@link netns} are removed.
   *
   * @throws {@link NamespaceError} if a temporary name could not be removed, with its `path`: `EROFS`, `EPERM`, … The set is
   * closed nevertheless.
   * @example
   * const set = await NamespaceSet.unshare('net')
   * try { await set.execFile('ip', ['addr']) } finally { set.close() }
   * @see pid_namespaces(7)
   */
  close(): void {
    closedProperly(this)
    this.#handle?.closeNetwork()
    this.#native.close()
  }

  /** Same as {@link NamespaceSet.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  /**
   * Closes the set like {@link NamespaceSet.close}, and resolves when all processes in a `pid` namespace that this ended have
   * ended. It resolves at once if the set has no `pid` namespace, or shares it with another open set.
   *
   * @throws {@link NamespaceError} as {@link NamespaceSet.close}; `ETIMEDOUT` if a process inside has not ended after 5
   * seconds, or if its parent or tracer outside of the namespace has not waited for it.
   * @example
   * await using set = await NamespaceSet.unshare(['user', 'pid'], { mapUser: 'root' })
   * set.spawn('sleep', ['60'], { stdio: 'ignore' }) // has ended at the end of the block
   * @see pid_namespaces(7)
   */
  async [Symbol.asyncDispose](): Promise<void> {
    let removed: Promise<void> | null = null
    try {
      try {
        removed = this.#native.removeNames()
      } finally {
        this.close()
      }
      if (removed !== null) await settled(removed)
    } finally {
      await endOf(this.#native)
    }
  }

  /** Returns a description such as `NamespaceSet(net:[4026532177] uts:[4026532178])`. */
  toString(): string {
    return this.#native.closed ? 'NamespaceSet(closed)' : `NamespaceSet(${this.#native.ids()})`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  #getHandle(): Handle {
    this.#handle ??= new Handle(this, this.#native, (native, netnsName) => new NamespaceSet(native, netnsName))
    return this.#handle
  }

  #start(launch: Launch): NamespaceChildProcess {
    const report = SPAWNS.begin()
    const child = spawn(this.#native, {
      ...launch,
      command: { ...launch.command, ...viewOf(this.#flags, this.#handle?.netnsName, launch) },
    })
    const { pid } = child
    const started = { set: this.toString(), file: String(launch.command.file), ...(pid === undefined ? {} : { pid }) }
    report?.(started, failureOf(child))
    return child
  }

  /** Returns the flag of a kind. Without a kind, the flag of the only kind of the set. */
  #one(kind: NamespaceKind | undefined): number {
    if (kind !== undefined) return flagOf(kind)
    if ((this.#flags & (this.#flags - 1)) === 0) return this.#flags
    throw invalidValue('kind', `is required, because the set has several kinds: ${this.kinds.join(', ')}`, kind)
  }
}
