import { readlink, realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type MountSpec, NamespaceError, realPaths } from 'nsset'
import { RESOLV_CONF } from './network.ts'

/** What is at a path of the box: something of the host or in its place, or the file by which programs resolve names. */
type Purpose = 'hide' | 'temporary' | 'read' | 'write' | 'resolver'

/** @internal Something that a box sees of the files of the host, or does not see. Of two for the same path, the later one is in effect. */
export interface Wanted {
  path: string | Buffer
  purpose: Purpose
  /** What is done if it does not exist, or if the caller may not see it. */
  ifMissing: 'fail' | 'skip' | 'create'
}

interface Place {
  /** With a character for each byte: a path need not be UTF-8, and what is hidden has to be found under its very name. */
  path: string
  purpose: Purpose
  depth: number
}

const BARE = { noSuid: true, noDev: true } as const

/** Parts of /proc that user 0 may write without any capability, and that other programs of the machine obey. */
const READ_ONLY_IN_PROC = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger']

/** Parts of /proc that tell about the machine, as container engines mask them. */
const HIDDEN_IN_PROC = ['acpi', 'asound', 'kcore', 'keys', 'latency_stats', 'sched_debug', 'scsi', 'timer_list']

const PROC = { type: 'proc', target: '/proc', ...BARE, noExec: true } as const

const WHOLE_PROC: readonly MountSpec[] = [
  PROC,
  ...READ_ONLY_IN_PROC.map((name): MountSpec => {
    const path = `/proc/${name}`
    return { type: 'bind', source: path, target: path, readOnly: true, optional: true, ...BARE, noExec: true }
  }),
  ...HIDDEN_IN_PROC.map((name): MountSpec => ({ type: 'mask', target: `/proc/${name}` })),
]

/** @internal What a box has at /proc: all of it, or its processes alone, without what tells about the machine (`subset=pid`, proc(5)). */
export type ProcView = 'whole' | 'processes'

const PROC_OF: Record<ProcView, readonly MountSpec[]> = {
  whole: WHOLE_PROC,
  processes: [{ ...PROC, options: { subset: 'pid' } }],
}

/**
 * @internal Returns the mounts of a box, in order: a place that is in another comes after it, so that the most specific one is in
 * effect.
 */
export async function mountsOf(
  wanted: readonly Wanted[],
  root: 'host' | 'empty',
): Promise<(proc: ProcView) => MountSpec[]> {
  const real = await realPathsOf(wanted)
  const found = await Promise.all(wanted.map((each, index) => placeOf(each, real[index])))
  const places = found.filter((place) => place !== undefined)
  const sorted = places.toSorted((one, other) => one.depth - other.depth)
  const needed = sorted.filter((place, index) => !isHiddenAlready(place, sorted.slice(0, index)))
  // What is at the root directory comes first: it would cover the parts of the box that are mounted on it.
  const atRoot: Place = { path: '/', purpose: 'read', depth: 0 }
  const ground = needed.findLast(isRoot) ?? (root === 'host' ? atRoot : undefined)
  const links = await linksTo(wanted, sorted, ground)
  const shown = [...sorted.filter(({ purpose }) => purpose !== 'hide').map(({ path }) => path), ...links.keys()]
  const below = ground === undefined ? [] : [mountOf(ground, shown)]
  const above = [
    ...needed.filter((place) => !isRoot(place)).map((place) => mountOf(place, shown)),
    ...[...links].map(([path, to]): MountSpec => ({ type: 'symlink', target: pathOf(path), to: pathOf(to) })),
  ]
  return (proc) => [...below, ...PROC_OF[proc], { type: 'dev', target: '/dev' }, ...above]
}

/**
 * @internal Returns the first directory of these, by its real path, under which the box has it. {@link mountsOf} fails for one that does
 * not exist.
 */
export async function firstDirectoryOf(paths: readonly (string | Buffer)[] = []): Promise<string | Buffer | undefined> {
  const real = paths.length === 0 ? [] : await realPaths(paths)
  for (const path of real) {
    if (path !== undefined && (await stat(path)).isDirectory()) return path
  }
  return undefined
}

function isRoot({ path }: Place): boolean {
  return path === '/'
}

/** The path of each without links, `undefined` if it does not exist or if the caller may not see it. */
async function realPathsOf(wanted: readonly Wanted[]): Promise<(string | Buffer | undefined)[]> {
  try {
    return await realPaths(wanted.map(({ path }) => path))
  } catch (error) {
    if (!isRefused(error)) throw error
    return Promise.all(wanted.map(seen))
  }
}

/**
 * A program inside may make a directory searchable, if it belongs to its user, or search each with a capability. So what the caller does
 * not see is hidden with the directory around it.
 */
