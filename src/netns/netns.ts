import { NamespaceError } from '../errors.ts'
import { notOurs } from '../native/copies.ts'
import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import { NamespaceSet, nativeOf } from '../set/namespace-set.ts'
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
import { rememberNetnsName } from './netns-names.ts'

/**
 * Network namespaces by name, as `ip netns` has them: iproute2 and this read each other's. A name is one component of a
 * path, of 1 to 255 bytes. Giving names and taking them away is for root; who may read the directory may open them.
 *
 * @example
 * await using blue = await netns.create('blue', { temporary: true })
 * console.log(await netns.list()) // [ 'blue' ], and so says `ip netns list`
 * @see ip-netns(8)
 */
export const netns = {
  /**
   * Where iproute2 has the names: `/run/netns`. Where `/var/run` is a directory of its own and no link to `/run`, it is
   * `/var/run/netns`, unless only `/run/netns` is there.
   *
   * @example
   * console.log(netns.directory) // /run/netns
   */
  get directory(): string {
    return process.platform === 'linux' ? binding().netnsDirectory() : '/run/netns'
  },

  /**
   * Makes a network namespace with a name. The directory is made if need be; the standard one as a shared mount, as
   * iproute2 does, so that the name comes and goes in all mount namespaces alike. `ip netns add NAME`.
   *
   * @throws {@link NamespaceError} `EEXIST` when the name is taken, `EPERM` or `EACCES` for an ordinary user; nothing of
   * what failed stays.
   * @example
   * using blue = await netns.create('blue', { loopback: true })
   * @see ip-netns(8)
   */
  async create(name: string, options?: NetnsCreateOptions): Promise<NamespaceSet> {
    const word = parseNetnsName(name, 'name')
    const { loopback, signal, ...place } = parseCreateOptions(options)
    const set = await NamespaceSet.unshare('net', { loopback, signal })
    try {
      await attachName(set, word, place)
      if (signal?.aborted) await settled(binding().removeName(place.directory, word))
      signal?.throwIfAborted()
      return set
    } catch (error) {
      set.close()
      throw error
    }
  },

  /**
   * As {@link netns.create}. It blocks for as long as the kernel takes for a new network, and the file system for the name.
   *
   * @throws {@link NamespaceError} as {@link netns.create}.
   * @example
   * using blue = netns.createSync('blue')
   * @see ip-netns(8)
   */
  createSync(name: string, options?: NetnsCreateSyncOptions): NamespaceSet {
    const word = parseNetnsName(name, 'name')
    const { loopback, ...place } = parseCreateSyncOptions(options)
    const set = NamespaceSet.unshareSync('net', { loopback })
    try {
      attachNameSync(set, word, place)
      return set
    } catch (error) {
      set.close()
      throw error
    }
  },

  /**
   * The network namespace of a name, as a set of one. Its programs see what belongs to the name, as under `ip netns exec`:
   * {@link ProcessOptions.netnsFiles} has the details.
   *
   * @throws {@link NamespaceError} `ENOENT` when there is no such name, `EINVAL` for a file that is no namespace.
   * @example
   * using blue = netns.open('blue')
   */
  open(name: string, options?: NetnsOptions): NamespaceSet {
    const word = parseNetnsName(name, 'name')
    const { directory } = parseNetnsOptions(options)
    return rememberNetnsName(new NamespaceSet(binding().openName(directory, word)), word)
  },

  /**
   * The names, sorted; none where there is no directory. Files that are no network namespaces are left out.
   *
   * @throws {@link NamespaceError} `EACCES`, `ENOTDIR`.
   * @example
   * for (const name of await netns.list()) await netns.remove(name)
   */
  async list(options?: NetnsOptions): Promise<string[]> {
    return settled(binding().listNames(parseNetnsOptions(options).directory))
  },

  /**
   * As {@link netns.list}. It blocks for as long as the file system of the directory takes.
   *
   * @throws {@link NamespaceError} as {@link netns.list}.
   * @example
   * for (const name of netns.listSync()) netns.removeSync(name)
   */
  listSync(options?: NetnsOptions): string[] {
    return binding().listNamesSync(parseNetnsOptions(options).directory)
  },

  /**
   * Gives the network namespace of a set a name.
   *
   * @throws {@link NamespaceError} as {@link netns.create}; `ERR_NSSET_NOT_IN_SET` for a set without `net`, and
   * `ERR_NSSET_CLOSED` when the set is closed before it has its temporary name.
   * @example
   * using set = await NamespaceSet.unshare('net')
   * await netns.attach('blue', set)
   */
  async attach(name: string, set: NamespaceSet, options?: NetnsAttachOptions): Promise<void> {
    const word = parseNetnsName(name, 'name')
    const place = parseAttachOptions(options)
    if (!(set instanceof NamespaceSet)) throw notOurs('set', 'a NamespaceSet', set)
    await attachName(set, word, place)
  },

  /**
   * As {@link netns.attach}. It blocks for as long as the file system of the directory takes.
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
   * Takes a name away, as `ip netns delete` does, whatever made it: a file of any mode on which a network namespace is
   * mounted, an empty file on which none is any more, or a symbolic link to one, such as `/proc/PID/ns/net`. The namespace
   * lives on while a process or a set is in it. Namespaces that are mounted on one name, each on the other, all go.
   *
   * @throws {@link NamespaceError} `ENOENT` when there is no such name, unless `force` is true; `EINVAL` for what is no
   * network namespace: a file with content, a directory, another kind; `EPERM` for an ordinary user; `EROFS`, `EBUSY` and
   * `EINVAL` say what stays when the namespace was unmounted and the file could not be removed.
   * @example
   * await netns.remove('blue', { force: true })
   */
  async remove(name: string, options?: NetnsRemoveOptions): Promise<void> {
    const word = parseNetnsName(name, 'name')
    const { directory, force } = parseRemoveOptions(options)
    await settled(binding().removeName(directory, word)).catch(unlessGone(force))
  },

  /**
   * As {@link netns.remove}. It blocks for as long as the file system of the directory takes.
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

/** Throws an error, but not that there is no such name where that is no error. */
function unlessGone(force = false): (error: unknown) => void {
  return (error) => {
    if (!(force && error instanceof NamespaceError && error.code === 'ENOENT')) throw error
  }
}

type Place = ReturnType<typeof parseAttachOptions>

async function attachName(set: NamespaceSet, name: string, { directory, temporary = false }: Place): Promise<void> {
  await settled(nativeOf(set).attachName(directory, name, temporary))
  rememberNetnsName(set, name)
}

function attachNameSync(set: NamespaceSet, name: string, { directory, temporary = false }: Place): void {
  nativeOf(set).attachNameSync(directory, name, temporary)
  rememberNetnsName(set, name)
}
