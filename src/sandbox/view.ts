import { readlink, realpath } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import type { MountSpec } from 'nsset'

/** @internal What a box sees of the files of the host, as paths. */
export interface Places {
  read: readonly string[]
  write: readonly string[]
  hide: readonly string[]
  temporary: readonly string[]
}

/** What is at a path of the box. Of two for the same path, the later one is in effect. */
const PURPOSES = ['hide', 'temporary', 'read', 'write'] as const

interface Place {
  path: string
  purpose: (typeof PURPOSES)[number]
}

const BARE = { noSuid: true, noDev: true } as const

/** Parts of /proc that user 0 may write without any capability, and that other programs of the machine obey. */
const READ_ONLY_IN_PROC = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger']

/** Parts of /proc that tell about the machine, as container engines mask them. */
const HIDDEN_IN_PROC = ['acpi', 'asound', 'kcore', 'keys', 'latency_stats', 'sched_debug', 'scsi', 'timer_list']

const PROC: readonly MountSpec[] = [
  { type: 'proc', target: '/proc', ...BARE, noExec: true },
  ...READ_ONLY_IN_PROC.map((name): MountSpec => {
    const path = `/proc/${name}`
    return { type: 'bind', source: path, target: path, readOnly: true, optional: true, ...BARE, noExec: true }
  }),
  ...HIDDEN_IN_PROC.map((name): MountSpec => ({ type: 'mask', target: `/proc/${name}` })),
]

/**
 * @internal Returns the mounts of a box, in order: a place that is in another comes after it, so that the most specific one is in
 * effect.
 */
export async function mountsOf(places: Places, root: 'host' | 'empty'): Promise<MountSpec[]> {
  const all = await Promise.all(PURPOSES.map(async (purpose) => placesOf(purpose, places[purpose])))
  const sorted = all.flat().toSorted((one, other) => depthOf(one.path) - depthOf(other.path))
  const links = root === 'empty' ? await linksTo([...places.read, ...places.write]) : []
  return [
    ...(root === 'host' ? ([{ type: 'bind', source: '/', target: '/', readOnly: true, ...BARE }] as const) : []),
    ...PROC,
    { type: 'dev', target: '/dev' },
    ...sorted.map((place) => mountOf(place, sorted)),
    ...links,
  ]
}

async function placesOf(purpose: Place['purpose'], paths: readonly string[]): Promise<Place[]> {
  const isRequired = purpose === 'read' || purpose === 'write'
  const found = await Promise.all(paths.map((path) => (isRequired ? realpath(path) : realpathIfAny(path, purpose))))
  return [...new Set(found)].flatMap((path) => (path === undefined ? [] : { path, purpose }))
}

/** What is missing is hidden already, and so is what the caller may not see. A temporary place can be new. */
async function realpathIfAny(path: string, purpose: Place['purpose']): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(code)) throw error
    return purpose === 'temporary' ? resolve(path) : undefined
  }
}

function depthOf(path: string): number {
  return path === '/' ? 0 : path.split('/').length
}

function isIn(path: string, directory: string): boolean {
  const below = relative(directory, path)
  return below !== '' && below !== '..' && !below.startsWith('../')
}

function mountOf({ path, purpose }: Place, all: readonly Place[]): MountSpec {
  switch (purpose) {
    case 'hide': {
      // A directory in which something else is shown has to take targets.
      const showsMore = all.some((other) => other.purpose !== 'hide' && isIn(other.path, path))
      return showsMore
        ? { type: 'tmpfs', target: path, ...BARE, options: { mode: '0755' } }
        : { type: 'mask', target: path }
    }
    case 'temporary':
      return { type: 'tmpfs', target: path, ...BARE, options: { mode: '1777' } }
    default:
      return { type: 'bind', source: path, target: path, readOnly: purpose === 'read', ...BARE }
  }
}

/** In an empty root directory, a path that is a link of the host is a link, too: /bin to /usr/bin. */
async function linksTo(paths: readonly string[]): Promise<MountSpec[]> {
  const links = await Promise.all(
    paths.map(async (path) => {
      const target = resolve(path)
      const to = await readlink(target).catch(() => undefined)
      return to === undefined ? [] : [{ type: 'symlink', target, to } as const]
    }),
  )
  return links.flat()
}
