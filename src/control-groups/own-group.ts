import { explained, failure, withoutVersion2, withProcesses } from './errors.ts'
import { read, words, write } from './files.ts'
import { type ControlGroupMount, controlGroupMounts } from './mounts.ts'

/**
 * The group below its own to which Node.js moves, because a group with processes cannot limit the groups below it (cgroups(7), "no
 * internal processes").
 */
const LEAF = 'nsset-node'

/** @internal Returns the mounts of version 2. */
export async function version2Mounts(): Promise<ControlGroupMount[]> {
  const mounts = controlGroupMounts(await read('/proc/self', 'mountinfo'))
  return mounts.filter(({ version }) => version === 2)
}

/** @internal Returns the directory of the group of this process; that above it, if the process has moved to its leaf. */
export async function ownGroup(): Promise<string> {
  const [, path] = /^0::(.*)$/m.exec(await read('/proc/self', 'cgroup')) ?? []
  if (path === undefined) throw withoutVersion2()
  const directories = (await version2Mounts()).flatMap(({ root, target }) => {
    const inside = below(root, path)
    return inside === undefined ? [] : [join(target, inside)]
  })
  const [directory] = directories
  if (directory === undefined) {
    if ((await version2Mounts()).length === 0) throw withoutVersion2()
    throw failure('ENOENT', path, 'the group of Node.js is outside of all mounts of cgroup2; pass the option parent')
  }
  return directory.endsWith(`/${LEAF}`) ? directory.slice(0, -LEAF.length - 1) : directory
}

/** From linux/magic.h: the file system of control groups of version 2. */
const CGROUP2_SUPER_MAGIC = 0x63677270

/** @internal Throws if the directory is not a group of version 2. In another file system, it would create ordinary directories. */
export async function requireVersion2(directory: string): Promise<void> {
  const { statfs } = process.getBuiltinModule('node:fs/promises')
  const { type } = await statfs(directory).catch((error) => {
    throw explained(error)
  })
  if (type !== CGROUP2_SUPER_MAGIC) throw failure('EINVAL', directory, 'not a directory of control groups of version 2')
}

/** Returns the path below a root, or undefined if it is not below it. */
function below(root: string, path: string): string | undefined {
  if (root === '/') return path.startsWith('/..') ? undefined : path
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : undefined
}

function join(target: string, path: string): string {
  return path === '/' || path === '' ? target : target + path
}

/** @internal Moves this process and its descendants to a group below its own, if no other processes are in its own. */
export async function moveToLeaf(own: string): Promise<void> {
  const members = (await words(own, 'cgroup.procs')).map(Number)
  for (const pid of members) if (!(await isOurs(pid))) throw withProcesses(own)
  const { mkdir } = process.getBuiltinModule('node:fs/promises')
  const leaf = `${own}/${LEAF}`
  await mkdir(leaf).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw explained(error)
  })
  for (const pid of members) {
    await write(leaf, 'cgroup.procs', String(pid)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ESRCH') throw error
    })
  }
}

/** Whether it is this process or a descendant, or has ended. Processes outside of this pid namespace read as 0. */
async function isOurs(pid: number): Promise<boolean> {
  for (let next: number | undefined = pid; next !== process.pid; next = await parentOf(next)) {
    if (next === undefined) return true
    if (next <= 1) return false
  }
  return true
}

/** Returns undefined if there is no such process. */
async function parentOf(pid: number): Promise<number | undefined> {
  try {
    const stat = await read(`/proc/${pid}`, 'stat')
    // The second field, the name, may contain blanks and parentheses.
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(parent)
  } catch {
    return undefined
  }
}
