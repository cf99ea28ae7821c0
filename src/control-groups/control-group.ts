import { misuse } from '../errors.ts'
import { binding } from '../native.ts'
import { CONTROL_GROUP, type ControlGroupHandle, controlGroupHandleOf } from '../objects/control-group-handle.ts'
import { notOurs, sign } from '../objects/copies.ts'
import { insteadOf } from '../objects/uncloneable.ts'
import {
  type ControlGroupLimits,
  type ControlGroupOptions,
  type ControlGroupWaitOptions,
  parseControlGroupLimits,
  parseControlGroupOptions,
  parseControlGroupWait,
} from '../validate/control-groups/options.ts'
import { enableBelow, missingIn } from './controllers.ts'
import { GroupDirectory } from './group-directory.ts'
import { controllersOf, settingsOf } from './limits.ts'
import { ownGroup, requireVersion2 } from './own-group.ts'
import { type ControlGroupStat, statisticsOf } from './statistics.ts'

declare module '../objects/context.ts' {
  interface Register {
    readonly controlGroup: ControlGroup
  }
}

const INSTEAD = insteadOf('ControlGroup', 'send group.path in its place')

/** How often another name is tried if there is a group of that name. */
const MOST_NAMES = 10

/**
 * A control group of version 2: it limits, counts, freezes and ends the processes that are in it and in the groups below it.
 * Programs get into it by the option `cgroup` of {@link NamespaceSet.spawn}, {@link NamespaceSet.execFile} and
 * {@link NamespaceSet.fork}.
 *
 * Root can create groups everywhere, an ordinary user below a group that is delegated to them:
 * `systemd-run --user --scope -p Delegate=yes node …`, or `Delegate=yes` in a unit of systemd.
 *
 * All methods work on libuv's thread pool and do not block the calling thread. After {@link ControlGroup.close}, they throw
 * `ERR_NSSET_CLOSED`. The group ends by `close`, and neither with the object nor with Node.js.
 *
 * @example
 * await using group = await ControlGroup.create({ memory: 256 * 2 ** 20, processes: 100 })
 * await set.execFile('make', ['test'], { cgroup: group })
 *
 * @see cgroups(7), systemd.resource-control(5)
 */
export class ControlGroup {
  /** @internal Makes structuredClone() and postMessage() reject it. */
  readonly uncloneable = INSTEAD
  readonly #directory: GroupDirectory
  readonly #enableAbove: ControlGroupHandle['enable']
  #closing: Promise<void> | undefined
  #isClosed = false

  static {
    sign(ControlGroup)
  }

  /** @hidden Created by {@link ControlGroup.create}. */
  constructor(directory: GroupDirectory, enableAbove: ControlGroupHandle['enable']) {
    if (!(directory instanceof GroupDirectory)) {
      throw notOurs('directory', 'created by ControlGroup.create()', directory, 'group.path')
    }
    this.#directory = directory
    this.#enableAbove = enableAbove
  }

  /**
   * Creates a control group, like `mkdir /sys/fs/cgroup/NAME`, and sets its limits.
   *
   * A limit needs a controller (`memory`, `pids` or `cpu`) that is on in the parent. If it is not, it is turned on for all groups
   * below the parent, and stays on. A group with processes cannot do that: if Node.js and its descendants are the only processes
   * of the parent, they move to a group `nsset-node` below it.
   *
   * @throws {@link NamespaceError} `EACCES` or `EROFS` if the caller may not create groups there, `EEXIST` if there is a group of
   * this name, `EOPNOTSUPP` if the system has no control groups of version 2 or the parent lacks a controller, `EBUSY` if other
   * processes are in the parent. The message says what to do. Nothing is left behind.
   * @example
   * await using group = await ControlGroup.create({ name: 'tests', cpus: 1.5 })
   * @see cgroups(7), systemd-run(1)
   */
  static async create(options?: ControlGroupOptions): Promise<ControlGroup> {
    binding()
    const { parent, name, ...limits } = parseControlGroupOptions(options)
    const settings = settingsOf(limits)
    const above = parent?.directory ?? (await ownGroup())
    await requireVersion2(above)
    const enable = (controllers: readonly string[]) =>
      parent?.group === undefined
        ? enableBelow(above, controllers)
        : controlGroupHandleOf(parent.group).enable(controllers)
    const directory = await createBelow(above, name)
    try {
      await enable(controllersOf(settings))
      await directory.apply(settings)
      return new ControlGroup(directory, enable)
    } catch (error) {
      await directory.remove().catch(() => undefined)
      throw error
    }
  }

