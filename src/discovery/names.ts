import { containerIdOf } from '../containers/cgroups/cgroup-name.ts'
import type { NamespaceHolder, NamespaceName, ProcessHolder } from './holders.ts'

/** @internal Returns the names of ip-netns(8). `directory` is where they are, `here` the caller's mount namespace. */
export function netnsNames(holders: readonly NamespaceHolder[], directory: string, here: string): NamespaceName[] {
  const names = holders.flatMap((holder) => {
    const isName = holder.type === 'mount' && holder.mounts === here && holder.path.startsWith(`${directory}/`)
    return isName ? [holder.path.slice(directory.length + 1)] : []
  })
  return [...new Set(names)].filter((name) => !name.includes('/')).map((name) => ({ type: 'netns', name }))
}

/** @internal The containers of processes, by their cgroups, each of which is looked at once. */
export class Containers {
  readonly #known = new Map<string, string | undefined>()

  /** Returns the container of all of these processes. A namespace of the host has other processes too. */
  namesOf(processes: readonly ProcessHolder[]): NamespaceName[] {
    const [first, ...others] = processes
    const name = first && this.#of(first.cgroup)
    if (name === undefined || others.some(({ cgroup }) => this.#of(cgroup) !== name)) return []
    return [{ type: 'container', name }]
  }

  #of(cgroup: string): string | undefined {
    if (!this.#known.has(cgroup)) this.#known.set(cgroup, containerOf(cgroup))
    return this.#known.get(cgroup)
  }
}

function containerOf(cgroup: string): string | undefined {
  const ids = cgroup.split('/').map(containerIdOf)
  return ids.find((id) => id !== undefined)
}
