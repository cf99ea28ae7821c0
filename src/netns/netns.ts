import { NamespaceError } from '../errors.ts'
import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import { notOurs } from '../objects/copies.ts'
import { handleOf } from '../objects/set-handle.ts'
import { NamespaceSet } from '../set/namespace-set.ts'
import { cancellable } from '../set/unshare.ts'
import { parseNetnsName } from '../validate/netns-name.ts'
import {
  type NetnsAttachOptions,
  type NetnsCreateOptions,
  type NetnsCreateSyncOptions,
  type NetnsOptions,
  type NetnsRemoveOptions,
  parseAttachOptions,
  parseCreateOptions,
  parseCreateSyncOptions,
  parseNetnsOptions,
  parseRemoveOptions,
} from '../validate/netns-options.ts'

/**
 * Named network namespaces, compatible with `ip netns`. A name is one path component of 1 to 255 bytes. Adding and removing
 * names requires root; opening requires read permission for the directory.
 *
 * @example
 * await using blue = await netns.create('blue', { temporary: true })
 * console.log(await netns.list()) // [ 'blue' ], as `ip netns list` prints
 * @see ip-netns(8)
 */
export const netns = {
  /**
   * The directory of the names: `/run/netns`. If `/var/run` is a directory and not a link to `/run`, it is `/var/run/netns`,
   * or `/run/netns` if only that exists.
   *
   * @example
   * console.log(netns.directory) // /run/netns
   */
  get directory(): string {
    return process.platform === 'linux' ? binding().netnsDirectory() : '/run/netns'
  },

  /**
   * Creates a network namespace and gives it a name, like `ip netns add NAME`. A missing directory is created; the default
   * directory becomes a shared mount, as with iproute2, so that the name appears in all mount namespaces.
   *
   * @throws {@link NamespaceError} `EEXIST` if the name exists, `EPERM` or `EACCES` for an ordinary user. A call that fails
   * leaves nothing behind.
   * @example
   * using blue = await netns.create('blue', { loopback: true })
   * @see ip-netns(8)
   */
  async create(name: string, options?: NetnsCreateOptions): Promise<NamespaceSet> {
    const word = parseNetnsName(name, 'name')
    const { directory, loopback = false, temporary = false, signal } = parseCreateOptions(options)
    // A temporary name is removed only if it still belongs to this network: after an abort it may be another one's.
    const isTemporary = temporary || signal !== undefined
    const native = await cancellable(signal, (canceller) =>
      settled(binding().createName(directory, word, loopback, isTemporary, canceller)),
    )
    if (!temporary) native.keepNames()
    return new NamespaceSet(native, word)
  },

  /**
   * Synchronous version of {@link netns.create}. It blocks the thread until the kernel has created the network and the file
   * system the name.
   *
   * @throws {@link NamespaceError} as {@link netns.create}.
   * @example
   * using blue = netns.createSync('blue')
   * @see ip-netns(8)
   */
  createSync(name: string, options?: NetnsCreateSyncOptions): NamespaceSet {
    const word = parseNetnsName(name, 'name')
    const { directory, loopback = false, temporary = false } = parseCreateSyncOptions(options)
    return new NamespaceSet(binding().createNameSync(directory, word, loopback, temporary), word)
  },

  /**
   * Opens the network namespace of a name, as a set of one kind. Programs started in it see the files of that name, as with
   * `ip netns exec NAME`; see {@link ProcessOptions.netnsFiles}.
   *
   * @throws {@link NamespaceError} `ENOENT` if the name does not exist, `EINVAL` if the file is not a network namespace.
   * @example
   * using blue = netns.open('blue')
   * @see ip-netns(8)
   */
  open(name: string, options?: NetnsOptions): NamespaceSet {
    const word = parseNetnsName(name, 'name')
    const { directory } = parseNetnsOptions(options)
    return new NamespaceSet(binding().openName(directory, word), word)
  },

  /**
   * Resolves with the names, sorted, like `ip netns list`; with an empty array if the directory does not exist. Files that
   * are not network namespaces are skipped.
   *
   * @throws {@link NamespaceError} `EACCES`, `ENOTDIR`.
   * @example
   * for (const name of await netns.list()) await netns.remove(name)
   * @see ip-netns(8)
   */
  async list(options?: NetnsOptions): Promise<string[]> {
    return settled(binding().listNames(parseNetnsOptions(options).directory))
  },

  /**
   * Synchronous version of {@link netns.list}. It blocks the thread until the file system of the directory answers.
   *
   * @throws {@link NamespaceError} as {@link netns.list}.
   * @example
   * for (const name of netns.listSync()) netns.removeSync(name)
   */
  listSync(options?: NetnsOptions): string[] {
    return binding().listNamesSync(parseNetnsOptions(options).directory)
  },

  /**
   * Gives a name to the network namespace of a set, like `ip netns attach NAME PID`.
   *
   * @throws {@link NamespaceError} as {@link netns.create}; `ERR_NSSET_NOT_IN_SET` if the set has no `net` namespace;
   * `ERR_NSSET_CLOSED` if the set is closed before it has its temporary name.
   * @example
   * using set = await NamespaceSet.unshare('net')
   * await netns.attach('blue', set)
   * @see ip-netns(8)
   */
  async attach(name: string, set: NamespaceSet, options?: NetnsAttachOptions): Promise<void> {
    const word = parseNetnsName(name, 'name')
    const place = parseAttachOptions(options)
    if (!(set instanceof NamespaceSet)) throw notOurs('set', 'a NamespaceSet', set)
    await attachName(set, word, place)
  },

  /**
   * Synchronous version of {@link netns.attach}. It blocks the thread until the file system of the directory answers.
   *
   * @throws {@link NamespaceError} as {@link netns.attach}.
   * @example
   * using set = NamespaceSet.unshareSync('net')
   * netns.attachSync('blue', set)
   */
  attachSync(name: string, set: NamespaceSet, options?: NetnsAttachOptions): void {
    const word = parseNetnsName(name, 'name')
    const place = parseAttachOptions(options)
    if (!(set instanceof NamespaceSet)) throw notOurs('set', 'a NamespaceSet', set)
    attachNameSync(set, word, place)
  },

  /**
   * Removes a name, like `ip netns delete NAME`, whatever created it. The name can be a file of any mode on which a network
   * namespace is mounted, an empty file on which none is mounted any more, or a symbolic link to a namespace, such as
   * `/proc/PID/ns/net`. If several namespaces are mounted on the file, all are unmounted. A namespace remains alive while a
   * process or a set uses it.
   *
   * @throws {@link NamespaceError} `ENOENT` if the name does not exist and `force` is not true; `EINVAL` if it is not a network
   * namespace but a file with content, a directory or a namespace of another kind; `EPERM` for an ordinary user. `EROFS`,
   * `EBUSY` or `EINVAL` if the namespace was unmounted but the file could not be removed; the message says what remains.
   * @example
   * await netns.remove('blue', { force: true })
   * @see ip-netns(8)
   */
  async remove(name: string, options?: NetnsRemoveOptions): Promise<void> {
    const word = parseNetnsName(name, 'name')
    const { directory, force } = parseRemoveOptions(options)
    await settled(binding().removeName(directory, word)).catch(unlessGone(force))
  },

  /**
   * Synchronous version of {@link netns.remove}. It blocks the thread until the file system of the directory answers.
   *
   * @throws {@link NamespaceError} as {@link netns.remove}.
   * @example
   * netns.removeSync('blue', { force: true })
   */
  removeSync(name: string, options?: NetnsRemoveOptions): void {
    const word = parseNetnsName(name, 'name')
    const { directory, force } = parseRemoveOptions(options)
    try {
      binding().removeNameSync(directory, word)
    } catch (error) {
      unlessGone(force)(error)
    }
  },
}

/** Returns a function that throws an error, unless `force` is true and the error is that the name does not exist. */
function unlessGone(force = false): (error: unknown) => void {
  return (error) => {
    if (!(force && error instanceof NamespaceError && error.code === 'ENOENT')) throw error
  }
}

type AttachOptions = ReturnType<typeof parseAttachOptions>

async function attachName(
  set: NamespaceSet,
  name: string,
  { directory, temporary = false }: AttachOptions,
): Promise<void> {
  const handle = handleOf(set)
  await settled(handle.native.attachName(directory, name, temporary))
  handle.netnsName = name
}

function attachNameSync(set: NamespaceSet, name: string, { directory, temporary = false }: AttachOptions): void {
  const handle = handleOf(set)
  handle.native.attachNameSync(directory, name, temporary)
  handle.netnsName = name
}