  /** @internal */
  get [CONTROL_GROUP](): ControlGroupHandle {
    return { open: () => this.#open().path, enable: (controllers) => this.#enable(controllers) }
  }

  /** The directory of the group, such as `/sys/fs/cgroup/nsset-4711-1f9a`. It remains known after `close`. */
  get path(): string {
    return this.#directory.path
  }

  /** Whether the group is closed. */
  get closed(): boolean {
    return this.#isClosed
  }

  /**
   * Reads what the processes of the group and of those below it have used since its creation, like `systemd-cgtop`.
   *
   * @throws {@link NamespaceError} `ENODEV` if another process has removed the group.
   * @example
   * const { memory, cpu } = await group.stat()
   * console.log(memory?.peak, cpu.usage)
   * @see cgroups(7)
   */
  async stat(): Promise<ControlGroupStat> {
    const directory = this.#open()
    await directory.check()
    return statisticsOf(directory.path)
  }

  /**
   * Changes limits, like `systemctl set-property`: either all that are given, or none. `Infinity` removes a limit. If the memory limit is
   * below what the processes use, the kernel reclaims memory, and kills processes if that is not enough.
   *
   * @throws {@link NamespaceError} as {@link ControlGroup.create}; `ENODEV` if another process has removed the group.
   * @example
   * await group.set({ memory: 512 * 2 ** 20, processes: Infinity })
   * @see cgroups(7)
   */
  async set(changes: ControlGroupLimits): Promise<void> {
    const settings = settingsOf(parseControlGroupLimits(changes))
    const directory = this.#open()
    await directory.check()
    await this.#enableAbove(controllersOf(settings))
    await directory.apply(settings)
  }

  /**
   * Freezes all processes, like `systemctl freeze`. Resolves when none of them runs any more. Processes that enter later
   * freeze too.
   *
   * @throws {@link NamespaceError} `ENODEV` if another process has removed the group; the signal's reason if `options.signal` is aborted: then processes
   * may be frozen already.
   * @example
   * await group.freeze()
   * @see cgroups(7)
   */
  async freeze(options?: ControlGroupWaitOptions): Promise<void> {
    await this.#setFrozen(true, options)
  }

  /**
   * Lets the processes run again after {@link ControlGroup.freeze}, like `systemctl thaw`.
   *
   * @throws {@link NamespaceError} as {@link ControlGroup.freeze}.
   * @example
   * await group.thaw()
   * @see cgroups(7)
   */
  async thaw(options?: ControlGroupWaitOptions): Promise<void> {
    await this.#setFrozen(false, options)
  }

  /**
   * Sends SIGKILL to all processes of the group and of those below it, also to frozen ones. None of them can escape by fork(2). Does
   * not wait until they have ended; {@link ControlGroup.close} does.
   *
   * @throws {@link NamespaceError} `ENODEV` if another process has removed the group.
   * @example
   * await group.kill()
   * @see cgroups(7), signal(7)
   */
  async kill(): Promise<void> {
    const directory = this.#open()
    await directory.check()
    await directory.kill()
  }

  /**
   * Ends all processes of the group and of those below it by SIGKILL, waits for their end, and removes the groups. Resolves at once
   * if another process has removed the group.
   *
   * @throws {@link NamespaceError} `ETIMEDOUT` if a process has not ended after 5 seconds; the signal's reason if `options.signal` is
   * aborted. The group is still open then, and can be closed again.
   * @example
   * await group.close()
   * @see cgroups(7), rmdir(2)
   */
  async close(options?: ControlGroupWaitOptions): Promise<void> {
    const { signal } = parseControlGroupWait(options)
    if (this.#isClosed) return
    this.#closing ??= this.#remove(signal)
    await this.#closing
  }

  /** Same as {@link ControlGroup.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Returns a description such as `ControlGroup(/sys/fs/cgroup/tests)`. */
  toString(): string {
    return `ControlGroup(${this.#isClosed ? 'closed' : this.path})`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  #open(): GroupDirectory {
    if (this.#isClosed || this.#closing !== undefined) throw misuse('ERR_NSSET_CLOSED', 'the control group is closed')
    return this.#directory
  }

  async #setFrozen(isFrozen: boolean, options: ControlGroupWaitOptions | undefined): Promise<void> {
    const { signal } = parseControlGroupWait(options)
    const directory = this.#open()
    signal?.throwIfAborted()
    await directory.check()
    await directory.freeze(isFrozen, signal)
  }

  async #remove(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#directory.remove(signal)
      this.#isClosed = true
    } finally {
      this.#closing = undefined
    }
  }

  /** Turns on controllers for the groups below, in all groups of this package above them. */
  async #enable(controllers: readonly string[]): Promise<void> {
    const { path } = this.#open()
    await this.#enableAbove(await missingIn(path, controllers))
    await enableBelow(path, controllers)
  }
}

async function createBelow(parent: string, name: string | undefined): Promise<GroupDirectory> {
  if (name !== undefined) return GroupDirectory.create(`${parent}/${name}`)
  for (let tries = 1; ; tries += 1) {
    try {
      return await GroupDirectory.create(`${parent}/nsset-${process.pid}-${Math.random().toString(36).slice(2, 8)}`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === MOST_NAMES) throw error
    }
  }
}
