import { readlink, realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { MountSpec } from 'nsset'

/** What is at a path of the box. */
type Purpose = 'hide' | 'temporary' | 'read' | 'write'

/** @internal Something that a box sees of the files of the host, or does not see. Of two for the same path, the later one is in effect. */
export interface Wanted {
  path: string
  purpose: Purpose
  /** What is done if it does not exist, or if the caller may not see it. */
  ifMissing: 'fail' | 'skip' | 'create'
}

interface Place {
  path: string
  purpose: Purpose
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
export async function mountsOf(wanted: readonly Wanted[], root: 'host' | 'empty'): Promise<MountSpec[]> {
  const found = await Promise.all(wanted.map(placeOf))
  const places = found.filter((place) => place !== undefined)
  const sorted = places.toSorted((one, other) => depthOf(one.path) - depthOf(other.path))
  const needed = sorted.filter((place, index) => !isHiddenAlready(place, sorted.slice(0, index)))
  const links = root === 'empty' ? await linksTo(wanted) : []
  return [
    ...(root === 'host' ? ([{ type: 'bind', source: '/', target: '/', readOnly: true, ...BARE }] as const) : []),
    ...PROC,
    { type: 'dev', target: '/dev' },
    ...needed.map((place) => mountOf(place, sorted)),
    ...links,
  ]
}

async function placeOf({ path, purpose, ifMissing }: Wanted): Promise<Place | undefined> {
  try {
    return { path: await realpath(path), purpose }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (ifMissing === 'fail' || !['ENOENT', 'ENOTDIR', 'EACCES'].includes(code)) throw error
    return ifMissing === 'create' ? { path: resolve(path), purpose } : undefined
  }
}

/** Whether a place to hide is in one that is empty. */
function isHiddenAlready({ path, purpose }: Place, before: readonly Place[]): boolean {
  if (purpose !== 'hide') return false
  const around = before.findLast((other) => other.path === path || isIn(path, other.path))
  return around?.purpose === 'hide' || around?.purpose === 'temporary'
}

function depthOf(path: string): number {
  return path === '/' ? 0 : path.split('/').length
}

/** Both are real paths. */
function isIn(path: string, directory: string): boolean {
  return path.startsWith(directory === '/' ? '/' : `${directory}/`) && path !== directory
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
async function linksTo(wanted: readonly Wanted[]): Promise<MountSpec[]> {
  const shown = wanted.filter(({ purpose }) => purpose === 'read' || purpose === 'write')
  const links = await Promise.all(
    shown.map(async ({ path }) => {
      const target = resolve(path)
      const to = await readlink(target).catch(() => undefined)
      return to === undefined ? [] : [{ type: 'symlink', target, to } as const]
    }),
  )
  return links.flat()
}