async function seen({ path, purpose }: Pick<Wanted, 'path' | 'purpose'>): Promise<string | Buffer | undefined> {
  try {
    return (await realPaths([path]))[0]
  } catch (error) {
    if (!isRefused(error)) throw error
    return purpose === 'hide' ? seen({ path: pathOf(dirname(fromRoot(path))), purpose }) : undefined
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof NamespaceError && error.code === 'EACCES'
}

/** `real` is the path without links, if there is something that the caller may see. */
async function placeOf(
  { path, purpose, ifMissing }: Wanted,
  real: string | Buffer | undefined,
): Promise<Place | undefined> {
  if (real !== undefined) return placeAt(bytesOf(real), purpose)
  switch (ifMissing) {
    case 'skip':
      return undefined
    case 'create':
      return placeAt(await leadsTo(absolute(path)), purpose)
    default:
      return await missing(path, purpose)
  }
}

/** Fails as realpath(3) does. */
async function missing(path: string | Buffer, purpose: Purpose): Promise<Place> {
  try {
    return placeAt(await realPathOf(path), purpose)
  } catch (error) {
    if (error instanceof Error) error.message += `: a path of files.${purpose} has to exist`
    throw error
  }
}

function placeAt(path: string, purpose: Purpose): Place {
  return { path, purpose, depth: path === '/' ? 0 : path.split('/').length }
}

async function realPathOf(path: string | Buffer): Promise<string> {
  return bytesOf(await realpath(path, 'buffer'))
}

function absolute(path: string | Buffer): string {
  return resolve(fromRoot(path))
}

/** The path from the root directory, with the links and `..` that it has. */
function fromRoot(path: string | Buffer): string {
  const bytes = bytesOf(path)
  // The current directory may have been removed, and matters only to a relative path.
  return bytes.startsWith('/') ? bytes : `${bytesOf(process.cwd())}/${bytes}`
}

/** @internal The path without slashes at its end: with one, a file would seem to be missing. */
export function withoutSlash(path: string | Buffer): string | Buffer {
  return pathOf(bytesOf(path).replace(/(?<=.)\/+$/s, ''))
}

/** Returns where a symbolic link leads to, which need not exist, and otherwise the path. */
async function leadsTo(path: string): Promise<string> {
  const to = await readlink(pathOf(path), 'buffer').catch(() => undefined)
  return to === undefined ? path : resolve(dirname(path), bytesOf(to))
}

function bytesOf(path: string | Buffer): string {
  return (typeof path === 'string' ? Buffer.from(path) : path).toString('latin1')
}

/** The reverse. */
function pathOf(bytes: string): string | Buffer {
  return /^[\0-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, 'latin1')
}

/** Whether a place to hide is in one that is empty. */
function isHiddenAlready({ path, purpose }: Place, before: readonly Place[]): boolean {
  return purpose === 'hide' && isEmpty(before.findLast((other) => other.path === path || isIn(path, other.path)))
}

function isEmpty(place: Place | undefined): boolean {
  return place?.purpose === 'hide' || place?.purpose === 'temporary'
}

/** Both are real paths. */
function isIn(path: string, directory: string): boolean {
  return path.startsWith(directory === '/' ? '/' : `${directory}/`) && path !== directory
}

function mountOf({ path, purpose }: Place, shown: readonly string[]): MountSpec {
  const target = pathOf(path)
  switch (purpose) {
    case 'hide': {
      // A directory in which something else is shown has to take targets.
      const showsMore = path === '/' || shown.some((other) => isIn(other, path))
      return showsMore ? { type: 'tmpfs', target, ...BARE, options: { mode: '0755' } } : { type: 'mask', target }
    }
    case 'temporary':
      return { type: 'tmpfs', target, ...BARE, options: { mode: '1777' } }
    case 'resolver':
      return { type: 'file', target, content: RESOLV_CONF }
    default:
      return { type: 'bind', source: target, target, readOnly: purpose === 'read', ...BARE }
  }
}

/**
 * Returns the links to what is shown that are in a place that is empty, by their paths, with where they lead to: a path that is a link of
 * the host, such as /bin to /usr/bin, is one in the box, too.
 */
async function linksTo(
  wanted: readonly Wanted[],
  places: readonly Place[],
  ground: Place | undefined,
): Promise<ReadonlyMap<string, string>> {
  const shown = wanted.filter(({ purpose }) => purpose !== 'hide' && purpose !== 'temporary')
  const links = await Promise.all(shown.map(({ path }) => linksOn(fromRoot(path))))
  const isInEmpty = ([link]: Link) => {
    const around = places.findLast((place) => isIn(link, place.path)) ?? ground
    return around === undefined || isEmpty(around)
  }
  return new Map(links.flat().filter((link) => isInEmpty(link) && !isOfKernel(link)))
}

/** The path of a symbolic link, and where it leads to. */
type Link = readonly [path: string, to: string]

/** Linux follows no more links of one path (path_resolution(7)). */
const MOST_LINKS = 40

/** Returns the links by which a path leads to a file, in the order in which the kernel follows them. */
async function linksOn(path: string): Promise<Link[]> {
  const links: Link[] = []
  let real = '/'
  const names = path.split('/')
  for (let name = names.shift(); name !== undefined && links.length <= MOST_LINKS; name = names.shift()) {
    const here = resolve(real, name)
    const to = await readlink(pathOf(here), 'buffer').then(bytesOf, () => undefined)
    if (to === undefined) {
      real = here
      continue
    }
    links.push([here, to])
    names.unshift(...to.split('/'))
    if (to.startsWith('/')) real = '/'
  }
  return links
}

/** Whether a link is in one of the file systems that a box has of its own. */
function isOfKernel([link]: Link): boolean {
  return ['/proc', '/dev'].some((directory) => isIn(link, directory))
}
