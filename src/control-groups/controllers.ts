import { withoutControllers, withProcesses } from './errors.ts'
import { readOptional, words, write } from './files.ts'
import { moveToLeaf, ownGroup, version2Mounts } from './own-group.ts'

const AVAILABLE = 'cgroup.controllers'
const PASSED_ON = 'cgroup.subtree_control'

/** How often processes that Node.js starts meanwhile are moved out of the way. */
const MOST_MOVES = 3

/** @internal Returns those of the controllers that a group does not have. */
export async function missingIn(directory: string, controllers: readonly string[]): Promise<string[]> {
  const available = await words(directory, AVAILABLE)
  return controllers.filter((controller) => !available.includes(controller))
}

/** @internal Turns on these controllers for the groups below a group. They stay on. */
export async function enableBelow(directory: string, controllers: readonly string[]): Promise<void> {
  const enabled = controllers.length === 0 ? [] : await words(directory, PASSED_ON)
  const lacking = controllers.filter((controller) => !enabled.includes(controller))
  if (lacking.length === 0) return
  const missing = await missingIn(directory, lacking)
  if (missing.length > 0) throw withoutControllers(directory, missing, await hasVersion2(missing))
  const text = lacking.map((controller) => `+${controller}`).join(' ')
  for (let moves = 0; await hasProcesses(directory); moves += 1) {
    if (moves === MOST_MOVES || directory !== (await ownGroup())) throw withProcesses(directory)
    await moveToLeaf(directory)
  }
  await write(directory, PASSED_ON, text)
}

/**
 * Whether a group has processes, so that it must not pass on controllers. The kernel rejects that for some controllers only. With
 * others, such as `pids`, the groups below are `domain invalid` and can have no processes (cgroups(7)). The root group may have both.
 */
async function hasProcesses(directory: string): Promise<boolean> {
  const isRootGroup = (await readOptional(directory, 'cgroup.type')) === undefined
  return !isRootGroup && (await words(directory, 'cgroup.procs')).length > 0
}

/** Whether version 2 has these controllers at all. */
async function hasVersion2(controllers: readonly string[]): Promise<boolean> {
  for (const { target } of await version2Mounts()) {
    if ((await missingIn(target, controllers)).length === 0) return true
  }
  return false
}
