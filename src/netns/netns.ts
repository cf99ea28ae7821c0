import { NamespaceError } from '../errors.ts'
import { netnsDirectory } from '../native/netns-directory.ts'
import { binding } from '../native.ts'
import { notOurs } from '../objects/copies.ts'
import { handleOf } from '../objects/set-handle.ts'
import { NamespaceSet } from '../set/namespace-set.ts'
import { parseNetnsName } from '../validate/netns-name.ts'
import {
  type NetnsAttachOptions,
  type NetnsCreateOptions,
  type NetnsOptions,
  type NetnsRemoveOptions,
  parseAttachOptions,
  parseCreateOptions,
  parseNetnsOptions,
  parseRemoveOptions,
} from '../validate/netns-options.ts'

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
    return netnsDirectory()
  },

  /**
   * Makes a network namespace with a name. The directory is made if need be; the standard one as a shared mount, as
   * iproute2 does, so that the name comes and goes in all mount namespaces alike.
   *
   * @throws {@link NamespaceError} `EEXIST` when the name is taken, `EPERM` or `EACCES` for an ordinary user; nothing of
   * what failed stays.
   * @example
   * using blue = await netns.create('blue', { loopback: true })
   * @see ip-netns(8)
   */
  async create(name: string, options?: NetnsCreateOptions): Promise<NamespaceSet> {
    const word = parseNetnsName(name, 'name')
    const { loopback, signal, ...place } = inDirectory(parseCreateOptions(options))
    const set = await NamespaceSet.unshare('net', { loopback, signal })
    try {
      attachName(set, word, place)
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
    const { directory } = inDirectory(parseNetnsOptions(options))
    return new NamespaceSet(binding().openName(directory, word), word)
  },

  /**
   * The names, sorted; none where there is no directory. Files that are no network namespaces are left out.
   *
   * @throws {@link NamespaceError} `EACCES`, `ENOTDIR`.
   * @example
   * for (const name of await netns.list()) await netns.remove(name)
   */
  async list(options?: NetnsOptions): Promise<string[]> {
    return binding().listNames(inDirectory(parseNetnsOptions(options)).directory)
  },

  /**
   * Gives the network namespace of a set a name.
   *
   * @throws {@link NamespaceError} as {@link netns.create}; `ERR_NSSET_NOT_IN_SET` for a set without `net`.
   * @example
   * using set = await NamespaceSet.unshare('net')
   * await netns.attach('blue', set)
   */
  async attach(name: string, set: NamespaceSet, options?: NetnsAttachOptions): Promise<void> {
    const word = parseNetnsName(name, 'name')
    const place = inDirectory(parseAttachOptions(options))
    if (!(set instanceof NamespaceSet)) throw notOurs('set', 'a NamespaceSet', set)
    attachName(set, word, place)
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
    const { directory, force } = inDirectory(parseRemoveOptions(options))
    try {
      binding().removeName(directory, word)
    } catch (error) {
      if (!(force && error instanceof NamespaceError && error.code === 'ENOENT')) throw error
    }
  },
}

type Directory = string | Buffer

function inDirectory<T extends { directory?: Directory }>(options: T): T & { directory: Directory } {
  return { ...options, directory: options.directory ?? netnsDirectory() }
}

function attachName(
  set: NamespaceSet,
  name: string,
  { directory, temporary }: { directory: Directory; temporary: boolean },
): void {
  const handle = handleOf(set)
  handle.native.attachName(directory, name, temporary)
  handle.netnsName = name
}
