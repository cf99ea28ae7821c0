import { explained, failure } from './errors.ts'
import { numbers, read, words, write } from './files.ts'
import type { Setting } from './limits.ts'
import { until } from './waiting.ts'

/** In milliseconds: how long processes may take to end after SIGKILL. */
const PATIENCE = 5000

/** @hidden The directory of a group that this process has created. It changes nothing if another group has taken its place. */
export class GroupDirectory {
  readonly path: string
  /** The inode number. The kernel does not use it again for another group. */
  readonly #id: bigint

  private constructor(path: string, id: bigint) {
    this.path = path
    this.#id = id
  }

  /** Creates a group, which must not exist. */
  static async create(path: string): Promise<GroupDirectory> {
    const { mkdir, stat } = process.getBuiltinModule('node:fs/promises')
    try {
      await mkdir(path)
      const { ino } = await stat(path, { bigint: true })
      return new GroupDirectory(path, ino)
    } catch (error) {
      throw explained(error)
    }
  }

  /** Throws if the group has been removed. */
  async check(): Promise<void> {
    if (!(await this.#exists())) throw failure('ENODEV', this.path, 'the control group has been removed')
  }

  /** Applies either all settings or none. */
  async apply(settings: readonly Setting[]): Promise<void> {
    const before: [file: string, value: string][] = []
    try {
      for (const { file, value } of settings) {
        before.unshift([file, (await read(this.path, file)).trim()])
        await write(this.path, file, value)
      }
    } catch (error) {
      for (const [file, value] of before) await write(this.path, file, value).catch(() => undefined)
      throw error
    }
  }

  /** Resolves when all processes are frozen, or when they run again. */
  async freeze(isFrozen: boolean, signal: AbortSignal | undefined): Promise<void> {
    await write(this.path, 'cgroup.freeze', isFrozen ? '1' : '0')
    await until(() => this.#hasEvent('frozen', isFrozen), { signal })
  }

  /** Sends SIGKILL to all processes of the group and of the groups below it. */
  async kill(): Promise<void> {
    try {
      await write(this.path, 'cgroup.kill', '1')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      await this.check()
      await this.#killFrozen()
    }
  }

  /** Ends all processes, and removes the group and those below it. */
  async remove(signal?: AbortSignal): Promise<void> {
    const isRemoved = await until(() => this.#tryToRemove(), { limit: PATIENCE, signal })
    if (isRemoved) return
    throw failure('ETIMEDOUT', this.path, `${PATIENCE} ms after SIGKILL a process in the control group has not ended`)
  }

  async #tryToRemove(): Promise<boolean> {
    if (!(await this.#exists())) return true
    try {
      await this.kill()
      return (await this.#hasEvent('populated', false)) && (await removeTree(this.path))
    } catch (error) {
      // Another process, or the end of a group above, may remove it meanwhile.
      if (await this.#exists()) throw error
      return true
    }
  }

  /** Linux has `cgroup.kill` from 5.14 on. A frozen process does not fork, and its pid is not used again. */
  async #killFrozen(): Promise<void> {
    await write(this.path, 'cgroup.freeze', '1')
    await until(() => this.#hasEvent('frozen', true), { limit: PATIENCE })
    for (const directory of [this.path, ...(await groupsBelow(this.path))]) {
      for (const pid of await words(directory, 'cgroup.procs')) killProcess(Number(pid))
    }
  }

  async #hasEvent(name: 'frozen' | 'populated', value: boolean): Promise<boolean> {
    return numbers(await read(this.path, 'cgroup.events')).get(name) === Number(value)
  }

  async #exists(): Promise<boolean> {
    const { stat } = process.getBuiltinModule('node:fs/promises')
    try {
      return (await stat(this.path, { bigint: true })).ino === this.#id
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw explained(error)
    }
  }
}

/** Returns whether the group and all groups below it are removed. Another process may enter one meanwhile. */
async function removeTree(path: string): Promise<boolean> {
  const { rmdir } = process.getBuiltinModule('node:fs/promises')
  for (const directory of [...(await groupsBelow(path)).reverse(), path]) {
    try {
      await rmdir(directory)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EBUSY') return false
      if (code !== 'ENOENT') throw explained(error)
    }
  }
  return true
}

/** Returns the directories of the groups below a group, each after the one that it is in. */
async function groupsBelow(path: string): Promise<string[]> {
  const { readdir } = process.getBuiltinModule('node:fs/promises')
  const found: string[] = []
  const pending = [path]
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const entries = await readdir(next, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (!entry.isDirectory()) continue
      const directory = `${next}/${entry.name}`
      found.push(directory)
      pending.push(directory)
    }
  }
  return found
}

function killProcess(pid: number): void {
  try {
    // 0 is a process outside of this pid namespace; kill(2) would take it for the own process group.
    if (pid > 0) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
