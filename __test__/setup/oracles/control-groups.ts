/** Control groups of version 2 as the kernel shows them in files, without nsset. */
import { chownSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import type { TestContext } from 'vitest'
import { isRoot } from '../sets/privilege.ts'

/** The mount point of cgroup2; undefined if it is not mounted. */
export const CGROUP2: string | undefined = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1]

const CONTROLLERS = CGROUP2 === undefined ? [] : readFileSync(`${CGROUP2}/cgroup.controllers`, 'utf8').trim().split(' ')

/** The reason why this user cannot create control groups here, or undefined. */
export const withoutGroups: string | undefined = !isRoot
  ? 'needs root: nothing is delegated to an ordinary user here'
  : CGROUP2 === undefined
    ? 'needs a mount of cgroup2'
    : undefined

/** The end of the title of tests that are skipped for a reason. */
export function reasonOf(reason: string | undefined): string {
  return reason === undefined ? '' : ` (skipped: ${reason})`
}

/** Turns on a controller for all groups, until the end of the block if it was off. */
export function withController(controller: string): Disposable {
  const file = `${CGROUP2}/cgroup.subtree_control`
  const wasOn = readFileSync(file, 'utf8').split(/\s/).includes(controller)
  writeFileSync(file, `+${controller}`)
  return { [Symbol.dispose]: () => (wasOn ? undefined : writeFileSync(file, `-${controller}`)) }
}

/** Skips a test if version 2 does not have these controllers: version 1 may use them. */
export function needsControllers(context: TestContext, ...controllers: string[]): void {
  const missing = controllers.filter((controller) => !CONTROLLERS.includes(controller))
  if (missing.length > 0) context.skip(`needs the controllers ${missing.join(', ')} in cgroup2`)
}

/** The controllers of these that version 2 does not have here. */
export function missingControllers(...controllers: string[]): string[] {
  return controllers.filter((controller) => !CONTROLLERS.includes(controller))
}

/** The path of a group in its hierarchy, as /proc/PID/cgroup shows it. */
export function pathInHierarchy(directory: string): string {
  return directory.slice(String(CGROUP2).length)
}

/** The path in version 2, from the text of /proc/PID/cgroup. */
export function version2Path(text: string): string | undefined {
  return /^0::(.*)$/m.exec(text)?.[1]
}

/** A file of a group. */
export function groupFile(directory: string, name: string): string {
  return readFileSync(`${directory}/${name}`, 'utf8').trim()
}

/** A group that is made by mkdir(2), and removed at the end of its block. */
export function plainGroup(name: string): Disposable & { path: string } {
  const path = `${CGROUP2}/nsset-test-${process.pid}-${name}`
  mkdirSync(path)
  return { path, [Symbol.dispose]: () => rmdirSync(path) }
}

/** Delegates a group to a user, as systemd does. */
export function delegate(path: string, id: number): void {
  const files = ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'].map((name) => `${path}/${name}`)
  for (const file of [path, ...files]) chownSync(file, id, id)
}

/** The command that runs Node.js in a group, as this user. */
export function runIn(path: string, id: number): string[] {
  const enter = `echo 0 > '${path}/cgroup.procs' && exec setpriv --reuid=${id} --regid=${id} --clear-groups "$@"`
  return ['sh', '-c', enter, 'sh']
}
