import { settled } from '../native/settled.ts'
import { binding } from '../native.ts'
import { parseArray } from '../validate/fields.ts'
import { type Path, parsePath } from '../validate/paths.ts'

/**
 * Returns where paths lead to outside, without symbolic links, `.` and `..`: `undefined` for one that does not exist. In `mounts` of {@link NamespaceSet.unshare}, a mount is covered by a later one above it, so sort by these
 * paths what the user of a program names. All paths together take one turn of another thread, where `fs.realpath` takes one for
 * each. A path that is no UTF-8 is a Buffer.
 *
 * @throws `NamespaceError` with the code of realpath(3) if one of the paths cannot be followed: `ELOOP`, or `EACCES` if the caller may
 * not search a directory of it.
 * @example
 * const [cache, keys] = await realPaths(['/var/cache', '/home/me/.ssh'])
 *
 * @see realpath(3), `realpath PATH…`
 */
export async function realPaths(paths: readonly Path[]): Promise<(string | Buffer | undefined)[]> {
  const found = await settled(binding().realPaths(parseArray(paths, 'paths', parsePath)))
  return found.map((path) => path ?? undefined)
}
