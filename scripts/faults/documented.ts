/** The documented errors: the codes of `docs/errors.md`, and the classes that it names. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const PAGE = join(import.meta.dirname, '../../docs/errors.md')
/** Node's own sockets and Workers throw plain errors, with a code. */
const CLASSES = ['NamespaceError', 'ActionError', 'ExecFileError', 'TypeError', 'RangeError', 'Error']
const ABORTED = ['AbortError', 'TimeoutError']

/** The error of an operation. */
export interface Thrown {
  name: string
  code: string | undefined
  message: string
}

/** The codes of the page: the first columns of its tables. */
export function documentedCodes(page: string = readFileSync(PAGE, 'utf8')): Set<string> {
  const cells = [...page.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell = '']) => cell)
  const codes = cells.flatMap((cell) => [...cell.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, code = '']) => code))
  return new Set([...codes, 'ABORT_ERR'])
}

/** Why an error is undocumented, or undefined. */
export function whyUndocumented({ name, code, message }: Thrown, codes: ReadonlySet<string>): string | undefined {
  if (ABORTED.includes(name)) return undefined
  if (!CLASSES.includes(name)) return `the class ${name} is not documented: ${message}`
  // A program that was killed has a signal instead.
  if (code === undefined && name === 'ExecFileError') return undefined
  if (code === undefined) return `no code: ${name}: ${message}`
  return codes.has(code) ? undefined : `the code ${code} is not documented: ${message}`
}
