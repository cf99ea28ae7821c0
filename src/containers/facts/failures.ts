import { misuse, NamespaceError } from '../../errors.ts'

const MOST_LISTED = 10

/** @internal What the search for a container comes to when no single system call is to blame. */
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

/** @internal The engine knows it, but nothing of it runs. */
export function notRunning(reference: string, state: string): NamespaceError {
  return failure('ESRCH', `container '${reference}' is not running, fromContainer: ${state}`)
}

/** @internal Somebody else may have made the cgroup to be entered by who trusts its name. */
export function notBelieved(
  reference: string,
  cgroup: { directory: string; doubt: string | undefined },
): NamespaceError {
  const way = 'ask its engine (socketPath), look as that user, or use fromPid'
  const message = `the only cgroup that bears '${reference}' ${cgroup.doubt}, so that anybody may have named it, fromContainer: ${way}`
  return failure('EPERM', message, { path: cgroup.directory })
}

/** @internal Several containers answer to one reference. */
export function ambiguous(reference: string, candidates: readonly string[]): Error {
  const more = candidates.length > MOST_LISTED ? [`and ${candidates.length - MOST_LISTED} more`] : []
  const list = [...candidates.slice(0, MOST_LISTED), ...more].join(', ')
  return misuse('ERR_NSSET_AMBIGUOUS', `'${reference}' may be any of several containers: ${list}`)
}

/** @internal Text from elsewhere, fit for a message. */
export function quoted(text: string): string {
  // More of it would only take time.
  const line = text
    .slice(0, 2000)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  return `'${line.length > 200 ? `${line.slice(0, 200)}…` : line}'`
}
