/** The mounts below a directory: proc_pid_mountinfo(5). */
import { readFileSync } from 'node:fs'

export interface Mount {
  target: string
  /** For a namespace this equals its link in /proc/PID/ns: `net:[4026532177]`. */
  root: string
  type: string
}

export function mountsBelow(directory: string): Mount[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ')
      const [, , , root = '', target = ''] = before.split(' ')
      return { target: unescaped(target), root, type: after.split(' ')[0] ?? '' }
    })
    .filter(({ target }) => target === directory || target.startsWith(`${directory}/`))
}

/** Spaces, tabs, newlines and backslashes are written as `\040` and the like. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
}
