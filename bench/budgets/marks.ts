/** Marks of the traced program in the trace: system calls for files that do not exist. */

/** Short, since strace(1) shows 32 characters of a string. */
const DIRECTORY = '/nsset-budgets'

export const END = `${DIRECTORY}/end`

/** From here on this many operations follow, of the one with this index in the list. */
export function begin(operation: number, times: number): string {
  return `${DIRECTORY}/${operation}/${times}`
}

export type Mark = 'end' | { operation: number; times: number }

/** The mark in a line of the trace. */
export function markIn(line: string): Mark | undefined {
  if (line.includes(`"${END}"`)) return 'end'
  const [, operation, times] = MARK.exec(line) ?? []
  return times === undefined ? undefined : { operation: Number(operation), times: Number(times) }
}

const MARK = new RegExp(`"${DIRECTORY}/(\\d+)/(\\d+)"`)
