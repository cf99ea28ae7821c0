import { explained } from './errors.ts'

/** @internal Reads a file of a control group. */
export async function read(directory: string, name: string): Promise<string> {
  const { readFile } = process.getBuiltinModule('node:fs/promises')
  try {
    return await readFile(`${directory}/${name}`, 'utf8')
  } catch (error) {
    throw explained(error)
  }
}

/** @internal Reads a file that a kernel, or a group without the controller, does not have. */
export async function readOptional(directory: string, name: string): Promise<string | undefined> {
  try {
    return await read(directory, name)
  } catch (error) {
    // The kernel removes the files of a group at once, and then open files answer ENODEV.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** @internal Writes a file of a control group. Some cannot be read, and none may be created. */
export async function write(directory: string, name: string, text: string): Promise<void> {
  const fs = process.getBuiltinModule('node:fs')
  try {
    await fs.promises.writeFile(`${directory}/${name}`, text, { flag: fs.constants.O_WRONLY })
  } catch (error) {
    throw explained(error)
  }
}

/** @internal Returns the words of a file, such as `cgroup.controllers` or `cgroup.procs`. */
export async function words(directory: string, name: string): Promise<string[]> {
  return (await read(directory, name)).split(/\s+/).filter((word) => word !== '')
}

/** @internal Parses lines of a name and a number, such as those of `memory.events`. */
export function numbers(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split('\n').map((line) => {
      const [name = '', value] = line.split(' ')
      return [name, Number(value)]
    }),
  )
}
