import { misuse, NamespaceError } from '../../errors.ts'

const MOST_LISTED = 10

/** @internal A failure of the search that is not the failure of a single system call. */
export function failure(code: string, message: string, fields: { path?: string; pid?: number } = {}): NamespaceError {
  const number = process.getBuiltinModule('node:os').constants.errno[code as 'ENOENT']
  return new NamespaceError({
    code,
    errno: -number,
    syscall: 'fromContainer',
    message: `${code}: ${message}`,
    ...fields,
  })
}

/** @internal The container exists, but has no processes. */
export function notRunning(reference: string, state: string): NamespaceError {
  return failure('ESRCH', `container '${reference}' is not running, fromContainer: ${state}`)
}

/** @internal Another user may have created the cgroup under this name, to make callers enter the wrong namespaces. */
export function untrusted(reference: string, cgroup: { directory: string; doubt: string | undefined }): NamespaceError {
  const way = "use its engine ('socketPath'), run as that user, or use fromPid()"
  const message = `the only cgroup named for '${reference}' ${cgroup.doubt} and its name cannot be trusted, fromContainer: ${way}`
  return failure('EPERM', message, { path: cgroup.directory })
}

/** @internal Several containers match one reference. */
export function ambiguous(reference: string, candidates: readonly string[]): Error {
  const more = candidates.length > MOST_LISTED ? [`and ${candidates.length - MOST_LISTED} more`] : []
  const list = [...candidates.slice(0, MOST_LISTED), ...more].join(', ')
  return misuse('ERR_NSSET_AMBIGUOUS', `'${reference}' matches several containers: ${list}`)
}

/** @internal Makes foreign text fit for a message. */
export function quoted(text: string): string {
  // Limits the time that the replacement takes.
  const line = text
    .slice(0, 2000)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  return `'${line.length > 200 ? `${line.slice(0, 200)}…` : line}'`
}
