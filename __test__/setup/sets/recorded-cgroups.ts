/** Trees of cgroups as engines create them, in a separate directory, with the pids of their processes. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NamespaceSet } from 'nsset'
import type { Places } from '../../../src/containers/cgroups/places.ts'
import { fromContainer } from '../../../src/containers/from-container.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface RecordedCgroups extends Disposable {
  readonly path: string
  /** Creates a cgroup and its parents, with these processes. */
  add(path: string, ...pids: number[]): string
  remove(path: string): void
}

export function recordedCgroups(): RecordedCgroups {
  const directory = temporaryDirectory()
  const add = (path: string, ...pids: number[]): string => {
    let here = directory.path
    for (const component of path.split('/').filter((name) => name !== '')) {
      here = join(here, component)
      mkdirSync(here, { recursive: true })
      try {
        writeFileSync(join(here, 'cgroup.procs'), '', { flag: 'wx' })
      } catch {
        // It is an inner cgroup of another path.
      }
    }
    writeFileSync(join(here, 'cgroup.procs'), pids.map((pid) => `${pid}\n`).join(''))
    return here
  }
  return {
    path: directory.path,
    add,
    remove: (path) => rmSync(join(directory.path, path), { recursive: true }),
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  }
}

/** `NamespaceSet.fromContainer` with other directories: by default without an engine. */
export function fromContainerOf(
  places: Partial<Places>,
  idOrName: string,
  options: object = {},
): Promise<NamespaceSet> {
  const open = (pid: number, kinds: number) => NamespaceSet.fromPid(pid, kinds || undefined)
  return fromContainer(idOrName, options, open, { engines: [], hierarchies: [], ...places })
}

/** An id of few distinct digits. */
export function idOf(digits: string): string {
  return digits.repeat(64).slice(0, 64)
}
