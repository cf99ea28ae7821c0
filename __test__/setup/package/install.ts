/** Installs into an empty project, and runs the README's first example there. */
import { expect } from 'vitest'
import { README_EXAMPLE, README_OUTPUT } from '../../../scripts/pages/readme-example.ts'
import { type FreshProject, NPM } from './fresh-project.ts'

/** Runs npm install with these arguments, which must print no warning. */
export async function npmInstall(project: FreshProject, ...args: string[]): Promise<void> {
  const { stderr, code } = await project.run([NPM, 'install', ...args])
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
}

/** Runs it with a Node.js, by default this one; it must print the output in the README. */
export async function expectReadmeExample(
  project: FreshProject,
  node: readonly string[] = [process.execPath],
  env?: Record<string, string>,
): Promise<void> {
  project.write('readme.mjs', README_EXAMPLE)
  expect(await project.run([...node, 'readme.mjs'], env)).toEqual({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(README_OUTPUT),
  })
}
