import { notOurs } from './copies.ts'
import { NamespaceError } from './errors.ts'
import { NamespaceSet, nativeOf } from './namespace-set.ts'
import { binding } from './native.ts'
import { netnsDirectory, parseDirectory, parseNetnsName, rememberNetnsName } from './netns-name.ts'
import { parseBoolean, parseOptions, parseSignal } from './options.ts'
import type { Path } from './paths.ts'

/** Options of every function of {@link netns}. */
export interface NetnsOptions {
  /** Where the names are; {@link netns.directory} by default. */
  directory?: Path | undefined
}

/** Options of {@link netns.attach}. */
export interface NetnsAttachOptions extends NetnsOptions {
  /**
   * Whether the name goes when the set is closed or collected. By default it stays, as those of `ip netns` do. It goes even
   * where no descriptor is free; {@link NamespaceSet.close} throws where it cannot be removed.
   */
  temporary?: boolean | undefined
}

/** Options of {@link netns.create}. */
export interface NetnsCreateOptions extends NetnsAttachOptions {
  /** Whether `lo` is up; it is down unless told, as the kernel has it. */
  loopback?: boolean | undefined
  /** Ends the wait; nothing is left then. */
  signal?: AbortSignal | undefined
}

/** Options of {@link netns.remove}. */
export interface NetnsRemoveOptions extends NetnsOptions {
  /** Whether a name that is not there is no error, as with `fs.rm`. */
  force?: boolean | undefined
}

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
    const given = parseOptions<NetnsCreateOptions>(options)
    const attach = parseAttach(name, given)
    const loopback = parseBoolean(given.loopback, 'options.loopback')
    const set = await NamespaceSet.unshare('net', { loopback, signal: parseSignal(given.signal) })
    try {
      attach(set)
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
    const given = parseOptions<NetnsOptions>(options)
    const parsed = parseNetnsName(name)
    return rememberNetnsName(new NamespaceSet(binding().openName(parseDirectory(given.directory), parsed)), parsed)
  },

  /**
   * The names, sorted; none where there is no directory. Files that are no network namespaces are left out.
   *
   * @throws {@link NamespaceError} `EACCES`, `ENOTDIR`.
   * @example
   * for (const name of await netns.list()) await netns.remove(name)
   */
  async list(options?: NetnsOptions): Promise<string[]> {
    return binding().listNames(parseDirectory(parseOptions<NetnsOptions>(options).directory))
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
    const attach = parseAttach(name, parseOptions<NetnsAttachOptions>(options))
    if (!(set instanceof NamespaceSet)) throw notOurs('set', 'a NamespaceSet', set)
    attach(set)
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
    const given = parseOptions<NetnsRemoveOptions>(options)
    const force = parseBoolean(given.force, 'options.force')
    try {
      binding().removeName(parseDirectory(given.directory), parseNetnsName(name))
    } catch (error) {
      if (!(force && error instanceof NamespaceError && error.code === 'ENOENT')) throw error
    }
  },
}

/** Checks everything before anything is made. */
function parseAttach(name: unknown, options: Partial<NetnsAttachOptions>): (set: NamespaceSet) => void {
  const parsed = parseNetnsName(name)
  const directory = parseDirectory(options.directory)
  const temporary = parseBoolean(options.temporary, 'options.temporary')
  return (set) => {
    nativeOf(set).attachName(directory, parsed, temporary)
    rememberNetnsName(set, parsed)
  }
}
